//! Numbers and bytes as nodes write them: `0x1f`.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A number that is not negative; one in decimal, or a JSON number, is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quantity(pub(super) i64);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        quantity(&text).map(Self).ok_or_else(|| D::Error::custom("expected a number such as 0x1f"))
    }
}

fn quantity(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("0x")?;
    // Signs, which the parser would take, are no digits.
    let are_digits = digits.bytes().all(|b| b.is_ascii_hexdigit());
    i64::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

/// So many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fixed<const N: usize>(pub(super) [u8; N]);

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        bytes.try_into().map(Self).map_err(|_| D::Error::custom(format!("expected {N} bytes")))
    }
}

/// Any bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
        bytes.map(Self).ok_or_else(|| D::Error::custom("expected bytes such as 0x1f00"))
    }
}

/// A number as nodes want it.
pub(super) fn written(number: i64) -> String {
    format!("0x{number:x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_are_meant_so_are_read() {
        for (text, number) in [("0x0", 0), ("0x1F", 31), ("0x007f", 127), ("0x7fffffffffffffff", i64::MAX)] {
            assert_eq!(quantity(text), Some(number), "{text}");
        }
        for bad in ["", "0x", "16", "1f", "0x-5", "0x+5", "0x 5", "0x8000000000000000", "0xg", "-0x5"] {
            assert_eq!(quantity(bad), None, "{bad}");
        }
        assert!(serde_json::from_str::<Quantity>("16").is_err());
        assert!(serde_json::from_str::<Fixed<2>>("\"0x0011\"").is_ok());
        assert!(serde_json::from_str::<Fixed<2>>("\"0x001122\"").is_err());
        assert!(serde_json::from_str::<Bytes>("\"0x012\"").is_err());
    }
}
