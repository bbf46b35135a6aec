//! Skill or luck: what a miner's own profits say.

use crate::Params;
use mantis_kit::{bootstrap, math};

/// Keeps a ratio finite.
const EPS: f64 = 1e-12;
/// What is believed of a miner that nothing is known of.
const UNKNOWN: f64 = 0.5;

/// How skill is told from luck, ready for series of one length.
pub(crate) struct LuckFilter<'a> {
    params: &'a Params,
    /// Rows of one rebalance.
    step: usize,
    /// Rows whose return ends inside the window.
    rows: usize,
    /// First rebalances of the blocks of each resample; the same for all miners. Empty unless resampling.
    resamples: Vec<Vec<usize>>,
}

/// What the profits of one miner and asset say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evidence {
    /// Probability of skill, 0 to 1.
    pub(crate) skill: f64,
    /// Daily Sharpe ratio; 0 if nothing is known.
    pub(crate) sharpe: f64,
}

impl<'a> LuckFilter<'a> {
    /// For a window of `rows` rows that is rebalanced every `step`.
    pub(crate) fn new(params: &'a Params, rows: usize, step: usize, seed: u64) -> Self {
        let rows = rows.saturating_sub(step);
        let draws =
            |replicate| bootstrap::block_draws(rows.div_ceil(step), params.bootstrap_block, seed, replicate);
        let resamples = match params.luck_filter.as_str() {
            "block_bootstrap" => (0..params.bootstrap_replicates).map_while(draws).collect(),
            _ => Vec::new(),
        };
        Self { params, step, rows, resamples }
    }

    /// Skill of one miner in one asset (scoring: trademix, luck filter). `positions` and `returns` are per row.
    pub(crate) fn evidence(&self, positions: &[f32], returns: &[Option<f64>]) -> Evidence {
        let profits = profits(positions, returns, 0..self.rows, self.step, self.params.fee);
        let Some(pnl) =
            profits.collect::<Option<Vec<f64>>>().filter(|pnl| pnl.len() >= self.params.min_rebalances)
        else {
            return Evidence { skill: UNKNOWN, sharpe: 0.0 };
        };
        let sharpe = sharpe(&pnl) * self.params.rebalances_per_day.sqrt();
        let skill = match self.params.luck_filter.as_str() {
            "block_bootstrap" => self.share_above_zero(&pnl),
            _ => shrunk(sharpe, pnl.len() as f64 / self.params.rebalances_per_day, self.params.prior_std),
        };
        Evidence {
            skill: if skill.is_finite() { skill } else { UNKNOWN },
            sharpe: if sharpe.is_finite() { sharpe } else { 0.0 },
        }
    }

    /// Share of resamples whose mean is above zero; one of exactly zero counts half.
    fn share_above_zero(&self, pnl: &[f64]) -> f64 {
        let mut total = 0.0;
        let until = |x: &f64| {
            total += x;
            total
        };
        let sums: Vec<f64> = std::iter::once(0.0).chain(pnl.iter().map(until)).collect();
        let block = self.params.bootstrap_block;
        let above = |starts: &Vec<usize>| match starts.iter().map(|&s| sums[s + block] - sums[s]).sum::<f64>()
        {
            sum if sum > 0.0 => 1.0,
            sum if sum < 0.0 => 0.0,
            _ => 0.5,
        };
        self.resamples.iter().map(above).sum::<f64>() / self.resamples.len() as f64
    }
}

/// Probability that the true Sharpe ratio is above zero, given one measured over `days` and a normal prior.
fn shrunk(sharpe: f64, days: f64, prior_std: f64) -> f64 {
    let variance = 1.0 / (1.0 / (prior_std * prior_std) + days);
    math::norm_cdf(variance * sharpe * days / variance.sqrt())
}

/// Profit at every rebalance of a range of rows: position times return, less the fee on the change of the position.
/// The position before the first one is 0, so entering pays. `None` if the return is missing.
fn profits<'a>(
    positions: &'a [f32],
    returns: &'a [Option<f64>],
    rows: std::ops::Range<usize>,
    step: usize,
    fee: f64,
) -> impl Iterator<Item = Option<f64>> + 'a {
    let mut before = 0.0;
    rows.step_by(step).map(move |row| {
        let position = f64::from(positions[row]);
        let change = (position - std::mem::replace(&mut before, position)).abs();
        returns[row].map(|of_asset| position * of_asset - fee * change)
    })
}

