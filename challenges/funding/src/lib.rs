//! The `funding` challenge: whose funding rate will rise more than the median?
//!
//! The label of an asset is whether the change of its funding rate over the horizon exceeds the median change of the
//! row. All rows and assets are pooled into one walk-forward: see [`mantis_kit::pooled`]. Labels reach a horizon into
//! the future, so what a segment is trained on ends a horizon before it.

mod forecast;
mod label;
mod params;
mod score;
mod stale;

pub use label::Labels;
pub use params::Params;

use mantis_plugin_api::{Challenge, Description, ParamMap, PluginError, Spec, decode, export, serde_json};

/// A configured `funding` challenge.
pub struct Funding {
    spec: Spec,
    params: Params,
}

impl Challenge for Funding {
    fn describe() -> Description {
        let summary = "Ranking of assets by the change of their funding, paid by each miner's part in pooled walk-forward models.";
        Description::new("funding", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        spec.require_assets(2)?;
        spec.require_dim(1, "a score per asset")?;
        spec.require_horizon()?;
        Ok(Self { params: Params::read(params)?, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::per_asset(submission, &self.spec.assets)
    }
}

export!(Funding: Signal);
