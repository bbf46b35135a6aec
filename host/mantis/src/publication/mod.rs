//! The publisher's side of a ledger in parts: a place that any web server or bucket can serve.

mod error;
mod make;
mod state;
mod upload;

pub use error::PublicationError;
pub use make::{Publication, PublicationSource, publish};
pub use upload::upload;