/// Mean over sample standard deviation.
fn sharpe(pnl: &[f64]) -> f64 {
    let n = pnl.len() as f64;
    let mean = math::sum(pnl) / n;
    let squares: Vec<f64> = pnl.iter().map(|x| (x - mean) * (x - mean)).collect();
    mean / ((math::sum(&squares) / (n - 1.0)).sqrt() + EPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skill(params: &Params, position: f32, returns: &[Option<f64>], step: usize) -> f64 {
        let positions = vec![position; returns.len()];
        LuckFilter::new(params, returns.len(), step, 42).evidence(&positions, returns).skill
    }

    #[test]
    fn entering_and_turning_pay_the_fee() {
        let returns = [Some(0.01), Some(9.0), Some(-0.02), Some(9.0), None];
        let pnl: Vec<_> = profits(&[1.0, 0.0, -1.0, 0.0, 0.0], &returns, 0..5, 2, 0.001).collect();
        assert_eq!(pnl, [Some(0.01 - 0.001), Some(0.02 - 0.002), None]);
    }

    #[test]
    fn a_sharpe_ratio_is_shrunk_by_what_is_known() {
        // One day: variance 1 / (1 / 0.16 + 1), z = sqrt(variance) * sharpe.
        assert!((shrunk(2.0, 1.0, 0.4) - math::norm_cdf(2.0 / 7.25_f64.sqrt())).abs() < 1e-15);
        assert!(shrunk(0.1, 30.0, 0.4) > shrunk(0.1, 1.0, 0.4));
        assert_eq!(shrunk(0.0, 30.0, 0.4), 0.5);
    }

    #[test]
    fn little_or_broken_evidence_is_no_evidence() {
        for luck_filter in ["shrunk_sharpe", "block_bootstrap"] {
            let params = Params { luck_filter: luck_filter.into(), bootstrap_block: 5, ..Params::default() };
            let mut returns = vec![Some(0.01); 100];
            assert_eq!(skill(&params, 1.0, &returns, 15), UNKNOWN, "too few");
            assert!(skill(&params, 1.0, &returns, 5) > 0.9);
            assert!(skill(&params, -1.0, &returns, 5) < 0.1);
            assert_eq!(skill(&params, 0.0, &returns, 5), UNKNOWN, "flat");
            returns[50] = None;
            assert_eq!(skill(&params, 1.0, &returns, 5), UNKNOWN, "a return is missing");
        }
    }

    #[test]
    fn a_resample_is_drawn_in_blocks() {
        let params = Params {
            luck_filter: "block_bootstrap".into(),
            bootstrap_block: 10,
            fee: 0.0,
            ..Params::default()
        };
        // Nine losses and a gain of ten: every whole block of ten wins, single rebalances would often lose.
        let returns: Vec<_> = (0..101).map(|t| Some(if t % 10 == 9 { 10.0 } else { -1.0 })).collect();
        assert_eq!(skill(&params, 1.0, &returns, 1), 1.0);
        let single = Params { bootstrap_block: 1, ..params };
        assert!((0.3..0.9).contains(&skill(&single, 1.0, &returns, 1)));
        let wide = Params { bootstrap_block: 60, ..single };
        assert_eq!(skill(&wide, 1.0, &returns, 1), UNKNOWN, "less than two blocks");
    }

    proptest! {
        #[test]
        fn without_a_fee_skill_is_of_the_sign_and_not_of_the_size(
            both in prop::collection::vec((-1.0..1.0f64, -1.0..1.0f32), 60..200),
            size in prop::sample::select(vec![0.25f32, 0.5, 2.0]),
        ) {
            let params = Params {
                luck_filter: "block_bootstrap".into(), bootstrap_block: 6, bootstrap_replicates: 100, fee: 0.0,
                ..Params::default()
            };
            let returns: Vec<_> = both.iter().map(|both| Some(both.0)).collect();
            let skill = |factor: f32| {
                let positions: Vec<f32> = both.iter().map(|both| factor * both.1).collect();
                LuckFilter::new(&params, returns.len(), 2, 42).evidence(&positions, &returns).skill
            };
            prop_assert!((0.0..=1.0).contains(&skill(1.0)));
            prop_assert_eq!(skill(size), skill(1.0));
            prop_assert!((skill(-1.0) + skill(1.0) - 1.0).abs() < 1e-12);
        }
    }
}
