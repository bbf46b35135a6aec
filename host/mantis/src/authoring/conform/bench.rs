//! Having ledgers scored, several at a time.

use mantis_ledger::snapshot::{Column, Snapshot, SnapshotError, Table};
use mantis_plugin_api::{Market, ParamMap, PluginError, Salience, Spec};
use mantis_scoring::fan_out;
use mantis_scoring::plugins::Source;
use mantis_scoring::worker::{Failure, Finished, Job, Launcher, Task, WorkerError};
use std::path::PathBuf;
use std::time::Instant;

/// A challenge, and what starts its workers.
#[derive(Clone, Debug)]
pub(super) struct Bench {
    pub(super) launcher: Launcher,
    pub(super) spec: Spec,
    pub(super) params: ParamMap,
    pub(super) scratch: PathBuf,
}

/// What is scored.
pub(super) struct Case<'a> {
    pub(super) source: &'a Source,
    pub(super) market: &'a Market,
    pub(super) miners: Vec<Column<'a>>,
}

/// A score.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub(super) salience: Salience,
    /// Wall time of the worker process, its start included.
    pub(super) seconds: f64,
    pub(super) peak_kib: u64,
}

/// Why there is no score.
#[derive(Debug, thiserror::Error)]
pub(super) enum BenchError {
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error(transparent)]
    History(#[from] SnapshotError),
    #[error("no folder for a ledger: {0}")]
    Folder(#[from] std::io::Error),
    #[error("the worker gave no score")]
    Silent,
}

impl BenchError {
    /// Whether the plugin itself said so in an orderly way.
    pub(super) fn is_orderly(&self) -> bool {
        matches!(self, Self::Worker(WorkerError::Failed(Failure::Plugin(error))) if is_orderly(error))
    }
}

/// Whether an error is a plugin's own sentence, and neither a panic, a trap nor a breach of the contract.
pub(super) fn is_orderly(error: &PluginError) -> bool {
    let text = error.to_string();
    let broken = ["the plugin broke its contract", "the plugin trapped", "the plugin overflowed"];
    !matches!(error, PluginError::Panic { .. })
        && !text.is_empty()
        && !broken.iter().any(|b| text.starts_with(b))
}

impl Bench {
    /// A job for the plugin.
    pub(super) fn job(&self, source: &Source, task: Task) -> Job {
        Job { plugin: source.clone(), spec: self.spec.clone(), params: self.params.clone(), task, beat: None }
    }

    /// Scores one case.
    pub(super) fn score(&self, case: &Case<'_>) -> Result<Scored, BenchError> {
        let (finished, seconds) = self.finish(case)?;
        let salience = finished.salience.ok_or(BenchError::Silent)?;
        Ok(Scored { salience, seconds, peak_kib: finished.peak_rss_kib })
    }

    /// All that a score of one case gives, and the wall time of its worker process.
    pub(super) fn finish(&self, case: &Case<'_>) -> Result<(Finished, f64), BenchError> {
        let folder = tempfile::Builder::new().prefix("mantis-conform-").tempdir_in(&self.scratch)?;
        let table = Table {
            ticker: &self.spec.ticker,
            assets: &self.spec.assets,
            dim: self.spec.storage_dim(),
            sample_every: self.spec.sample_every,
            market: case.market,
            miners: &case.miners,
        };
        Snapshot::write(&table, folder.path())?;
        let job = self.job(case.source, Task::Score { snapshot: folder.path().to_path_buf(), digest: None });
        let started = Instant::now();
        let finished = self.launcher.run(&job, |_| {}, |_| {})?;
        Ok((finished, started.elapsed().as_secs_f64()))
    }

    /// Scores cases, one per processor at a time; gives the outcomes in their order.
    pub(super) fn score_all(&self, cases: &[Case<'_>]) -> Vec<Result<Scored, BenchError>> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        fan_out(processors, cases, |case| self.score(case))
    }
}

/// Whether two scores are the same to the last bit, and all that is said about them.
pub(super) fn same(a: &Salience, b: &Salience) -> bool {
    let bits =
        |salience: &Salience| -> Vec<u64> { salience.miners.iter().map(|m| m.salience.to_bits()).collect() };
    bits(a) == bits(b) && a == b
}

/// Each miner's part of the whole; zeros if no miner is paid.
pub(super) fn shares(salience: &Salience) -> Vec<f64> {
    let sum: f64 = salience.miners.iter().map(|m| m.salience).sum();
    let share = |x: f64| if sum > 0.0 { x / sum } else { 0.0 };
    salience.miners.iter().map(|m| share(m.salience)).collect()
}
