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

/// One number in [-1, 1] per asset, in the order of `assets`, from an object keyed by asset.
///
/// A list of one number is clipped into the range; a missing asset, or anything else, is 0. A flat list of as many
/// numbers as assets, each in the range, is taken too.
///
/// # Errors
/// [`PluginError::Submission`] for a list that does not fit, or something that is neither list nor object.
pub fn per_asset(submission: &Value, assets: &[String]) -> Result<Vec<f32>, PluginError> {
    let range = -1.0..=1.0;
    let one = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([Value::Number(x)]) => x.as_f64().map_or(0.0, |x| x.clamp(-1.0, 1.0) as f32),
        Some(_) => 0.0,
        None => number(value, &range, "").unwrap_or(0.0),
    };
    match submission {
        Value::Object(by_asset) => {
            Ok(assets.iter().map(|asset| by_asset.get(asset).map_or(0.0, one)).collect())
        }
        Value::Array(_) => vector(submission, assets.len(), range),
        _ => {
            let found = kind(submission);
            Err(PluginError::submission(format!("expected an object with a number per asset, found {found}")))
        }
    }
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
    fn bad_assets_cost_themselves_only() {
        let assets: Vec<String> = ["A", "B", "C", "D", "E"].map(String::from).to_vec();
        let sent = json!({"A": 0.5, "B": [7], "C": 1.5, "D": [0.1, 0.2], "X": 1});
        assert_eq!(per_asset(&sent, &assets), Ok(vec![0.5, 1.0, 0.0, 0.0, 0.0]));
        assert_eq!(per_asset(&json!([0, 0, -1, 1, 0.5]), &assets), Ok(vec![0.0, 0.0, -1.0, 1.0, 0.5]));
        assert!(per_asset(&json!([0, 0, -1, 1, 1.5]), &assets).is_err());
        assert!(per_asset(&json!([0]), &assets).is_err());
        assert!(per_asset(&json!(true), &assets).is_err());
    }

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
}
