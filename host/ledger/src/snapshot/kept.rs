//! `kept.json`: what a folder holds that stays from one snapshot to the next.

use super::SnapshotError;
use super::files::{is_elsewhere, remove_others, replace};
use super::market::{Line, Lines, read_lines};
use super::parts::Part;
use super::request::SnapshotRequest;
use super::stamps::{Stamp, Stamps};
use crate::open::beside;
use mantis_plugin_api::Storage;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// The layout that this program writes and goes on with.
const FORMAT: u32 = 1;

/// The file.
pub(super) const NAME: &str = "kept.json";

/// Of what a history is. Another one is begun anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) ticker: String,
    pub(super) price_source: String,
    assets: Vec<String>,
    channels: Vec<String>,
    pub(super) storage: Storage,
    pub(super) storage_dim: usize,
}

impl Identity {
    pub(super) fn of(request: &SnapshotRequest) -> Self {
        Self {
            ticker: request.ticker.clone(),
            price_source: request.source().to_owned(),
            assets: request.assets.clone(),
            channels: request.channels.clone(),
            storage: request.storage,
            storage_dim: request.storage_dim,
        }
    }
}

/// What tells whether a ledger's files are as they were: lengths, and nanoseconds of the last change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileMark(Vec<Option<(u64, u128)>>);

impl FileMark {
    /// Of a ledger's file and of what is not in it yet.
    pub(super) fn read(ledger: &Path) -> Self {
        let mark = |path: &Path| {
            let about = fs::metadata(path).ok()?;
            Some((about.len(), about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos()))
        };
        Self(vec![mark(ledger), mark(&beside(ledger, "-wal"))])
    }

    fn is_known(&self) -> bool {
        self.0.first().is_some_and(Option::is_some)
    }
}

/// What was made and stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Store {
    /// The market's file with its checksum.
    pub(super) market: (String, u32),
    /// Rows in that file.
    pub(super) market_rows: usize,
    /// The first rows of it, whose vectors are in the parts.
    pub(super) rows: usize,
    /// The hotkeys by their numbers.
    pub(super) hotkeys: Vec<String>,
    pub(super) parts: Vec<Part>,
    /// The number of the next file.
    pub(super) next_file: u64,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    identity: Identity,
    /// The ledger's files, as they were before it was read.
    ledger: FileMark,
    store: Store,
}

/// What there is to go on with: it still is what the ledger has.
#[derive(Debug, PartialEq)]
pub(super) struct State {
    pub(super) hotkeys: Vec<String>,
    pub(super) parts: Vec<Part>,
}

/// What was found in a folder.
pub(super) struct Found {
    pub(super) identity: Identity,
    store: Store,
    lines: Lines,
    /// Whether the ledger's files are as they were.
    unchanged: bool,
}

impl Found {
    /// Reads what a folder holds; `None` where that is nothing, or of another version.
    pub(super) fn read(dir: &Path, ledger: &FileMark) -> Result<Option<Self>, SnapshotError> {
        let path = dir.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(SnapshotError::io(&path)(e)),
        };
        let body =
            unwrapped(&text).ok_or_else(|| SnapshotError::damaged(&path, "its checksum is another"))?;
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let damaged = |e: serde_json::Error| SnapshotError::damaged(&path, e.to_string());
        if serde_json::from_slice::<Head>(body).map_err(damaged)?.format != FORMAT {
            return Ok(None);
        }
        let Document { identity, store, ledger: mark, .. } = serde_json::from_slice(body).map_err(damaged)?;
        store.check(&path)?;
        let columns = identity.assets.len().max(1) + identity.channels.len();
        let (file, sum) = &store.market;
        let mut lines = read_lines(&dir.join(file), *sum, columns, store.market_rows)?;
        lines.lines.truncate(store.rows);
        lines.prices.truncate(store.rows * columns);
        Ok(Some(Self { identity, store, lines, unchanged: ledger.is_known() && mark == *ledger }))
    }

    /// The number of the next file.
    pub(super) fn next_file(&self) -> u64 {
        self.store.next_file
    }

    /// Rows that are kept.
    pub(super) fn rows(&self) -> usize {
        self.lines.lines.len()
    }

    /// What of it the ledger still has: without the rows that are gone at its beginning, and without all from the part on
    /// whose rows are not the ledger's.
    pub(super) fn fit(self, stamps: &Stamps) -> (State, Lines) {
        let Self { store, mut lines, unchanged, .. } = self;
        let now = stamps.rows();
        let gone = match now.first() {
            Some((first, _)) => lines.lines.partition_point(|line| line.sidx < *first),
            None => lines.lines.len(),
        };
        let same = |(line, (sidx, stamp)): (&Line, &(_, Stamp))| {
            line.sidx == *sidx && line.stamp == *stamp && (stamp.is_summed() || unchanged)
        };
        let equal = lines.lines[gone..].iter().zip(now).take_while(|pair| same(*pair)).count();
        let whole = gone + equal == lines.lines.len();
        let mut parts = Vec::new();
        let (mut start, mut rows) = (0, 0);
        for mut part in store.parts {
            let end = start + part.rows;
            if end > gone + equal && !whole {
                break;
            }
            let lost = gone.saturating_sub(start).min(part.rows);
            start = end;
            if lost < part.rows {
                part.skip += lost;
                part.rows -= lost;
                rows += part.rows;
                parts.push(part);
            }
        }
        let width = lines.prices.len() / lines.lines.len().max(1);
        lines.lines.drain(..gone);
        lines.prices.drain(..gone * width);
        lines.lines.truncate(rows);
        lines.prices.truncate(rows * width);
        (State { hotkeys: store.hotkeys, parts }, lines)
    }
}

