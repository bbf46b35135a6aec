//! The feed's document.

use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use thiserror::Error;

/// The text is not such a document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the document is no {{\"prices\": {{..}}, \"funding_rates\": {{..}}}}: {reason}")]
pub struct QuotesError {
    /// What is wrong with it.
    pub reason: String,
}

/// Prices and funding rates of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Quotes {
    /// Price by asset or pair: finite, above 0.
    pub prices: BTreeMap<String, f64>,
    /// Funding rate by asset: finite.
    pub funding_rates: BTreeMap<String, f64>,
}

type Numbers<'a> = BTreeMap<String, &'a RawValue>;

impl Quotes {
    /// Reads the document. What is not a finite number above 0 is left out; so are other keys.
    ///
    /// `NaN` and `Infinity`, which some publishers write though JSON has no such words, spoil no more than their asset.
    ///
    /// # Errors
    /// If the text is not a JSON object, or `prices` or `funding_rates` is there and no object.
    pub fn parse(bytes: &[u8]) -> Result<Self, QuotesError> {
        let bytes = without_bare_words(bytes);
        let not = |error: serde_json::Error| QuotesError { reason: error.to_string() };
        let document: BTreeMap<String, &RawValue> = serde_json::from_slice(&bytes).map_err(not)?;
        let numbers = |key: &str| -> Result<Numbers<'_>, QuotesError> {
            let value = document.get(key).filter(|value| value.get() != "null");
            value.map_or(Ok(BTreeMap::new()), |value| serde_json::from_str(value.get()).map_err(not))
        };
        Ok(Self {
            prices: read(numbers("prices")?).filter(|(_, price)| *price > 0.0).collect(),
            funding_rates: read(numbers("funding_rates")?).collect(),
        })
    }
}

fn read(numbers: Numbers<'_>) -> impl Iterator<Item = (String, f64)> {
    numbers.into_iter().filter_map(|(asset, text)| Some((asset, finite(text)?)))
}

fn finite(text: &RawValue) -> Option<f64> {
    serde_json::from_str(text.get()).ok().filter(|x: &f64| x.is_finite())
}

/// The text with `null` in the place of `NaN`, `Infinity` and `-Infinity` outside of strings.
fn without_bare_words(bytes: &[u8]) -> Cow<'_, [u8]> {
    const WORDS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    if !WORDS[..2].iter().any(|word| bytes.windows(word.len()).any(|part| part == *word)) {
        return bytes.into();
    }
    let mut clean = Vec::with_capacity(bytes.len() + 16);
    let (mut at, mut in_string) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        if let Some(word) = WORDS.iter().find(|word| !in_string && bytes[at..].starts_with(word)) {
            clean.extend(b"null");
            at += word.len();
            continue;
        }
        // An escaped character never ends a string.
        let length = if in_string && byte == b'\\' { 2 } else { 1 };
        in_string ^= byte == b'"';
        clean.extend(bytes[at..].iter().take(length));
        at += length;
    }
    clean.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pairs = Vec<(String, f64)>;

    fn parse(text: &str) -> (Pairs, Pairs) {
        let quotes = Quotes::parse(text.as_bytes()).unwrap();
        (quotes.prices.into_iter().collect(), quotes.funding_rates.into_iter().collect())
    }

    fn pairs<const N: usize>(pairs: [(&str, f64); N]) -> Pairs {
        pairs.map(|(asset, x)| (asset.into(), x)).into()
    }

    #[test]
    fn takes_finite_prices_above_zero_and_finite_rates() {
        let text = r#"{"prices": {"BTC": 60123.5, "ETH": 3000, "A": 0, "B": -1, "C": 1e400, "D": "5", "E": true,
            "F": null, "G": [1], "SHIB": 1e-5}, "funding_rates": {"BTC": -0.0001, "ETH": 0, "A": 1e999, "B": "0.1"},
            "time": {"any": "thing"}}"#;
        let (prices, rates) = parse(text);
        assert_eq!(prices, pairs([("BTC", 60123.5), ("ETH", 3000.0), ("SHIB", 1e-5)]));
        assert_eq!(rates, pairs([("BTC", -0.0001), ("ETH", 0.0)]));
    }

    #[test]
    fn words_that_json_has_not_spoil_only_their_asset() {
        let text = r#"{"prices": {"NaN": 2, "say \"NaN": 3, "A": NaN, "B": Infinity, "C": 4}, "funding_rates": {"A": -Infinity}}"#;
        let (prices, rates) = parse(text);
        assert_eq!(prices, pairs([("C", 4.0), ("NaN", 2.0), ("say \"NaN", 3.0)]));
        assert_eq!(rates, []);
    }

    #[test]
    fn parts_may_be_missing() {
        for text in ["{}", r#"{"prices": {}}"#, r#"{"prices": null, "funding_rates": null}"#] {
            assert_eq!(parse(text), (vec![], vec![]), "{text}");
        }
    }

    #[test]
    fn other_documents_are_refused() {
        for text in ["", "[]", "1", "{", r#"{"prices": 1}"#, r#"{"prices": [1]}"#, "<html>", "{} x", "NaN"] {
            let error = Quotes::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("the document is no {\"prices\": {..}"), "{text}: {error}");
        }
        assert!(Quotes::parse(b"\xff").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            prices in prop::collection::btree_map("[A-Z]{1,4}", 1e-12..1e12_f64, 0..9),
            funding_rates in prop::collection::btree_map("[A-Z]{1,4}", -1.0..1.0_f64, 0..9),
        ) {
            let quotes = Quotes { prices, funding_rates };
            prop_assert_eq!(Quotes::parse(&serde_json::to_vec(&quotes).unwrap()).unwrap(), quotes);
        }

        #[test]
        fn any_text_is_judged(text in "[{}\\[\\]\":,a-zNI\\\\0-9.e-]{0,60}") {
            let _ = Quotes::parse(text.as_bytes());
        }
    }
}
