//! Reading the feed.

use super::{Quotes, QuotesError};
use crate::http::{self, HttpError};
use mantis_config::{self as config, bare_url};
use reqwest::Client;
use serde::Deserialize;
use sha2::{Digest, Sha256};
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

/// What the feed served.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its prices.
    pub quotes: Quotes,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// When it was written, Unix seconds, by its own `timestamp` or by `Last-Modified`; `None` where neither says.
    pub written: Option<u64>,
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
    url: Option<String>,
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
        Ok(Self { url: market.url.clone(), max_bytes: market.max_bytes, client })
    }

    /// Reads the prices as they are now, within the configured time.
    ///
    /// # Errors
    /// If there is no document, or it is not such a one. A step goes on without prices then.
    pub async fn fetch(&self) -> Result<Quotes, FeedError> {
        self.document().await.map(|document| document.quotes)
    }

    /// Reads the document as it is now, with what tells whether it is fresh.
    ///
    /// # Errors
    /// As [`Feed::fetch`].
    pub async fn document(&self) -> Result<Document, FeedError> {
        let url = self.url.as_deref().ok_or(FeedError::NoUrl)?;
        let read = http::fetch_dated(self.client.get(url), self.max_bytes, &mut ()).await;
        let (body, modified) = read.map_err(|fault| FeedError::Http { url: shown(Some(url)), fault })?;
        let quotes =
            Quotes::parse(&body).map_err(|fault| FeedError::Document { url: shown(Some(url)), fault })?;
        let own = Own::deserialize(&mut serde_json::Deserializer::from_slice(&body)).ok();
        let written = own.and_then(|own| own.timestamp).filter(|time| *time >= 0.0).map(|time| time as u64);
        // The older of the two: a copy of an old document is an old one.
        let written = written.into_iter().chain(modified).min();
        Ok(Document { quotes, sha256: Sha256::digest(&body).into(), written })
    }
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
