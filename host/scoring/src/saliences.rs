//! Saliences that were scored before, by all that they depend on: the plugin's file, the challenge, the rows.
//!
//! A cache: without it everything takes longer, and comes to the same bits. A file of it is named by a digest and begins with
//! one, so that what was changed on the disk is noticed and scored again.

use super::files::is_own_folder;
use super::given::Given;
use crate::plugins::{LoadError, Source, digest};
use mantis_config::Block;
use mantis_ledger::snapshot::{RowMarks, SnapshotRequest};
use mantis_ledger::{Ledger, LedgerError};
use mantis_plugin_api::{ParamMap, Spec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use thiserror::Error;

/// The form of the entries and of what they depend on; another one finds nothing of this.
const FORMAT: u32 = 1;
/// Ends the names of entries.
const SUFFIX: &str = "json";
/// Begins the names of entries that are not whole yet.
const PART: &str = ".part-";
/// What was left unfinished for so long is nobody's.
const LEFT: Duration = Duration::from_secs(3600);

/// Why a cache cannot be used.
#[derive(Debug, Error)]
pub enum CacheError {
    /// Its folder cannot be read or written.
    #[error("the cache {folder}: {source}; name another folder with --cache")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others may write what is taken for scored.
    #[error(
        "the cache {folder} belongs to another user, or others may write to it: what lies there is taken for scored; remove it, \
         or name another folder with --cache"
    )]
    Strange {
        /// The folder.
        folder: PathBuf,
    },
}

/// What a cache did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheCounts {
    /// Saliences that were taken from it.
    pub found: u64,
    /// Saliences that were scored, by a worker each.
    pub scored: u64,
    /// Entries that were damaged, and scored again.
    pub damaged: u64,
}

/// The saliences that are kept in a folder, for one ledger as it is now.
#[derive(Debug)]
pub struct SalienceCache {
    folder: PathBuf,
    marks: RowMarks,
    plugins: Mutex<BTreeMap<PathBuf, String>>,
    found: AtomicU64,
    scored: AtomicU64,
    damaged: AtomicU64,
    /// What was scored ahead and is not asked for yet.
    ahead: Mutex<BTreeSet<String>>,
}

/// What a salience depends on.
pub(super) struct Needs<'a> {
    pub(super) plugin: &'a Source,
    pub(super) spec: &'a Spec,
    pub(super) params: &'a ParamMap,
    pub(super) request: &'a SnapshotRequest,
}

/// By what a salience is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    name: String,
    plugin: String,
}

impl Key {
    /// A name of all that a salience depends on: a digest.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the plugin's file has this digest.
    pub(super) fn is_of(&self, sha256: &str) -> bool {
        self.plugin.eq_ignore_ascii_case(sha256)
    }
}

impl SalienceCache {
    /// That of a folder, which is made for this user alone where it is not there.
    ///
    /// # Errors
    /// [`CacheError`].
    pub fn open(folder: &Path, ledger: &Ledger) -> Result<Self, CacheError> {
        let io = |source| CacheError::Io { folder: folder.into(), source };
        if !is_own_folder(folder).map_err(io)? {
            return Err(CacheError::Strange { folder: folder.into() });
        }
        Ok(Self {
            folder: folder.into(),
            marks: RowMarks::new(ledger),
            plugins: Mutex::default(),
            found: AtomicU64::new(0),
            scored: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            ahead: Mutex::default(),
        })
    }

    /// As [`Ledger::first_seen`], which reads every row where no histories are kept: from here, if no row has changed since.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn first_seen(
        &self,
        ledger: &Ledger,
        histories: Option<&Path>,
        sample_every: u32,
    ) -> Result<BTreeMap<String, Block>, LedgerError> {
        let name = rows_name(ledger, &self.marks, sample_every)?;
        let path = self.folder.join(&name).with_extension(SUFFIX);
        let kept = fs::read(&path).ok().and_then(|text| unwrapped(&name, &text));
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let first = ledger.first_seen(histories, sample_every)?;
        if rows_name(ledger, &RowMarks::new(ledger), sample_every)? == name {
            // What cannot be kept is read again another time.
            let _ = self.write(&name, &first);
        }
        Ok(first)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        CacheCounts { found: read(&self.found), scored: read(&self.scored), damaged: read(&self.damaged) }
    }

    /// Removes the entries that were not used for longest until the rest has at most so many bytes; gives how many went.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn trim(&self, bytes: u64) -> Result<usize, CacheError> {
        trim(&self.folder, bytes).map_err(|source| CacheError::Io { folder: self.folder.clone(), source })
    }

    /// By what a salience of these is kept.
    pub(super) fn key(&self, ledger: &Ledger, needs: &Needs<'_>) -> Result<Key, KeyError> {
        let plugin = self.plugin(&needs.plugin.path)?;
        let name = name(ledger, &self.marks, &plugin, needs)?;
        Ok(Key { name, plugin })
    }

    /// Whether something is kept; that it is whole is seen when it is read.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.path(key).is_file()
    }

    /// What is kept; `None` where that is nothing, or damaged.
    pub(super) fn find(&self, key: &Key) -> Option<Given> {
        let path = self.path(key);
        let text = fs::read(&path).ok()?;
        let run = unwrapped::<Given>(&key.name, &text).filter(Given::is_whole);
        if run.is_some() {
            let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            // What this run has scored for itself it has not found.
            self.found.fetch_add(u64::from(!ahead.remove(&key.name)), Ordering::Relaxed);
            drop(ahead);
            // What was used is the last to go. Where it cannot be said, it goes earlier.
            let _ = File::options()
                .append(true)
                .open(&path)
                .and_then(|file| file.set_modified(SystemTime::now()));
        } else {
            self.damaged.fetch_add(1, Ordering::Relaxed);
        }
        run
    }

    /// Counts what was scored, and keeps it if it is by the key still: neither the plugin's file nor the rows are others now.
    /// What cannot be kept is scored again another time.
    pub(super) fn keep(&self, ledger: &Ledger, key: &Key, needs: &Needs<'_>, run: &Given) {
        self.scored.fetch_add(1, Ordering::Relaxed);
        let now = name(ledger, &RowMarks::new(ledger), &run.sha256, needs);
        if run.sha256 == key.plugin && now.is_ok_and(|now| now == key.name) {
            let _ = self.write(&key.name, run);
        }
    }

    /// What was just kept will be asked for.
    pub(super) fn note_ahead(&self, key: &Key) {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).insert(key.name.clone());
    }

    /// Counts what was scored and cannot be kept.
    pub(super) fn pass(&self) {
        self.scored.fetch_add(1, Ordering::Relaxed);
    }

    fn write(&self, name: &str, content: &impl Serialize) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(PART).tempfile_in(&self.folder)?;
        file.write_all(&wrapped(name, content)?)?;
        let path = self.folder.join(name).with_extension(SUFFIX);
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.name).with_extension(SUFFIX)
    }

    /// The digest of a plugin's file, which is read once.
    fn plugin(&self, path: &Path) -> Result<String, LoadError> {
        let mut plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = plugins.get(path) {
            return Ok(known.clone());
        }
        let sha256 = digest(path)?;
        plugins.insert(path.into(), sha256.clone());
        Ok(sha256)
    }
}

