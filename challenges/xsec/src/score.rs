//! From labels to saliences.

use crate::{CrossSection, Labels};
use mantis_kit::bootstrap::BlockBootstrap;
use mantis_kit::logistic::Stop;
use mantis_kit::pooled::{Error, Pooled, read_rows};
use mantis_plugin_api::{History, PluginError, Run, Salience, Score, Solver, f16};

impl Score for CrossSection {
    fn score(&self, history: &dyn History, labels: &Labels, run: &dyn Run) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        if labels.labelled < self.params.min_rows {
            let (rows, needed) = (labels.labelled, self.params.min_rows);
            return Ok(Salience::empty(miners, format!("{rows} rows with a label, {needed} are needed")));
        }
        let rows = &labels.rows[..labels.labelled];
        let column = |miner: usize, out: &mut Vec<f16>| read_rows(history, miner, rows, out);
        let pooled = self.pooled(labels);
        let outcome = pooled.run(miners, column, |done| run.progress(done));
        let outcome = outcome.map_err(|error| match error {
            Error::Column(error) => error,
            Error::Fit(error) => PluginError::data(format!("a model cannot be fitted: {error}")),
        })?;
        let mut salience = outcome.report(&pooled);
        salience.fact("rows", labels.labelled as f64);
        salience.fact("samples", labels.above.iter().flatten().count() as f64);
        Ok(salience)
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
            bootstrap: BlockBootstrap {
                replicates: params.replicates,
                block: params.block,
                seed: self.spec.seed,
            },
            seed_step: params.seed_step,
            groups: params.groups,
            half_life: params.half_life,
        }
    }
}
