//! Reading the fields of a payload.

use super::PayloadRejection;
use super::describe::kind;
use hex::FromHexError;
use serde_json::{Map, Value};

/// A field of an object; `name` is its whole path for messages, `key` its last part.
pub(super) fn field<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    name: &'static str,
) -> Result<&'a Value, PayloadRejection> {
    object.get(key).ok_or(PayloadRejection::Missing { field: name })
}

/// A field that is an object.
pub(super) fn object<'a>(
    object: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a Map<String, Value>, PayloadRejection> {
    let value = field(object, name, name)?;
    value.as_object().ok_or_else(|| wrong_type(name, "an object", value))
}

/// A field that is a string.
pub(super) fn text<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    name: &'static str,
) -> Result<&'a str, PayloadRejection> {
    let value = field(object, key, name)?;
    value.as_str().ok_or_else(|| wrong_type(name, "a string", value))
}

/// A field of exactly `N` bytes in hexadecimal; `expected` is 2 `N` in words.
pub(super) fn bytes<const N: usize>(
    object: &Map<String, Value>,
    key: &str,
    name: &'static str,
    expected: &'static str,
) -> Result<[u8; N], PayloadRejection> {
    let digits = text(object, key, name)?;
    if digits.len() != 2 * N {
        return Err(PayloadRejection::Length { field: name, found: digits.chars().count(), expected });
    }
    let mut bytes = [0; N];
    decode(digits, &mut bytes, name)?;
    Ok(bytes)
}

/// A field of at least `least` bytes in hexadecimal.
pub(super) fn many_bytes(
    object: &Map<String, Value>,
    key: &str,
    name: &'static str,
    least: usize,
    expected: &'static str,
) -> Result<Vec<u8>, PayloadRejection> {
    let digits = text(object, key, name)?;
    if digits.len() % 2 != 0 || digits.len() < 2 * least {
        return Err(PayloadRejection::Length { field: name, found: digits.chars().count(), expected });
    }
    let mut bytes = vec![0; digits.len() / 2];
    decode(digits, &mut bytes, name)?;
    Ok(bytes)
}

/// Fills `bytes` from twice as many digits of either case.
fn decode(digits: &str, bytes: &mut [u8], field: &'static str) -> Result<(), PayloadRejection> {
    hex::decode_to_slice(digits, bytes).map_err(|error| {
        let at = match error {
            FromHexError::InvalidHexCharacter { index, .. } => index + 1,
            FromHexError::OddLength | FromHexError::InvalidStringLength => digits.len(),
        };
        PayloadRejection::Hex { field, at }
    })
}

/// Says that a field has another type.
pub(super) fn wrong_type(field: &'static str, expected: &'static str, value: &Value) -> PayloadRejection {
    PayloadRejection::WrongType { field, expected, found: kind(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_of_either_case() {
        let mut bytes = [0; 3];
        assert_eq!(decode("00aBfF", &mut bytes, "x"), Ok(()));
        assert_eq!(bytes, [0, 0xab, 0xff]);
        let mut fault = |digits| decode(digits, &mut bytes[..digits.len() / 2], "x").unwrap_err();
        assert_eq!(fault("00g0"), PayloadRejection::Hex { field: "x", at: 3 });
        assert_eq!(fault("0x00"), PayloadRejection::Hex { field: "x", at: 2 });
        assert_eq!(fault("+1"), PayloadRejection::Hex { field: "x", at: 1 });
    }
}
