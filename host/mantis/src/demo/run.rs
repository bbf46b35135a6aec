//! The demo: the validator's own code in a simulated world, from the first block to the weights on the chain.

use super::ROWS_PER_DAY;
use super::crowd::Crowd;
use super::error::DemoError;
use super::signal::{DemoSignal, SignalPlace, SignalSummary};
use super::weigh::{WeightSetter, past};
use super::world::DemoWorld;
use crate::simulation::{SimulatedMiner, Simulation, Simulator, cast};
use mantis_config::{Block, Config, Network};
use mantis_ledger::{Ledger, PayloadTotals};
use mantis_network::chain::Chain;
use mantis_scoring::Observer;
use mantis_scoring::worker::Launcher;
use mantis_validator::{Board, FactKeeper, HotReload, Pipeline, Refreshed, SetupError};
use mantis_weights::{Outcome, Scores};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::block_in_place;

/// What is played. The same plan gives the same ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Seed of everything.
    pub seed: u64,
    /// Miners.
    pub miners: usize,
    /// Days of history that are written at once.
    pub days: u32,
    /// Sampled blocks, minutes, that then go all the way: sealed, uploaded, collected, opened. Where payloads wait for
    /// days, half of them come when the others are due, and the time between is passed over.
    pub live: u32,
}

/// A demo.
#[derive(Clone, Debug)]
pub struct Demo {
    /// What is played.
    pub plan: Plan,
    /// The challenges and the network; its file, and the plugins, are followed while the demo runs.
    pub config: Config,
    /// Where the ledger lies. A run that was cut short goes on there; what another plan left is replaced.
    pub dir: PathBuf,
    /// Starts the worker processes.
    pub launcher: Launcher,
    /// Where the owner's signal is kept, if there is to be one; what an earlier demo left there goes.
    pub signal: Option<PathBuf>,
}

impl Plan {
    /// Rows of the parts of a demo.
    fn rows(&self, network: &Network) -> Rows {
        let (history, live) = (self.days as usize * ROWS_PER_DAY, self.live as usize);
        let waits = self.waits(network) as usize;
        let before = if waits > 0 { live - live / 2 } else { live };
        let leap = history + before;
        Rows { history, leap, landing: leap + waits, end: history + live + waits }
    }

    /// Minutes that are passed over in the midst of the live part, so that payloads of its first half are opened in its second
    /// one: where payloads wait for a day or more. To wait for less, more minutes can be played.
    #[must_use]
    pub fn waits(&self, network: &Network) -> u32 {
        let maturity = network.maturity() / i64::from(network.sample_every.max(1));
        let is_long = maturity >= (ROWS_PER_DAY as i64).max(i64::from(self.live));
        let waits = maturity - i64::from(self.live - self.live / 2);
        if is_long { u32::try_from(waits).unwrap_or(0) } else { 0 }
    }
}

/// The rows at which the parts of a demo end.
struct Rows {
    history: usize,
    /// The first half of the live part, where time is passed over; else all of it.
    leap: usize,
    /// What is passed over.
    landing: usize,
    end: usize,
}

impl Rows {
    /// How many live rows there are before a row of the live part.
    fn played(&self, row: usize) -> usize {
        row.min(self.leap) - self.history + row.saturating_sub(self.landing)
    }
}

/// Parts of a demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The days of history.
    History,
    /// The computations of weights that a validator would have made in those days.
    Past,
    /// Fits of the history, for the owner's signal.
    Fits,
    /// The live part.
    Live,
    /// Scoring.
    Scoring,
}

/// Hears of a demo.
pub trait DemoObserver: Sync {
    /// A phase's finished part, 0 to 1.
    fn progress(&self, phase: Phase, done: f64);
    /// The configuration's files have changed: what was taken, or why not.
    fn notice(&self, text: &str);
}

