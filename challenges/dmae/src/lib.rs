//! The `dmae` challenge: how much worse is the market's forecast without a miner?
//!
//! A small network forecasts the return of a price from all that miners send ([`Label`](mantis_plugin_api::Label),
//! [`Score`](mantis_plugin_api::Score)). It is trained as the rows come, once with all miners and once without each group of
//! miners that contribute alike; what its mean absolute error rises by is what the group is paid.

mod adam;
mod chunk;
mod evidence;
mod fitted;
mod forecast;
mod foretold;
mod groups;
mod head;
mod kernels;
mod label;
mod model;
mod parallel;
mod params;
mod pay;
mod report;
mod sample;
mod score;
mod screen;
mod start;
mod walk;

pub use label::Labels;
pub use params::Params;

use mantis_plugin_api::{
    Challenge, Description, ParamMap, PluginError, Spec, Storage, decode, export, serde_json,
};

/// Units of each hidden layer.
const HIDDEN: usize = 32;
/// Numbers per miner at most: a model of 256 miners then holds 50 MB.
const MAX_DIM: usize = 512;

/// One number per hidden unit.
type Units = [f32; HIDDEN];

/// A configured `dmae` challenge.
pub struct Dmae {
    spec: Spec,
    params: Params,
}

impl Challenge for Dmae {
    fn describe() -> Description {
        let summary = "Embeddings from which a small network forecasts a return; a miner is paid what the forecast's mean \
                       absolute error rises by without it and those who say the same.";
        Description::new("dmae", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        spec.require_one_asset()?;
        spec.require_horizon()?;
        if !(1..=MAX_DIM).contains(&spec.dim) {
            let allowed = format!("1 to {MAX_DIM}: numbers of an embedding");
            return Err(PluginError::spec("dim", spec.dim.to_string(), allowed));
        }
        if spec.storage != Storage::F16 {
            return Err(PluginError::spec("storage", spec.storage.as_str(), Storage::F16.as_str()));
        }
        let params = Params::read(params)?;
        params.check(spec.rows_ahead())?;
        Ok(Self { params, spec })
    }

    /// Takes exactly `dim` numbers from -1 to 1.
    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::vector(submission, self.spec.dim, -1.0..=1.0)
    }
}

export!(Dmae: Signal);

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::serde_json::{Value, json};
    use mantis_plugin_api::{Solver, test_kit};

    fn configured(spec: Spec, params: &Value) -> Result<(), String> {
        Dmae::configure(spec, params.as_object().unwrap()).map(|_| ()).map_err(|error| error.to_string())
    }

    fn spec() -> Spec {
        test_kit::spec(100, 60, Solver::Exact)
    }

    #[test]
    fn configure_refuses_what_does_not_fit() {
        assert_eq!(configured(spec(), &json!({})), Ok(()));
        for (spec, params, says) in [
            (Spec { dim: 0, ..spec() }, json!({}), "`dim`: 0; allowed: 1 to 512: numbers of an embedding"),
            (
                Spec { dim: 513, ..spec() },
                json!({}),
                "`dim`: 513; allowed: 1 to 512: numbers of an embedding",
            ),
            (Spec { storage: Storage::F32, ..spec() }, json!({}), "`storage`: f32; allowed: f16"),
            (
                spec(),
                json!({"chunk_rows": 11}),
                "parameter `chunk_rows`: 11 rows, one in 5 blocks, span 55 sampled blocks; the horizon is 60; allowed: at \
                 least the horizon divided by stride",
            ),
            (
                spec(),
                json!({"min_rows": 20_000}),
                "parameter `min_rows`: 20000 is above max_rows, 17280; allowed: at most max_rows",
            ),
        ] {
            assert_eq!(configured(spec, &params), Err(says.into()));
        }
        assert_eq!(configured(spec(), &json!({"chunk_rows": 12})), Ok(()));
    }

    #[test]
    fn decode_takes_an_embedding() {
        let challenge = Dmae::configure(Spec { dim: 3, ..spec() }, &ParamMap::new()).unwrap();
        assert_eq!(challenge.decode(&json!([1.0, -0.5, 0])).unwrap(), [1.0, -0.5, 0.0]);
        let refused = challenge.decode(&json!([1.0, -1.5, 0])).unwrap_err().to_string();
        assert!(refused.ends_with("number 2: -1.5 is outside [-1, 1]"), "{refused}");
    }
}
