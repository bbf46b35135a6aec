//! One model over all selected miners, whose coefficients are what is paid.

use crate::Params;
use crate::data::Data;
use mantis_kit::bootstrap::{block_draws, median_of_means};
use mantis_kit::clones::{self, Group, Likeness, Signature};
use mantis_kit::logistic::{Design, Model, Penalty, Problem, Stop, fit, has_both_classes};
use mantis_kit::replicates::{self, Columns, Replicates};
use mantis_kit::standard;
use mantis_plugin_api::{PluginError, Salience, WhyZero};

/// A miner that passed the selection.
pub(crate) struct Selected {
    pub(crate) miner: usize,
    /// Its out-of-sample value per labelled row; 0 if it has none.
    pub(crate) values: Vec<f64>,
}

/// What was paid by.
pub(crate) struct Paid {
    /// The miners that are its columns, and what their values are divided by first.
    pub(crate) columns: Vec<(usize, f64)>,
    /// Of a bootstrap, the mean of its replicates.
    pub(crate) model: Model,
}

/// Sets the saliences of the selected miners by their weights in the ensemble (scoring: binary, step 4); `None` if there is
/// too little to fit one.
pub(crate) fn pay(
    data: &Data<'_>,
    mut selected: Vec<Selected>,
    covered: &[bool],
    salience: &mut Salience,
) -> Result<Option<Paid>, PluginError> {
    let params = data.params;
    let rose = kept(&data.labels.rose, covered);
    salience.fact("ensemble_rows", rose.len() as f64);
    salience.fact("ensemble_miners", selected.len() as f64);
    if rose.len() < params.min_fit_rows || !has_both_classes(&rose) {
        let needed = params.min_fit_rows;
        let rows = rose.len();
        let reason = format!("{rows} out-of-sample rows; at least {needed} and both directions are needed");
        salience.empty = Some(reason);
        return Ok(None);
    }
    let weights = kept(&data.weights, covered);
    for one in &mut selected {
        one.values = kept(&one.values, covered);
    }
    let groups = groups(params, &selected);
    let mut scales = vec![1.0; selected.len()];
    if params.standardise {
        for (one, scale) in selected.iter_mut().zip(&mut scales) {
            // Values that are all 0 are left as they are.
            *scale = Some(standard::unit_scale(&mut one.values)).filter(|&scale| scale > 0.0).unwrap_or(1.0);
        }
    }
    let columns: Vec<&[f64]> = groups.iter().map(|group| selected[group.leader].values.as_slice()).collect();
    let stop = Stop::from(data.solver).seeded(params.meta_seed);
    let ensemble = Ensemble { params, stop, columns: &columns, rose: &rose, weights: &weights };
    let fitted = ensemble.fit()?;
    for (group, coefficient) in groups.iter().zip(fitted.coefficients(params)) {
        let size = group.members.len();
        for &member in &group.members {
            let miner = selected[member].miner;
            salience.note(miner, "coefficient", coefficient);
            if size > 1 {
                salience.note(miner, "clones", size as f64);
            }
            if coefficient == 0.0 {
                salience.zero(miner, WhyZero::no_weight());
            } else {
                salience.set(miner, coefficient.abs() / size as f64);
            }
        }
    }
    salience.normalise();
    if salience.miners.iter().all(|miner| miner.salience == 0.0) {
        salience.empty = Some("the ensemble gives no miner any weight".into());
    }
    let columns = groups.iter().map(|group| (selected[group.leader].miner, scales[group.leader])).collect();
    Ok(fitted.mean().map(|model| Paid { columns, model }))
}

/// The elastic net over the values of miners.
struct Ensemble<'a> {
    params: &'a Params,
    stop: Stop,
    /// In the order of falling AUC, which is that of the sums where the network stops.
    columns: &'a [&'a [f64]],
    rose: &'a [bool],
    weights: &'a [f64],
}

/// What was fitted.
enum Fitted {
    Once(Model),
    Replicates(Vec<Model>),
}

impl Fitted {
    /// One coefficient per column; of replicates the median of means of their sizes.
    fn coefficients(&self, params: &Params) -> Vec<f64> {
        match self {
            Self::Once(model) => model.coef.clone(),
            Self::Replicates(models) => {
                let sizes = |model: &Model| model.coef.iter().map(|coef| coef.abs()).collect();
                median_of_means(&models.iter().map(sizes).collect::<Vec<_>>(), params.meta_groups)
            }
        }
    }

    /// The model that forecasts.
    fn mean(self) -> Option<Model> {
        match self {
            Self::Once(model) => Some(model),
            Self::Replicates(models) => Model::mean(&models),
        }
    }
}

