//! The beacon: a public clock that signs a number every few seconds. Its signature of a round opens what was locked
//! until then.

mod scheme;
pub mod signing;

pub use scheme::{KeyError, Scheme};

pub(crate) use scheme::DST;
