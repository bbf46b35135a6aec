//! The `hitfirst` challenge: which barrier does the price hit first, up or down?
//!
//! Barriers lie one standard deviation of recent returns above and below the price. Two logistic regressions over
//! all miners, one per barrier; the absolute coefficients are the saliences.

mod label;
mod params;
mod score;

pub use label::{Hit, Labels};
pub use params::Params;

use mantis_plugin_api::{Challenge, Description, ParamMap, PluginError, Spec, decode, export, serde_json};

/// Up, down, neither.
const OUTCOMES: usize = 3;

/// A configured `hitfirst` challenge.
pub struct HitFirst {
    spec: Spec,
    params: Params,
}

impl Challenge for HitFirst {
    fn describe() -> Description {
        let summary =
            "Which of two barriers around the price is hit first, paid by each miner's part in two models.";
        Description::new("hitfirst", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        if !spec.assets.is_empty() {
            return Err(PluginError::spec("assets", "a list of assets", "none: one price per challenge"));
        }
        if spec.dim != OUTCOMES {
            let allowed = "3: probabilities of up, down and neither";
            return Err(PluginError::spec("dim", spec.dim.to_string(), allowed));
        }
        if spec.rows_ahead() == 0 {
            let found = format!("{} blocks", spec.blocks_ahead);
            return Err(PluginError::spec("blocks_ahead", found, "at least one sampled block"));
        }
        Ok(Self { params: Params::read(params)?, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::vector(submission, OUTCOMES, -1.0..=1.0)
    }
}

export!(HitFirst);