impl Ensemble<'_> {
    fn fit(&self) -> Result<Fitted, PluginError> {
        let replicates = self.replicates()?;
        Ok(if replicates.is_empty() { Fitted::Once(self.plain()?) } else { Fitted::Replicates(replicates) })
    }

    fn plain(&self) -> Result<Model, PluginError> {
        let problem = Problem {
            x: Design::from_columns(self.columns),
            y: self.rose,
            weights: Some(self.weights),
            balanced: true,
            c: self.params.meta_c,
            penalty: self.penalty(),
        };
        Ok(fit(&problem, self.stop.within(self.params.meta_tol, self.params.meta_max_iter), None)?)
    }

    /// The models of a block bootstrap; none if there is to be none, or if it is declined.
    fn replicates(&self) -> Result<Vec<Model>, PluginError> {
        let Params { meta_bootstrap, meta_block, meta_seed, .. } = *self.params;
        let draw = |b: u32| block_draws(self.rose.len(), meta_block, meta_seed.into(), b.into());
        let Some(starts) = (0..meta_bootstrap).map(draw).collect::<Option<Vec<_>>>() else {
            return Ok(Vec::new());
        };
        let single = |column: &&[f64]| column.iter().map(|&value| value as f32).collect();
        let store: Vec<Vec<f32>> = self.columns.iter().map(single).collect();
        let columns: Vec<&[f32]> = store.iter().map(Vec::as_slice).collect();
        let problem = Replicates {
            x: Columns::F32(&columns),
            y: self.rose,
            weights: Some(self.weights),
            balanced: true,
            c: self.params.meta_c,
            penalty: self.penalty(),
            block: meta_block,
            starts: &starts,
        };
        let models = match self.stop.within(self.params.meta_tol, self.params.meta_bootstrap_max_iter) {
            Stop::Exact => replicates::fit(&problem)?,
            Stop::Network { tol, max_iter, seed } => replicates::fit_saga(&problem, tol, max_iter, seed)?,
        };
        Ok(models.into_iter().flatten().collect())
    }

    fn penalty(&self) -> Penalty {
        Penalty::ElasticNet { l1_ratio: self.params.meta_l1_ratio }
    }
}

/// The selected miners that the ensemble takes as one, by their values; each by itself unless clones are collapsed.
fn groups(params: &Params, selected: &[Selected]) -> Vec<Group> {
    let order: Vec<usize> = (0..selected.len()).collect();
    if !params.collapse_clones {
        return order.into_iter().map(Group::of_one).collect();
    }
    // A miner has no value where it is 0: it was absent, or in an embargo.
    let valued = |&value: &f64| if value == 0.0 { f64::NAN } else { value };
    let signature = |one: &Selected| Signature::new(vec![one.values.iter().map(valued).collect()]);
    let signatures: Vec<Signature> = selected.iter().map(signature).collect();
    let likeness = Likeness { correlation: params.clone_correlation, lag: params.clone_lag_rows };
    clones::groups(&signatures, &order, likeness)
}

fn kept<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
    values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(&value, _)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_kit::bootstrap::multiplicities;
    use mantis_plugin_api::Solver;
    use mantis_plugin_api::test_kit::Noise;

    const ROWS: usize = 600;

    /// Coefficients of an ensemble over the first of 600 rows.
    fn coefficients(rows: usize, solver: Solver, params: &Params) -> Vec<f64> {
        let (columns, rose, weights) = world();
        let columns: Vec<&[f64]> = columns.iter().map(|column| &column[..rows]).collect();
        let stop = Stop::from(solver).seeded(params.meta_seed);
        let (rose, weights) = (&rose[..rows], &weights[..rows]);
        Ensemble { params, stop, columns: &columns, rose, weights }.fit().unwrap().coefficients(params)
    }

    /// Values of two miners of skill and one without, in single precision.
    fn world() -> (Vec<Vec<f64>>, Vec<bool>, Vec<f64>) {
        let mut noise = Noise::new(8);
        let rose: Vec<bool> = (0..ROWS).map(|_| noise.normal() > 0.1).collect();
        let mut column = |skill: f64| -> Vec<f64> {
            let value =
                |&rose: &bool| f64::from(((if rose { skill } else { -skill }) + noise.normal()) as f32);
            rose.iter().map(value).collect()
        };
        let columns = vec![column(0.5), column(-0.3), column(0.0)];
        (columns, rose, (0..ROWS).map(|row| 0.5 + row as f64 / 600.0).collect())
    }

    #[test]
    fn a_bootstrap_is_the_median_of_means_of_its_replicates() {
        let params = Params { meta_bootstrap: 10, ..Params::default() };
        let ours = coefficients(ROWS, Solver::Exact, &params);
        let (columns, rose, weights) = world();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let replicate = |b| -> Vec<f64> {
            let counts = multiplicities(ROWS, 120, &block_draws(ROWS, 120, 42, b).unwrap());
            let weights: Vec<f64> =
                weights.iter().zip(counts).map(|(weight, count)| weight * f64::from(count)).collect();
            let problem = Problem {
                x: Design::from_columns(&columns),
                y: &rose,
                weights: Some(&weights),
                balanced: true,
                c: 1.0,
                penalty: Penalty::ElasticNet { l1_ratio: 0.5 },
            };
            fit(&problem, Stop::Exact, None).unwrap().coef.iter().map(|coef| coef.abs()).collect()
        };
        let expected = median_of_means(&(0..10).map(replicate).collect::<Vec<_>>(), 4);
        for (ours, expected) in ours.iter().zip(&expected) {
            assert!((ours - expected).abs() < 1e-9, "{ours} {expected}");
        }
        // To where the network stops it is near by, but not the same.
        let network = coefficients(ROWS, Solver::Network, &params);
        let off: f64 = network.iter().zip(&ours).map(|(a, b)| (a - b).abs()).sum();
        assert!(off > 0.0 && off < 1e-2, "{network:?} {ours:?}");
    }

    #[test]
    fn without_two_blocks_there_is_one_fit() {
        for solver in [Solver::Exact, Solver::Network] {
            let declined = coefficients(239, solver, &Params { meta_bootstrap: 10, ..Params::default() });
            assert_eq!(declined, coefficients(239, solver, &Params::default()));
            assert!(declined[0] > 0.0 && declined[1] < 0.0, "{declined:?}");
        }
    }
}
