//! The miner's side: embeddings from a file or a command, sealed, uploaded under the hotkey, committed once.

mod embeddings;
mod once;
#[cfg(test)]
mod once_test;
pub mod review;
mod sealer;

pub use embeddings::{Embeddings, EmbeddingsError};
pub use once::{Check, Checks, MinerError, Seal, Uploaded, Uploader};
pub use sealer::Sealer;
