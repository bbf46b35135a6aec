//! From a miner's plaintext to one JSON value per challenge.

use mantis_config::Challenge;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use thiserror::Error;

/// A plaintext, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Split {
    /// What was sent for each challenge, by ticker. Challenges without anything are not here.
    pub submissions: BTreeMap<String, Value>,
    /// Keys that are neither ticker nor name of a challenge, sorted.
    pub unknown: Vec<String>,
    /// Keys that were passed over because the challenge was sent under its ticker too, sorted.
    pub shadowed: Vec<String>,
}

/// A plaintext that cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SplitError {
    /// A list that is not as long as the list of challenges.
    #[error(
        "a list of {found} entries, but there are {expected} challenges; send one entry per challenge in their order, \
         or an object keyed by ticker"
    )]
    Length {
        /// Entries.
        found: usize,
        /// Challenges.
        expected: usize,
    },
    /// Neither object nor list.
    #[error("expected an object keyed by ticker, or a list with one entry per challenge; found {found}")]
    Kind {
        /// What it is.
        found: &'static str,
    },
}

/// Takes a plaintext apart: an object keyed by ticker or name of the challenges, or a list with one entry for each,
/// in their order (null: none).
///
/// # Errors
/// [`SplitError`]. What is sent for a challenge is not judged here.
pub fn split(plaintext: &Value, challenges: &[Challenge]) -> Result<Split, SplitError> {
    match plaintext {
        Value::Object(object) => Ok(split_object(object.clone(), challenges)),
        Value::Array(list) if list.len() == challenges.len() => {
            let sent = challenges.iter().zip(list).filter(|(_, value)| !value.is_null());
            let submissions = sent.map(|(challenge, value)| (challenge.ticker.clone(), value.clone()));
            Ok(Split { submissions: submissions.collect(), ..Split::default() })
        }
        Value::Array(list) => Err(SplitError::Length { found: list.len(), expected: challenges.len() }),
        other => Err(SplitError::Kind { found: super::describe::kind(other) }),
    }
}

/// [`split`], for a plaintext that is an object: that cannot fail. What was sent is moved, not copied.
#[must_use]
pub fn split_object(object: Map<String, Value>, challenges: &[Challenge]) -> Split {
    let mut split = Split::default();
    let mut by_name = Vec::new();
    for (key, value) in object {
        if challenges.iter().any(|challenge| challenge.ticker == key) {
            split.submissions.insert(key, value);
        } else if let Some(challenge) = challenges.iter().find(|challenge| challenge.name == key) {
            // Tickers first: a challenge's name may be another's ticker.
            by_name.push((challenge, key, value));
        } else if key != "hotkey" {
            split.unknown.push(key);
        }
    }
    for (challenge, key, value) in by_name {
        if split.submissions.contains_key(&challenge.ticker) {
            split.shadowed.push(key);
        } else {
            split.submissions.insert(challenge.ticker.clone(), value);
        }
    }
    split.unknown.sort_unstable();
    split.shadowed.sort_unstable();
    split
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn challenges() -> Vec<Challenge> {
        let challenge = |(name, ticker): (&str, &str)| Challenge {
            name: name.into(),
            ticker: ticker.into(),
            ..Challenge::default()
        };
        [("ETH-1H", "ETH"), ("XSEC-RANK", "MULTIXSEC"), ("ETH", "OTHER")].map(challenge).into()
    }

    fn sent(plaintext: Value) -> Value {
        json!(split(&plaintext, &challenges()).unwrap().submissions)
    }

    #[test]
    fn keys_may_be_tickers_or_names() {
        assert_eq!(
            sent(json!({"ETH": 1, "XSEC-RANK": {"BTC": 2}})),
            json!({"ETH": 1, "MULTIXSEC": {"BTC": 2}})
        );
        assert_eq!(sent(json!({})), json!({}));
        let both = json!({"ETH-1H": 1, "ETH": 2, "hotkey": "5Me", "x": 3, "a": null});
        let both = split(&both, &challenges()).unwrap();
        assert_eq!(json!(both.submissions), json!({"ETH": 2}));
        assert_eq!((both.unknown, both.shadowed), (vec!["a".into(), "x".into()], vec!["ETH-1H".into()]));
    }

    #[test]
    fn a_list_goes_by_the_order_of_challenges() {
        assert_eq!(sent(json!([1, null, [2]])), json!({"ETH": 1, "OTHER": [2]}));
        let short = split(&json!([1, 2]), &challenges()).unwrap_err();
        assert_eq!(short, SplitError::Length { found: 2, expected: 3 });
        let number = split(&json!(1), &challenges()).unwrap_err().to_string();
        assert!(number.ends_with("found a number"), "{number}");
    }
}
