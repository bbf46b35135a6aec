//! Asking sources for their numbers.

use super::{Quotes, Source};
use crate::http::{self, HttpError};
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use mantis_config::QuoteKind;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Largest answer of a source, bytes.
const LARGEST: u64 = 16 << 20;
/// Requests to one source at the same time.
const PARALLEL: usize = 8;

/// Keys by the name of their environment variable.
pub(super) type Keys = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Asks sources, and puts together what they say.
#[derive(Clone)]
pub struct Poller {
    client: Client,
    key: Keys,
}

/// What one poll gave: quotes, and what went wrong, in words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polled {
    /// The numbers that were had.
    pub quotes: Quotes,
    /// One line per source, or asset of a source, that gave none.
    pub warnings: Vec<String>,
}

impl Poller {
    /// A poller that waits so long for an answer, and takes keys from the environment.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub fn new(timeout: Duration) -> Result<Self, HttpError> {
        Self::with_keys(timeout, Arc::new(|name| std::env::var(name).ok().filter(|key| !key.is_empty())))
    }

    /// The same with keys from elsewhere.
    pub(super) fn with_keys(timeout: Duration, key: Keys) -> Result<Self, HttpError> {
        Ok(Self { client: http::builder().timeout(timeout).build()?, key })
    }

    /// Asks all sources at once. An asset that several have is taken from the first of them; one that fails leaves
    /// its assets out.
    pub async fn poll(&self, sources: &[Source]) -> Polled {
        let answers = join_all(sources.iter().map(|source| self.ask(source))).await;
        let mut polled = Polled::default();
        for (source, answer) in sources.iter().zip(answers) {
            let target = match source.into {
                QuoteKind::Prices => &mut polled.quotes.prices,
                QuoteKind::FundingRates => &mut polled.quotes.funding_rates,
            };
            for (asset, x) in answer.numbers {
                target.entry(asset).or_insert(x);
            }
            polled
                .warnings
                .extend(answer.warnings.iter().map(|warning| format!("{}: {warning}", source.label)));
        }
        polled
    }

    async fn ask(&self, source: &Source) -> Answer {
        let mut answer = Answer::default();
        let key = match &source.key_env {
            None => None,
            Some(name) => match (self.key)(name) {
                Some(key) => Some(key),
                None => {
                    answer.warnings.push(format!("no key: set the environment variable {name}"));
                    return answer;
                }
            },
        };
        let each =
            [Some(&source.url), source.body.as_ref()].into_iter().flatten().any(|t| t.contains("{symbol}"));
        if !each {
            let symbols: Vec<String> = source.assets.iter().map(|asset| symbol_of(source, asset)).collect();
            match self.document(source, "", &symbols.join(","), key.as_deref()).await {
                Err(fault) => answer.warnings.push(fault),
                Ok(document) => {
                    source.assets.iter().for_each(|asset| answer.take(source, asset, Ok(&document)));
                }
            }
            return answer;
        }
        let asking = source.assets.iter().map(|asset| {
            let (symbol, key) = (symbol_of(source, asset), key.as_deref());
            async move { (asset, self.document(source, &symbol, "", key).await) }
        });
        let documents: BTreeMap<_, _> = stream::iter(asking).buffer_unordered(PARALLEL).collect().await;
        for (asset, document) in &documents {
            answer.take(source, asset, document.as_ref().map_err(Clone::clone));
        }
        answer
    }

    /// One document. What went wrong holds no URL: that may carry a key.
    async fn document(
        &self,
        source: &Source,
        symbol: &str,
        symbols: &str,
        key: Option<&str>,
    ) -> Result<Value, String> {
        let filled = |text: &str| text.replace("{symbols}", symbols).replace("{symbol}", symbol);
        let mut url =
            Url::parse(&filled(&source.url)).map_err(|error| format!("its URL is not valid: {error}"))?;
        if let (Some(name), Some(key)) = (&source.key_query, key) {
            url.query_pairs_mut().append_pair(name, key);
        }
        let mut request = match &source.body {
            None => self.client.get(url),
            Some(body) => self.client.post(url).header(CONTENT_TYPE, "application/json").body(filled(body)),
        };
        if let (Some(name), Some(key)) = (&source.key_header, key) {
            let mut value = HeaderValue::from_str(&format!("{}{key}", source.key_prefix))
                .map_err(|_| "its key has characters that no header can hold".to_owned())?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let body = http::fetch(request.header(ACCEPT, "application/json"), LARGEST, &mut ()).await;
        let body = body.map_err(|fault| fault.to_string())?;
        serde_json::from_slice(&body).map_err(|error| format!("its answer is not JSON: {error}"))
    }
}

/// What one source said.
#[derive(Default)]
struct Answer {
    numbers: Vec<(String, f64)>,
    warnings: Vec<String>,
}

impl Answer {
    fn take(&mut self, source: &Source, asset: &str, document: Result<&Value, String>) {
        match document.and_then(|document| number(source, asset, document)) {
            Ok(x) => self.numbers.push((asset.into(), x)),
            Err(reason) => self.warnings.push(format!("{asset} is left out: {reason}")),
        }
    }
}

/// The number of an asset in a document.
fn number(source: &Source, asset: &str, document: &Value) -> Result<f64, String> {
    let symbol = symbol_of(source, asset);
    let from = match &source.rows {
        None => document,
        Some(rows) => {
            let list = |pointer: &str| {
                let list = document.pointer(pointer).and_then(Value::as_array);
                list.ok_or_else(|| format!("its answer has no list at {pointer}"))
            };
            let wanted = source.row.replace("{symbol}", &symbol);
            let names = list(source.names.as_ref().unwrap_or(rows))?;
            let named = |row: &Value| row.pointer(&source.name).and_then(Value::as_str) == Some(&wanted);
            let at = names.iter().position(named);
            let row = at.and_then(|at| list(rows).ok()?.get(at));
            row.ok_or_else(|| format!("its answer has no row named {wanted}"))?
        }
    };
    let mut sum = 0.0;
    for pointer in &source.pointer {
        let pointer = pointer.replace("{symbol}", &symbol);
        let x = from.pointer(&pointer).and_then(|value| match value {
            Value::Number(x) => x.as_f64(),
            // Exchanges write decimals as strings.
            Value::String(text) => text.parse().ok(),
            _ => None,
        });
        sum += x.ok_or_else(|| format!("its answer has no number at {pointer}"))?;
    }
    let mean = sum / source.pointer.len() as f64;
    let x = source.multiplier * if source.invert.contains(asset) { 1.0 / mean } else { mean };
    let fits = x.is_finite() && (x > 0.0 || source.into == QuoteKind::FundingRates);
    if fits { Ok(x) } else { Err(format!("{mean} is not a number for it")) }
}

fn symbol_of(source: &Source, asset: &str) -> String {
    source.symbols.get(asset).cloned().unwrap_or_else(|| source.symbol.replace("{asset}", asset))
}
