//! Markets that tests make up.

use super::Noise;
use crate::Market;

/// A market of one asset: a random walk of `rows` prices from 100, all scored, whose steps have standard deviation
/// `step`.
#[must_use]
pub fn random_walk(rows: usize, step: f64, seed: u64) -> Market {
    let mut noise = Noise::new(seed);
    MarketBuilder::new(1).walk(rows, 100.0, |price| price * (1.0 + step * noise.normal())).build()
}

/// What can stand for a missing price: NaN, as the contract has it, and 0, as older hosts gave it and a ledger can hold it.
/// A challenge that is labelled from prices gives the same result for both.
pub const MISSING_PRICES: [f64; 2] = [f64::NAN, 0.0];

/// Puts `number` into holes of a market's prices: a hole is a place in [`Market::prices`], and how many numbers there are
/// from there on. What reaches past the last one is left out.
pub fn put_into_holes(market: &mut Market, holes: &[(usize, usize)], number: f64) {
    let places = market.prices.len();
    for &(from, count) in holes {
        let to = from.saturating_add(count).min(places);
        market.prices[from.min(to)..to].fill(number);
    }
}

/// Prices and numbers of miners that a plugin must stand, though some of them should never come: NaN, 0, infinities, and
/// numbers that are very small or very large. A pair is a place in [`Market::prices`], at which a miner has one number too,
/// and which of the [`BROKEN`] ones is put there; the miners take turns.
///
/// # Panics
/// If a place or a number is outside.
pub fn put_broken_numbers(market: &mut Market, miners: &mut [Vec<f32>], places: &[(usize, usize)]) {
    let crowd = miners.len();
    for &(at, which) in places {
        (market.prices[at], miners[at % crowd][at]) = BROKEN[which];
    }
}

/// The prices and numbers of [`put_broken_numbers`].
pub const BROKEN: [(f64, f32); 6] = [
    (f64::NAN, f32::NAN),
    (0.0, 0.0),
    (f64::INFINITY, f32::INFINITY),
    (-1.0, f32::NEG_INFINITY),
    (1e-300, 1e-7),
    (1e300, 6e4),
];

/// A market in the making, of one asset or of many, row by row.
///
/// ```
/// use mantis_plugin_api::test_kit::MarketBuilder;
///
/// let market = MarketBuilder::new(2)
///     .row(&[100.0, 5.0])
///     .gap(3) // three sampled blocks that the ledger does not have
///     .row(&[101.0, f64::NAN]) // no price of the second asset
///     .silent_row(&[102.0, 5.1]) // no miner sent anything
///     .future(1) // the last row is known, but not scored
///     .carried("A1", "{}")
///     .build();
/// assert_eq!((market.sidx.as_slice(), market.scored_rows), (&[0, 4, 5][..], 2));
/// assert_eq!((market.usable(0, 1), market.usable(1, 1)), (Some(5.0), None));
/// ```
#[derive(Clone, Debug)]
pub struct MarketBuilder {
    market: Market,
    next_sidx: i64,
}

impl MarketBuilder {
    /// A market of so many assets without a row; the first one will be sampled block 0.
    ///
    /// # Panics
    /// If `assets` is 0.
    #[must_use]
    pub fn new(assets: usize) -> Self {
        assert!(assets > 0, "a market has at least one asset");
        Self { market: Market { assets, ..Market::default() }, next_sidx: 0 }
    }

    /// Adds the row of the next sampled block, in which miners sent something. A missing price is NaN.
    ///
    /// # Panics
    /// If there is not one price for each asset.
    #[must_use]
    pub fn row(self, prices: &[f64]) -> Self {
        self.push(prices, true)
    }

    /// As [`MarketBuilder::row`], for a row in which no miner sent anything.
    ///
    /// # Panics
    /// If there is not one price for each asset.
    #[must_use]
    pub fn silent_row(self, prices: &[f64]) -> Self {
        self.push(prices, false)
    }

