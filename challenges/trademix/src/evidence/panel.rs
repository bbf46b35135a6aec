//! One row an hour.

use super::EvidenceParams;
use super::factors::Factors;
use mantis_kit::math;
use mantis_plugin_api::Market;

/// The hours that are looked at, and what assets returned in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Row of the market of each hour, ascending.
    pub(crate) rows: Vec<usize>,
    /// What the assets' returns have in common, and what not.
    pub(crate) factors: Factors,
}

impl Panel {
    /// Samples the market (scoring: trademix, evidence, panel). An hour is one in which a row was sampled in time and all
    /// assets have a price; gaps are not filled.
    pub(crate) fn new(market: &Market, sample_every: u32, params: &EvidenceParams) -> Self {
        let mut priced = market.priced_rows();
        priced.drain(..priced.len().saturating_sub(params.max_rows));
        let step = u64::from((params.panel_blocks / sample_every.max(1)).max(1));
        let mut rows = sampled(market, &priced, step, step / params.panel_late as u64);
        rows.retain(|&row| (0..market.assets).all(|asset| market.usable(row, asset).is_some()));
        let log_price = |row: usize, asset: usize| math::ln(market.price(row, asset));
        let return_of = |asset: usize| {
            let between = |pair: &[usize]| log_price(pair[1], asset) - log_price(pair[0], asset);
            rows.first().map(|_| 0.0).into_iter().chain(rows.windows(2).map(between)).collect()
        };
        let returns = (0..market.assets).map(return_of).collect();
        Self { factors: Factors::new(returns, params), rows }
    }
}

/// The first row at or after each mark, unless it is more than `late` behind it. Marks are `step` apart, from the first
/// row on.
fn sampled(market: &Market, rows: &[usize], step: u64, late: u64) -> Vec<usize> {
    let mut last_mark = None;
    let is_sampled = |&&row: &&usize| {
        let since = market.sidx[row].abs_diff(market.sidx[rows[0]]);
        // Who is behind the same mark as the row before is not the first; who is the first behind several is late for all
        // but the last, since `late` is less than `step`.
        let is_first = last_mark.replace(since / step) != Some(since / step);
        is_first && since % step <= late
    };
    rows.iter().filter(is_sampled).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn market(sidx: Vec<i64>, prices: Vec<f64>) -> Market {
        let rows = sidx.len();
        let submitted = vec![true; rows];
        Market {
            sidx,
            assets: prices.len() / rows.max(1),
            prices,
            submitted,
            scored_rows: rows,
            ..Market::default()
        }
    }

    #[test]
    fn takes_the_first_row_behind_each_mark_if_it_is_in_time() {
        let sidx = vec![7, 8, 67, 68, 126, 137, 198, 7 + 240, 7 + 310, i64::MAX];
        let found = sampled(&market(sidx.clone(), vec![1.0; 10]), &(0..10).collect::<Vec<_>>(), 60, 10);
        // 126 is the first behind 67 + 59, not behind 127; 137 is just in time, 198 a block too late.
        let found: Vec<i64> = found.iter().map(|&row| sidx[row]).collect();
        assert_eq!(found, [7, 67, 137, 247, 317, i64::MAX]);
        assert!(sampled(&market(vec![], vec![]), &[], 60, 10).is_empty());
    }

    #[test]
    fn an_hour_needs_all_prices_and_a_mark_does_not_wait_for_them() {
        let prices = [[1.0, 1.0], [2.0, 0.0], [9.0, 9.0], [4.0, f64::NAN], [8.0, 4.0]].concat();
        let panel = Panel::new(&market(vec![0, 60, 61, 120, 180], prices), 5, &EvidenceParams::default());
        assert_eq!(panel.rows, [0, 4]);
        assert!((panel.factors.market[1] - math::ln(32.0) / 2.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn marks_are_walked_as_they_are_defined(
            gaps in prop::collection::vec(1..150_i64, 0..60), step in 12..80_u64, part in 2..20_u64,
        ) {
            let mut sidx = vec![1_000];
            gaps.iter().for_each(|gap| sidx.push(sidx[sidx.len() - 1] + gap));
            let rows: Vec<usize> = (0..sidx.len()).collect();
            let late = step / part;
            let mut expected = Vec::new();
            for mark in (sidx[0]..=sidx[sidx.len() - 1]).step_by(step as usize) {
                let row = sidx.partition_point(|&at| at < mark);
                if sidx[row] - mark <= late as i64 && !expected.contains(&row) {
                    expected.push(row);
                }
            }
            prop_assert_eq!(sampled(&market(sidx, vec![1.0; rows.len()]), &rows, step, late), expected);
        }
    }
}
