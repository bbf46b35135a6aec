//! Fetching what is missing, and merging it.

use super::download::Mirrors;
use super::error::CatchUpError;
use super::find::Published;
use super::plan::wanted;
use crate::unix;
use mantis_config::Config;
use mantis_ledger::published::{Day, ListedFile, Merged, Origin, PartHead, PublishedError, SeenList};
use mantis_ledger::{Ledger, LedgerError};
use mantis_release::ledger::{ListedFacts, ListedPart};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, block_in_place};

/// Files that are fetched at once.
const PARALLEL: usize = 4;

/// What happens meanwhile.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// So many parts are wanted, of so many bytes.
    Wanted {
        /// Parts.
        parts: usize,
        /// Bytes of their files.
        bytes: u64,
    },
    /// A part is in the ledger.
    Merged {
        /// The part.
        part: &'a ListedPart,
        /// What became of it.
        merged: &'a Merged,
    },
    /// A part could not be had or taken.
    Failed(&'a Failed),
}

/// A part that could not be had or taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Which.
    pub day: i64,
    /// What each mirror said.
    pub reasons: Vec<String>,
}

/// What became of all parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// What was merged, by day.
    pub merged: Vec<(ListedPart, Merged)>,
    /// What could not be had or taken.
    pub failed: Vec<Failed>,
    /// Lists of facts that were taken.
    pub facts: Vec<String>,
    /// Why facts could not be had.
    pub facts_fault: Option<String>,
}

impl CaughtUp {
    /// The sum over all parts, without examples.
    #[must_use]
    pub fn total(&self) -> Merged {
        let mut sum = Merged::default();
        for (_, merged) in &self.merged {
            sum.blocks += merged.blocks;
            sum.rows += merged.rows;
            sum.again += merged.again;
            sum.equal += merged.equal;
            sum.different += merged.different;
            sum.only_theirs += merged.only_theirs;
            sum.waiting += merged.waiting;
        }
        sum
    }
}

