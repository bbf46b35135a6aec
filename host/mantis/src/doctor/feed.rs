//! The market feed: it answers, is fresh, and has what the challenges are labelled from.

use super::finding::{Finding, Verdict, skip};
use super::stamp::Stamp;
use mantis_config::{Config, QuoteKind};
use mantis_network::market::{Feed, FeedError, Quotes, price_of};
use std::time::{Duration, Instant};

pub(super) const ANSWER: &str = "market_feed";
pub(super) const FRESH: &str = "market_fresh";
pub(super) const PRICES: &str = "market_prices";

/// Seconds since the document was written from which on its publisher is slow; from which on it has stopped.
const OLD: f64 = 120.0;
const STALE: f64 = 300.0;

/// Reads the document. `stamp` comes from an answer of the same server.
pub(super) async fn check(
    config: &Config,
    stamp: impl Future<Output = Option<Stamp>>,
    limit: Duration,
) -> Vec<Finding> {
    let since = Instant::now();
    let read = async { Feed::new(&config.market)?.fetch().await };
    let (quotes, stamp) = tokio::join!(tokio::time::timeout(limit, read), stamp);
    let quotes = match quotes {
        Ok(Ok(quotes)) => quotes,
        failed => {
            let mut findings = vec![failure(failed, limit).into_finding(ANSWER, since)];
            findings.extend(skip(&[FRESH, PRICES], "there is no market feed to look at"));
            return findings;
        }
    };
    let what = format!(
        "the market feed has {} prices and {} funding rates",
        quotes.prices.len(),
        quotes.funding_rates.len()
    );
    vec![
        Verdict::ok(what).into_finding(ANSWER, since),
        judge_fresh(stamp).into_finding(FRESH, since),
        judge_prices(config, &quotes).into_finding(PRICES, since),
    ]
}

fn failure(
    outcome: Result<Result<Quotes, FeedError>, tokio::time::error::Elapsed>,
    limit: Duration,
) -> Verdict {
    let cure = "is its publisher (`mantis feed`) up, and `url` in [market] right?";
    match outcome {
        Ok(Err(error)) => Verdict::error(error, cure),
        _ => Verdict::fault(format!("the market feed did not answer in {} s", limit.as_secs()), cure),
    }
}

/// By the server's own clock where it tells the time, else by ours.
fn judge_fresh(stamp: Option<Stamp>) -> Verdict {
    let Some((modified, stamp)) = stamp.and_then(|stamp| Some((stamp.modified?, stamp))) else {
        return Verdict::skipped("the market feed does not say when it was written (Last-Modified)");
    };
    let age = stamp.date.unwrap_or(stamp.here) - modified;
    let what = format!("the market feed was written {:.0} s ago", age.max(0.0));
    let cure = "look what its publisher (`mantis feed`) says: old prices are stored as if they were new";
    match age {
        age if age > STALE => Verdict::fault(what, cure),
        age if age > OLD => Verdict::warning(what, cure),
        _ => Verdict::ok(what),
    }
}

/// Every challenge's own price or prices, by what a validator would store of the document.
fn judge_prices(config: &Config, quotes: &Quotes) -> Verdict {
    let (mut none, mut some) = (Vec::new(), Vec::new());
    for challenge in &config.challenges {
        let missing = match price_of(challenge, quotes) {
            (Some(0.0), _) => {
                vec![challenge.price_key.as_ref().unwrap_or(&challenge.ticker)]
            }
            (_, Some(found)) => {
                let lacks = |asset: &&String| !found.iter().any(|(other, _)| other == *asset);
                challenge.assets.iter().filter(lacks).collect()
            }
            _ => continue,
        };
        if missing.is_empty() {
            continue;
        }
        let all = missing.len() >= challenge.assets.len().max(1);
        let kind = if challenge.quotes == QuoteKind::FundingRates { "funding rates" } else { "prices" };
        let names: Vec<&str> = missing.iter().map(|name| name.as_str()).collect();
        let line = format!("{}: no {kind} of {}", challenge.ticker, names.join(", "));
        if all { none.push(line) } else { some.push(line) }
    }
    let cure = "have the publisher add them (`mantis feed` says which sources lack what), or correct `price_key` and assets";
    if !none.is_empty() {
        let what =
            format!("the market feed lacks all that a challenge is labelled from:\n{}", none.join("\n"));
        return Verdict::fault(what, cure);
    }
    if !some.is_empty() {
        return Verdict::warning(format!("the market feed lacks assets:\n{}", some.join("\n")), cure);
    }
    Verdict::ok(format!("the market feed has what all {} challenges need", config.challenges.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn stamp(date: Option<f64>, modified: Option<f64>) -> Option<Stamp> {
        Some(Stamp { date, modified, here: 2000.0 })
    }

    #[test]
    fn freshness_is_by_the_servers_own_clock() {
        assert_eq!(judge_fresh(stamp(Some(1000.0), Some(990.0))).status, Status::Ok);
        assert_eq!(judge_fresh(stamp(Some(1000.0), Some(850.0))).status, Status::Warning);
        assert_eq!(judge_fresh(stamp(Some(1000.0), Some(600.0))).status, Status::Fault);
        assert_eq!(judge_fresh(stamp(None, Some(1990.0))).status, Status::Ok);
        assert_eq!(judge_fresh(stamp(Some(1000.0), None)).status, Status::Skipped);
        assert_eq!(judge_fresh(None).status, Status::Skipped);
    }

    #[test]
    fn what_challenges_need_is_looked_for() {
        let config = Config::load("../../challenges.toml").unwrap();
        let mut quotes = Quotes::default();
        for challenge in &config.challenges {
            let into = if challenge.quotes == QuoteKind::FundingRates {
                &mut quotes.funding_rates
            } else {
                &mut quotes.prices
            };
            let keys = challenge.assets.iter().chain(&challenge.price_key);
            into.extend(keys.map(|key| (key.clone(), 1.5)));
        }
        assert_eq!(judge_prices(&config, &quotes).status, Status::Ok);
        quotes.prices.remove("SKY");
        let some = judge_prices(&config, &quotes);
        assert!(some.status == Status::Warning && some.what.contains("of SKY"), "{some:?}");
        quotes.prices.remove("CADUSD");
        let none = judge_prices(&config, &quotes);
        assert!(
            none.status == Status::Fault && none.what.contains("CADUSD: no prices of CADUSD"),
            "{none:?}"
        );
        assert_eq!(judge_prices(&config, &Quotes::default()).status, Status::Fault);
    }
}
