//! What a miner's JSON becomes.

use crate::NUMBERS;
use mantis_plugin_api::PluginError;
use mantis_plugin_api::serde_json::Value;

/// A list of exactly 28: each number as it is, in single precision; anything else in the list, and a number that single
/// precision does not hold, is 0 (scoring: flow, submission).
pub(crate) fn vector(submission: &Value) -> Result<Vec<f32>, PluginError> {
    let Value::Array(list) = submission else {
        return Err(PluginError::submission(format!("expected a list of {NUMBERS} numbers")));
    };
    if list.len() != NUMBERS {
        return Err(PluginError::submission(format!("expected {NUMBERS} numbers, found {}", list.len())));
    }
    let number = |value: &Value| value.as_f64().map(|x| x as f32).filter(|x| x.is_finite());
    Ok(list.iter().map(|value| number(value).unwrap_or(0.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::serde_json::json;

    #[test]
    fn what_is_no_number_costs_itself_only() {
        let mut sent = vec![json!(0); NUMBERS];
        sent[..9].clone_from_slice(&[
            json!(-1),
            json!(16_777_215),
            json!(0.1),
            json!(1e39),
            json!("0.5"),
            json!(null),
            json!(true),
            json!([1]),
            json!(u64::MAX),
        ]);
        let stored = vector(&Value::Array(sent)).unwrap();
        assert_eq!(
            stored[..9],
            [-1.0, 16_777_215.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 18_446_744_073_709_551_615.0]
        );
        assert_eq!(stored.len(), NUMBERS);
    }

    #[test]
    fn another_length_or_form_is_refused() {
        for (bad, says) in [
            (json!(vec![0; 27]), "expected 28 numbers, found 27"),
            (json!(vec![0; 29]), "expected 28 numbers, found 29"),
            (json!({ "A": 1 }), "expected a list of 28 numbers"),
            (json!(null), "expected a list of 28 numbers"),
        ] {
            assert_eq!(vector(&bad).unwrap_err().to_string(), says);
        }
    }
}
