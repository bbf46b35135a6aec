//! Histories that stay beside a ledger, so that the next snapshot reads only what is new.
//!
//! A ledger `datalog.db` has them in the folder `datalog.db.history`, one folder per ticker. They are a cache: without them
//! everything takes longer, and comes to the same bits. Whether a row that is kept is still the ledger's, its checksums there
//! tell; rows without checksums are believed as long as the ledger's files have not changed at all.

use super::cut::{Cut, Plan};
use super::files::{remove, remove_others};
use super::kept::{self, FileMark, Found, Identity};
use super::parts::rows_per_part;
use super::request::SnapshotRequest;
use super::seen::seen;
use super::stamps::Stamps;
use super::{Snapshot, SnapshotError};
use crate::{Ledger, LedgerError};
use mantis_config::Sidx;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Rows from which on it pays to read for several histories at once.
const MANY: usize = 2_000;
/// Rows that are read for one history, then for the next: what lies between them in the file is in the system's cache.
const STRETCH: i64 = 500;

/// The file in a folder that is locked while the history is used.
const LOCK: &str = "lock";

/// A kept history of one ticker, ours until this is dropped.
#[derive(Debug)]
pub struct KeptHistory {
    dir: PathBuf,
    _lock: File,
}

/// A snapshot of a kept history, and what of it had been kept.
#[derive(Debug)]
pub struct Extended {
    /// The snapshot; it is valid until the next one of the same history is made.
    pub snapshot: Snapshot,
    /// Rows that had been kept.
    pub kept: usize,
    /// Rows of them that are still the ledger's and were not read again.
    pub reused: usize,
    /// Why what had been kept could not be used, where it is damaged.
    pub damage: Option<SnapshotError>,
}

/// Who is in the rows of a history, and since when.
pub(crate) struct FirstSeen {
    /// The first row of each hotkey whose vector is not all zero.
    pub(crate) first: BTreeMap<String, Sidx>,
    /// The last row.
    pub(crate) last: Sidx,
}

impl KeptHistory {
    /// The folder of a ledger's histories.
    #[must_use]
    pub fn folder(ledger: &Path) -> PathBuf {
        ledger.with_added_extension("history")
    }

    /// Takes the history of a ticker in a folder of histories, which is made if it is not there. `None` if another process
    /// uses it.
    ///
    /// # Errors
    /// If the folder cannot be written, or is a stranger's.
    pub fn take(folder: &Path, ticker: &str) -> Result<Option<Self>, SnapshotError> {
        check_owner(folder)?;
        let dir = folder.join(name_of(ticker));
        fs::create_dir_all(&dir).map_err(SnapshotError::io(&dir))?;
        Self::lock(dir)
    }

    /// As [`KeptHistory::take`], but `None` also if there is none.
    pub(crate) fn take_existing(folder: &Path, ticker: &str) -> Result<Option<Self>, SnapshotError> {
        check_owner(folder)?;
        let dir = folder.join(name_of(ticker));
        if dir.join(kept::NAME).exists() { Self::lock(dir) } else { Ok(None) }
    }

