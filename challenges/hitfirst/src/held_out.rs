//! What each column of a model gains on rows that the model does not know.

use mantis_kit::logistic::{Design, Model, Problem, Stop, fit, has_both_classes};
use mantis_kit::math;
use mantis_plugin_api::PluginError;
use std::ops::Range;

/// Below this, the mean of the logistic function is taken from its series.
const SMALL: f64 = 1e-4;

/// What each column gains in log-likelihood on rows held out (scoring: hitfirst, options): the rows are cut into `blocks` of
/// the same size, and each is judged by a model of all rows that are at least `embargo` rows away from it. `None` if no
/// model could be fitted.
///
/// From a model that says nothing to the fitted one, all its coefficients grow alike. A column's gain is its part of what
/// the log-likelihood changes on the way; the parts of all columns and of the intercept sum up to the whole change. So a
/// column in other units has the same gain, two that are the same have one's together, and noise loses.
pub(crate) fn gains(
    problem: &Problem,
    columns: &[&[f64]],
    stop: Stop,
    blocks: usize,
    embargo: usize,
) -> Result<Option<Vec<f64>>, PluginError> {
    let rows = problem.y.len();
    let mut total = vec![0.0; columns.len()];
    let mut last: Option<Model> = None;
    for block in (0..blocks).map(|block| rows * block / blocks..rows * (block + 1) / blocks) {
        let near = block.start.saturating_sub(embargo)..block.end.saturating_add(embargo).min(rows);
        let known: Vec<bool> =
            problem.y[..near.start].iter().chain(&problem.y[near.end..]).copied().collect();
        if block.is_empty() || !has_both_classes(&known) {
            continue;
        }
        let weights: Vec<f64> = (0..rows).map(|row| if near.contains(&row) { 0.0 } else { 1.0 }).collect();
        let model = fit(&Problem { weights: Some(&weights), ..*problem }, stop, last.as_ref())?;
        let residuals = residuals(&model, problem.y, columns, &block, &known);
        for ((total, column), coefficient) in total.iter_mut().zip(columns).zip(&model.coef) {
            *total += coefficient * math::dot(&column[block.clone()], &residuals);
        }
        last = Some(model);
    }
    Ok(last.map(|_| total))
}

/// Per row of the block: its class weight, times how far the label is above the mean probability on the way to the model.
fn residuals(
    model: &Model,
    y: &[bool],
    columns: &[&[f64]],
    block: &Range<usize>,
    known: &[bool],
) -> Vec<f64> {
    let held_out: Vec<&[f64]> = columns.iter().map(|column| &column[block.clone()]).collect();
    let mut decisions = vec![0.0; block.len()];
    model.decision(&Design::from_columns(&held_out), &mut decisions);
    let ups = known.iter().filter(|&&up| up).count() as f64;
    let all = known.len() as f64;
    let weight = |up: bool| all / (2.0 * if up { ups } else { all - ups });
    let residual = |(&z, &up): (&f64, &bool)| weight(up) * (f64::from(u8::from(up)) - mean_sigmoid(z));
    decisions.iter().zip(&y[block.clone()]).map(residual).collect()
}

/// The mean of the logistic function between 0 and z.
fn mean_sigmoid(z: f64) -> f64 {
    if z.abs() < SMALL { 0.5 + z / 8.0 } else { (math::softplus(z) - std::f64::consts::LN_2) / z }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_kit::logistic::Penalty;
    use mantis_plugin_api::test_kit::Noise;

    const ROWS: usize = 2_000;

    fn labels(seed: u64) -> Vec<bool> {
        let mut noise = Noise::new(seed);
        (0..ROWS).map(|_| noise.normal() > 0.4).collect()
    }

    fn column(y: &[bool], skill: f64, seed: u64) -> Vec<f64> {
        let mut noise = Noise::new(seed);
        y.iter().map(|&up| if up { skill } else { -skill } + noise.normal()).collect()
    }

    fn gains_of(y: &[bool], columns: &[Vec<f64>]) -> Vec<f64> {
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let x = Design::from_columns(&columns);
        let problem = Problem { x, y, weights: None, balanced: true, c: 1.0, penalty: Penalty::L2 };
        gains(&problem, &columns, Stop::Exact, 5, 10).unwrap().unwrap()
    }

    #[test]
    fn parts_of_all_columns_and_the_intercept_are_the_whole_gain() {
        let y = labels(1);
        let x = [column(&y, 0.5, 2), column(&y, 0.2, 3)];
        let columns = [x[0].as_slice(), x[1].as_slice()];
        let model = Model { coef: vec![0.7, -0.3], intercept: 0.2 };
        let (block, known) = (500..900, &y[1_000..]);
        let residuals = residuals(&model, &y, &columns, &block, known);
        let parts = |column: &[f64], w: f64| w * math::dot(column, &residuals);
        let sum = parts(&x[0][block.clone()], 0.7)
            + parts(&x[1][block.clone()], -0.3)
            + parts(&vec![1.0; block.len()], 0.2);
        let ups = known.iter().filter(|&&up| up).count() as f64 / known.len() as f64;
        let gain = |row: usize| {
            let z = 0.2 + 0.7 * x[0][row] - 0.3 * x[1][row];
            let (sign, weight) = if y[row] { (1.0, 0.5 / ups) } else { (-1.0, 0.5 / (1.0 - ups)) };
            weight * (std::f64::consts::LN_2 - math::softplus(-sign * z))
        };
        assert!((block.map(gain).sum::<f64>() - sum).abs() < 1e-9);
    }

    #[test]
    fn skill_gains_noise_loses_and_halves_share() {
        let y = labels(1);
        let (skilled, noise) = (column(&y, 0.5, 2), column(&y, 0.0, 3));
        let alone = gains_of(&y, &[skilled.clone(), noise.clone()]);
        assert!(alone[0] > 50.0 && alone[1] < 1.0, "{alone:?}");
        let opposite = skilled.iter().map(|x| -x).collect();
        let shared = gains_of(&y, &[skilled, noise, opposite]);
        assert!((shared[0] - shared[2]).abs() < 1e-6 && (shared[0] + shared[2] - alone[0]).abs() < 0.1);
    }

    #[test]
    fn nothing_to_learn_from_has_no_gain() {
        let columns = [[0.0; 4].as_slice()];
        let x = Design::from_columns(&columns);
        let y = [true, false, true, false];
        let problem = Problem { x, y: &y, weights: None, balanced: true, c: 1.0, penalty: Penalty::L2 };
        assert_eq!(gains(&problem, &columns, Stop::Exact, 2, 9).unwrap(), None);
        assert!((mean_sigmoid(1e-4) - (0.5 + 1e-4 / 8.0)).abs() < 1e-12 && mean_sigmoid(0.0) == 0.5);
    }
}
