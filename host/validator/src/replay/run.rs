//! The run over blocks and candidates.

use super::ahead::Ahead;
use super::candidate::Candidate;
use super::course::{Behind, Computed, Course, Likeness, before, likeness};
use super::error::ReplayError;
use super::observer::ReplayObserver;
use super::registered::{RosterSource, Rosters, neurons};
use crate::computation::{known_by, options_at, weights_at};
use mantis_config::{BatchEngine, Block, Config};
use mantis_ledger::snapshot::{AsOf, KeptHistory};
use mantis_ledger::{Basis, Ledger, LedgerError};
use mantis_scoring::worker::Launcher;
use mantis_scoring::{CacheCounts, Options, SalienceCache, kept_histories, score};
use mantis_weights::Neuron;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Blocks of the past, and what they are computed by.
pub struct Replay {
    /// The ledger; it is only read.
    pub ledger: PathBuf,
    /// What is computed by: all are compared with the first.
    pub candidates: Vec<Candidate>,
    /// The blocks, in order.
    pub blocks: Vec<Block>,
    /// Challenges scored at the same time, at least 1.
    pub threads: usize,
    /// Saliences that are kept; `None`: all are scored.
    pub saliences: Option<Arc<SalienceCache>>,
    /// Folder for histories that go on from block to block, and are forgotten at the beginning and the end; `None`: each is cut
    /// anew.
    pub histories: Option<PathBuf>,
    /// Folder for histories that are not kept.
    pub scratch: PathBuf,
    /// Starts the worker processes.
    pub launcher: Launcher,
}

/// What a replay came to.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The blocks, and from where it is known who was registered.
    pub blocks: Vec<(Block, RosterSource)>,
    /// One for each candidate, in their order.
    pub courses: Vec<Course>,
    /// What was found in the cache, and what was scored.
    pub cache: CacheCounts,
    /// What a reader should know: a sentence each.
    pub notes: Vec<String>,
}

impl Replay {
    /// Computes all blocks by all candidates. What is scored is kept at once: a run that is cut short goes on there.
    ///
    /// # Errors
    /// [`ReplayError`]. A challenge that fails is no error: what stands in for it is what would have stood in.
    pub fn run(&self, observer: &dyn ReplayObserver) -> Result<Replayed, ReplayError> {
        let ledger = Ledger::read(&self.ledger)?;
        let rosters = Rosters::read(&ledger)?;
        let blocks: Vec<(Block, RosterSource)> =
            self.blocks.iter().map(|&block| (block, rosters.source(block))).collect();
        let before = match self.blocks.first() {
            Some(&first) => before(&ledger, first)?,
            None => None,
        };
        let mut first_seen = BTreeMap::new();
        for every in self.intervals(&ledger)? {
            first_seen.insert(every, self.first_seen(&ledger, every)?);
        }
        self.forget_histories();
        let course = |candidate: &Candidate| Course {
            name: candidate.name.clone(),
            computed: Vec::new(),
            before: before.clone(),
        };
        let mut courses: Vec<Course> = self.candidates.iter().map(course).collect();
        let (mut done, all) = (0, (blocks.len() * courses.len()).max(1));
        let ahead =
            self.engine().and(self.saliences.as_ref()).map(|cache| Ahead::new(cache.folder(), observer));
        // Block by block, so that histories go on from one to the next whatever candidate asks.
        for &(block, source) in &blocks {
            if let Some(ahead) = &ahead {
                let prepare = |candidate| self.prepare(&ledger, candidate, (block, source), &first_seen);
                let prepared: Vec<Prepared> =
                    self.candidates.iter().map(prepare).collect::<Result<_, _>>()?;
                let sets: Vec<_> = prepared.into_iter().map(|one| (one.config, one.options)).collect();
                ahead.score(block, &sets)?;
            }
            for (candidate, course) in self.candidates.iter().zip(&mut courses) {
                observer.computing(&candidate.name, block, done as f64 / all as f64);
                let computed =
                    self.compute(&ledger, candidate, course, (block, source), &first_seen, observer)?;
                course.computed.push(computed);
                done += 1;
            }
        }
        self.forget_histories();
        let notes = self.notes(&ledger, &blocks, &courses)?;
        let cache = self.saliences.as_ref().map_or_else(CacheCounts::default, |cache| cache.counts());
        Ok(Replayed { blocks, courses, cache, notes })
    }

    /// One computation, by the code of a validator.
    fn compute(
        &self,
        ledger: &Ledger,
        candidate: &Candidate,
        course: &Course,
        (block, source): (Block, RosterSource),
        first_seen: &BTreeMap<u32, BTreeMap<String, Block>>,
        observer: &dyn ReplayObserver,
    ) -> Result<Computed, ReplayError> {
        let Prepared { config, release, known, metagraph, options } =
            self.prepare(ledger, candidate, (block, source), first_seen)?;
        let mut scores = score(&config, &options, observer)?;
        let from = self.blocks.first().copied().unwrap_or(block);
        let behind = Behind { ledger, from, before: course.before.as_ref(), computed: &course.computed };
        let outcome =
            weights_at(block, &config, &behind, || Ok(known), &mut scores, metagraph).map_err(|source| {
                let source = Box::new(source);
                ReplayError::Weights { candidate: candidate.name.clone(), block, source }
            })?;
        let likeness = likeness(ledger, block, &scores.challenges, &outcome)?;
        Ok(Computed { block, config, release, scored: scores.challenges, outcome, likeness })
    }

