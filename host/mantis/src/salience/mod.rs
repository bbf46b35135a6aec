//! What a strategy would earn among the miners of a ledger: its embeddings from a file, scored as one more column.
//!
//! [`enter`] makes guests of a file, of what a validator would have stored; [`prospects`] has each scored by its challenge's
//! plugin, at several blocks, and says where it stands.

mod collector;
mod draw;
mod enter;
mod entry;
mod error;
mod facts;
mod lines;
mod moments;
mod place;
mod prospects;
mod uniqueness;

pub use collector::{Entrant, Taken};
pub use enter::enter;
pub use entry::{Entry, check_name};
pub use error::SalienceError;
pub use facts::check_facts;
pub use place::{Marks, Place};
pub use prospects::{Plan, Prospects, prospects};
pub use uniqueness::{Uniqueness, uniqueness};
