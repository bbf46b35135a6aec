//! One file from whichever mirror gives it.

use mantis_ledger::published::ListedFile;
use mantis_network::ledger_mirror::LedgerMirror;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::fs;
use tokio::task::block_in_place;

/// How often all mirrors are asked for a file.
const ROUNDS: u32 = 2;
/// Pause between two of these rounds.
const PAUSE: Duration = Duration::from_secs(2);
/// What a wrong file counts for, beside what did not come.
const LIE: u32 = 10;

/// The mirrors, and where what they give is kept until it is merged.
pub(super) struct Mirrors {
    mirrors: Vec<(LedgerMirror, AtomicU32)>,
    folder: PathBuf,
}

impl Mirrors {
    pub(super) fn new(mirrors: Vec<LedgerMirror>, folder: &Path) -> Self {
        let mirrors = mirrors.into_iter().map(|mirror| (mirror, AtomicU32::new(0))).collect();
        Self { mirrors, folder: folder.into() }
    }

    /// Where a file is kept.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.folder.join(name.rsplit('/').next().unwrap_or(name))
    }

    /// Fetches a file that a list names, from the mirror `first`, else from the others, and those last that gave what was wrong.
    /// What is at its path afterwards is the listed file. Needs a runtime with more than one thread.
    ///
    /// # Errors
    /// What each mirror said.
    pub(super) async fn obtain(
        &self,
        name: &str,
        listed: ListedFile,
        first: usize,
    ) -> Result<PathBuf, Vec<String>> {
        let to = self.path_of(name);
        if to.exists() && block_in_place(|| listed.check(&to)).is_ok() {
            return Ok(to);
        }
        let mut reasons = Vec::new();
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            for (mirror, faults) in self.in_order(first) {
                match try_one(mirror, name, listed, &to).await {
                    Ok(()) => return Ok(to),
                    Err((fault, reason)) => {
                        faults.fetch_add(fault, Ordering::Relaxed);
                        let reason = format!("{}: {reason}", mirror.host());
                        if !reasons.contains(&reason) {
                            reasons.push(reason);
                        }
                    }
                }
            }
        }
        Err(reasons)
    }

    fn in_order(&self, first: usize) -> Vec<(&LedgerMirror, &AtomicU32)> {
        let count = self.mirrors.len().max(1);
        let mut order: Vec<_> = (0..self.mirrors.len()).map(|i| &self.mirrors[(first + i) % count]).collect();
        order.sort_by_key(|(_, faults)| faults.load(Ordering::Relaxed));
        order.into_iter().map(|(mirror, faults)| (mirror, faults)).collect()
    }
}

/// Asks one mirror; what is wrong comes with what it counts for.
async fn try_one(
    mirror: &LedgerMirror,
    name: &str,
    listed: ListedFile,
    to: &Path,
) -> Result<(), (u32, String)> {
    let part = to.with_added_extension("partial");
    loop {
        // What another mirror began may be wrong itself: then this one sends all of it.
        let begun = fs::metadata(&part).await.is_ok_and(|about| about.len() > 0);
        mirror.fetch(name, listed.size, &part).await.map_err(|rejection| (1, rejection.to_string()))?;
        match block_in_place(|| listed.check(&part)) {
            Ok(()) => return fs::rename(&part, to).await.map_err(|error| (0, error.to_string())),
            Err(error) => {
                let _ = fs::remove_file(&part).await;
                if !begun {
                    return Err((LIE, error.to_string()));
                }
            }
        }
    }
}
