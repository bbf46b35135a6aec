//! The record of weights: what a portfolio would have gained.

use super::bootstrap::Bootstrap;
use super::measure::{Measure, PerRow};
use super::rows::Rows;
use serde::Serialize;

/// What a portfolio would have gained, without costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Portfolio {
    /// Mean return of a row over its horizon; its baseline holds all subjects alike.
    pub mean_return: Measure,
    /// Mean over standard deviation of the returns of rows that do not overlap; per horizon, not per year.
    pub sharpe: Option<f64>,
    /// The largest loss from a peak of the value that rows which do not overlap make one after another: 0.1 is a tenth.
    pub drawdown: f64,
}

impl Portfolio {
    pub(super) fn new(rows: &Rows, disjoint: &[usize], bootstrap: Option<&Bootstrap>) -> Option<Self> {
        let count = rows.windows.len();
        let (mut ours, mut alike, mut gain) = (PerRow::new(count), PerRow::new(count), PerRow::new(count));
        let mut returns = vec![0.0; count];
        for pairs in rows.pairs.chunk_by(|a, b| a.row == b.row) {
            let row = pairs.first()?.row;
            let weighted: f64 =
                pairs.iter().map(|pair| pair.said.first().copied().unwrap_or(0.0) * pair.gained).sum();
            let mean = pairs.iter().map(|pair| pair.gained).sum::<f64>() / pairs.len() as f64;
            ours.add(row, weighted);
            alike.add(row, mean);
            gain.add(row, weighted - mean);
            if let Some(place) = returns.get_mut(row) {
                *place = weighted;
            }
        }
        let all = vec![1.0; count];
        let [ci95, gain_ci95] = bootstrap.map_or([None; 2], |bootstrap| {
            bootstrap.intervals(|weights| [ours.mean(weights), gain.mean(weights)])
        });
        let mean_return = Measure::new(ours.mean(&all), ci95, alike.mean(&all), gain_ci95)?;
        let chosen: Vec<f64> = disjoint.iter().filter_map(|row| returns.get(*row).copied()).collect();
        Some(Self { mean_return, sharpe: sharpe(&chosen), drawdown: drawdown(&chosen) })
    }
}

fn sharpe(returns: &[f64]) -> Option<f64> {
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let spread = (returns.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)).sqrt();
    (returns.len() > 1 && spread > 0.0).then(|| mean / spread)
}

fn drawdown(returns: &[f64]) -> f64 {
    let (mut value, mut peak, mut worst) = (1.0_f64, 1.0_f64, 0.0_f64);
    for gained in returns {
        value = (value * (1.0 + gained)).max(0.0);
        peak = peak.max(value);
        worst = worst.max(1.0 - value / peak);
    }
    worst
}
