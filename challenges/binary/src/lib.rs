//! The `binary` challenge: will the price be higher one horizon from now?
//!
//! Scoring in four steps ([`score`]): time weights ([`data`]), selection of miners by AUC out of sample ([`select`], by
//! [`half`] or by [`daily`]), values of each selected miner by walk-forward fits ([`out_of_sample`]), and an elastic net
//! over those values whose coefficients are the saliences ([`ensemble`]). What is fitted last forecasts the rows that follow
//! ([`forecast`]).

mod daily;
mod data;
mod ensemble;
mod forecast;
mod half;
mod label;
mod out_of_sample;
mod params;
mod score;
mod select;
mod verdict;

pub use label::Labels;
pub use params::Params;

use mantis_plugin_api::{Challenge, Description, ParamMap, PluginError, Spec, decode, export, serde_json};

/// A configured `binary` challenge.
pub struct Binary {
    spec: Spec,
    params: Params,
}

impl Challenge for Binary {
    fn describe() -> Description {
        let summary =
            "Direction of one price over a fixed horizon, paid by what each miner adds to an elastic net.";
        Description::new("binary", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        spec.require_one_asset()?;
        spec.require_horizon()?;
        Ok(Self { params: Params::read(params)?, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::vector(submission, self.spec.dim, -1.0..=1.0)
    }
}

export!(Binary: Signal);
