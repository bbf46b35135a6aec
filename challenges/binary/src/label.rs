//! Which rows count, and whether the price rose.

use crate::Binary;
use mantis_plugin_api::{Label, Market, PluginError, Reading, Targets};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Row of the market, ascending.
    pub rows: Vec<usize>,
    /// Rows in which miners are compared with each other: those above and the ones before them that are not scored.
    pub compared: Vec<usize>,
    /// Whether the price one horizon later is higher.
    pub rose: Vec<bool>,
    /// Scored rows that only wait for that price: the market ends before it.
    pub pending: usize,
}

impl Labels {
    /// The labels, and how many rows there are, when the rows that wait have theirs and one more has come. Of those it is
    /// not known what they are, and nothing is fitted on them.
    pub(crate) fn with_next_row(&self, max_rows: usize) -> (Self, usize) {
        let all = self.rows.len() + self.pending + 1;
        let excess = all.saturating_sub(max_rows).min(self.rows.len());
        let (rows, rose) = (self.rows[excess..].to_vec(), self.rose[excess..].to_vec());
        (Self { rows, rose, ..Self::default() }, all - excess)
    }
}

impl Label for Binary {
    type Labels = Labels;

    /// Keeps the rows with a price, a price one horizon later (past the last scored row too), somebody's
    /// prediction, and a price that is not frozen (scoring: binary, rows).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let ahead = self.spec.rows_ahead() as i64;
        let mut labels = Labels::default();
        let (mut last, mut streak) = (f64::NAN, 0);
        for row in market.scored() {
            let Some(price) = market.usable(row, 0) else {
                // As the network counts, whose ledger has 0 for a missing price: it differs from those beside it.
                last = f64::NAN;
                continue;
            };
            // Counted before any row is dropped.
            streak = if price == last { streak + 1 } else { 0 };
            last = price;
            if streak > self.params.freeze_limit || !market.submitted[row] {
                continue;
            }
            let later = market.sidx[row] + ahead;
            if market.sidx.last().is_some_and(|&newest| newest < later) {
                labels.pending += 1;
            } else if let Some(later) = market.row_of(later).and_then(|row| market.usable(row, 0)) {
                labels.rows.push(row);
                labels.rose.push(later > price);
            }
        }
        labels.compared.clone_from(&labels.rows);
        let excess = labels.rows.len().saturating_sub(self.params.max_rows);
        labels.rows.drain(..excess);
        labels.rose.drain(..excess);
        Ok(labels)
    }

    fn targets(&self, market: &Market, labels: &Labels) -> Option<Targets> {
        let ahead = self.spec.rows_ahead() as i64;
        let mut targets = Targets::new(Reading::Event);
        for (&row, &rose) in labels.rows.iter().zip(&labels.rose) {
            targets.push(row, market.row_of(market.sidx[row] + ahead)?, [Some(u16::from(rose))]);
        }
        Some(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use mantis_plugin_api::test_kit::{MarketBuilder, spec};
    use mantis_plugin_api::{Challenge, Solver};

    fn challenge(params: Params) -> Binary {
        Binary { params, ..Binary::configure(spec(2, 2, Solver::Exact), &Default::default()).unwrap() }
    }

    fn market(prices: &[f64], scored_rows: usize) -> Market {
        let rows = prices.iter().map(|&price| [price]);
        MarketBuilder::new(1).rows(rows).future(prices.len() - scored_rows).build()
    }

    #[test]
    fn looks_one_horizon_ahead_past_the_scored_rows() {
        let labels = challenge(Params::default()).label(&market(&[1.0, 2.0, 3.0, 1.5, 2.5], 3)).unwrap();
        assert_eq!(labels.rows, [0, 1, 2]);
        assert_eq!(labels.rose, [true, false, false]);
    }

    #[test]
    fn targets_are_known_one_horizon_later() {
        let (challenge, market) = (challenge(Params::default()), market(&[1.0, 2.0, 3.0, 1.5, 2.5], 3));
        let targets = challenge.targets(&market, &challenge.label(&market).unwrap()).unwrap();
        assert_eq!((&*targets.rows, &*targets.known), (&[0, 1, 2][..], &[2, 3, 4][..]));
        assert_eq!(targets.values, [Some(1), Some(0), Some(0)]);
        assert_eq!(targets.check(5, 1, 2), Ok(()));
    }

    #[test]
    fn skips_rows_without_a_price_then_or_later() {
        let prices = [1.0, f64::NAN, 0.0, 1.0, 2.0, f64::INFINITY, 3.0];
        assert_eq!(challenge(Params::default()).label(&market(&prices, 7)).unwrap().rows, [4]);
    }

    #[test]
    fn skips_a_missing_later_row_and_silent_rows() {
        let mut market = market(&[1.0, 2.0, 3.0, 4.0, 5.0], 5);
        market.sidx[2] = 100;
        market.sidx[3] = 101;
        market.sidx[4] = 102;
        market.submitted[2] = false;
        assert_eq!(challenge(Params::default()).label(&market).unwrap().rows, Vec::<usize>::new());
        market.submitted[2] = true;
        assert_eq!(challenge(Params::default()).label(&market).unwrap().rows, [2]);
    }

    #[test]
    fn skips_frozen_prices_after_the_limit() {
        let prices = [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0];
        let limited = challenge(Params { freeze_limit: 1, ..Params::default() });
        // Rows 2 and 3 are the second and third repetition, row 5 the first of another price.
        assert_eq!(limited.label(&market(&prices, 8)).unwrap().rows, [0, 1, 4, 5]);
    }

    #[test]
    fn a_missing_price_ends_a_streak_however_it_is_missing() {
        for missing in [f64::NAN, 0.0, -0.0, -1.0, f64::INFINITY] {
            let prices = [1.0, 1.0, missing, missing, 1.0, 1.0, 1.0, 2.0, 3.0];
            let limited = challenge(Params { freeze_limit: 1, ..Params::default() });
            // Row 6 is over the limit: counted on over the gap, rows 4 and 5 would be too.
            assert_eq!(limited.label(&market(&prices, 9)).unwrap().rows, [4, 5], "{missing}");
        }
    }

    #[test]
    fn keeps_the_newest_rows() {
        let prices: Vec<f64> = (1..=2_000).map(f64::from).collect();
        let labels = challenge(Params { max_rows: 1_000, ..Params::default() });
        let labels = labels.label(&market(&prices, 2_000)).unwrap();
        assert_eq!((labels.rows.len(), labels.rows[0], labels.rose.len()), (1_000, 998, 1_000));
        assert_eq!(labels.compared, (0..1_998).collect::<Vec<_>>());
    }
}
