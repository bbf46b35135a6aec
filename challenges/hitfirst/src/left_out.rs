//! Coefficients that do not hang on one part of the rows.

use mantis_kit::logistic::{Model, Problem, Stop, fit};
use mantis_kit::replicates::{self, Columns, Replicates};
use mantis_plugin_api::PluginError;

/// Fits that do not know all rows.
pub(crate) enum LeftOut {
    /// Of each block but those without which a class is missing.
    Fits(Vec<Model>),
    /// One of all rows takes their place.
    None(Model),
}

impl LeftOut {
    /// The mean size of each coefficient; of one fit its coefficients.
    pub(crate) fn coefficients(&self) -> Vec<f64> {
        match self {
            Self::Fits(models) => {
                let mean = |column: usize| {
                    models.iter().map(|model| model.coef[column].abs()).sum::<f64>() / models.len() as f64
                };
                let width = models.first().map_or(0, |model| model.coef.len());
                (0..width).map(mean).collect()
            }
            Self::None(model) => model.coef.clone(),
        }
    }

    /// The model that forecasts: their mean.
    pub(crate) fn mean(self) -> Option<Model> {
        match self {
            Self::Fits(models) => Model::mean(&models),
            Self::None(model) => Some(model),
        }
    }
}

/// Some fits (scoring: hitfirst, models): the rows are cut into `blocks` of the same size, and each fit leaves out one of
/// them. Fits without both classes are skipped; if none is left, one of all rows takes their place.
pub(crate) fn fits(
    problem: &Problem,
    columns: &[&[f64]],
    stop: Stop,
    blocks: usize,
) -> Result<LeftOut, PluginError> {
    let rows = problem.y.len();
    let edge = |block: usize| rows * block / blocks;
    let kept: Vec<Vec<usize>> =
        (0..blocks).map(|block| (0..edge(block)).chain(edge(block + 1)..rows).collect()).collect();
    // Together, so that they share the passes over the rows: each is a replicate that draws single rows.
    let fits = Replicates {
        x: Columns::F64(columns),
        y: problem.y,
        weights: problem.weights,
        balanced: problem.balanced,
        c: problem.c,
        penalty: problem.penalty,
        block: 1,
        starts: &kept,
    };
    let models = match stop {
        Stop::Exact => replicates::fit(&fits)?,
        Stop::Network { tol, max_iter, .. } => replicates::fit_network(&fits, tol, max_iter)?,
    };
    let models: Vec<_> = models.into_iter().flatten().collect();
    if models.is_empty() {
        return Ok(LeftOut::None(fit(problem, stop, None)?));
    }
    Ok(LeftOut::Fits(models))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_kit::logistic::{Design, Penalty};
    use mantis_plugin_api::test_kit::Noise;

    const ROWS: usize = 1_001;
    const STOPS: [Stop; 2] = [Stop::Exact, Stop::Network { tol: 1e-4, max_iter: 500, seed: 0 }];

    fn column(y: &[bool], skill: f64, seed: u64) -> Vec<f64> {
        let mut noise = Noise::new(seed);
        y.iter().map(|&up| if up { skill } else { -skill } + noise.normal()).collect()
    }

    fn of(y: &[bool], columns: &[&[f64]], stop: Stop, blocks: usize) -> Vec<f64> {
        let x = Design::from_columns(columns);
        let problem = Problem { x, y, weights: None, balanced: true, c: 1.0, penalty: Penalty::L2 };
        fits(&problem, columns, stop, blocks).unwrap().coefficients()
    }

    fn one_fit(y: &[bool], columns: &[&[f64]], stop: Stop, weights: Option<&[f64]>) -> Vec<f64> {
        let x = Design::from_columns(columns);
        let problem = Problem { x, y, weights, balanced: true, c: 1.0, penalty: Penalty::L2 };
        fit(&problem, stop, None).unwrap().coef
    }

    #[test]
    fn is_the_mean_size_over_fits_without_a_block() {
        let mut noise = Noise::new(1);
        let y: Vec<bool> = (0..ROWS).map(|_| noise.normal() > 0.4).collect();
        let columns = [column(&y, 0.5, 2), column(&y, -0.2, 3), column(&y, 0.0, 4)];
        let columns = columns.each_ref().map(Vec::as_slice);
        for stop in STOPS {
            let mut expected = [0.0; 3];
            for block in [0..250, 250..500, 500..750, 750..ROWS] {
                let weight = |row: usize| if block.contains(&row) { 0.0 } else { 1.0 };
                let weights: Vec<f64> = (0..ROWS).map(weight).collect();
                let found = one_fit(&y, &columns, stop, Some(&weights));
                expected.iter_mut().zip(found).for_each(|(sum, coef)| *sum += coef.abs() / 4.0);
            }
            let found = of(&y, &columns, stop, 4);
            assert!(expected.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-7), "{expected:?} {found:?}");
        }
    }

    #[test]
    fn a_fit_of_one_class_is_skipped_and_one_of_all_rows_stands_in_for_none() {
        // All hits lie in the first block: what leaves it out knows one class.
        let y: Vec<bool> = (0..ROWS).map(|row| row < 250 && row % 3 == 0).collect();
        let x = column(&y, 0.5, 2);
        for stop in STOPS {
            let whole = one_fit(&y, &[&x], stop, None);
            let (three, none) = (of(&y, &[&x], stop, 4), of(&y, &[&x], stop, 1));
            assert!((three[0] - whole[0]).abs() > 1e-6 && three[0] > 0.0);
            assert_eq!(none, whole);
        }
    }
}
