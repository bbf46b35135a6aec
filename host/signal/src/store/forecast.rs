//! What a published forecast is, and the bytes that its hash is of.

use super::kinds::Digest;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// What the first forecast of a store has as the hash of the one before it.
pub const GENESIS: Digest = Digest([0; 32]);

/// A forecast to be published.
#[derive(Clone, Debug, PartialEq)]
pub struct NewForecast {
    /// The challenge.
    pub ticker: String,
    /// The row that it was made from.
    pub sidx: i64,
    /// That row's block.
    pub block: i64,
    /// Time of the block in Unix milliseconds, if it is known.
    pub as_of: Option<i64>,
    /// The number of the fit that it was made with.
    pub fit: i64,
    /// Subjects x classes numbers, as the fit's outlook has them; `None` where nothing can be said.
    pub values: Vec<Option<f64>>,
    /// How many miners' numbers went into it.
    pub miners: u32,
    /// Blocks after `block` at which the outcome may begin to be known: the horizon, or, where there is none that is
    /// fixed, how late a forecast may be at most.
    pub within: i64,
}

/// What a forecast is published at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The chain's newest block.
    pub block: i64,
    /// Now, in Unix milliseconds.
    pub now: i64,
}

/// A published forecast.
///
/// Its hash is the SHA-256 of this text (UTF-8, no spaces, keys in this order):
///
/// ```text
/// {"v":1,"seq":7,"ticker":"ETH","sidx":1400000,"block":7000000,"head":7000001,"as_of":1760000000000,
/// "published_at":1760000003000,"fit":"64 digits","miners":41,"values":["3fe116872b020c4a",null],"previous":"64 digits"}
/// ```
///
/// (in one line), where each number of `values` is its 64 bits as of IEEE 754, highest first, in hexadecimal digits; `as_of`
/// is `null` if it is unknown; and `previous` is the hash of the forecast with the number before, or 64 zeros.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// Its number: from 1, without gaps, over all challenges.
    pub seq: i64,
    /// The challenge.
    pub ticker: String,
    /// The row that it was made from.
    pub sidx: i64,
    /// That row's block.
    pub block: i64,
    /// The chain's newest block when it was published.
    pub head: i64,
    /// Time of `block` in Unix milliseconds.
    pub as_of: Option<i64>,
    /// When it was published, in Unix milliseconds; never before the one before.
    pub published_at: i64,
    /// Of the bytes of the fit that it was made with.
    pub fit: Digest,
    /// How many miners' numbers went into it.
    pub miners: u32,
    /// Subjects x classes numbers; `None` where nothing was said.
    pub values: Vec<Option<f64>>,
    /// Hash of the forecast before.
    pub previous: Digest,
    /// Its hash.
    pub hash: Digest,
}

impl Published {
    /// The text that [`Published::hash`] is of.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = format!("{{\"v\":1,\"seq\":{},\"ticker\":{}", self.seq, quoted(&self.ticker));
        let as_of = self.as_of.map_or_else(|| "null".into(), |ms| ms.to_string());
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            ",\"sidx\":{},\"block\":{},\"head\":{},\"as_of\":{as_of},\"published_at\":{},\"fit\":\"{}\",\"miners\":{}",
            self.sidx, self.block, self.head, self.published_at, self.fit, self.miners
        );
        text += ",\"values\":[";
        for (at, value) in self.values.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            let _ = match value {
                Some(value) => write!(text, "\"{:016x}\"", value.to_bits()),
                None => write!(text, "null"),
            };
        }
        let _ = write!(text, "],\"previous\":\"{}\"}}", self.previous);
        text
    }

    /// What its hash must be.
    #[must_use]
    pub fn computed_hash(&self) -> Digest {
        Digest::of(self.canonical().as_bytes())
    }
}

/// A JSON string; names of challenges have no characters that need more.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_that_is_hashed_is_as_it_is_described() {
        let forecast = Published {
            seq: 7,
            ticker: "ETH".into(),
            sidx: 1_400_000,
            block: 7_000_000,
            head: 7_000_001,
            as_of: None,
            published_at: 1_760_000_003_000,
            fit: Digest([1; 32]),
            miners: 41,
            values: vec![Some(0.534), None, Some(-0.0)],
            previous: GENESIS,
            hash: GENESIS,
        };
        let text = format!(
            "{{\"v\":1,\"seq\":7,\"ticker\":\"ETH\",\"sidx\":1400000,\"block\":7000000,\"head\":7000001,\"as_of\":null,\
             \"published_at\":1760000003000,\"fit\":\"{}\",\"miners\":41,\
             \"values\":[\"3fe116872b020c4a\",null,\"8000000000000000\"],\"previous\":\"{}\"}}",
            "01".repeat(32),
            "0".repeat(64)
        );
        assert_eq!(forecast.canonical(), text);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        assert_eq!(forecast.computed_hash(), Digest::of(text.as_bytes()));
        // What is served is read back to the same bits, and so to the same hash.
        let served: Published = serde_json::from_str(&serde_json::to_string(&forecast).unwrap()).unwrap();
        assert_eq!(served.computed_hash(), forecast.computed_hash());
    }
}
