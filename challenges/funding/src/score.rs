//! From labels to saliences.

use crate::stale::Stale;
use crate::{Funding, Labels};
use mantis_kit::bootstrap::BlockBootstrap;
use mantis_kit::logistic::Stop;
use mantis_kit::pooled::{Error, Pooled, read_rows};
use mantis_plugin_api::{History, PluginError, Run, Salience, Score, Solver, WhyZero, f16};

impl Score for Funding {
    fn score(&self, history: &dyn History, labels: &Labels, run: &dyn Run) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        let paired = labels.is_paired.iter().filter(|&&paired| paired).count();
        if paired < self.params.min_rows {
            let needed = self.params.min_rows;
            return Ok(Salience::empty(
                miners,
                format!("{paired} rows with a later pair, {needed} are needed"),
            ));
        }
        let mut stale: Vec<Option<Stale>> = vec![None; miners];
        let column = |miner: usize, out: &mut Vec<f16>| -> Result<(), PluginError> {
            read_rows(history, miner, &labels.rows, out)?;
            stale[miner].get_or_insert_with(|| Stale::find(out, labels, self.params.stale_std)).clear(out);
            Ok(())
        };
        let pooled = self.pooled(labels);
        let outcome = pooled.run(miners, column, |done| run.progress(done));
        let outcome = outcome.map_err(|error| match error {
            Error::Column(error) => error,
            Error::Fit(error) => PluginError::data(format!("a model cannot be fitted: {error}")),
        })?;
        let mut salience = outcome.report(&pooled);
        salience.fact("rows", paired as f64);
        salience.fact("samples", labels.above.iter().flatten().count() as f64);
        for (miner, stale) in stale.iter().enumerate() {
            let stale = stale.as_ref().map_or(0, Stale::sent);
            salience.note(miner, "stale_assets", stale as f64);
            if stale > 0 && outcome.miners[miner].samples == 0 {
                salience.zero(miner, WhyZero::new("stale", "what it sends never changes, for any asset"));
            }
        }
        Ok(salience)
    }
}

impl Funding {
    fn pooled(&self, labels: &Labels) -> Pooled {
        let params = &self.params;
        let stop = |max_iter| match self.spec.solver {
            Solver::Exact => Stop::Exact,
            Solver::Network => Stop::Network { tol: params.tol, max_iter },
        };
        let ahead = self.spec.rows_ahead();
        Pooled {
            rows: labels.rows.len(),
            assets: self.spec.assets.len(),
            labels: labels.above.clone(),
            segment_rows: params.segment_rows,
            embargo_rows: params.embargo_rows.max(ahead),
            cut_rows: ahead,
            min_samples: params.min_samples,
            min_fit: params.min_fit,
            min_eval: params.min_eval,
            min_distinct: params.min_distinct,
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
