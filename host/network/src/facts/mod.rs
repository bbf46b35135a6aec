//! Facts about miners from outside: events of a contract, or a document.
//!
//! What is given is what is new since a list was had last, or a whole list. Nothing is believed that does not fit what was
//! asked for, or what was known before: then the list stays as it was, and the error says why.

mod document;
mod evm;
#[cfg(test)]
mod evm_test;
mod rpc;

use crate::http::{self, HttpError};
use mantis_config::{FactKind, FactSource, bare_url};
use mantis_plugin_api::FactList;
use reqwest::Client;
use thiserror::Error;

/// Why a list of facts could not be brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FactError {
    /// A document or an answer could not be had.
    #[error("{url}: {fault}")]
    Http {
        /// The address, without user, password and query.
        url: String,
        /// What happened.
        fault: HttpError,
    },
    /// An answer is none, or contradicts itself, the question, or what was known before.
    #[error("{url}: {what}")]
    Answer {
        /// The address, without user, password and query.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// A node says that it does not answer this.
    #[error("{url}: {what}")]
    Refused {
        /// The address, without user, password and query.
        url: String,
        /// The question, and the node's own words.
        what: String,
    },
    /// Everything was answered, but it took too long.
    #[error("{url}: it was not done in {seconds} s")]
    Slow {
        /// The address, without user, password and query.
        url: String,
        /// For how long it was waited.
        seconds: u64,
    },
    /// Two sources say different things.
    #[error("{one} and {other} say different things of the blocks {from} to {to}")]
    Disagree {
        /// The one.
        one: String,
        /// The other.
        other: String,
        /// First block.
        from: i64,
        /// Last block.
        to: i64,
    },
}

/// What a source gave.
#[derive(Clone, Debug, PartialEq)]
pub struct FactUpdate {
    /// The facts, and as of when the list is complete with them.
    pub list: FactList,
    /// As [`Known::hash`].
    pub hash: Option<String>,
    /// Whether they take the place of what was had, or come after it.
    pub is_whole: bool,
    /// Whether that is all there is by now; if not, the rest is to be asked for.
    pub is_complete: bool,
    /// Why it ends before.
    pub stopped: Option<FactError>,
    /// Sources that gave nothing, while others did.
    pub faults: Vec<FactError>,
}

/// How far a list is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// As [`FactList::block`].
    pub block: Option<i64>,
    /// As [`FactList::time`].
    pub time: Option<f64>,
    /// That block's hash, in hexadecimal: a source whose block is another one is of another fork.
    pub hash: Option<String>,
}

/// Reads one source of facts.
#[derive(Clone, Debug)]
pub struct FactClient {
    source: FactSource,
    client: Client,
}

impl FactClient {
    /// A client of a source. It is the operator's own choice: it may be on this machine.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub fn new(source: &FactSource) -> Result<Self, FactError> {
        let client = http::builder().timeout(source.timeout).build();
        let client =
            client.map_err(|error| FactError::Http { url: bare_url(&source.url), fault: error.into() })?;
        Ok(Self { source: source.clone(), client })
    }

    /// The source.
    #[must_use]
    pub fn source(&self) -> &FactSource {
        &self.source
    }

    /// What is new since the list was `known`; `now` is the Unix time.
    ///
    /// # Errors
    /// [`FactError`]; the list should then stay as it is.
    pub async fn read(&self, known: &Known, now: u64) -> Result<FactUpdate, FactError> {
        match self.source.kind {
            FactKind::EvmLogs => evm::read(self, known, now).await,
            FactKind::Document => document::read(self, known, now).await,
        }
    }

    /// All addresses, in order.
    fn urls(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.source.url).chain(&self.source.others).map(String::as_str)
    }
}

/// Seconds by which a source's clock may go ahead of ours.
const AHEAD: f64 = 120.0;

/// Whether a time can be: not of the future, and not before what was known.
fn check_time(time: f64, known: Option<f64>, now: u64) -> Result<(), String> {
    if !(0.0..=now as f64 + AHEAD).contains(&time) {
        return Err(format!("it is of the time {time}, and it is {now} now"));
    }
    match known.filter(|known| time < *known) {
        Some(known) => Err(format!("it is of the time {time}, and one of {known} was had before")),
        None => Ok(()),
    }
}

/// Characters of others' words that are repeated.
const WORDS: usize = 200;

/// What others say, or what a message quotes of it, cut.
fn in_short(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(WORDS).collect()
}
