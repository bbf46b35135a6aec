//! What is allowed, and is probably not meant.

use super::source::closest;
use super::{Challenge, Config};

/// Letters that a word has at least for another one to be like it.
const SHORTEST: usize = 3;

impl Config {
    /// What a reader of the file should look at again: sentences. None of it is a fault.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        if self.market.url.is_none() {
            hints.push(
                "[market] url is not set: a validator fetches no prices, and its rows count for nothing"
                    .into(),
            );
        }
        hints.extend(self.challenges.iter().filter_map(|challenge| self.price_key_hint(challenge)));
        hints
    }

    /// A key of the feed that only one challenge has, and that is like another one.
    fn price_key_hint(&self, challenge: &Challenge) -> Option<String> {
        let key = challenge.price_key.as_deref()?;
        let others = self.challenges.iter().filter(|other| other.ticker != challenge.ticker);
        let keys = others.flat_map(|other| {
            let own = other.price_key.as_deref().unwrap_or(&other.ticker);
            other.assets.iter().map(String::as_str).chain([own])
        });
        let known: Vec<&str> = keys.chain([challenge.ticker.as_str()]).collect();
        if known.contains(&key) || key.len() < SHORTEST {
            return None;
        }
        let meant = closest(key, &known)?;
        Some(format!(
            "[[challenge]] \"{}\": no other challenge takes its price from `{key}` of the feed; did you mean `{meant}`?",
            challenge.name
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn hints(price_key: &str, market: &str) -> Vec<String> {
        let challenge = |name: &str, key: &str| {
            format!(
                "[[challenge]]\nname = \"{name}\"\nticker = \"{name}\"\nplugin = \"binary\"\nprice_key = \"{key}\"\n\
                 dim = 2\nblocks_ahead = 300\nweight = 1\n"
            )
        };
        let text = format!("{market}\n{}{}", challenge("ETH", "ETH"), challenge("ETHFAST", price_key));
        Config::parse(&text, Path::new("a.toml")).unwrap().hints()
    }

    #[test]
    fn a_key_that_is_like_another_is_named() {
        let market = "[market]\nurl = \"https://feed.example/prices.json\"";
        assert_eq!(hints("ETH", market), [""; 0]);
        assert_eq!(hints("XAUUSD", market), [""; 0]);
        let typo = hints("EHT", market);
        assert!(
            typo.len() == 1 && typo[0].contains("`EHT`") && typo[0].contains("did you mean `ETH`"),
            "{typo:?}"
        );
    }

    #[test]
    fn a_feed_that_is_missing_is_named() {
        assert!(hints("ETH", "")[0].starts_with("[market] url is not set"));
    }
}