    /// With what a computation is made.
    fn prepare(
        &self,
        ledger: &Ledger,
        candidate: &Candidate,
        (block, source): (Block, RosterSource),
        first_seen: &BTreeMap<u32, BTreeMap<String, Block>>,
    ) -> Result<Prepared, ReplayError> {
        let (config, release) = candidate.at(ledger, block)?;
        // Where workers run is this machine's, whatever a candidate's file says.
        let mut config = Config::clone(&config);
        config.scoring = self.engine().cloned();
        let config = Arc::new(config);
        let as_of = AsOf::at(block, config.network.maturity());
        let seen = first_seen.get(&config.network.sample_every).cloned().unwrap_or_default();
        let known = known_by(seen, as_of);
        let metagraph = neurons(ledger, block, source, &known, config.network.burn_uid)?;
        let options = options_at(block, &config, &metagraph, true, self.options());
        Ok(Prepared { config, release, known, metagraph, options })
    }

    /// The engine of the first candidate's file.
    fn engine(&self) -> Option<&BatchEngine> {
        self.candidates.first()?.newest().scoring.as_ref()
    }

    /// Where the histories lie that go on from block to block.
    fn histories(&self) -> Option<PathBuf> {
        let config = self.candidates.first()?.newest();
        self.histories.as_ref().map(|folder| kept_histories(config, folder))
    }

    fn options(&self) -> Options {
        Options {
            ledger: self.ledger.clone(),
            max_block: None,
            as_of: None,
            only: None,
            guests: BTreeMap::new(),
            active: None,
            solver: None,
            threads: self.threads,
            facts: Vec::new(),
            histories: self.histories(),
            saliences: self.saliences.clone(),
            scratch: self.scratch.clone(),
            launcher: self.launcher.clone(),
        }
    }

    /// Blocks between two rows, by every configuration that counts for a block.
    fn intervals(&self, ledger: &Ledger) -> Result<BTreeSet<u32>, LedgerError> {
        let mut all = BTreeSet::new();
        for candidate in &self.candidates {
            for &block in &self.blocks {
                all.insert(candidate.at(ledger, block)?.0.network.sample_every);
            }
        }
        Ok(all)
    }

    /// The first block of every hotkey, as far as can be told from what a validator keeps, or this replay.
    fn first_seen(&self, ledger: &Ledger, every: u32) -> Result<BTreeMap<String, Block>, LedgerError> {
        let validators = KeptHistory::folder(&self.ledger);
        match &self.saliences {
            Some(cache) => cache.first_seen(ledger, Some(&validators), every),
            None => ledger.first_seen(Some(&validators), every),
        }
    }

    /// Forgets what the histories of an earlier run held, which may be newer than what is asked for first. One that another
    /// process uses stays.
    fn forget_histories(&self) {
        if let Some(folder) = self.histories().filter(|folder| folder.is_dir()) {
            // What stays is in the way of nothing: where it is too new, histories are cut anew for each block.
            let _ = KeptHistory::sweep(&folder, &[]);
            let _ = std::fs::remove_dir(folder);
        }
    }

    fn notes(
        &self,
        ledger: &Ledger,
        blocks: &[(Block, RosterSource)],
        courses: &[Course],
    ) -> Result<Vec<String>, LedgerError> {
        let mut notes = Vec::new();
        let nearest = blocks.iter().filter(|(_, source)| matches!(source, RosterSource::Nearest(_))).count();
        if nearest > 0 {
            notes.push(format!(
                "of {nearest} of {} blocks it is not recorded who was registered: those of the nearest computation count",
                blocks.len()
            ));
        }
        if blocks.iter().any(|(_, source)| *source == RosterSource::Everybody) {
            notes.push(
                "the ledger has recorded no computation: everybody who had sent anything by then counts as registered".into(),
            );
        }
        if let Some(pruned) = ledger.chain_record()?.pruned {
            let day = 7_200;
            let short = blocks
                .iter()
                .filter(|(block, _)| *block - i64::from(pruned.days) * day < pruned.block)
                .count();
            if short > 0 {
                notes.push(format!(
                    "rows before block {} were forgotten: for {short} of the blocks a validator had older ones",
                    pruned.block
                ));
            }
        }
        if let (Some(candidate), Some(course)) = (self.candidates.first(), courses.first()) {
            let mut others = 0;
            // One that came out the same needs no excuse.
            let differ = |like: Likeness| !like.is_same;
            for computed in course.computed.iter().filter(|computed| computed.likeness.is_some_and(differ)) {
                let basis = ledger.computation_for(computed.block)?.and_then(|recorded| recorded.basis);
                let is_other = |basis: Basis| basis.config != candidate.digest_at(computed.block);
                others += usize::from(basis.is_some_and(is_other));
            }
            if others > 0 {
                notes.push(format!(
                    "{others} of {} computations were recorded with another configuration, or other plugins, than {}",
                    course.computed.len(),
                    candidate.name
                ));
            }
        }
        for course in courses {
            notes.extend(failures(course));
        }
        Ok(notes)
    }
}

/// With what a computation is made.
struct Prepared {
    config: Arc<Config>,
    release: Option<u32>,
    known: BTreeMap<String, Block>,
    metagraph: Vec<Neuron>,
    options: Options,
}

/// Which challenges failed, each with the first reason.
fn failures(course: &Course) -> Vec<String> {
    let mut failed: BTreeMap<&str, (usize, Block, &str)> = BTreeMap::new();
    for computed in &course.computed {
        for scored in computed.scored.iter().filter(|scored| scored.failure.is_some()) {
            let why = scored.skipped.as_deref().unwrap_or_default();
            failed.entry(&scored.ticker).or_insert((0, computed.block, why)).0 += 1;
        }
    }
    let said = |(ticker, (times, block, why)): (&str, (usize, Block, &str))| {
        format!(
            "{}: {ticker} failed in {times} of {} computations, at block {block} first: {why}",
            course.name,
            course.computed.len()
        )
    };
    failed.into_iter().map(said).collect()
}
