//! The prices that a challenge is labelled from.

use crate::{FactList, PluginError};
use std::ops::Range;

/// Prices of one challenge, row by row, and what else a label may depend on.
///
/// Rows are the ledger's rows of the challenge's price source in the order of `sidx`; one row is one sampled block.
///
/// **A missing price is NaN.** Read prices with [`Market::usable`] and rates with [`Market::rate`], which give `None`
/// for it, and for every other number that is not a price or not a rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Market {
    /// Sampled-block index of each row (`block / sample_every`), strictly ascending. Rows can be missing.
    pub sidx: Vec<i64>,
    /// Prices (or funding rates), row-major: `prices[row * assets + asset]`; NaN if the ledger has none. Single-asset
    /// challenges have one column. A ledger can hold any number: zeros, negative ones, infinities.
    pub prices: Vec<f64>,
    /// Columns of `prices`: 1, or the length of [`crate::Spec::assets`].
    pub assets: usize,
    /// Whether any miner, registered or not, has a stored vector in the row that is not all zero. As long as
    /// `scored_rows`.
    pub submitted: Vec<bool>,
    /// How many rows, from the first, may be scored. Later rows are the future: good for labels only.
    pub scored_rows: usize,
    /// Numbers of the feed beside the prices, row-major: `channels[row * c + channel]` for the `c` channels of
    /// [`crate::Spec::channels`]; NaN if the ledger has none. Empty without channels. Since contract 1.1.
    pub channels: Vec<f64>,
    /// Lists of facts from outside, in the order of [`crate::Spec::facts`]. Since contract 1.1.
    pub facts: Vec<FactList>,
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

    /// The number that stands for an asset in a row, as it is; NaN if it is missing.
    #[must_use]
    pub fn price(&self, row: usize, asset: usize) -> f64 {
        self.prices[row * self.assets + asset]
    }

    /// The price of an asset in a row; `None` if it is missing or cannot be one: a price is finite and above zero.
    ///
    /// A missing price is NaN; hosts before the contract's version 1.0 gave 0 for one of a single-asset challenge. Both
    /// are `None` here.
    #[must_use]
    pub fn usable(&self, row: usize, asset: usize) -> Option<f64> {
        Some(self.price(row, asset)).filter(|price| price.is_finite() && *price > 0.0)
    }

    /// The funding rate of an asset in a row, which may be zero or negative; `None` if it is missing or not finite.
    #[must_use]
    pub fn rate(&self, row: usize, asset: usize) -> Option<f64> {
        Some(self.price(row, asset)).filter(|rate| rate.is_finite())
    }

    /// The number of a channel in a row, finite; `None` if it is missing. `channels` is how many there are:
    /// the length of [`crate::Spec::channels`].
    #[must_use]
    pub fn channel(&self, row: usize, channel: usize, channels: usize) -> Option<f64> {
        self.channels.get(row * channels + channel).copied().filter(|x| x.is_finite())
    }

    /// The list of facts of a name, if the challenge is given it.
    #[must_use]
    pub fn fact_list(&self, name: &str) -> Option<&FactList> {
        self.facts.iter().find(|list| list.name == name)
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

    /// The rows that may be scored in which at least one asset has a [usable](Market::usable) price, ascending.
    #[must_use]
    pub fn priced_rows(&self) -> Vec<usize> {
        self.scored().filter(|&row| (0..self.assets).any(|asset| self.usable(row, asset).is_some())).collect()
    }

    /// Refuses a market that does not have a column for each of a challenge's assets.
    ///
    /// # Errors
    /// [`PluginError::Data`] if there are more or fewer.
    pub fn require_assets(&self, assets: usize) -> Result<(), PluginError> {
        if self.assets == assets {
            return Ok(());
        }
        Err(PluginError::data(format!("{} prices per row for {assets} assets", self.assets)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [f64; 8] = [1.5, f64::NAN, 0.0, -0.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, 5e-324];

    fn market(assets: usize) -> Market {
        let rows = NUMBERS.len() / assets;
        Market {
            sidx: (0..rows as i64).collect(),
            prices: NUMBERS.to_vec(),
            assets,
            submitted: vec![true; rows],
            scored_rows: rows,
            ..Market::default()
        }
    }

    #[test]
    fn a_channel_is_missing_where_it_is_no_number() {
        let market = Market { channels: vec![1.0, f64::NAN, f64::INFINITY, 4.0], ..market(1) };
        let found: Vec<_> = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]
            .map(|(row, channel)| market.channel(row, channel, 2))
            .to_vec();
        assert_eq!(found, [Some(1.0), None, None, Some(4.0), None]);
    }

    #[test]
    fn a_price_is_finite_and_above_zero() {
        let usable: Vec<_> = (0..8).map(|row| market(1).usable(row, 0)).collect();
        assert_eq!(usable, [Some(1.5), None, None, None, None, None, None, Some(5e-324)]);
    }

    #[test]
    fn a_rate_may_be_zero_or_negative() {
        let rates: Vec<_> = (0..8).map(|row| market(1).rate(row, 0)).collect();
        assert_eq!(rates, [Some(1.5), None, Some(0.0), Some(-0.0), Some(-1.0), None, None, Some(5e-324)]);
    }

    #[test]
    fn a_row_is_priced_by_any_of_its_assets() {
        assert_eq!(market(2).priced_rows(), [0, 3]);
        let unscored = Market { scored_rows: 3, ..market(2) };
        assert_eq!(unscored.priced_rows(), [0]);
    }

    #[test]
    fn assets_are_counted() {
        assert_eq!(market(2).require_assets(2), Ok(()));
        let error = market(2).require_assets(3).unwrap_err().to_string();
        assert_eq!(error, "2 prices per row for 3 assets");
    }
}
