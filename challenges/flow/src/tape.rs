//! The rows that count, their hours and prices.

use crate::Params;
use crate::tail::{hour_index, tail_hours};
use crate::touch::{Extremes, Wick};
use mantis_plugin_api::{Market, PluginError, Spec};

/// Seconds of a block of the chain.
pub(crate) const BLOCK_SECONDS: f64 = 12.0;

/// Hours that a tape may span: more than a hundred years. A ledger beyond that has rows of another chain in it.
const MAX_HOURS: f64 = 1e6;

/// Rows with a price, oldest first; all vectors are as long.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tape {
    /// Row of the market.
    pub(crate) rows: Vec<usize>,
    /// Block in which the row was sampled.
    pub(crate) blocks: Vec<f64>,
    /// Hours since the chain's first block; never rebased, so that a trade's horizon is the same in every history.
    pub(crate) hours: Vec<f64>,
    pub(crate) close: Vec<f64>,
    pub(crate) wicks: Extremes,
    /// For each hour from that of the first row on, whether it is a tail hour.
    pub(crate) tail: Vec<bool>,
}

impl Tape {
    /// The newest rows with a price (scoring: flow, rows).
    pub(crate) fn new(market: &Market, spec: &Spec, params: &Params) -> Result<Self, PluginError> {
        let mut rows = market.priced_rows();
        rows.drain(..rows.len().saturating_sub(params.history_rows));
        let every = f64::from(spec.sample_every);
        let blocks: Vec<f64> = rows.iter().map(|&row| market.sidx[row] as f64 * every).collect();
        let hours: Vec<f64> = blocks.iter().map(|block| block * BLOCK_SECONDS / 3_600.0).collect();
        let close: Vec<f64> = rows.iter().filter_map(|&row| market.usable(row, 0)).collect();
        let wick = |(&row, &close): (&usize, &f64)| wick(market, row, close, spec.channels.len());
        let wicks = Extremes::new(rows.iter().zip(&close).map(wick).collect());
        let mut tape = Self { rows, blocks, hours, close, wicks, tail: Vec::new() };
        if tape.span() > MAX_HOURS {
            return Err(PluginError::data(format!("the rows span {:.0} hours", tape.span())));
        }
        if !tape.hours.is_empty() {
            tape.tail = tail_hours(&tape.hours, &tape.close, params);
        }
        Ok(tape)
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Hours from the first row to the last.
    pub(crate) fn span(&self) -> f64 {
        self.last_hour() - self.hours.first().copied().unwrap_or(0.0)
    }

    /// Hour of the last row.
    pub(crate) fn last_hour(&self) -> f64 {
        self.hours.last().copied().unwrap_or(0.0)
    }

    /// Whether a row lies in a tail hour.
    pub(crate) fn is_tail(&self, row: usize) -> bool {
        self.tail[hour_index(self.hours[0], self.hours[row])]
    }

    /// The first row after an hour.
    pub(crate) fn after(&self, hour: f64) -> usize {
        self.hours.partition_point(|&of_row| of_row <= hour)
    }
}

/// Lowest and highest price of a row: of its channels, if they make sense, and its close (scoring: flow, rows).
fn wick(market: &Market, row: usize, close: f64, channels: usize) -> Wick {
    let channel = |channel| market.channel(row, channel, channels).filter(|_| channels == 2);
    match (channel(0), channel(1)) {
        (Some(high), Some(low)) if 0.0 < low && low <= high => {
            Wick { low: low.min(close), high: high.max(close) }
        }
        _ => Wick { low: close, high: close },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::{MarketBuilder, spec};
    use mantis_plugin_api::{Solver, Storage};

    const NAN: f64 = f64::NAN;

    fn flow_spec() -> Spec {
        let channels = vec!["HIGH".into(), "LOW".into()];
        Spec { storage: Storage::F32, channels, ..spec(crate::NUMBERS, 0, Solver::Exact) }
    }

    fn tape(prices: &[f64], channels: &[f64], history_rows: usize) -> Tape {
        let market = MarketBuilder::new(1).rows(prices.iter().map(|&price| [price])).build();
        let market = Market { channels: channels.to_vec(), ..market };
        Tape::new(&market, &flow_spec(), &Params { history_rows, ..Params::default() }).unwrap()
    }

    #[test]
    fn rows_without_a_price_are_not_there_and_the_newest_stay() {
        let prices = [1.0, NAN, 3.0, 0.0, -1.0, 6.0, f64::INFINITY, 8.0];
        let all = tape(&prices, &[], 100);
        assert_eq!(
            (all.rows.as_slice(), all.close.as_slice()),
            (&[0, 2, 5, 7][..], &[1.0, 3.0, 6.0, 8.0][..])
        );
        assert_eq!(tape(&prices, &[], 2).rows, [5, 7]);
    }

    #[test]
    fn the_future_is_not_there() {
        let market = MarketBuilder::new(1).rows([[1.0], [2.0], [3.0]]).future(1).build();
        assert_eq!(Tape::new(&market, &flow_spec(), &Params::default()).unwrap().rows, [0, 1]);
    }

    #[test]
    fn hours_are_one_rounded_division() {
        let market = MarketBuilder::new(1).rows([[1.0]; 3]).at(&[1_771_931, 1_771_932, 1_771_980]).build();
        let tape = Tape::new(&market, &flow_spec(), &Params::default()).unwrap();
        assert_eq!(tape.blocks[0], 8_859_655.0);
        assert_eq!(tape.hours, [106_315_860.0 / 3_600.0, 106_315_920.0 / 3_600.0, 29_533.0]);
        assert_eq!((tape.after(29_532.9), tape.after(29_533.0), tape.after(0.0)), (2, 3, 0));
    }

    #[test]
    fn a_wick_holds_the_close_and_a_bad_one_is_the_close() {
        let cases = [
            ((12.0, 8.0), (8.0, 12.0)),
            ((9.5, 9.0), (9.0, 10.0)),
            ((11.0, 10.5), (10.0, 11.0)),
            ((10.0, 10.0), (10.0, 10.0)),
            ((8.0, 12.0), (10.0, 10.0)),
            ((12.0, 0.0), (10.0, 10.0)),
            ((12.0, NAN), (10.0, 10.0)),
            ((NAN, 8.0), (10.0, 10.0)),
            ((f64::INFINITY, 8.0), (10.0, 10.0)),
        ];
        for ((high, low), expected) in cases {
            let market = MarketBuilder::new(1).row(&[10.0]).build();
            let market = Market { channels: vec![high, low], ..market };
            let found = wick(&market, 0, 10.0, 2);
            assert_eq!((found.low, found.high), expected, "{high} {low}");
        }
    }

    #[test]
    fn rows_of_another_age_are_refused() {
        let market = MarketBuilder::new(1).rows([[1.0]; 2]).at(&[0, 1_000_000_000_000]).build();
        assert!(Tape::new(&market, &flow_spec(), &Params::default()).is_err());
    }
}
