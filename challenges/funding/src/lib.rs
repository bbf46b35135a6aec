//! The `funding` challenge: which funding rates will rise more than the middle one?
//!
//! Rows are labelled by the change of each rate over the horizon against the row's median ([`Labels`]); the rest is
//! [`mantis_kit::panel`].

mod label;
mod params;

pub use label::Labels;
pub use params::Params;

use mantis_kit::panel::{self, Settings};
use mantis_plugin_api::{
    Challenge, Description, History, ParamMap, PluginError, Run, Salience, Score, Spec, decode, export,
    serde_json,
};

/// A configured `funding` challenge.
pub struct Funding {
    spec: Spec,
    params: Params,
}

impl Challenge for Funding {
    fn describe() -> Description {
        let summary =
            "Which funding rates rise more than the middle one, paid by what each miner adds to an ensemble.";
        Description::new("funding", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        if spec.assets.is_empty() {
            return Err(PluginError::spec("assets", "no assets", "a list of at least one asset"));
        }
        if spec.dim != 1 {
            return Err(PluginError::spec("dim", spec.dim.to_string(), "1: one number per asset"));
        }
        if spec.rows_ahead() == 0 {
            let found = format!("{} blocks", spec.blocks_ahead);
            return Err(PluginError::spec("blocks_ahead", found, "at least one sampled block"));
        }
        Ok(Self { params: Params::read(params)?, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::per_asset(submission, &self.spec.assets)
    }
}

impl Score for Funding {
    fn score(&self, history: &dyn History, labels: &Labels, run: &dyn Run) -> Result<Salience, PluginError> {
        let labelled = labels.samples.paired().len();
        if labelled < self.params.min_rows {
            let needed = self.params.min_rows;
            let reason = format!(
                "{} rows with a funding rate, {labelled} of them with a row one horizon later; {needed} are needed",
                labels.rows
            );
            return Ok(Salience::empty(history.shape().miners, reason));
        }
        panel::score(history, self.spec.assets.len(), &labels.samples, &self.settings(), run)
    }
}

impl Funding {
    fn settings(&self) -> Settings {
        let Params { segment_rows, eval_rows, min_samples, top_k, base_c, meta_c, .. } = self.params;
        let Params { replicates, groups, seed_step, tol, base_max_iter, meta_max_iter, .. } = self.params;
        Settings {
            segment_rows,
            embargo: self.params.embargo_rows.max(self.spec.rows_ahead()),
            purge: self.spec.rows_ahead(),
            eval_rows,
            min_samples,
            min_fit: self.params.min_fit_samples,
            min_eval: self.params.min_eval_samples,
            min_distinct: self.params.min_distinct,
            top_k,
            base_c,
            meta_c,
            replicates,
            block: self.params.block_samples,
            groups,
            seed: self.spec.seed,
            seed_step,
            half_life: self.params.half_life_segments,
            min_std: self.params.min_std,
            solver: self.spec.solver,
            tol,
            base_max_iter,
            meta_max_iter,
        }
    }
}

export!(Funding);
