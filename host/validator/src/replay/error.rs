//! Why history could not be computed once more.

use crate::computation::ComputationError;
use mantis_config::Block;
use mantis_ledger::LedgerError;
use mantis_release::ReleaseRejection;
use mantis_scoring::CacheError;
use mantis_scoring::plugins::{LoadError, LocateError};
use std::path::PathBuf;
use thiserror::Error;

/// Why history could not be computed once more.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Saliences cannot be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// There is no plugin of a candidate.
    #[error("{candidate}: {ticker}: {source}")]
    Plugin {
        /// The candidate.
        candidate: String,
        /// The challenge.
        ticker: String,
        /// Where it was looked for.
        source: Box<LocateError>,
    },
    /// The file of a plugin cannot be read, or is not the pinned one.
    #[error("{candidate}: {ticker}: {source}")]
    PluginFile {
        /// The candidate.
        candidate: String,
        /// The challenge.
        ticker: String,
        /// Why.
        source: Box<LoadError>,
    },
    /// A release that the ledger names is not beside it.
    #[error(
        "release {number}, by which the ledger was computed from block {from} on, cannot be had: {rejection}; put its folder \
         {folder} back, or name configurations with --config and --no-history"
    )]
    Release {
        /// Its number.
        number: u32,
        /// The first block that follows it.
        from: Block,
        /// Where it should lie.
        folder: PathBuf,
        /// Why not.
        rejection: Box<ReleaseRejection>,
    },
    /// A block that the ledger does not reach.
    #[error("{option} {block}: no such block in {ledger}, which was sampled from block {first} to {last}")]
    NoBlock {
        /// `--from` or `--to`.
        option: &'static str,
        /// The block that was named.
        block: Block,
        /// The ledger.
        ledger: PathBuf,
        /// Its first block.
        first: Block,
        /// Its last block.
        last: Block,
    },
    /// The last block is before the first.
    #[error("--from {from} --to {to}: the range is empty; --from comes first")]
    Order {
        /// The first.
        from: Block,
        /// The last.
        to: Block,
    },
    /// Nothing was sampled.
    #[error("{ledger}: no block was sampled in it: there is nothing to compute")]
    NoRows {
        /// The ledger.
        ledger: PathBuf,
    },
    /// No block of the range is one to compute.
    #[error(
        "{ledger}: nothing to compute from block {from} to {to}: {why}; name other blocks with --from, --to and --every"
    )]
    Empty {
        /// The ledger.
        ledger: PathBuf,
        /// The first block.
        from: Block,
        /// The last block.
        to: Block,
        /// Why not.
        why: String,
    },
    /// The weights of a block make no sense.
    #[error("{candidate}: block {block}: {source}")]
    Weights {
        /// The candidate.
        candidate: String,
        /// The block.
        block: Block,
        /// Why.
        source: Box<ComputationError>,
    },
}
