//! What miners sent, as log-odds.

use crate::{Labels, OUTCOMES};
use mantis_kit::math;
use mantis_plugin_api::{f16, is_present};

/// Probabilities are clipped to `[EPS, 1 - EPS]`.
const EPS: f64 = 1e-12;

/// Log-odds of one outcome per labelled row; 0 if the miner is absent.
pub(crate) fn logits(column: &[f16], labels: &Labels, outcome: usize) -> Vec<f64> {
    logits_or(0.0, column, labels, outcome)
}

/// As [`logits`], with another number where the miner is absent.
pub(crate) fn logits_or(absent: f64, column: &[f16], labels: &Labels, outcome: usize) -> Vec<f64> {
    let one = |row: usize| log_odds(&column[row * OUTCOMES..(row + 1) * OUTCOMES], outcome);
    labels.rows.iter().map(|&row| one(row).unwrap_or(absent)).collect()
}

/// Log-odds of one outcome by the numbers of one row; `None` if the miner is absent.
pub(crate) fn log_odds(numbers: &[f16], outcome: usize) -> Option<f64> {
    if !is_usable(numbers) {
        return None;
    }
    let clipped: [f64; OUTCOMES] = std::array::from_fn(|i| numbers[i].to_f64().clamp(EPS, 1.0 - EPS));
    Some(math::logit(clipped[outcome] / (clipped[0] + clipped[1] + clipped[2])))
}

/// Labelled rows in which the miner is there.
pub(crate) fn present_rows(column: &[f16], labels: &Labels) -> usize {
    labels.rows.iter().filter(|&&row| is_usable(&column[row * OUTCOMES..(row + 1) * OUTCOMES])).count()
}

/// Present, and not broken: a stored NaN counts as absent.
fn is_usable(numbers: &[f16]) -> bool {
    is_present(numbers) && !numbers.iter().any(|x| x.is_nan())
}