impl Published {
    /// Fetches the parts that are missing into the folder beside the ledger, several at once, and merges each in a transaction of its
    /// own. A part that no mirror gives is left out and told; the next attempt goes on with what was fetched of it. Needs a runtime
    /// with more than one thread, and the ledger's [lock](mantis_ledger::Lock) with whoever calls.
    ///
    /// # Errors
    /// [`CatchUpError`] of the ledger or the disk.
    pub async fn catch_up(
        &self,
        ledger: &mut Ledger,
        config: &Config,
        mut tell: impl FnMut(Told<'_>),
    ) -> Result<CaughtUp, CatchUpError> {
        let folder = ledger.path().with_added_extension("parts");
        std::fs::create_dir_all(&folder)
            .map_err(|source| CatchUpError::File { path: folder.clone(), source })?;
        let seen = SeenList { number: self.index.number, sha256: self.digest.0 };
        ledger.store_seen_list(&self.source.publisher, seen, unix())?;
        let parts = wanted(&self.index, ledger, self.source.days, self.source.all)?;
        tell(Told::Wanted { parts: parts.len(), bytes: parts.iter().map(|part| part.size).sum() });
        let mirrors = Arc::new(Mirrors::new(self.mirrors.clone(), &folder));
        sweep(&folder, &mirrors, &parts, self.index.facts.as_ref());
        let mut done = CaughtUp::default();
        self.parts(ledger, &parts, &mirrors, &mut done, &mut tell).await?;
        let is_whole = done.merged.len() + done.failed.len() == parts.len();
        self.facts(ledger, config, &mirrors, &mut done).await?;
        if is_whole && done.failed.is_empty() && done.facts_fault.is_none() {
            // What is left in it was asked for by nobody.
            let _ = std::fs::remove_dir_all(&folder);
        }
        Ok(done)
    }

    async fn parts(
        &self,
        ledger: &mut Ledger,
        parts: &[ListedPart],
        mirrors: &Arc<Mirrors>,
        done: &mut CaughtUp,
        tell: &mut impl FnMut(Told<'_>),
    ) -> Result<(), CatchUpError> {
        let room = Arc::new(Semaphore::new(PARALLEL));
        // Those that wait for their turn are ended with this.
        let mut tasks = JoinSet::new();
        for (place, part) in parts.iter().copied().enumerate() {
            let (mirrors, room) = (mirrors.clone(), room.clone());
            tasks.spawn(async move {
                let _turn = room.acquire().await;
                (place, mirrors.obtain(&part.name(), listed(&part), place).await)
            });
        }
        // Merged in their order, so that what is broken off has no more gaps than it had.
        let (mut fetched, mut next) = (BTreeMap::new(), 0);
        while let Some(task) = tasks.join_next().await {
            // A task that panicked has its message on standard error; those behind it wait for the next attempt.
            let Ok((place, result)) = task else { continue };
            fetched.insert(place, result);
            while let Some((part, result)) = parts.get(next).zip(fetched.remove(&next)) {
                next += 1;
                let merged = match result {
                    Ok(path) => {
                        let merged = block_in_place(|| self.merge(ledger, part, &path));
                        let _ = std::fs::remove_file(&path);
                        merged?
                    }
                    Err(reasons) => Err(reasons),
                };
                match merged {
                    Ok(merged) => {
                        tell(Told::Merged { part, merged: &merged });
                        done.merged.push((*part, merged));
                    }
                    Err(reasons) => {
                        let failed = Failed { day: part.day, reasons };
                        tell(Told::Failed(&failed));
                        done.failed.push(failed);
                    }
                }
            }
        }
        Ok(())
    }

    /// Merges a part; what its publisher did wrong is no error of ours.
    fn merge(
        &self,
        ledger: &mut Ledger,
        part: &ListedPart,
        path: &Path,
    ) -> Result<Result<Merged, Vec<String>>, CatchUpError> {
        let index = &self.index;
        let head = PartHead { netuid: index.netuid, sample_every: index.sample_every, day: Day(part.day) };
        let numbers =
            index.challenges.iter().map(|listed| (listed.ticker.clone(), (listed.dim, listed.blocks_ahead)));
        let origin = Origin {
            publisher: index.publisher.clone(),
            number: index.number,
            is_final: part.is_final,
            unix: unix(),
            challenges: numbers.collect(),
        };
        sorted(ledger.merge_part(path, head, &listed(part), &origin))
    }

    /// Fetches the facts where a list of them is missing that the configuration wants.
    async fn facts(
        &self,
        ledger: &mut Ledger,
        config: &Config,
        mirrors: &Mirrors,
        done: &mut CaughtUp,
    ) -> Result<(), CatchUpError> {
        let Some(facts) = self.index.facts else { return Ok(()) };
        let mut missing = BTreeSet::new();
        for source in &config.facts {
            if !ledger.facts_head(&source.name)?.is_some_and(|head| head.is_complete) {
                missing.insert(source.name.clone());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let ListedFacts { size, bytes, sha256, content } = facts;
        let listed = ListedFile { size, sha256: sha256.0, bytes, content: content.0 };
        let taken = match mirrors.obtain(&facts.name(), listed, 0).await {
            Ok(path) => {
                let netuid = self.index.netuid;
                let taken =
                    block_in_place(|| ledger.merge_facts(&path, netuid, &listed, &missing, self.index.unix));
                let _ = std::fs::remove_file(&path);
                sorted(taken)?
            }
            Err(reasons) => Err(reasons),
        };
        match taken {
            Ok(taken) => done.facts = taken,
            Err(reasons) => done.facts_fault = Some(reasons.join("; ")),
        }
        Ok(())
    }
}

/// What is wrong with a file is its publisher's fault, and told; what is wrong here ends the whole.
fn sorted<T>(result: Result<T, PublishedError>) -> Result<Result<T, Vec<String>>, CatchUpError> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(PublishedError::Rejected { rejection, .. }) => Ok(Err(vec![rejection.to_string()])),
        Err(PublishedError::Ledger(error)) => Err(error.into()),
        Err(PublishedError::File { path, source }) => Err(CatchUpError::File { path, source }),
        Err(other) => Ok(Err(vec![other.to_string()])),
    }
}

fn listed(part: &ListedPart) -> ListedFile {
    let ListedPart { size, bytes, sha256, content, .. } = *part;
    ListedFile { size, sha256: sha256.0, bytes, content: content.0 }
}

/// Removes what earlier attempts left and nobody wants any more.
fn sweep(folder: &Path, mirrors: &Mirrors, parts: &[ListedPart], facts: Option<&ListedFacts>) {
    let names = parts.iter().map(ListedPart::name).chain(facts.map(ListedFacts::name));
    let wanted: BTreeSet<PathBuf> = names
        .flat_map(|name| {
            let path = mirrors.path_of(&name);
            [path.with_added_extension("partial"), path]
        })
        .collect();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if !wanted.contains(&entry.path()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

impl Published {
    /// Whether anything is missing in a ledger that the list has.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn is_missing(&self, ledger: &Ledger) -> Result<bool, LedgerError> {
        Ok(!wanted(&self.index, ledger, self.source.days, self.source.all)?.is_empty())
    }
}