/// What a demo came to.
#[derive(Debug)]
pub struct Finished {
    /// Who took part.
    pub miners: Vec<SimulatedMiner>,
    /// The configuration as it was at the end.
    pub config: Arc<Config>,
    /// Every challenge's scores.
    pub scores: Scores,
    /// The weights, as they were set on the chain.
    pub outcome: Outcome,
    /// The ledger.
    pub ledger: PathBuf,
    /// How many payloads there were.
    pub totals: PayloadTotals,
    /// What the owner's signal came to, where there was one.
    pub signal: Option<SignalSummary>,
}

impl Demo {
    /// Plays the plan; `progress` hears of its phases, `observer` of the last scoring, and the board says what is being done. Needs a runtime with more than one thread.
    ///
    /// Before each live block and before scoring it looks whether the configuration's file or a plugin has changed, and
    /// goes on with the new ones where they are good.
    ///
    /// # Errors
    /// [`DemoError`].
    pub async fn run(
        &self,
        progress: &dyn DemoObserver,
        observer: &dyn Observer,
        board: &Board,
    ) -> Result<Finished, DemoError> {
        let path = self.prepare()?;
        let mut ledger = Ledger::open(&path)?;
        let miners = cast(self.plan.miners, self.plan.seed);
        let world = DemoWorld::start(&self.config, &miners, self.plan.seed).await?;
        let (file, plugins) = (&self.config.file, self.dir.join("plugins"));
        let mut live =
            block_in_place(|| HotReload::start_in(&plugins, file, self.launcher.clone(), world.adjust()))?;
        world.set_config(live.current().clone());
        board.set_config(live.current().clone());
        let config = live.current().clone();
        let rows = self.plan.rows(&config.network);
        ledger.keep_layout(&config)?;
        let simulation =
            Simulation { config: &config, only: None, rows: rows.end, miners: &miners, seed: self.plan.seed };
        let prices = block_in_place(|| simulation.prices());
        let mut simulator = Simulator::new(&simulation, &prices);
        block_in_place(|| {
            simulator.write(rows.history, &mut ledger, |done| progress.progress(Phase::History, done))
        })?;
        world.state(&simulator.take_facts());

        let neurons = world.chain.metagraph().await?.len();
        board.write(|status| status.chain.neurons = Some(neurons));
        let mut facts = FactKeeper::default();
        facts.set_config(&config).map_err(SetupError::from)?;
        let mut scale = WeightSetter { world: &world, launcher: &self.launcher, board, facts };
        let end = simulation.block(rows.end.saturating_sub(1));
        let past = past(&simulation, rows.history);
        for (n, &block) in past.iter().enumerate() {
            progress.progress(Phase::Past, n as f64 / past.len() as f64);
            let next = past.get(n + 1).copied().unwrap_or(end);
            scale.set_past(&config, &mut ledger, block, next).await?;
        }
        progress.progress(Phase::Past, 1.0);

        let mut pipeline = Pipeline::new(live.current().clone(), self.launcher.clone())?;
        let mut crowd = Crowd::new(&world, &miners, self.plan.seed)?;
        let last = ledger.last_block()?.unwrap_or(Block::MIN);
        let mut signal = match &self.signal {
            Some(folder) => {
                progress.progress(Phase::Fits, 0.0);
                let (config, secret) = (live.current().clone(), world.owner_secret());
                let head = world.chain.head().await?;
                let resumed = last > simulation.block(rows.history.saturating_sub(1));
                let launcher = &self.launcher;
                let place = SignalPlace { ledger: &path, folder, launcher, resumed };
                let signal = DemoSignal::start(config, &place, secret, head, observer)?;
                Some(signal)
            }
            None => None,
        };
        loop {
            if let Some(config) = refresh(&mut live, &simulator, progress) {
                simulator.set_config(&config);
                world.set_config(config.clone());
                pipeline.set_config(config.clone())?;
                scale.facts.set_config(&config).map_err(SetupError::from)?;
                signal.iter_mut().try_for_each(|signal| signal.set_config(config.clone()))?;
                board.set_config(config);
            }
            if simulator.row() == rows.leap {
                block_in_place(|| simulator.write_unopened(rows.landing, &mut ledger))?;
            }
            let Some(step) = simulator.step() else { break };
            world.state(&simulator.take_facts());
            let head = world.advance(&step);
            // What a run that was cut short has sampled is not sampled again, but the files that it saw are up.
            let is_new = step.block > last;
            crowd.act(&step, head, is_new).await?;
            if is_new {
                let started = Instant::now();
                scale.look_at_facts(live.current(), &mut ledger, head).await;
                let stepped = pipeline.step(world.chain.as_ref(), &mut ledger).await?;
                board.write(|status| {
                    status.answered_in_play(head);
                    status.sampled(&stepped.sampled, 0, started.elapsed().as_secs_f64());
                    status.opened(&stepped.progress);
                });
                if let Some(signal) = &mut signal {
                    signal.step(&ledger, head)?;
                }
            }
            progress.progress(Phase::Live, rows.played(simulator.row()) as f64 / f64::from(self.plan.live));
        }
        let head = world.chain.head().await?;
        pipeline.mature(head, &mut ledger).await?;
        scale.look_at_facts(live.current(), &mut ledger, head).await;
        let signal = signal.map(|signal| signal.finish(live.current(), &ledger, head)).transpose()?;
        progress.progress(Phase::Scoring, 0.0);
        let (scores, outcome) = scale.set_last(live.current(), &mut ledger, observer).await?;
        progress.progress(Phase::Scoring, 1.0);
        world.stop().await;
        let config = live.current().clone();
        Ok(Finished { miners, config, scores, outcome, totals: ledger.totals()?, ledger: path, signal })
    }

