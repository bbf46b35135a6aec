//! The `trademix` challenge: positions that make money for a desk that already has the others'.
//!
//! Miners whose own profits look like luck are left out, duplicates are joined, and what remains is a desk: a model
//! that mixes the positions. A miner is paid for what the desk's out-of-sample profit loses without it.

mod attribution;
mod clusters;
mod desk;
mod label;
mod luck;
mod params;
mod score;

pub use label::Labels;
pub use params::Params;

use mantis_plugin_api::{Challenge, Description, ParamMap, PluginError, Spec, decode, export, serde_json};

/// A configured `trademix` challenge.
pub struct TradeMix {
    spec: Spec,
    params: Params,
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
        Ok(Self { params: Params::read(params)?, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::per_asset(submission, &self.spec.assets)
    }
}

export!(TradeMix);