    /// Adds rows of consecutive sampled blocks.
    ///
    /// # Panics
    /// If a row does not have one price for each asset.
    #[must_use]
    pub fn rows<R: AsRef<[f64]>>(self, rows: impl IntoIterator<Item = R>) -> Self {
        rows.into_iter().fold(self, |builder, row| builder.row(row.as_ref()))
    }

    /// Adds `rows` rows in which all assets walk on from `start`: `step` gives the next price of an asset from its last
    /// one, asset by asset, row by row.
    #[must_use]
    pub fn walk(mut self, rows: usize, start: f64, mut step: impl FnMut(f64) -> f64) -> Self {
        let mut prices = vec![start; self.market.assets];
        for _ in 0..rows {
            prices.iter_mut().for_each(|price| *price = step(*price));
            self = self.row(&prices);
        }
        self
    }

    /// Leaves out sampled blocks: the ledger does not have them.
    #[must_use]
    pub fn gap(mut self, blocks: u32) -> Self {
        self.next_sidx += i64::from(blocks);
        self
    }

    /// Gives the rows that were added their sampled blocks, ascending.
    ///
    /// # Panics
    /// If there is not one for each row, or they do not ascend.
    #[must_use]
    pub fn at(mut self, sidx: &[i64]) -> Self {
        assert_eq!(sidx.len(), self.market.rows(), "one sampled block for each row");
        assert!(sidx.is_sorted_by(|a, b| a < b), "sampled blocks ascend");
        self.market.sidx = sidx.to_vec();
        self.next_sidx = sidx.last().map_or(0, |last| last + 1);
        self
    }

    /// Makes the last `rows` rows the future, which is not scored.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn future(mut self, rows: usize) -> Self {
        assert!(rows <= self.market.rows(), "{rows} rows of {} cannot be the future", self.market.rows());
        self.market.scored_rows = self.market.rows() - rows;
        self
    }

    /// Adds a state that the ledger carries for an asset.
    #[must_use]
    pub fn carried(mut self, asset: &str, json: &str) -> Self {
        self.market.carried.push((asset.into(), json.into()));
        self
    }

    /// The market.
    #[must_use]
    pub fn build(mut self) -> Market {
        self.market.submitted.truncate(self.market.scored_rows);
        self.market
    }

    fn push(mut self, prices: &[f64], submitted: bool) -> Self {
        assert_eq!(prices.len(), self.market.assets, "one price for each asset");
        self.market.sidx.push(self.next_sidx);
        self.market.prices.extend(prices);
        self.market.submitted.push(submitted);
        self.market.scored_rows = self.market.rows();
        self.next_sidx += 1;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_on_from_asset_to_asset_and_row_to_row() {
        let mut steps = 0.0;
        let market = MarketBuilder::new(2).walk(2, 10.0, |price| {
            steps += 1.0;
            price + steps
        });
        assert_eq!(market.build().prices, [11.0, 12.0, 14.0, 16.0]);
    }

    #[test]
    fn holes_end_with_the_market() {
        let mut market = MarketBuilder::new(2).rows([[1.0; 2]; 3]).build();
        put_into_holes(&mut market, &[(1, 2), (5, 9), (7, 1)], 0.0);
        assert_eq!(market.prices, [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn what_is_not_scored_has_no_submissions() {
        let builder = MarketBuilder::new(1).rows([[1.0], [2.0]]).silent_row(&[3.0]).at(&[4, 7, 9]);
        let market = builder.clone().build();
        assert_eq!((market.scored_rows, market.submitted), (3, vec![true, true, false]));
        assert_eq!(builder.clone().row(&[4.0]).build().sidx, [4, 7, 9, 10]);
        let market = builder.future(2).build();
        assert_eq!((market.rows(), market.scored_rows, market.submitted), (3, 1, vec![true]));
    }
}
