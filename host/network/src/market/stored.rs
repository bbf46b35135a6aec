//! What the ledger stores of the feed, challenge by challenge.

use super::Quotes;
use mantis_config::{Challenge, QuoteKind};

/// The price, and the prices by asset, that a challenge stores; without a feed, give it empty quotes.
///
/// - A single-asset challenge stores its price; 0 where it is missing, which scorers skip.
/// - A multi-asset challenge stores the prices, or funding rates, of those of its assets that have one, in its order, and
///   behind them the numbers of its channels that are there.
/// - A challenge that takes its prices from another one stores neither.
#[must_use]
pub fn price_of(challenge: &Challenge, quotes: &Quotes) -> (Option<f64>, Option<Vec<(String, f64)>>) {
    if challenge.prices_from.is_some() {
        return (None, None);
    }
    if challenge.assets.is_empty() {
        let key = challenge.price_key.as_ref().unwrap_or(&challenge.ticker);
        return (Some(quotes.prices.get(key).copied().unwrap_or(0.0)), None);
    }
    let source = match challenge.quotes {
        QuoteKind::Prices => &quotes.prices,
        QuoteKind::FundingRates => &quotes.funding_rates,
    };
    let of = |asset: &String| Some((asset.clone(), *source.get(asset)?));
    let channel = |name: &String| Some((name.clone(), *quotes.prices.get(name)?));
    let channels = challenge.channels.iter().filter_map(channel);
    (None, Some(challenge.assets.iter().filter_map(of).chain(channels).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Config;

    #[test]
    fn each_challenge_of_the_network_stores_its_own() {
        let config = Config::load("../../challenges.toml").unwrap();
        let text = br#"{"prices": {"SOL": 4, "BTC": 1, "ETH": 2, "CADUSD": 0.7, "XAGUSD": 0}, "funding_rates": {"ETH": -0.1, "BTC": 0}}"#;
        let quotes = Quotes::parse(text).unwrap();
        let pairs = |pairs: &[(&str, f64)]| Some(pairs.iter().map(|(a, x)| ((*a).to_string(), *x)).collect());
        for challenge in &config.challenges {
            let expected: (_, Option<Vec<(String, f64)>>) = match challenge.ticker.as_str() {
                "ETH" | "ETHHITFIRST" | "ETHLBFGS" => (Some(2.0), None),
                "BTCLBFGS" => (Some(1.0), None),
                "CADUSD" => (Some(0.7), None),
                "NZDUSD" | "CHFUSD" | "XAGUSD" => (Some(0.0), None),
                "MULTIBREAKOUT" => (None, None),
                "FUNDINGXSEC" => (None, pairs(&[("BTC", 0.0), ("ETH", -0.1)])),
                // In the order of the challenge's assets.
                "MULTIXSEC" | "TRADEMIX" => (None, pairs(&[("BTC", 1.0), ("ETH", 2.0), ("SOL", 4.0)])),
                other => panic!("{other}"),
            };
            assert_eq!(price_of(challenge, &quotes), expected, "{}", challenge.ticker);
        }
    }

    #[test]
    fn channels_stand_behind_the_prices() {
        let of = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let challenge = Challenge {
            assets: of(&["BTC"]),
            channels: of(&["BTC_HIGH", "BTC_LOW"]),
            ..Challenge::default()
        };
        let quotes =
            Quotes::parse(br#"{"prices": {"BTC_LOW": 1, "BTC": 2, "OTHER": 5, "BTC_HIGH": 3}}"#).unwrap();
        let stored = price_of(&challenge, &quotes).1.unwrap();
        assert_eq!(stored, [("BTC".into(), 2.0), ("BTC_HIGH".into(), 3.0), ("BTC_LOW".into(), 1.0)]);
        let quotes = Quotes::parse(br#"{"prices": {"BTC": 2, "BTC_HIGH": "dear"}}"#).unwrap();
        assert_eq!(price_of(&challenge, &quotes).1.unwrap(), [("BTC".into(), 2.0)]);
    }

    #[test]
    fn without_quotes_there_is_still_a_row() {
        let single = Challenge { ticker: "ETH".into(), ..Challenge::default() };
        let multi = Challenge { assets: vec!["BTC".into()], ..Challenge::default() };
        assert_eq!(price_of(&single, &Quotes::default()), (Some(0.0), None));
        assert_eq!(price_of(&multi, &Quotes::default()), (None, Some(vec![])));
    }
}
