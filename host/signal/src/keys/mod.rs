//! Keys of buyers: how one looks, how it is made, and what it is for.
//!
//! A key is `mk_live_<8>_<43>`: an id, by which it is found, and a secret of 256 random bits, of which the store has the
//! SHA-256 alone. So many bits need no slow hash.

mod access;
mod make;
mod token;

pub use access::{Scope, Standing, standing};
pub use make::{KeyError, ROTATION_SECONDS, Wanted, add, rotate};
pub use token::{Token, looks_like_key};
