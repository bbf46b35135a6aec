//! Why there is nothing to compare.

use mantis_config::Block;
use mantis_ledger::LedgerError;
use mantis_weights::TooFewWeights;
use thiserror::Error;

/// Why there is nothing to compare.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgreementError {
    /// The ledger holds no weights.
    #[error(
        "{ledger}: no computation that weights came of is recorded: run `mantis validator --dry-run` on it until one is, or name the \
         ledger of a validator that runs"
    )]
    NoComputation {
        /// The ledger's path.
        ledger: String,
    },
    /// The subnet demands weights of more UIDs.
    #[error(transparent)]
    TooFew(#[from] TooFewWeights),
    /// No hotkey with a weight is registered.
    #[error(
        "none of the hotkeys that the ledger's weights of block {computed} are for is registered at block {block}: is it the ledger of \
         this network, and is --netuid right?"
    )]
    NobodyRegistered {
        /// The block of the computation.
        computed: Block,
        /// The chain's block.
        block: Block,
    },
    /// Our hotkey is not registered.
    #[error(
        "{hotkey} is not registered at block {block}; register it, name another with --hotkey, or leave --hotkey out to compare the \
         ledger's weights alone"
    )]
    NotRegistered {
        /// Our hotkey.
        hotkey: String,
        /// The chain's block.
        block: Block,
    },
    /// Our hotkey may not set weights.
    #[error(
        "{hotkey}, UID {uid}, has no validator permit at block {block}: its weights do not count, and it earns no dividends; stake more \
         on it, or leave --hotkey out to compare the ledger's weights alone"
    )]
    NoPermit {
        /// Our hotkey.
        hotkey: String,
        /// Its UID.
        uid: u16,
        /// The chain's block.
        block: Block,
    },
    /// There is no consensus.
    #[error(
        "no validator with a permit and stake shows weights at block {block}, so there is no consensus to agree with{}",
        if *commit_reveal { "; weights are committed here, and shown epochs later: try again then" } else { "" }
    )]
    NobodyWeighs {
        /// The chain's block.
        block: Block,
        /// Whether weights are committed and shown later.
        commit_reveal: bool,
    },
    /// There is no consensus to be had.
    #[error(
        "at block {block} the subnet's weights are those of the one validator with the most stake: there is no consensus, and no \
         validator is paid for agreeing"
    )]
    OneDecides {
        /// The chain's block.
        block: Block,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