/// Why it is not known by what a salience would be kept: scoring says the same.
#[derive(Debug, Error)]
#[error(transparent)]
pub(super) enum KeyError {
    Plugin(#[from] LoadError),
    Ledger(#[from] LedgerError),
}

/// Removes all entries of a folder; gives how many there were. A folder that is not there has none.
///
/// # Errors
/// If it cannot be read or written.
pub fn clear_saliences(folder: &Path) -> Result<usize, CacheError> {
    match trim(folder, 0) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(0),
        other => other.map_err(|source| CacheError::Io { folder: folder.into(), source }),
    }
}

/// The digest of all that a salience depends on.
fn name(ledger: &Ledger, marks: &RowMarks, plugin: &str, needs: &Needs<'_>) -> Result<String, LedgerError> {
    let SnapshotRequest {
        ticker,
        price_source,
        assets,
        channels,
        facts,
        storage_dim,
        storage,
        max_block,
        as_of,
        sample_every,
        active,
        carry_breakouts,
        // A score with one is not kept.
        guest: _,
    } = needs.request;
    let carried = if *carry_breakouts { ledger.breakout_state()? } else { Vec::new() };
    let said = serde_json::json!({
        "format": FORMAT, "program": env!("CARGO_PKG_VERSION"), "plugin": plugin, "spec": needs.spec,
        "params": needs.params, "ticker": ticker, "price_source": price_source, "assets": assets,
        "channels": channels, "facts": facts, "storage_dim": storage_dim, "storage": storage,
        "max_block": max_block, "as_of": as_of.map(|as_of| (as_of.block, as_of.opened)),
        "sample_every": sample_every, "active": active, "carried": carried,
    });
    let mut hasher = Sha256::new();
    hasher.update(said.to_string());
    hasher.update([0]);
    marks.feed(ledger, needs.request, &mut |bytes| hasher.update(bytes))?;
    Ok(hex::encode(hasher.finalize()))
}

/// The digest of all rows of all tickers.
fn rows_name(ledger: &Ledger, marks: &RowMarks, sample_every: u32) -> Result<String, LedgerError> {
    let mut hasher = Sha256::new();
    hasher.update(format!("first seen {FORMAT} {sample_every}"));
    for ticker in ledger.tickers()? {
        let request = SnapshotRequest { ticker: ticker.ticker, sample_every, ..SnapshotRequest::default() };
        hasher.update([0]);
        hasher.update(&request.ticker);
        marks.feed(ledger, &request, &mut |bytes| hasher.update(bytes))?;
    }
    Ok(hex::encode(hasher.finalize()))
}

/// An entry: a digest of name and content in a line, then the content.
fn wrapped(name: &str, content: &impl Serialize) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(content)?;
    Ok([sum(name, &body).as_bytes(), b"\n", &body].concat())
}

/// The content, if the digest is that.
fn unwrapped<T: DeserializeOwned>(name: &str, text: &[u8]) -> Option<T> {
    let line = text.iter().position(|byte| *byte == b'\n')?;
    let (digest, body) = (&text[..line], &text[line + 1..]);
    (sum(name, body).as_bytes() == digest).then(|| serde_json::from_slice(body).ok())?
}

fn sum(name: &str, body: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(name).chain_update(body).finalize())
}

fn trim(folder: &Path, bytes: u64) -> io::Result<usize> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Another process may have removed it meanwhile.
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        let time = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        if is_entry(&path) && about.is_file() {
            entries.push((time, about.len(), path));
        } else if file_name.starts_with(PART) && time.elapsed().is_ok_and(|age| age > LEFT) {
            let _ = fs::remove_file(&path);
        }
    }
    entries.sort_unstable();
    let mut had: u64 = entries.iter().map(|(_, length, _)| length).sum();
    let mut removed = 0;
    for (_, length, path) in entries {
        if had <= bytes {
            break;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (had, removed) = (had - length, removed + 1),
        }
    }
    Ok(removed)
}

/// Whether a file's name is that of an entry: nothing else is touched.
fn is_entry(path: &Path) -> bool {
    let digits = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    path.extension().is_some_and(|extension| extension == SUFFIX)
        && digits.len() == 64
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
#[path = "saliences_test.rs"]
mod tests;
