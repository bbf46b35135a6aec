//! A ledger that others publish in parts: fetched from several mirrors at the first start, and for days that are missing.
//!
//! [`Published::find`] asks all mirrors for the signed list; [`Published::catch_up`] fetches the parts that are missing, several
//! at once, and merges each once it was found to be the listed one. A mirror that lies, lacks something, drips or dies costs
//! its part another mirror's try, and nothing else.

mod download;
mod error;
mod find;
mod plan;
mod run;

pub use error::CatchUpError;
pub use find::{MirrorSource, Published};
pub use run::{CaughtUp, Failed, Told};
