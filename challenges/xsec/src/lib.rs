//! The `xsec` challenge: which assets will do better than the median of all?
//!
//! The label of an asset is whether its return over the horizon exceeds the median of all returns of the row. All
//! rows and assets are pooled into one walk-forward: see [`mantis_kit::pooled`].

mod forecast;
mod label;
mod params;
mod score;

pub use label::Labels;
pub use params::Params;

use mantis_plugin_api::{Challenge, Description, ParamMap, PluginError, Spec, decode, export, serde_json};

/// A configured `xsec` challenge.
pub struct CrossSection {
    spec: Spec,
    params: Params,
}

impl Challenge for CrossSection {
    fn describe() -> Description {
        let summary = "Ranking of assets by their next returns, paid by each miner's part in pooled walk-forward models.";
        Description::new("xsec", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
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

export!(CrossSection: Signal);
