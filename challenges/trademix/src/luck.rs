//! Skill or luck: what a miner's own profits say.

use crate::Params;
use mantis_kit::math;

/// Keeps a ratio finite.
const EPS: f64 = 1e-12;
/// What is believed of a miner that nothing is known of.
const UNKNOWN: f64 = 0.5;

/// One miner and asset: the probability that the true Sharpe ratio is above zero (scoring: trademix, luck filter).
///
/// The daily Sharpe ratio of the profits at every rebalance is shrunk by a normal prior around zero. `positions` and
/// `returns` are per row, `step` the rows of one rebalance; rows whose return would end outside are left out.
pub(crate) fn skill(positions: &[f32], returns: &[Option<f64>], step: usize, params: &Params) -> f64 {
    let Some(pnl) = profits(positions, returns, 0..positions.len().saturating_sub(step), step, params.fee)
        .collect::<Option<Vec<f64>>>()
    else {
        return UNKNOWN;
    };
    if pnl.len() < params.min_rebalances {
        return UNKNOWN;
    }
    let sharpe = sharpe(&pnl) * params.rebalances_per_day.sqrt();
    let days = pnl.len() as f64 / params.rebalances_per_day;
    let variance = 1.0 / (1.0 / (params.prior_std * params.prior_std) + days);
    let skill = math::norm_cdf(variance * sharpe * days / variance.sqrt());
    if skill.is_finite() { skill } else { UNKNOWN }
}

/// Profit at every rebalance of a range of rows: position times return, less the fee on the change of the position.
/// The position before the first one is 0, so entering pays. `None` where the return is missing.
pub(crate) fn profits<'a>(
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

    #[test]
    fn entering_and_turning_pay_the_fee() {
        let returns = [Some(0.01), Some(9.0), Some(-0.02), Some(9.0), None];
        let pnl: Vec<_> = profits(&[1.0, 0.0, -1.0, 0.0, 0.0], &returns, 0..5, 2, 0.001).collect();
        assert_eq!(pnl, [Some(0.01 - 0.001), Some(0.02 - 0.002), None]);
    }

    #[test]
    fn little_or_broken_evidence_is_no_evidence() {
        let params = Params::default();
        let mut returns = vec![Some(0.01); 100];
        assert_eq!(skill(&[1.0; 100], &returns, 15, &params), UNKNOWN, "too few");
        assert!(skill(&[1.0; 100], &returns, 5, &params) > 0.9);
        assert!(skill(&[-1.0; 100], &returns, 5, &params) < 0.1);
        assert_eq!(skill(&[0.0; 100], &returns, 5, &params), UNKNOWN, "flat");
        returns[50] = None;
        assert_eq!(skill(&[1.0; 100], &returns, 5, &params), UNKNOWN, "a return is missing");
    }
}
