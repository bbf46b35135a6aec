//! Models over many miners, and how much each miner weighs in them.

use crate::Params;
use mantis_kit::bootstrap::{BlockBootstrap, block_bootstrap, block_draws, median_of_means};
use mantis_kit::logistic::{Design, FitError, Model, Penalty, Problem, Stop, fit};
use mantis_kit::math;
use mantis_kit::replicates::{self, Columns, Replicates};
use mantis_plugin_api::PluginError;

/// One balanced model over several miners.
pub(crate) struct Ensemble<'a> {
    pub(crate) x: Columns<'a>,
    pub(crate) y: &'a [bool],
    pub(crate) weights: &'a [f64],
    pub(crate) c: f64,
    pub(crate) penalty: Penalty,
    pub(crate) stop: Stop,
    pub(crate) seed: u64,
}

impl Ensemble<'_> {
    /// Absolute coefficients, per column: median of means over the replicates of a block bootstrap, or those of one
    /// model if that is declined (scoring: numerics, block bootstrap). The labels are of both classes.
    pub(crate) fn importance(&self, params: &Params) -> Result<Vec<f64>, PluginError> {
        let models = match self.stop {
            Stop::Network { .. } if self.penalty == Penalty::L2 => self.one_by_one(params)?,
            Stop::Network { tol, max_iter, .. } => {
                self.together(params, |replicates| replicates::fit_network(replicates, tol, max_iter))?
            }
            Stop::Exact => self.together(params, replicates::fit)?,
        };
        let absolute = |model: &Model| -> Vec<f64> { model.coef.iter().map(|coef| coef.abs()).collect() };
        if models.is_empty() {
            let plain = self.with_columns(|columns| self.plain(columns, self.weights))?;
            return Ok(absolute(&plain));
        }
        let replicates: Vec<Vec<f64>> = models.iter().map(absolute).collect();
        Ok(median_of_means(&replicates, params.groups))
    }

    /// All replicates in common passes over the rows; none if declined.
    fn together(
        &self,
        params: &Params,
        fit: impl FnOnce(&Replicates<'_>) -> Result<Vec<Option<Model>>, FitError>,
    ) -> Result<Vec<Model>, FitError> {
        let draw = |b| block_draws(self.y.len(), params.block_rows, self.seed, u64::from(b));
        let Some(starts) = (0..params.replicates).map(draw).collect::<Option<Vec<_>>>() else {
            return Ok(Vec::new());
        };
        let problem = Replicates {
            x: self.x,
            y: self.y,
            weights: Some(self.weights),
            balanced: true,
            c: self.c,
            penalty: self.penalty,
            block: params.block_rows,
            starts: &starts,
        };
        Ok(fit(&problem)?.into_iter().flatten().collect())
    }

    /// Each replicate by itself; none if declined.
    fn one_by_one(&self, params: &Params) -> Result<Vec<Model>, FitError> {
        let shape = BlockBootstrap {
            replicates: params.replicates.into(),
            block: params.block_rows,
            seed: self.seed,
        };
        let models = self.with_columns(|columns| {
            block_bootstrap(shape, self.y, |counts| {
                let weights: Vec<f64> = self
                    .weights
                    .iter()
                    .zip(counts)
                    .map(|(weight, &count)| weight * f64::from(count))
                    .collect();
                self.plain(columns, &weights)
            })
        });
        Ok(models?.unwrap_or_default())
    }

    fn plain(&self, columns: &[&[f64]], weights: &[f64]) -> Result<Model, FitError> {
        let problem = Problem {
            x: Design::from_columns(columns),
            y: self.y,
            weights: Some(weights),
            balanced: true,
            c: self.c,
            penalty: self.penalty,
        };
        fit(&problem, self.stop, None)
    }

    /// The columns in double precision.
    fn with_columns<T>(&self, then: impl FnOnce(&[&[f64]]) -> T) -> T {
        match self.x {
            Columns::F64(columns) => then(columns),
            Columns::F32(columns) => {
                let wide = |column: &&[f32]| column.iter().map(|&x| f64::from(x)).collect();
                let store: Vec<Vec<f64>> = columns.iter().map(wide).collect();
                then(&store.iter().map(Vec::as_slice).collect::<Vec<&[f64]>>())
            }
        }
    }
}

/// In which weights are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Single,
    Double,
}

/// Weights of rows by their ascending time: the newest `recent_rows` steps of time together weigh `recent_mass` of all;
/// mean 1 (scoring: numerics, recent mass).
pub(crate) fn recent_mass(
    times: impl ExactSizeIterator<Item = usize> + Clone,
    precision: Precision,
    params: &Params,
) -> Vec<f64> {
    let rows = times.len();
    let newest = times.clone().last().unwrap_or(0);
    let is_recent = |t: usize| t + params.recent_rows > newest;
    let recent = times.clone().filter(|&t| is_recent(t)).count();
    if recent == 0 || recent == rows {
        return vec![1.0; rows];
    }
    let (old, mass) = ((rows - recent) as f64, params.recent_mass);
    let heavy = mass * old / ((1.0 - mass) * recent as f64);
    if precision == Precision::Single {
        let weights: Vec<f32> = times.map(|t| if is_recent(t) { heavy as f32 } else { 1.0 }).collect();
        let scale = rows as f32 / math::pairwise_sum(&weights);
        return weights.iter().map(|weight| f64::from(weight * scale)).collect();
    }
    let mean = (old + heavy * recent as f64) / rows as f64;
    times.map(|t| if is_recent(t) { heavy / mean } else { 1.0 / mean }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_rows_have_their_mass() {
        let params = Params { recent_rows: 10, recent_mass: 0.25, ..Params::default() };
        let weights = recent_mass([0, 5, 6, 7, 90, 91, 100].into_iter(), Precision::Double, &params);
        assert!((weights.iter().sum::<f64>() - 7.0).abs() < 1e-12);
        // 91 is within 10 of 100, 90 is not.
        assert!((weights[5] + weights[6] - 0.25 * 7.0).abs() < 1e-12, "{weights:?}");
        assert_eq!(weights[0], weights[4]);
        assert_eq!(recent_mass(0..10, Precision::Double, &params), vec![1.0; 10]);
        let single = recent_mass([0, 5, 6, 7, 90, 91, 100].into_iter(), Precision::Single, &params);
        for (single, weight) in single.iter().zip(&weights) {
            assert_eq!(f64::from(*single as f32), *single);
            assert!((single / weight - 1.0).abs() < 3e-7 && single != weight, "{single} {weight}");
        }
        assert!(recent_mass(0..0, Precision::Double, &params).is_empty());
    }
}
