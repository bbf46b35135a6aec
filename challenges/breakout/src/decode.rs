//! What a miner's JSON becomes.

use crate::PAIR;
use mantis_plugin_api::serde_json::Value;
use mantis_plugin_api::{PluginError, Spec, decode};

/// A pair of numbers in [0, 1] per asset, in the order of storage; a missing or bad pair is 0, 0. A flat list of all
/// numbers, each in [-1, 1], is taken too.
pub(crate) fn pairs(submission: &Value, spec: &Spec) -> Result<Vec<f32>, PluginError> {
    match submission {
        Value::Object(assets) => {
            let pair = |asset| assets.get(asset).and_then(pair).unwrap_or([0.0; PAIR]);
            Ok(spec.assets.iter().flat_map(pair).collect())
        }
        Value::Array(_) => decode::vector(submission, spec.storage_dim(), -1.0..=1.0),
        _ => Err(PluginError::submission("expected an object with a pair of probabilities per asset")),
    }
}

fn pair(value: &Value) -> Option<[f32; PAIR]> {
    decode::vector(value, PAIR, 0.0..=1.0).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use crate::Breakout;
    use mantis_plugin_api::serde_json::json;
    use mantis_plugin_api::test_kit::spec_with_assets;
    use mantis_plugin_api::{Challenge, Solver};

    #[test]
    fn bad_pairs_cost_themselves_only() {
        let spec = spec_with_assets(2, 3, 0, Solver::Exact);
        let challenge = Breakout::configure(spec, &Default::default()).unwrap();
        let decoded = challenge.decode(&json!({"A1": [0.25, 0.75], "A2": [2, 0], "XXX": [0.1, 0.2]}));
        assert_eq!(decoded.unwrap(), [0.0, 0.0, 0.25, 0.75, 0.0, 0.0]);
        assert_eq!(challenge.decode(&json!([0, 0, 0.5, 0.5, -1, 0])).unwrap()[2], 0.5);
        assert!(challenge.decode(&json!([0.5, 0.5])).is_err());
        assert!(challenge.decode(&json!("x")).is_err());
    }
}
