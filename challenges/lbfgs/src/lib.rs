//! The `lbfgs` challenge: into which of five buckets does the return fall, and how far does the price stray on the way?
//!
//! Two parts ([`score`]): a classifier part, where each miner's most likely bucket is measured walk-forward, and an
//! excursion part, with one ensemble per tail bucket and level. Each is thinned by rank; their blend is the salience. The
//! classifier's vote forecasts the rows that follow ([`forecast`]).

mod alike;
mod blend;
mod classifier;
mod cohorts;
mod ensemble;
mod excursions;
mod forecast;
mod label;
mod overlap;
mod params;
mod parts;
mod predictions;
mod score;

pub use label::{Labels, Row};
pub use params::Params;

use mantis_plugin_api::{Challenge, Description, ParamMap, PluginError, Spec, decode, export, serde_json};

/// Buckets of the return, in units of its past deviation: `<= -2`, to -1, to 1, to 2, `>= 2`.
const BUCKETS: usize = 5;
/// The buckets in which excursions count: all but the middle.
const TAILS: [usize; 4] = [0, 1, 3, 4];
/// Levels of an excursion per tail bucket.
const LEVELS: usize = 3;
/// Numbers per miner: a probability per bucket, then one per tail bucket and level.
const DIM: usize = BUCKETS + TAILS.len() * LEVELS;
/// Probabilities are stored inside `[MIN_P, 1 - MIN_P]`.
const MIN_P: f64 = 1e-6;

/// A configured `lbfgs` challenge.
pub struct Lbfgs {
    spec: Spec,
    params: Params,
}

impl Challenge for Lbfgs {
    fn describe() -> Description {
        let summary = "Bucket of a return and size of the excursion before it, paid by each miner's part in walk-forward \
                       votes and in models of the excursions.";
        Description::new("lbfgs", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        spec.require_one_asset()?;
        spec.require_dim(DIM, "five buckets, then three levels for each of four tail buckets")?;
        spec.require_horizon()?;
        let params = Params::read(params)?;
        if params.outer_z < params.inner_z {
            return Err(PluginError::Parameter {
                key: "outer_z".into(),
                found: format!("{} is below inner_z, {}", params.outer_z, params.inner_z),
                allowed: "at least inner_z".into(),
            });
        }
        Ok(Self { params, spec })
    }

    /// Clips all numbers to `[1e-6, 1 - 1e-6]` and scales the buckets' to sum 1; all zeros stay so (absent).
    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        let sent = decode::vector(submission, DIM, f64::MIN..=f64::MAX)?;
        if sent.iter().all(|&x| x == 0.0) {
            return Ok(sent);
        }
        let mut clipped: Vec<f64> = sent.iter().map(|&x| f64::from(x).clamp(MIN_P, 1.0 - MIN_P)).collect();
        let sum: f64 = clipped[..BUCKETS].iter().sum();
        clipped[..BUCKETS].iter_mut().for_each(|p| *p /= sum);
        Ok(clipped.iter().map(|&x| x as f32).collect())
    }
}

export!(Lbfgs: Signal);

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::serde_json::json;
    use mantis_plugin_api::{Solver, test_kit};

    fn spec(dim: usize) -> Spec {
        test_kit::spec(dim, 60, Solver::Exact)
    }

    #[test]
    fn configure_checks_what_belongs_together() {
        assert!(Lbfgs::configure(spec(17), &ParamMap::new()).is_ok());
        assert!(Lbfgs::configure(spec(5), &ParamMap::new()).is_err());
        let crossed = json!({"inner_z": 3.0});
        let error = Lbfgs::configure(spec(17), crossed.as_object().unwrap()).err().unwrap();
        assert_eq!(
            error.to_string(),
            "parameter `outer_z`: 2 is below inner_z, 3; allowed: at least inner_z"
        );
    }

    #[test]
    fn decode_clips_and_scales() {
        let challenge = Lbfgs::configure(spec(17), &ParamMap::new()).unwrap();
        let mut sent = vec![0.0; 17];
        assert_eq!(challenge.decode(&json!(sent)).unwrap(), [0.0; 17]);
        sent[1] = 3.0;
        sent[2] = 0.999_999;
        sent[16] = -5.0;
        let stored = challenge.decode(&json!(sent)).unwrap();
        assert!((stored[..5].iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((stored[1] - 0.5).abs() < 1e-5 && stored[1] == stored[2], "{stored:?}");
        assert_eq!((stored[5], stored[16]), (1e-6, 1e-6));
        assert!(challenge.decode(&json!([1.0])).is_err());
        assert!(challenge.decode(&json!(vec![true; 17])).is_err());
    }
}
