//! The `hitfirst` challenge: which barrier does the price hit first, up or down?
//!
//! Barriers lie one standard deviation of recent returns above and below the price. Two logistic regressions over
//! all miners, one per barrier; the absolute coefficients are the saliences. They forecast the rows that follow
//! ([`forecast`]).

mod candidates;
mod forecast;
mod held_out;
mod label;
mod left_out;
mod log_odds;
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
        spec.require_one_asset()?;
        spec.require_dim(OUTCOMES, "probabilities of up, down and neither")?;
        spec.require_horizon()?;
        Ok(Self { params: Params::read(params)?, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::vector(submission, OUTCOMES, -1.0..=1.0)
    }
}

export!(HitFirst: Signal);