    fn lock(dir: PathBuf) -> Result<Option<Self>, SnapshotError> {
        let path = dir.join(LOCK);
        let lock = File::options().create(true).append(true).open(&path).map_err(SnapshotError::io(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { dir, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(SnapshotError::io(&path)(e)),
        }
    }

    /// Removes the histories in a folder that are of none of these tickers and that nobody uses.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn sweep(folder: &Path, tickers: &[String]) -> Result<(), SnapshotError> {
        let wanted: BTreeSet<String> = tickers.iter().map(|ticker| name_of(ticker)).collect();
        let entries = match fs::read_dir(folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(SnapshotError::io(folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(SnapshotError::io(folder))?;
            if !wanted.contains(entry.file_name().to_string_lossy().as_ref())
                && entry.path().join(LOCK).is_file()
                && let Some(history) = Self::lock(entry.path())?
            {
                fs::remove_dir_all(&history.dir).map_err(SnapshotError::io(&history.dir))?;
            }
        }
        Ok(())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Brings it up to date and makes a snapshot of it: what [`Snapshot::build`] makes. What is kept and damaged is made
    /// again. `None` where rows are kept that are newer than what is asked for, as nothing of them may be in it.
    ///
    /// # Errors
    /// If the ledger cannot be read or the folder cannot be written.
    pub fn snapshot(
        &self,
        ledger: &Ledger,
        request: &SnapshotRequest,
    ) -> Result<Option<Extended>, SnapshotError> {
        self.snapshot_in_runs(ledger, request, rows_per_part(request.storage_dim, request.storage))
    }

    /// As [`KeptHistory::snapshot`], with so many rows to a part.
    pub(super) fn snapshot_in_runs(
        &self,
        ledger: &Ledger,
        request: &SnapshotRequest,
        run: usize,
    ) -> Result<Option<Extended>, SnapshotError> {
        request.check()?;
        match self.extend(ledger, request, run, true) {
            // What is kept cannot be gone on with.
            Err(damage @ SnapshotError::Damaged { .. }) => {
                let made = self.extend(ledger, request, run, false)?;
                Ok(made.map(|made| Extended { damage: Some(damage), ..made }))
            }
            other => other,
        }
    }

    fn extend(
        &self,
        ledger: &Ledger,
        request: &SnapshotRequest,
        run: usize,
        go_on: bool,
    ) -> Result<Option<Extended>, SnapshotError> {
        // Before anything is read: what changes meanwhile is another mark.
        let mark = FileMark::read(ledger.path());
        let _moment = ledger.freeze()?;
        let growing = self.begin(ledger, request, run, mark, go_on)?;
        growing.map(|growing| growing.finish(ledger)).transpose()
    }

    fn begin<'a>(
        &'a self,
        ledger: &Ledger,
        request: &'a SnapshotRequest,
        run: usize,
        mark: FileMark,
        go_on: bool,
    ) -> Result<Option<Growing<'a>>, SnapshotError> {
        if request.guest.is_some() {
            return Err(request.refusal("what is kept holds no guest".into()));
        }
        let found = if go_on { Found::read(&self.dir, &mark)? } else { None };
        let found = found.filter(|found| found.identity == Identity::of(request));
        let settled = ledger.settled()?.map_or(Sidx::MAX, |block| block.sidx(request.sample_every));
        // Rows that are left without their vectors are not kept so.
        let settled = settled.min(request.opened());
        let stamps = Stamps::read(ledger, &request.ticker, request.source())?;
        let (kept, next_file) = found.as_ref().map_or((0, 0), |found| (found.rows(), found.next_file()));
        let rows = stamps.rows().partition_point(|(sidx, _)| *sidx <= request.last().min(settled));
        let state = found.map(|found| found.fit(&stamps));
        let newest = state.as_ref().and_then(|(_, lines)| lines.lines.last());
        if newest.is_some_and(|line| line.sidx > request.last().min(request.opened())) {
            return Ok(None);
        }
        let reused = state.as_ref().map_or(0, |(_, lines)| lines.lines.len());
        let plan = Plan {
            dir: &self.dir,
            keep_all: true,
            market: format!("market-{next_file:05}.arrow"),
            shape: request.shape(run),
            stamps,
            settled,
            state,
            next_file,
        };
        let (dir, new) = (&self.dir, rows.saturating_sub(reused));
        Ok(Some(Growing { dir, request, cut: Cut::begin(request, plan)?, mark, kept, reused, new }))
    }

    /// Who is in the rows that are kept and still the ledger's; `None` where these are not all that the ledger has of the
    /// ticker up to the last of them.
    pub(crate) fn first_seen(
        &self,
        ledger: &Ledger,
        ticker: &str,
    ) -> Result<Option<FirstSeen>, SnapshotError> {
        let mark = FileMark::read(ledger.path());
        let found = Found::read(&self.dir, &mark)?.filter(|found| found.identity.ticker == ticker);
        let Some(found) = found else { return Ok(None) };
        let Identity { price_source, storage, storage_dim, .. } = found.identity.clone();
        let stamps = Stamps::read(ledger, ticker, &price_source)?;
        let (state, lines) = found.fit(&stamps);
        let last = lines.lines.last().map(|line| line.sidx);
        let Some(last) = last.filter(|last| !stamps.strays_to(*last)) else { return Ok(None) };
        let first = seen(&self.dir, &state.parts, storage_dim, storage)?;
        let named = |(number, row): (usize, Option<usize>)| {
            Some((state.hotkeys[number].clone(), lines.lines[row?].sidx))
        };
        Ok(Some(FirstSeen { first: first.into_iter().filter_map(named).collect(), last }))
    }

    /// Forgets what is kept: the next snapshot is made from the ledger alone.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn forget(&self) -> Result<(), SnapshotError> {
        forget(&self.dir)
    }
}

/// Refuses a folder that neither the ledger's owner nor this process's user has made: whoever may write the histories says
/// what is scored.
fn check_owner(folder: &Path) -> Result<(), SnapshotError> {
    let Ok(link) = fs::symlink_metadata(folder) else { return Ok(()) };
    let about = fs::metadata(folder).map_err(SnapshotError::io(folder))?;
    // The folder has the ledger's name and one more ending.
    let ledger = fs::metadata(folder.with_extension("")).ok().map(|ledger| ledger.uid());
    if is_believed([link.uid(), about.uid()], rustix::process::geteuid().as_raw(), ledger) {
        return Ok(());
    }
    let source = std::io::Error::other("it belongs to a user who is neither the ledger's nor this one");
    Err(SnapshotError::Io { path: folder.into(), source })
}

/// Whether all of these users are the superuser, this one, or the ledger's owner.
pub(super) fn is_believed(owners: [u32; 2], this: u32, ledger: Option<u32>) -> bool {
    owners.iter().all(|owner| *owner == 0 || *owner == this || Some(*owner) == ledger)
}

fn forget(dir: &Path) -> Result<(), SnapshotError> {
    remove(&dir.join(kept::NAME))?;
    remove_others(dir, &[])
}

/// A history that is being brought up to date.
pub(super) struct Growing<'a> {
    dir: &'a Path,
    request: &'a SnapshotRequest,
    cut: Cut<'a>,
    mark: FileMark,
    kept: usize,
    reused: usize,
    /// Rows that may be kept and are not there.
    new: usize,
}