impl Store {
    /// Whether its parts fit together.
    fn check(&self, path: &Path) -> Result<(), SnapshotError> {
        let rows = self.parts.iter().try_fold(0_usize, |sum, part| sum.checked_add(part.rows));
        let is_sound = |part: &Part| {
            let rows = part.skip.checked_add(part.rows);
            let in_it = |row: usize| rows.is_some_and(|rows| row < rows);
            let sound = part.columns.iter().all(|column| {
                column.hotkey < self.hotkeys.len()
                    && in_it(column.last)
                    && column.nonzero.is_none_or(|row| row <= column.last)
            });
            sound && part.rows > 0 && !is_elsewhere(&part.file)
        };
        let sound = rows == Some(self.rows)
            && self.rows <= self.market_rows
            && !is_elsewhere(&self.market.0)
            && self.parts.iter().all(is_sound);
        if sound { Ok(()) } else { Err(SnapshotError::damaged(path, "its parts do not fit together")) }
    }

    /// Only those hotkeys that are in a part, with new numbers.
    fn tidied(mut self) -> Self {
        let mut numbers = vec![None; self.hotkeys.len()];
        let mut hotkeys = Vec::new();
        for column in self.parts.iter_mut().flat_map(|part| &mut part.columns) {
            let number = numbers[column.hotkey].get_or_insert_with(|| {
                hotkeys.push(std::mem::take(&mut self.hotkeys[column.hotkey]));
                hotkeys.len() - 1
            });
            column.hotkey = *number;
        }
        Self { hotkeys, ..self }
    }

    /// Writes what stays, and removes the files that nobody needs any more.
    pub(super) fn write(
        self,
        dir: &Path,
        request: &SnapshotRequest,
        ledger: FileMark,
        needed: &[(String, u32)],
    ) -> Result<(), SnapshotError> {
        let path = dir.join(NAME);
        let store = self.tidied();
        let document = Document { format: FORMAT, identity: Identity::of(request), ledger, store };
        let text = serde_json::to_vec(&document).map_err(|e| SnapshotError::io(&path)(e.into()))?;
        replace(&path, &wrapped(&text))?;
        remove_others(dir, needed)
    }
}

const BEGIN: &[u8] = b"{\"sum\":";
const MIDDLE: &[u8] = b",\"kept\":";

/// A document with its checksum before it.
fn wrapped(document: &[u8]) -> Vec<u8> {
    let sum = crc32fast::hash(document).to_string();
    [BEGIN, sum.as_bytes(), MIDDLE, document, b"}"].concat()
}

/// The document, if its checksum is that.
fn unwrapped(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(BEGIN)?.strip_suffix(b"}")?;
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (sum, document) = text.split_at(digits);
    let document = document.strip_prefix(MIDDLE)?;
    let sum: u32 = std::str::from_utf8(sum).ok()?.parse().ok()?;
    (crc32fast::hash(document) == sum).then_some(document)
}
