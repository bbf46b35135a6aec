//! Reading the feed.

use super::{Quotes, QuotesError};
use crate::http::{self, HttpError};
use futures_util::future::join_all;
use mantis_config::{self as config, bare_url};
use reqwest::Client;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use thiserror::Error;

/// Why there are no prices.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The configuration names no feed.
    #[error("no market feed is configured; set `url` in [market]")]
    NoUrl,
    /// The document could not be had.
    #[error("market feed {url}: {fault}")]
    Http {
        /// The feed's URL, without a query.
        url: String,
        /// What happened.
        fault: HttpError,
    },
    /// The document is not a feed's.
    #[error("market feed {url}: {fault}")]
    Document {
        /// The feed's URL, without a query.
        url: String,
        /// What is wrong with it.
        fault: QuotesError,
    },
}

/// What the feed served, or what several feeds come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its prices.
    pub quotes: Quotes,
    /// Its SHA-256; of several, that of their digests.
    pub sha256: [u8; 32],
    /// When it was written, Unix seconds, by its own `timestamp` or by `Last-Modified`; `None` where neither says. Of several,
    /// at least half are as new.
    pub written: Option<u64>,
    /// Why others did not answer.
    pub faults: Vec<FeedError>,
}

/// What a document may say of itself.
#[derive(Deserialize)]
struct Own {
    /// When it was written, Unix seconds.
    timestamp: Option<f64>,
}

/// A market feed that is read over HTTP.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The first is the one that every configuration has.
    urls: Vec<String>,
    max_bytes: u64,
    client: Client,
}

impl Feed {
    /// The feed that the configuration names, if any. It is the operator's own: it may be on this machine.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub fn new(market: &config::MarketFeed) -> Result<Self, FeedError> {
        let client = http::builder().timeout(market.timeout).build();
        let client = client
            .map_err(|error| FeedError::Http { url: shown(market.url.as_deref()), fault: error.into() })?;
        let urls = market.url.iter().chain(&market.others).cloned().collect();
        Ok(Self { urls, max_bytes: market.max_bytes, client })
    }

    /// Reads the prices as they are now, within the configured time.
    ///
    /// # Errors
    /// If there is no document, or it is not such a one. A step goes on without prices then.
    pub async fn fetch(&self) -> Result<Quotes, FeedError> {
        self.document().await.map(|document| document.quotes)
    }

    /// Reads the document as it is now, with what tells whether it is fresh; of several feeds the median, asset by asset.
    ///
    /// # Errors
    /// As [`Feed::fetch`]: none of them has one. That is the fault of the first.
    pub async fn document(&self) -> Result<Document, FeedError> {
        let read = join_all(self.urls.iter().map(|url| self.read(url))).await;
        let (mut documents, mut faults) = (Vec::new(), Vec::new());
        for read in read {
            match read {
                Ok(document) => documents.push(document),
                Err(fault) => faults.push(fault),
            }
        }
        match <[Document; 1]>::try_from(documents) {
            Ok([document]) => Ok(Document { faults, ..document }),
            Err(none) if none.is_empty() => Err(faults.into_iter().next().unwrap_or(FeedError::NoUrl)),
            Err(several) => Ok(Document { faults, ..joined(&several) }),
        }
    }

    /// Reads one document.
    async fn read(&self, url: &str) -> Result<Document, FeedError> {
        let read = http::fetch_dated(self.client.get(url), self.max_bytes, &mut ()).await;
        let (body, modified) = read.map_err(|fault| FeedError::Http { url: shown(Some(url)), fault })?;
        let quotes =
            Quotes::parse(&body).map_err(|fault| FeedError::Document { url: shown(Some(url)), fault })?;
        let own = Own::deserialize(&mut serde_json::Deserializer::from_slice(&body)).ok();
        let written = own.and_then(|own| own.timestamp).filter(|time| *time >= 0.0).map(|time| time as u64);
        // The older of the two: a copy of an old document is an old one.
        let written = written.into_iter().chain(modified).min();
        Ok(Document { quotes, sha256: Sha256::digest(&body).into(), written, faults: Vec::new() })
    }
}

/// What several documents come to.
fn joined(documents: &[Document]) -> Document {
    let medians = |of: fn(&Quotes) -> &BTreeMap<String, f64>| -> BTreeMap<String, f64> {
        let mut all: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
        for (asset, value) in documents.iter().flat_map(|document| of(&document.quotes)) {
            all.entry(asset).or_default().push(*value);
        }
        all.into_iter().filter_map(|(asset, values)| Some((asset.clone(), median(values)?))).collect()
    };
    let mut sha256 = Sha256::new();
    documents.iter().for_each(|document| sha256.update(document.sha256));
    let mut written: Vec<u64> = documents.iter().filter_map(|document| document.written).collect();
    written.sort_unstable_by_key(|&time| Reverse(time));
    Document {
        quotes: Quotes {
            prices: medians(|quotes| &quotes.prices),
            funding_rates: medians(|quotes| &quotes.funding_rates),
        },
        sha256: sha256.finalize().into(),
        written: written.get(written.len().saturating_sub(1) / 2).copied(),
        faults: Vec::new(),
    }
}