    /// Makes the folder and its ledger, or removes what another plan left there; gives the ledger's path.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn prepare(&self) -> Result<PathBuf, DemoError> {
        let file = |path: &Path| {
            let path = path.to_path_buf();
            move |source| DemoError::File { path, source }
        };
        fs::create_dir_all(&self.dir).map_err(file(&self.dir))?;
        let text = fs::read(&self.config.file).map_err(file(&self.config.file))?;
        let digest = hex::encode(Sha256::digest(text));
        let marker = serde_json::json!({
            "plan": self.plan, "configuration": digest, "version": env!("CARGO_PKG_VERSION"),
        });
        let (marker, path) = (format!("{marker:#}\n"), self.dir.join(MARKER));
        let ledger = self.dir.join("ledger.db");
        if fs::read_to_string(&path).is_ok_and(|found| found == marker) {
            drop(Ledger::open(&ledger)?);
            return Ok(ledger);
        }
        // Only what an earlier demo left: its ledger, and SQLite's files beside it.
        for suffix in ["", "-wal", "-shm"] {
            let old = self.dir.join(format!("ledger.db{suffix}"));
            if old.exists() {
                fs::remove_file(&old).map_err(file(&old))?;
            }
        }
        fs::write(&path, marker).map_err(file(&path))?;
        drop(Ledger::open(&ledger)?);
        Ok(ledger)
    }
}

/// The file that says what was played in a folder.
const MARKER: &str = "demo.json";
/// More miners nobody plays.
const MOST: usize = 1024;

/// The plan that was played in a folder; `None` if none was.
#[must_use]
pub fn played(dir: &Path) -> Option<Plan> {
    #[derive(Deserialize)]
    struct Marker {
        plan: Plan,
    }
    let text = fs::read(dir.join(MARKER)).ok()?;
    let Marker { plan } = serde_json::from_slice(&text).ok()?;
    (plan.miners <= MOST).then_some(plan)
}

/// Looks at the files; gives the configuration that is new, and tells of it, or of why it is not taken.
fn refresh(
    live: &mut HotReload,
    simulator: &Simulator<'_>,
    observer: &dyn DemoObserver,
) -> Option<Arc<Config>> {
    match block_in_place(|| live.refresh()) {
        Refreshed::Unchanged => None,
        Refreshed::Taken { config, changes } => {
            let (file, next, changes) = (config.file.display(), simulator.next_block(), changes.join("; "));
            observer.notice(&format!("{file}: taken from block {next} on: {changes}"));
            Some(config)
        }
        Refreshed::Kept { why } => {
            let file = live.current().file.display();
            observer.notice(&format!("{file}: not taken, the one before runs on:\n{why}"));
            None
        }
    }
}
