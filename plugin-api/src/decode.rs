//! What miners' JSON becomes: helpers for [`crate::Challenge::decode`].

use crate::PluginError;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Exactly `dim` JSON numbers, each inside `range`.
///
/// # Errors
/// [`PluginError::Submission`] naming the first number that is wrong.
pub fn vector(submission: &Value, dim: usize, range: RangeInclusive<f64>) -> Result<Vec<f32>, PluginError> {
    let list = submission.as_array().ok_or_else(|| {
        PluginError::submission(format!("expected a list of {dim} numbers, found {}", kind(submission)))
    })?;
    if list.len() != dim {
        return Err(PluginError::submission(format!("expected {dim} numbers, found {}", list.len())));
    }
    list.iter().enumerate().map(|(i, value)| number(value, &range, &format!("number {}", i + 1))).collect()
}

/// One JSON number inside `range`; `place` names it in the error.
///
/// # Errors
/// [`PluginError::Submission`] for anything else.
pub fn number(value: &Value, range: &RangeInclusive<f64>, place: &str) -> Result<f32, PluginError> {
    let x = value.as_f64().filter(|_| value.is_number()).ok_or_else(|| {
        PluginError::submission(format!("{place}: expected a number, found {}", kind(value)))
    })?;
    if !range.contains(&x) {
        return Err(PluginError::submission(format!(
            "{place}: {x} is outside [{}, {}]",
            range.start(),
            range.end()
        )));
    }
    Ok(x as f32)
}

/// One number in [-1, 1] per asset, in the order of storage.
///
/// Taken are an object asset -> number, in which a missing or bad number is 0 and a list of one number is clipped
/// into [-1, 1]; or the flat list of all numbers. An object with nothing but zeros is as good as absent.
///
/// # Errors
/// [`PluginError::Submission`] for anything else, and for a flat list with a fault.
pub fn per_asset(submission: &Value, assets: &[String]) -> Result<Vec<f32>, PluginError> {
    let range = -1.0..=1.0;
    match submission {
        Value::Object(numbers) => {
            let number_of = |asset| match numbers.get(asset)? {
                Value::Array(list) => match list.as_slice() {
                    [Value::Number(x)] => x.as_f64().map(|x| x.clamp(-1.0, 1.0) as f32),
                    _ => None,
                },
                value => number(value, &range, asset).ok(),
            };
            Ok(assets.iter().map(|asset| number_of(asset).unwrap_or(0.0)).collect())
        }
        Value::Array(_) => vector(submission, assets.len(), range),
        other => Err(PluginError::submission(format!(
            "expected an object with a number per asset, or a list of {} numbers, found {}",
            assets.len(),
            kind(other)
        ))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn takes_numbers_in_range_only() {
        assert_eq!(vector(&json!([0.5, -1]), 2, -1.0..=1.0), Ok(vec![0.5, -1.0]));
        for (bad, says) in [
            (json!([0.5]), "expected 2 numbers, found 1"),
            (json!([0.5, 1.5]), "number 2: 1.5 is outside [-1, 1]"),
            (json!([true, 0]), "number 1: expected a number, found a boolean"),
            (json!(["0", 0]), "number 1: expected a number, found a string"),
            (json!({"a": 1}), "expected a list of 2 numbers, found an object"),
            (json!([null, 0]), "number 1: expected a number, found null"),
        ] {
            assert_eq!(vector(&bad, 2, -1.0..=1.0).unwrap_err().to_string(), says);
        }
    }

    #[test]
    fn bad_assets_cost_themselves_only() {
        let assets: Vec<String> = ["BTC", "ETH", "SOL", "TAO", "XRP"].map(String::from).into();
        let object = json!({"ETH": 0.25, "SOL": [7], "TAO": 1.5, "XRP": [0.5, 0.5], "XXX": 1, "BTC": true});
        assert_eq!(per_asset(&object, &assets), Ok(vec![0.0, 0.25, 1.0, 0.0, 0.0]));
        let lists = json!({"ETH": [-2.5], "SOL": ["1"], "TAO": [], "XRP": [null], "BTC": [[1]]});
        assert_eq!(per_asset(&lists, &assets), Ok(vec![0.0, -1.0, 0.0, 0.0, 0.0]));
        assert_eq!(per_asset(&json!([0, 0.5, -1, 1, 0]), &assets), Ok(vec![0.0, 0.5, -1.0, 1.0, 0.0]));
        for (bad, says) in [
            (json!([0, 0.5, -1, 2, 0]), "number 4: 2 is outside [-1, 1]"),
            (json!([0.5]), "expected 5 numbers, found 1"),
            (
                json!("x"),
                "expected an object with a number per asset, or a list of 5 numbers, found a string",
            ),
        ] {
            assert_eq!(per_asset(&bad, &assets).unwrap_err().to_string(), says);
        }
    }
}
