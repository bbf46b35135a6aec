//! The `breakout` challenge: when a price leaves its range, will it go on or turn back?
//!
//! Events are found by replaying stored prices through a state machine per asset ([`Tracker`]). Miners that tell
//! continuations from reversals better than chance enter one logistic regression over all events; the absolute
//! coefficients are the saliences. It forecasts how open breakouts end ([`forecast`]).

mod clones;
mod decode;
mod forecast;
mod label;
mod live;
mod params;
mod score;
mod state;
mod tracker;

pub use label::{Event, Labels, Open, Said};
pub use params::Params;
pub use state::{AssetState, CompletedEvent, PendingEvent, Predictions};
pub use tracker::{BreakoutRules, Direction, Pending, Resolved, Tracker};

use mantis_plugin_api::{
    Challenge, Description, ParamMap, PluginError, Spec, States, TrackedRow, export, serde_json,
};

/// Numbers per asset: probability of continuation, probability of reversal.
const PAIR: usize = 2;

/// A configured `breakout` challenge.
pub struct Breakout {
    spec: Spec,
    params: Params,
}

impl Challenge for Breakout {
    fn describe() -> Description {
        let summary = "Continuation or reversal of range breakouts, paid by each miner's part in one model.";
        Description::new("breakout", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        spec.require_assets(1)?;
        spec.require_dim(PAIR, "probabilities of continuation and reversal")?;
        Ok(Self { params: Params::read(params)?, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::pairs(submission, &self.spec)
    }

    fn track(&self, states: States, rows: &[TrackedRow]) -> Result<States, PluginError> {
        self.follow(states, rows)
    }
}

export!(Breakout: Signal);
