//! Words for what a miner sent, as they may stand in a message.

use serde_json::Value;

/// What a value is, in words.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value as it may stand in a message: small ones themselves, others by their kind.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::String(text) => format!("\"{}\"", shortened(text)),
        other => kind(other).into(),
    }
}

/// A miner's text as it may stand in a message.
#[must_use]
pub fn shortened(text: &str) -> String {
    const SHOWN: usize = 64;
    let escaped: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() { escaped + ".." } else { escaped }
}
