//! What a computation takes from those before it.

use mantis_config::Block;
use mantis_ledger::{Ledger, LedgerError};
use mantis_weights::{Held, Shares};
use std::collections::BTreeMap;

/// The computations before one: a ledger, or what is computed anew in its place.
pub(crate) trait Earlier {
    /// The newest saliences of a challenge that did not fail, from a computation for a block before `before`; `None` if there
    /// are none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn last_good(&self, ticker: &str, before: Block) -> Result<Option<(Held, Shares)>, LedgerError>;

    /// The smoothed weights, by hotkey, of the newest computation for a block before this one that weights came of; `None` if
    /// there are none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn weights_before(&self, block: Block) -> Result<Option<BTreeMap<String, f64>>, LedgerError>;
}

impl Earlier for Ledger {
    fn last_good(&self, ticker: &str, before: Block) -> Result<Option<(Held, Shares)>, LedgerError> {
        Self::last_good(self, ticker, before)
    }

    fn weights_before(&self, block: Block) -> Result<Option<BTreeMap<String, f64>>, LedgerError> {
        Ok(Self::weights_before(self, block)?.map(|before| before.weights))
    }
}
