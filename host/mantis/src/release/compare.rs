//! What a release changes.

use super::ReleaseError;
use mantis_config::Config;
use mantis_release::{Folder, MANIFEST};
use mantis_scoring::inspect;
use mantis_scoring::worker::Launcher;
use mantis_validator::changes;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A release, or a configuration beside it.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it says.
    pub config: Config,
    /// The release; `None` for a configuration.
    pub folder: Option<Folder>,
}

impl Side {
    /// A release's folder, or the file of a configuration.
    ///
    /// # Errors
    /// If it is neither, or faulty.
    pub fn load(path: &Path) -> Result<Self, ReleaseError> {
        if path.join(MANIFEST).exists() || path.is_dir() {
            let folder = Folder::verify(path).map_err(ReleaseError::of(path))?;
            return Ok(Self { config: folder.config()?, folder: Some(folder) });
        }
        Ok(Self { config: Config::load(path)?, folder: None })
    }

    /// Each plugin's version by ticker, as it says itself; one that cannot be used has none.
    fn versions(&self, launcher: &Launcher) -> BTreeMap<String, String> {
        let version = |i: usize| Some(inspect(&self.config, i, launcher).ok()?.description.version);
        let tickers = self.config.challenges.iter().enumerate();
        tickers.filter_map(|(i, challenge)| Some((challenge.ticker.clone(), version(i)?))).collect()
    }

    fn shares(&self) -> BTreeMap<String, f64> {
        let weights = self.config.weights();
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        weights.into_iter().map(|(ticker, weight)| (ticker, weight / sum)).collect()
    }
}

/// What is another.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Each changed key with its values, a line each; empty where nothing is.
    pub changes: Vec<String>,
    /// Every challenge of either, in the order of the new one.
    pub shares: Vec<Share>,
}

/// What a challenge counts for before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// Which.
    pub ticker: String,
    /// Its part of all weights before; `None` where it was not there.
    pub before: Option<f64>,
    /// And after.
    pub after: Option<f64>,
    /// The version of its plugin before.
    pub version_before: Option<String>,
    /// And after.
    pub version_after: Option<String>,
}

/// Compares two releases, or a configuration with one.
#[must_use]
pub fn compare(old: &Side, new: &Side, launcher: &Launcher) -> Comparison {
    let mut changes = changes(&old.config, &new.config);
    changes.extend(of_manifests(old, new));
    let (shares, versions) = ((old.shares(), new.shares()), (old.versions(launcher), new.versions(launcher)));
    let gone = old.config.challenges.iter().filter(|challenge| !shares.1.contains_key(&challenge.ticker));
    let tickers = new.config.challenges.iter().chain(gone).map(|challenge| challenge.ticker.clone());
    let shares = tickers.map(|ticker| Share {
        before: shares.0.get(&ticker).copied(),
        after: shares.1.get(&ticker).copied(),
        version_before: versions.0.get(&ticker).cloned(),
        version_after: versions.1.get(&ticker).cloned(),
        ticker,
    });
    Comparison { changes, shares: shares.collect() }
}

/// What the lists of two releases say otherwise.
fn of_manifests(old: &Side, new: &Side) -> Vec<String> {
    let (Some(old), Some(new)) = (&old.folder, &new.folder) else { return Vec::new() };
    let (old, new) = (&old.release, &new.release);
    let mut lines = Vec::new();
    let mut say = |what: &str, then: String, now: String| {
        if then != now {
            lines.push(format!("`{what}` of the release is {now}, before {then}"));
        }
    };
    say("number", old.number.to_string(), new.number.to_string());
    say("netuid", old.netuid.to_string(), new.netuid.to_string());
    say("activate", old.activate.to_string(), new.activate.to_string());
    say("expires", old.expires.to_string(), new.expires.to_string());
    say("host", old.host.to_string(), new.host.to_string());
    for (name, file) in &new.files {
        match old.files.get(name) {
            None => lines.push(format!("{name} is new")),
            Some(before) if before.sha256 != file.sha256 => {
                lines.push(format!("{name} is {}, before {}", file.sha256.short(), before.sha256.short()));
            }
            Some(_) => {}
        }
    }
    lines.extend(
        old.files.keys().filter(|name| !new.files.contains_key(*name)).map(|name| format!("{name} is gone")),
    );
    lines
}
