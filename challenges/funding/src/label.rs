//! Whose funding rate rose more than the median.

use crate::Funding;
use mantis_kit::pooled::above_median;
use mantis_plugin_api::{Label, Market, PluginError, Reading, Targets};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Row of the market, ascending, up to the last that is paired with a later one.
    pub rows: Vec<usize>,
    /// Whether each of them is paired.
    pub is_paired: Vec<bool>,
    /// `rows x assets`: whether the asset's change is above the median; `None` if a rate is missing, or the pair.
    pub above: Vec<Option<bool>>,
    /// How many rows with a rate come after those.
    pub unpaired: usize,
}

impl Labels {
    /// How many rows are paired.
    pub(crate) fn paired(&self) -> usize {
        self.is_paired.iter().filter(|&&paired| paired).count()
    }

    /// Those of later rows; `None` if there are not so many to leave out.
    pub(crate) fn without_first(&self, rows: usize) -> Option<Self> {
        let assets = self.above.len() / self.rows.len().max(1);
        Some(Self {
            rows: self.rows.get(rows..)?.to_vec(),
            is_paired: self.is_paired.get(rows..)?.to_vec(),
            above: self.above.get(rows * assets..)?.to_vec(),
            unpaired: self.unpaired,
        })
    }
}

impl Label for Funding {
    type Labels = Labels;

    /// Pairs each row with the later one that is nearest to a horizon ahead (scoring: funding).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        market.require_assets(self.spec.assets.len())?;
        let rated = |row: &usize| (0..market.assets).any(|asset| market.rate(*row, asset).is_some());
        let mut rows: Vec<usize> = market.scored().filter(rated).collect();
        rows.drain(..rows.len().saturating_sub(self.params.pooled.max_rows));
        let sidx: Vec<i64> = rows.iter().map(|&row| market.sidx[row]).collect();
        let ahead = self.spec.rows_ahead() as i64;
        let tolerance = (self.params.pair_tolerance * ahead as f64) as i64;
        let pairs: Vec<Option<usize>> = (0..rows.len()).map(|t| pair(&sidx, t, ahead, tolerance)).collect();
        let end = pairs.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let unpaired = rows.len() - end;
        rows.truncate(end);
        let mut above = Vec::with_capacity(end * market.assets);
        for (t, later) in pairs[..end].iter().enumerate() {
            let later = later.and_then(|later| market.row_of(sidx[later]));
            let changes = (0..market.assets).map(|asset| {
                let change = market.rate(later?, asset)? - market.rate(rows[t], asset)?;
                // Rates at both ends of what a number can hold have no difference that is one.
                Some(change).filter(|change| change.is_finite())
            });
            above.extend(above_median(&changes.collect::<Vec<_>>()));
        }
        let is_paired = pairs[..end].iter().map(Option::is_some).collect();
        Ok(Labels { rows, is_paired, above, unpaired })
    }

    fn targets(&self, market: &Market, labels: &Labels) -> Option<Targets> {
        let ahead = self.spec.rows_ahead() as i64;
        // Until no nearer row can come, a pair may still change.
        let settled = ahead + (self.params.pair_tolerance * ahead as f64) as i64;
        let mut targets = Targets::new(Reading::Ranks);
        let above = labels.above.chunks_exact(market.assets.max(1));
        for ((&row, is_paired), above) in labels.rows.iter().zip(&labels.is_paired).zip(above) {
            let known = market.sidx.partition_point(|sidx| *sidx < market.sidx[row] + settled);
            if *is_paired && known < market.rows() {
                targets.push(row, known, above.iter().map(|above| above.map(u16::from)));
            }
        }
        Some(targets)
    }
}

