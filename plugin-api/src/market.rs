//! The prices that a challenge is labelled from.

use std::ops::Range;

/// Prices of one challenge, row by row, and what else a label may depend on.
///
/// Rows are the ledger's rows of the challenge's price source in the order of `sidx`; one row is one sampled block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Market {
    /// Sampled-block index of each row (`block / sample_every`), strictly ascending. Rows can be missing.
    pub sidx: Vec<i64>,
    /// Prices (or funding rates), row-major: `prices[row * assets + asset]`; NaN where the ledger has none. Single-
    /// asset challenges have one column.
    pub prices: Vec<f64>,
    /// Columns of `prices`: 1, or the length of [`crate::Spec::assets`].
    pub assets: usize,
    /// Whether any miner, registered or not, has a stored vector in the row that is not all zero. As long as
    /// `scored_rows`.
    pub submitted: Vec<bool>,
    /// How many rows, from the first, may be scored. Later rows are the future: good for labels only.
    pub scored_rows: usize,
    /// State that the network's ledger carries for the challenge, asset by asset (`breakout_state`): name and JSON
    /// text. Empty for most challenges.
    pub carried: Vec<(String, String)>,
}

impl Market {
    /// All rows, the future included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.sidx.len()
    }

    /// The price of an asset in a row; NaN where there is none.
    #[must_use]
    pub fn price(&self, row: usize, asset: usize) -> f64 {
        self.prices[row * self.assets + asset]
    }

    /// The row of a sampled-block index, if the ledger has it.
    #[must_use]
    pub fn row_of(&self, sidx: i64) -> Option<usize> {
        self.sidx.binary_search(&sidx).ok()
    }

    /// The rows that may be scored.
    #[must_use]
    pub fn scored(&self) -> Range<usize> {
        0..self.scored_rows
    }
}