impl Growing<'_> {
    fn finish(mut self, ledger: &Ledger) -> Result<Extended, SnapshotError> {
        let Self { dir, request, kept, reused, .. } = self;
        self.cut.read(ledger)?;
        let made = self.cut.finish(request.carried(ledger)?)?;
        made.manifest.write(dir, made.files.iter().cloned())?;
        made.store.write(dir, request, self.mark, &made.files)?;
        let snapshot = Snapshot::open(dir)?.with_warnings(made.warnings);
        Ok(Extended { snapshot, kept, reused, damage: None })
    }
}

/// Brings histories up to date that lack many rows, in one pass over the ledger: row after row for all of them, as they
/// lie in the file. `progress` hears which part is done, 0 to 1. One that fails is forgotten; its own
/// [`KeptHistory::snapshot`] says why.
///
/// # Errors
/// If the ledger cannot be read.
pub fn extend_together(
    ledger: &Ledger,
    histories: &[(KeptHistory, SnapshotRequest)],
    progress: &dyn Fn(f64),
) -> Result<(), LedgerError> {
    let rule = Together { run: None, least: MANY, stretch: STRETCH };
    rule.extend(ledger, histories, progress)
}

/// How histories are brought up to date together.
pub(super) struct Together {
    /// Rows to a part, where they are not the usual ones.
    pub(super) run: Option<usize>,
    /// A history that lacks fewer rows is left alone.
    pub(super) least: usize,
    /// Rows that are read for one history, then for the next.
    pub(super) stretch: i64,
}

impl Together {
    pub(super) fn extend(
        &self,
        ledger: &Ledger,
        histories: &[(KeptHistory, SnapshotRequest)],
        progress: &dyn Fn(f64),
    ) -> Result<(), LedgerError> {
        let mark = FileMark::read(ledger.path());
        let _moment = ledger.freeze()?;
        let mut growing = Vec::new();
        for (history, request) in histories {
            let run = self.run.unwrap_or_else(|| rows_per_part(request.storage_dim, request.storage));
            let begin = |go_on| history.begin(ledger, request, run, mark.clone(), go_on);
            // What is damaged is begun anew.
            let begun = begin(true).or_else(|_| begin(false));
            growing.extend(begun.ok().flatten().filter(|growing: &Growing<'_>| growing.new >= self.least));
        }
        if growing.len() < 2 {
            return Ok(());
        }
        let stored: Vec<(Sidx, Sidx)> = ledger.tickers()?.iter().filter_map(|ticker| ticker.sidx).collect();
        let first = stored.iter().map(|(first, _)| *first).min().unwrap_or(Sidx::MIN);
        let wanted = growing.iter().map(|growing| growing.request.last()).max().unwrap_or(Sidx::MIN);
        let last = stored.iter().map(|(_, last)| *last).max().unwrap_or(Sidx::MIN).min(wanted);
        let first = growing.iter().map(|growing| growing.cut.from()).min().unwrap_or(first).max(first);
        let mut to = first;
        while to < last {
            progress((to.0 - first.0) as f64 / (last.0 - first.0) as f64);
            to = (to + self.stretch).min(last);
            growing.retain_mut(|growing| {
                let read = growing.cut.read_to(ledger, to).is_ok();
                if !read {
                    // What was written of it takes no room any more; its own snapshot says why it failed.
                    let _ = forget(growing.dir);
                }
                read
            });
        }
        progress(1.0);
        for growing in growing {
            let dir = growing.dir;
            if growing.finish(ledger).is_err() {
                let _ = forget(dir);
            }
        }
        Ok(())
    }
}

/// A folder's name: the ticker's letters, digits, `-` and `_`; others by their numbers.
fn name_of(ticker: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    ticker.chars().map(|c| if plain(c) { c.to_string() } else { format!("%{:x}", u32::from(c)) }).collect()
}
