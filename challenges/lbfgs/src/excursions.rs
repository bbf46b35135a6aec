//! The excursion part: per tail bucket and level, a model over all miners of whether the price strayed that far.

use crate::alike::Alike;
use crate::ensemble::{Ensemble, Precision, recent_mass};
use crate::predictions::{LogOdds, Predictions};
use crate::{LEVELS, Labels, Params, TAILS};
use mantis_kit::logistic::{Penalty, Stop, has_both_classes};
use mantis_kit::replicates::Columns;
use mantis_kit::{math, standard};
use mantis_plugin_api::{PluginError, Progress, Solver};

/// What the models add up to.
pub(crate) struct Excursions {
    /// Mean share of each miner over the used models.
    pub(crate) importance: Vec<f64>,
    pub(crate) used_models: usize,
    /// Who stands for whom; a miner that another one stands for is in no model.
    pub(crate) alike: Alike,
}

/// Mean share of each miner in the models (scoring: lbfgs, Q path).
pub(crate) fn excursions(
    labels: &Labels,
    predictions: &Predictions,
    params: &Params,
    (seed, solver): (u64, Solver),
    progress: &dyn Progress,
) -> Result<Excursions, PluginError> {
    let table = LogOdds::new();
    let penalty = if params.q_penalty == "L2-bias" { Penalty::L2Bias } else { Penalty::L2 };
    let stop = Stop::from(solver).within(params.tol, params.max_iter);
    // The network's weights are in single precision here. That moves an optimum by 1e-8, but by up to 1e-4 where L-BFGS stops
    // short of one.
    let precision = if stop == Stop::Exact { Precision::Double } else { Precision::Single };
    let mut total = Excursions {
        importance: vec![0.0; predictions.miners.len()],
        used_models: 0,
        alike: Alike::in_excursions(labels, predictions, params),
    };
    for (tail, bucket) in TAILS.into_iter().enumerate() {
        let rows = &predictions.tails[tail];
        if rows.len() < params.min_excursion_rows {
            continue;
        }
        let weights = recent_mass(rows.iter().map(|&i| labels.rows[i].t), precision, params);
        for level in 0..LEVELS {
            let y: Vec<bool> =
                rows.iter().map(|&i| labels.rows[i].strayed.is_some_and(|strayed| strayed[level])).collect();
            if !has_both_classes(&y) {
                continue;
            }
            // A miner that never sent any is a column of zeros, whose coefficient is 0: it is left out.
            let mut senders = Vec::new();
            let mut store = Vec::new();
            for (miner, sent) in predictions.miners.iter().enumerate() {
                if !total.alike.leads(miner) {
                    continue;
                }
                if let Some(mut column) = sent.excursion(tail, level, &table) {
                    if params.standardise {
                        standard::z_scores(&mut column);
                    }
                    senders.push(miner);
                    store.push(column);
                }
            }
            let columns: Vec<&[f64]> = store.iter().map(Vec::as_slice).collect();
            let step = u64::from(params.bucket_seed_step);
            let ensemble = Ensemble {
                x: Columns::F64(&columns),
                y: &y,
                weights: &weights,
                c: params.excursion_c,
                penalty,
                stop,
                seed: seed.wrapping_add(step * bucket as u64 + level as u64),
            };
            let shares = ensemble.importance(params)?;
            let sum = math::sum(&shares);
            if sum > 0.0 && sum.is_finite() {
                total.used_models += 1;
                senders
                    .iter()
                    .zip(&shares)
                    .for_each(|(&miner, share)| total.importance[miner] += share / sum);
            }
        }
        progress.report(0.7 + 0.3 * (tail + 1) as f64 / TAILS.len() as f64);
    }
    let used = total.used_models.max(1) as f64;
    total.importance.iter_mut().for_each(|importance| *importance /= used);
    Ok(total)
}
