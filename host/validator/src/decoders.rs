//! From plaintexts to vectors, through the plugins.

use mantis_config::Config;
use mantis_ledger::{Rejection, Stage, Vector};
use mantis_payload::Plaintext;
use mantis_payload::submission::split_object;
use mantis_plugin_api::{PluginError, Storage};
use mantis_scoring::worker::{Decoded, Failure, Launcher, Session, WorkerError};
use mantis_scoring::{session, session_job};
use serde_json::Value;
use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;
use thiserror::Error;

/// Every challenge's plugin, each in a process that stays.
pub struct Decoders {
    config: Arc<Config>,
    launcher: Launcher,
    sessions: BTreeMap<String, Session>,
}

/// Vectors by ticker and hotkey, and what was refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vectors {
    /// What is stored, by ticker: hotkey and numbers.
    pub by_ticker: BTreeMap<String, Vec<(String, Vector)>>,
    /// What was refused, and why.
    pub rejections: Vec<Rejection>,
}

/// A challenge's plugin cannot be used at all.
#[derive(Debug, Error)]
#[error("{ticker}: {reason}")]
pub struct DecoderError {
    /// The challenge.
    pub ticker: String,
    /// What is wrong with its plugin.
    pub reason: String,
}

impl Decoders {
    /// The plugins of a configuration; none is started before it is needed.
    #[must_use]
    pub fn new(config: Arc<Config>, launcher: Launcher) -> Self {
        Self { config, launcher, sessions: BTreeMap::new() }
    }

    /// Goes on with another configuration. Plugins whose file, challenge and parameters are the old ones stay as they
    /// are.
    pub fn set_config(&mut self, config: Arc<Config>) {
        if Arc::ptr_eq(&self.config, &config) {
            return;
        }
        self.sessions.retain(|ticker, session| match session_job(&config, ticker) {
            Ok(job) => session.change(job),
            Err(_) => false,
        });
        self.config = config;
    }

    /// Turns plaintexts by hotkey into the vectors that are stored. One bad challenge spoils no other, and a
    /// submission on which a plugin crashes spoils only itself.
    ///
    /// # Errors
    /// [`DecoderError`] where a plugin cannot even be loaded: then nothing may be decoded, or its challenge's part would be
    /// lost.
    pub fn decode(&mut self, plaintexts: Vec<(String, Plaintext)>) -> Result<Vectors, DecoderError> {
        let mut sent: BTreeMap<String, (Vec<String>, Vec<Value>)> = BTreeMap::new();
        for (hotkey, plaintext) in plaintexts {
            for (ticker, value) in split_object(plaintext.object, &self.config.challenges).submissions {
                let (hotkeys, values) = sent.entry(ticker).or_default();
                hotkeys.push(hotkey.clone());
                values.push(value);
            }
        }
        let mut vectors = Vectors::default();
        for (ticker, (hotkeys, values)) in sent {
            let decoded = self.of_challenge(&ticker, &values)?;
            let challenge = self.config.challenges.iter().find(|challenge| challenge.ticker == ticker);
            let storage = challenge.map_or_else(Storage::default, |challenge| challenge.storage);
            let of_ticker = vectors.by_ticker.entry(ticker.clone()).or_default();
            for (hotkey, outcome) in hotkeys.into_iter().zip(decoded) {
                match outcome {
                    Ok(vector) => of_ticker.push((hotkey, Vector::new(&vector, storage))),
                    Err(error) => vectors.rejections.push(Rejection {
                        hotkey,
                        stage: Stage::Decode,
                        ticker: ticker.clone(),
                        code: code(&error).into(),
                        // A plugin may repeat what it was sent; the ledger keeps no more than this of it.
                        detail: error.to_string().chars().take(Rejection::LONGEST_DETAIL).collect(),
                    }),
                }
            }
        }
        Ok(vectors)
    }

    fn of_challenge(&mut self, ticker: &str, values: &[Value]) -> Result<Decoded, DecoderError> {
        let unusable = |reason: String| DecoderError { ticker: ticker.into(), reason };
        if !self.sessions.contains_key(ticker) {
            let session =
                session(&self.config, ticker, &self.launcher).map_err(|e| unusable(format!("{e:#}")))?;
            self.sessions.insert(ticker.into(), session);
        }
        let Some(session) = self.sessions.get_mut(ticker) else {
            return Err(unusable("no such challenge".into()));
        };
        match session.decode(values) {
            Ok(decoded) => return Ok(decoded),
            Err(error) if never_ran(&error) => return Err(unusable(error.to_string())),
            Err(_) => {}
        }
        // One of them brought the plugin down. Each alone, so that it takes no other with it.
        let alone = |value: &Value| match session.decode(slice::from_ref(value)) {
            Ok(mut decoded) => Ok(decoded.pop().unwrap_or_else(|| Err(crash("it gave no vector")))),
            Err(error) if never_ran(&error) => Err(unusable(error.to_string())),
            Err(error) => Ok(Err(crash(&error.to_string()))),
        };
        values.iter().map(alone).collect()
    }
}

/// Whether the plugin never came to the point of being asked.
fn never_ran(error: &WorkerError) -> bool {
    matches!(error, WorkerError::Start { .. } | WorkerError::Failed(Failure::Load(_) | Failure::Plugin(_)))
}

fn crash(what: &str) -> PluginError {
    PluginError::Host { message: format!("the challenge's plugin fails on it: {what}") }
}

fn code(error: &PluginError) -> &'static str {
    match error {
        PluginError::Submission { .. } => "submission",
        PluginError::Host { .. } => "plugin_crash",
        _ => "plugin",
    }
}
