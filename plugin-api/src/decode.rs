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
}
