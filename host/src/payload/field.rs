//! Reading the fields of a payload, and hexadecimal.

use super::Refusal;
use super::json::shortened;
use serde_json::{Map, Value};

/// A field of an object; `name` is its whole path for messages, `key` its last part.
pub(super) fn field<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    name: &'static str,
) -> Result<&'a Value, Refusal> {
    object.get(key).ok_or(Refusal::Missing { field: name })
}

/// A field that is an object.
pub(super) fn object<'a>(
    object: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a Map<String, Value>, Refusal> {
    let value = field(object, name, name)?;
    value.as_object().ok_or_else(|| wrong_type(name, "an object", value))
}

/// A field that is a string.
pub(super) fn text<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    name: &'static str,
) -> Result<&'a str, Refusal> {
    let value = field(object, key, name)?;
    value.as_str().ok_or_else(|| wrong_type(name, "a string", value))
}

/// A field of exactly `N` bytes in hexadecimal; `expected` is 2 `N` in words.
pub(super) fn bytes<const N: usize>(
    object: &Map<String, Value>,
    key: &str,
    name: &'static str,
    expected: &'static str,
) -> Result<[u8; N], Refusal> {
    let digits = text(object, key, name)?;
    if digits.len() != 2 * N {
        return Err(Refusal::Length { field: name, found: digits.chars().count(), expected });
    }
    let mut bytes = [0; N];
    decode_hex(digits, &mut bytes).map_err(|at| Refusal::Hex { field: name, at })?;
    Ok(bytes)
}

/// A field of at least `least` bytes in hexadecimal.
pub(super) fn many_bytes(
    object: &Map<String, Value>,
    key: &str,
    name: &'static str,
    least: usize,
    expected: &'static str,
) -> Result<Vec<u8>, Refusal> {
    let digits = text(object, key, name)?;
    if digits.len() % 2 != 0 || digits.len() < 2 * least {
        return Err(Refusal::Length { field: name, found: digits.chars().count(), expected });
    }
    let mut bytes = vec![0; digits.len() / 2];
    decode_hex(digits, &mut bytes).map_err(|at| Refusal::Hex { field: name, at })?;
    Ok(bytes)
}

/// Fills `bytes` from twice as many digits of either case. On error, gives the number of the first character that is
/// no digit, from 1.
pub(crate) fn decode_hex(digits: &str, bytes: &mut [u8]) -> Result<(), usize> {
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    for (i, (byte, pair)) in bytes.iter_mut().zip(pairs).enumerate() {
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        match (nibble(pair[0]), nibble(pair[1])) {
            (Some(high), Some(low)) => *byte = (high << 4 | low) as u8,
            (high, _) => return Err(2 * i + if high.is_some() { 2 } else { 1 }),
        }
    }
    Ok(())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]);
    digits.map(char::from).collect()
}

/// Says that a field has another type.
pub(super) fn wrong_type(field: &'static str, expected: &'static str, value: &Value) -> Refusal {
    Refusal::WrongType { field, expected, found: kind(value) }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
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
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::String(text) => format!("\"{}\"", shortened(text)),
        other => kind(other).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_of_either_case() {
        let mut bytes = [0; 3];
        assert_eq!(decode_hex("00aBfF", &mut bytes), Ok(()));
        assert_eq!((bytes, hex(&bytes)), ([0, 0xab, 0xff], "00abff".into()));
        assert_eq!(decode_hex("00g0", &mut bytes), Err(3));
        assert_eq!(decode_hex("0x00", &mut bytes), Err(2));
        assert_eq!(decode_hex("+1", &mut bytes), Err(1));
    }
}
