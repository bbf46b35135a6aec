//! From labels to saliences.

use crate::{CrossSection, Labels};
use mantis_kit::bootstrap::BlockBootstrap;
use mantis_kit::logistic::Stop;
use mantis_kit::pooled::{Error, Outcome, Pooled};
use mantis_plugin_api::{History, PluginError, Run, Salience, Score, Solver, WhyZero, f16};

impl Score for CrossSection {
    fn score(&self, history: &dyn History, labels: &Labels, run: &dyn Run) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        if labels.labelled < self.params.min_rows {
            let (rows, needed) = (labels.labelled, self.params.min_rows);
            return Ok(Salience::empty(miners, format!("{rows} rows with a label, {needed} are needed")));
        }
        let assets = history.shape().dim;
        let column = |miner: usize| -> Result<Vec<f16>, PluginError> {
            let all = history.miner(miner)?;
            let rows = &labels.rows[..labels.labelled];
            Ok(rows.iter().flat_map(|&row| &all[row * assets..(row + 1) * assets]).copied().collect())
        };
        let outcome = self.pooled(labels).run(miners, column, |done| run.progress(done));
        let outcome = outcome.map_err(|error| match error {
            Error::Column(error) => error,
            Error::Fit(error) => PluginError::data(format!("a model cannot be fitted: {error}")),
        })?;
        Ok(report(labels, &outcome, self.params.top_k))
    }
}

impl CrossSection {
    fn pooled(&self, labels: &Labels) -> Pooled {
        let params = &self.params;
        let stop = |max_iter| match self.spec.solver {
            Solver::Exact => Stop::Exact,
            Solver::Network => Stop::Network { tol: params.tol, max_iter },
        };
        Pooled {
            rows: labels.labelled,
            assets: self.spec.assets.len(),
            labels: labels.above.clone(),
            segment_rows: params.segment_rows,
            embargo_rows: params.embargo_rows,
            cut_rows: 0,
            min_samples: params.min_samples,
            min_fit: params.min_fit,
            min_eval: params.min_eval,
            min_distinct: 0,
            top_k: params.top_k,
            base_c: params.base_c,
            base_stop: stop(params.base_max_iter),
            meta_c: params.meta_c,
            meta_stop: stop(params.meta_max_iter),
            bootstrap: BlockBootstrap { replicates: params.replicates, block: params.block, seed: self.spec.seed },
            groups: params.groups,
            half_life: params.half_life,
        }
    }
}

fn report(labels: &Labels, outcome: &Outcome, top_k: usize) -> Salience {
    let mut salience = Salience::new(outcome.miners.len());
    salience.fact("rows", labels.labelled as f64);
    salience.fact("samples", labels.above.iter().flatten().count() as f64);
    salience.fact("segments", outcome.segments.len() as f64);
    if let Some(last) = outcome.segments.last() {
        salience.fact("ensemble_auc", last.auc);
        salience.fact("ensemble_samples", last.samples as f64);
    }
    for (miner, about) in outcome.miners.iter().enumerate() {
        salience.note(miner, "samples", about.samples as f64);
        salience.note(miner, "segments_selected", about.selected as f64);
        for (name, value) in [("auc", about.auc), ("coefficient", about.coefficient)] {
            if let Some(value) = value {
                salience.note(miner, name, value);
            }
        }
        if about.importance > 0.0 {
            salience.set(miner, about.importance);
        } else if about.samples == 0 {
            salience.zero(miner, WhyZero::absent());
        } else if about.selected == 0 && !outcome.segments.is_empty() {
            let text = format!("never among the {top_k} miners with the best AUC on recent rows");
            salience.zero(miner, WhyZero::new("pruned", text));
        } else if about.coefficient.is_some() && outcome.segments.iter().all(|segment| segment.auc <= 0.5) {
            salience.zero(miner, WhyZero::new("ensemble_auc", "the ensemble was no better than chance"));
        } else {
            salience.zero(miner, WhyZero::no_weight());
        }
    }
    salience.normalise();
    if outcome.segments.is_empty() {
        salience.empty = Some("no segment has enough rows before it to fit and measure models".into());
    } else if outcome.miners.iter().all(|about| about.importance <= 0.0) {
        salience.empty = Some("in no segment was the ensemble better than chance".into());
    }
    salience
}
