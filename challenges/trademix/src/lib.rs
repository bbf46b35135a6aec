//! The `trademix` challenge: positions that make money for a desk that already has the others'.
//!
//! Two mechanisms say who does. The *desk*: miners whose own profits look like luck are left out, duplicates are joined,
//! and what remains is a desk, a model that mixes the positions. A miner is paid for what the desk's out-of-sample profit
//! loses without it. *Evidence*: a miner is paid for the profits of books whose foresight stands out against their own
//! shifted in time, after the books of those who came first were taken out; what nobody earns is burned.

mod attribution;
mod clusters;
mod desk;
mod evidence;
mod fitted;
mod forecast;
mod label;
mod luck;
mod moments;
mod params;
mod score;
mod window;

pub use evidence::{EvidenceParams, Panel};
pub use label::Labels;
pub use params::Params;
pub use window::Window;

use mantis_plugin_api::{Challenge, Description, ParamMap, PluginError, Spec, decode, export, serde_json};
use params::Mechanism;

/// A configured `trademix` challenge.
pub struct TradeMix {
    spec: Spec,
    params: Params,
    mechanism: Mechanism,
}

impl Challenge for TradeMix {
    fn describe() -> Description {
        let summary =
            "Positions, paid by what a desk that mixes them loses out of sample without each miner's.";
        Description::new("trademix", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        spec.require_assets(1)?;
        spec.require_dim(1, "a position per asset")?;
        spec.require_horizon()?;
        let params = Params::read(params)?;
        params.evidence.require_blend()?;
        Ok(Self { mechanism: params.mechanism(), params, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::per_asset(submission, &self.spec.assets)
    }
}

export!(TradeMix: Signal);
