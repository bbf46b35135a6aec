//! The history that a worker reads: the one that is kept beside the ledger, brought up to date, or one for this run alone.

use super::failure::ChallengeError;
use super::files::size_of;
use super::observer::Observer;
use super::options::Options;
use super::scratch::Scratch;
use mantis_config::{Challenge, Config};
use mantis_ledger::snapshot::{
    Extended, KeptHistory, Snapshot, SnapshotError, SnapshotRequest, extend_together,
};
use mantis_ledger::{Ledger, Tally, Warnings};
use mantis_plugin_api::FactList;
use std::io::ErrorKind;
use std::path::Path;

/// A snapshot, and what holds its files.
pub(super) struct History {
    pub(super) snapshot: Snapshot,
    place: Place,
}

enum Place {
    /// It stays; no other process changes it meanwhile.
    Kept(KeptHistory),
    /// It goes with this value.
    Scratch(Scratch),
}

impl History {
    /// Makes it. What cannot be kept is said, and made for this run alone.
    pub(super) fn prepare(
        ledger: &Ledger,
        challenge: &Challenge,
        request: &SnapshotRequest,
        options: &Options,
        say: &dyn Fn(&str),
    ) -> Result<Self, ChallengeError> {
        let folder = options.histories.as_deref().filter(|_| may_be_kept(challenge, options));
        let kept = folder.and_then(|folder| take(folder, challenge, say));
        if let Some(kept) = kept
            && let Some(snapshot) = extended(&kept, ledger, request, say)?
        {
            return Ok(Self { snapshot, place: Place::Kept(kept) }.told(say));
        }
        let scratch = Scratch::new(&options.scratch)
            .map_err(|source| ChallengeError::Scratch { folder: options.scratch.clone(), source })?;
        let snapshot = Snapshot::build(ledger, request, scratch.path())?;
        Ok(Self { snapshot, place: Place::Scratch(scratch) }.told(say))
    }

    /// The snapshot's folder.
    pub(super) fn path(&self) -> &Path {
        match &self.place {
            Place::Kept(kept) => kept.path(),
            Place::Scratch(scratch) => scratch.path(),
        }
    }

    /// Drops what a worker could not read; whether another one may be made in its place.
    pub(super) fn give_up(self, why: &str, say: &dyn Fn(&str)) -> bool {
        match self.place {
            Place::Kept(kept) => {
                say(&format!("the kept history is made again: {why}"));
                kept.forget().is_ok()
            }
            Place::Scratch(_) => false,
        }
    }

    /// Says what was left out.
    fn told(self, say: &dyn Fn(&str)) -> Self {
        let Warnings { bad_blobs, bad_prices } = self.snapshot.warnings();
        for (Tally { count, first_sidx }, what) in [(bad_blobs, "vectors"), (bad_prices, "prices")] {
            if let Some(first) = first_sidx {
                say(&format!(
                    "the ledger's {what} cannot be read in {count} rows, the first at sidx {first}; they count as none"
                ));
            }
        }
        self
    }
}

/// Brings the kept histories of challenges up to date that lack many rows, in one pass over the ledger.
pub(super) fn extend_all(
    config: &Config,
    challenges: &[&Challenge],
    options: &Options,
    observer: &dyn Observer,
) {
    let Some(folder) = &options.histories else { return };
    let mut histories = Vec::new();
    for challenge in challenges.iter().filter(|challenge| may_be_kept(challenge, options)) {
        // Why one cannot be had is said when it is scored.
        if let Ok(Some(history)) = KeptHistory::take(folder, &challenge.ticker) {
            histories.push((history, request(config, challenge, Vec::new(), options)));
        }
    }
    // So is what cannot be read.
    let _ = Ledger::read(&options.ledger)
        .and_then(|ledger| extend_together(&ledger, &histories, &|done| observer.reading(done)));
}

/// Whether there is room for kept histories, or why not: what a validator samples goes before, on the same disk.
pub(super) fn with_room(folder: &Path, ledger: &Path) -> Result<(), String> {
    let beside = folder.ancestors().skip(1).find(|parent| parent.is_dir()).unwrap_or(Path::new("."));
    // Where it cannot be told, writing tells.
    let (Ok(disk), Ok(about)) = (rustix::fs::statvfs(beside), std::fs::metadata(ledger)) else {
        return Ok(());
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let needed = SPARE + (about.len() / PART).saturating_sub(size_of(folder));
    if free >= needed {
        return Ok(());
    }
    let (free, needed) = (free >> 20, needed >> 20);
    Err(format!("no histories are kept in {}: they need {needed} MiB, and {free} are free", folder.display()))
}

/// Bytes that histories leave free.
const SPARE: u64 = 512 << 20;
/// Histories have no larger part of the ledger's size.
const PART: u64 = 4;

/// What is cut out of the ledger for a challenge.
pub(super) fn request(
    config: &Config,
    challenge: &Challenge,
    facts: Vec<FactList>,
    options: &Options,
) -> SnapshotRequest {
    SnapshotRequest {
        ticker: challenge.ticker.clone(),
        price_source: challenge.prices_from.clone(),
        assets: challenge.assets.clone(),
        channels: challenge.channels.clone(),
        facts,
        storage_dim: challenge.storage_dim(),
        storage: challenge.storage,
        max_block: options.max_block,
        as_of: options.as_of,
        sample_every: config.network.sample_every,
        active: options.active.clone(),
        guest: options.guests.get(&challenge.ticker).cloned(),
        // A challenge without a horizon is about events, some of which may be older than the stored prices.
        carry_breakouts: challenge.blocks_ahead == 0,
    }
}

/// Rows of another file have no checksums by which they could be known again, and a guest's are in no ledger.
fn may_be_kept(challenge: &Challenge, options: &Options) -> bool {
    challenge.file.is_none() && !options.guests.contains_key(&challenge.ticker)
}

/// The challenge's kept history; `None` where it cannot be had.
fn take(folder: &Path, challenge: &Challenge, say: &dyn Fn(&str)) -> Option<KeptHistory> {
    match KeptHistory::take(folder, &challenge.ticker) {
        Ok(kept) => kept,
        // A ledger in a folder that is only read is scored all the same.
        Err(SnapshotError::Io { source, .. })
            if matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
        {
            None
        }
        Err(error) => {
            say(&format!("no history is kept: {error}"));
            None
        }
    }
}

/// The snapshot of a kept history; `None` where there is none.
fn extended(
    kept: &KeptHistory,
    ledger: &Ledger,
    request: &SnapshotRequest,
    say: &dyn Fn(&str),
) -> Result<Option<Snapshot>, SnapshotError> {
    match kept.snapshot(ledger, request) {
        Ok(None) => Ok(None),
        Ok(Some(Extended { snapshot, kept, reused, damage })) => {
            if let Some(damage) = damage {
                say(&format!("the kept history is made again: {damage}"));
            } else if reused == 0 && kept > 0 {
                say(&format!(
                    "the kept history is made again: its {kept} rows are not the ledger's any more"
                ));
            }
            Ok(Some(snapshot))
        }
        // A full disk, say: room that is left elsewhere may do.
        Err(error @ (SnapshotError::Io { .. } | SnapshotError::Arrow { .. })) => {
            say(&format!("no history is kept: {error}"));
            kept.forget().map(|()| None)
        }
        Err(error) => Err(error),
    }
}