/// The middle one, or the mean of the two in the middle; `None` if there is none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    // Halved first: the sum of two large ones is none.
    Some(if low == high { values[low] } else { values[low] / 2.0 + values[high] / 2.0 })
}

fn shown(url: Option<&str>) -> String {
    url.map_or_else(|| "without a URL".into(), bare_url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::FeedServer;
    use mantis_config::MarketFeed;
    use std::sync::Arc;
    use std::time::Duration;

    async fn fetch(document: &'static str, limits: MarketFeed) -> Result<Quotes, FeedError> {
        let server = FeedServer::start(Arc::new(move || document.as_bytes().to_vec())).await.unwrap();
        let feed = Feed::new(&MarketFeed { url: Some(server.url()), ..limits }).unwrap();
        let result = feed.fetch().await;
        server.stop().await;
        result
    }

    #[tokio::test]
    async fn reads_the_document() {
        let quotes = fetch(r#"{"prices": {"BTC": 2.5}}"#, MarketFeed::default()).await.unwrap();
        assert_eq!(quotes.prices["BTC"], 2.5);
    }

    #[tokio::test]
    async fn several_feeds_come_to_their_median_and_one_may_fail() {
        let serve =
            |document: &'static str| FeedServer::start(Arc::new(move || document.as_bytes().to_vec()));
        let first = serve(r#"{"prices": {"BTC": 100, "ETH": 10}, "timestamp": 50}"#).await.unwrap();
        let second = serve(r#"{"prices": {"BTC": 1e300, "ETH": 12}, "timestamp": 70}"#).await.unwrap();
        let third = serve(r#"{"prices": {"BTC": 102, "XAU": 3}, "timestamp": 60}"#).await.unwrap();
        let of_first = first.url();
        let market =
            |others: Vec<String>| MarketFeed { url: Some(of_first.clone()), others, ..MarketFeed::default() };
        let read = async |others| Feed::new(&market(others)).unwrap().document().await.unwrap();
        let all = read(vec![second.url(), third.url()]).await;
        let expected =
            [("BTC", 102.0), ("ETH", 11.0), ("XAU", 3.0)].map(|(asset, price)| (asset.into(), price));
        assert_eq!((all.quotes.prices, all.written, all.faults.len()), (expected.into(), Some(60), 0));
        let gone = third.url();
        third.stop().await;
        let two = read(vec![gone.clone(), second.url()]).await;
        assert_eq!((two.quotes.prices["ETH"], two.written), (11.0, Some(70)));
        assert!(two.faults[0].to_string().contains(&gone), "{:?}", two.faults);
        let alone = read(Vec::new()).await;
        assert_eq!((alone.quotes.prices["BTC"], alone.written), (100.0, Some(50)));
        first.stop().await;
        let rest = read(vec![second.url()]).await;
        assert_eq!((rest.quotes.prices["BTC"], rest.faults.len()), (1e300, 1));
        second.stop().await;
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![f64::MAX, f64::MAX]), Some(f64::MAX));
    }

    #[tokio::test]
    async fn says_what_is_wrong() {
        let error = fetch("<html>", MarketFeed::default()).await.unwrap_err().to_string();
        assert!(error.starts_with("market feed http://127.0.0.1:"), "{error}");
        assert!(error.contains("the document is no"), "{error}");

        let small = MarketFeed { max_bytes: 10, ..MarketFeed::default() };
        let error = fetch(r#"{"prices": {"BTC": 2.5}}"#, small).await.unwrap_err().to_string();
        assert!(error.ends_with("the body is larger than 10 bytes"), "{error}");

        assert_eq!(Feed::new(&MarketFeed::default()).unwrap().fetch().await, Err(FeedError::NoUrl));
    }

    #[tokio::test]
    async fn a_dead_server_costs_the_configured_time_and_no_secret() {
        // Bound, so that no other program has the port, and never answering.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://me:secret@{}/prices?key=secret", listener.local_addr().unwrap());
        let market =
            MarketFeed { url: Some(url), timeout: Duration::from_millis(100), ..MarketFeed::default() };
        let error = Feed::new(&market).unwrap().fetch().await.unwrap_err();
        assert!(matches!(&error, FeedError::Http { fault: HttpError::TimedOut, .. }), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