/// The row after `t` whose sampled block is nearest to `ahead` later, within the tolerance; of two that are equally
/// near, the earlier.
fn pair(sidx: &[i64], t: usize, ahead: i64, tolerance: i64) -> Option<usize> {
    let target = sidx[t] + ahead;
    let at = sidx.partition_point(|&other| other < target);
    let off = |row: usize| (sidx[row] - target).abs();
    let below = at.checked_sub(1).filter(|&row| row > t && off(row) <= tolerance);
    let above = Some(at).filter(|&row| row < sidx.len() && row > t && off(row) <= tolerance);
    match (below, above) {
        (Some(below), Some(above)) => Some(if off(below) <= off(above) { below } else { above }),
        (below, above) => below.or(above),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::serde_json::json;
    use mantis_plugin_api::test_kit::{MarketBuilder, spec_with_assets};
    use mantis_plugin_api::{Challenge, Solver};

    #[test]
    fn pairs_with_the_nearest_later_row() {
        let sidx = [0, 8, 9, 12, 30, 100];
        assert_eq!(pair(&sidx, 0, 10, 2), Some(2), "9 is nearer than 12");
        assert_eq!(pair(&[0, 9, 11], 0, 10, 2), Some(1), "the earlier of two");
        assert_eq!(pair(&[0, 10, 11], 0, 10, 2), Some(1));
        assert_eq!(pair(&sidx, 3, 18, 0), Some(4));
        assert_eq!(pair(&sidx, 4, 10, 2), None);
        assert_eq!(pair(&sidx, 5, 10, 2), None);
        assert_eq!(pair(&[5], 0, 0, 2), None, "never itself");
    }

    fn challenge(ahead: u32, max_rows: usize) -> Funding {
        let spec = spec_with_assets(1, 3, ahead, Solver::Exact);
        let mut challenge = Funding::configure(spec, &Default::default()).unwrap();
        challenge.params.pooled.max_rows = max_rows;
        challenge
    }

    fn market(sidx: &[i64], rate: impl Fn(usize, usize) -> f64) -> Market {
        let rows = (0..sidx.len()).map(|row| [0, 1, 2].map(|asset| rate(row, asset)));
        MarketBuilder::new(3).rows(rows).at(sidx).build()
    }

    #[test]
    fn labels_changes_and_keeps_rows_without_a_pair() {
        let rates = [[0.0, -1.0, 2.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [f64::NAN, 5.0, 0.0]];
        let labels =
            challenge(100, 1_000).label(&market(&[0, 50, 100, 150], |row, asset| rates[row][asset])).unwrap();
        // Changes 1, 3, 1 and none, 5, 0.
        assert_eq!((&labels.rows[..], &labels.is_paired[..]), (&[0, 1][..], &[true, true][..]));
        let (no, yes) = (Some(false), Some(true));
        assert_eq!(labels.above, [no, yes, no, None, yes, no]);
        let gap = market(&[0, 50, 100, 200], |row, asset| (row * asset) as f64);
        let labels = challenge(100, 1_000).label(&gap).unwrap();
        assert_eq!(labels.is_paired, [true, false, true]);
        assert_eq!(labels.above[3..6], [None; 3]);
    }

    #[test]
    fn rows_without_any_rate_are_not_there() {
        let market = market(&[0, 90, 100, 110], |row, _| if row == 2 { f64::INFINITY } else { row as f64 });
        // 90 and 110 are as far from 100: the one below.
        let labels = challenge(100, 1_000).label(&market).unwrap();
        assert_eq!((labels.rows, labels.is_paired), (vec![0], vec![true]));
        assert!(challenge(100, 2).label(&market).unwrap().rows.is_empty());
    }

    #[test]
    fn a_rate_of_zero_is_a_rate_and_a_missing_one_is_not() {
        let labels = |missing: f64| {
            let rates = [[0.0, -0.0, -1.0], [0.5, missing, -2.0]];
            challenge(100, 9).label(&market(&[0, 100], |row, asset| rates[row][asset])).unwrap().above
        };
        let (no, yes) = (Some(false), Some(true));
        assert_eq!(labels(0.0), [yes, no, no]);
        assert_eq!(labels(f64::NAN), [yes, None, no]);
        assert_eq!(labels(f64::INFINITY), labels(f64::NAN));
    }

    #[test]
    fn decodes_one_number_per_asset() {
        assert_eq!(challenge(100, 9).decode(&json!({"A0": -1, "A1": [-3]})).unwrap(), [-1.0, -1.0, 0.0]);
        assert!(challenge(100, 9).decode(&json!("no")).is_err());
    }
}
