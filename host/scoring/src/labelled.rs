//! A challenge's market with what its plugin says of it, for those who measure a strategy before it is sent.

use super::history::{History, request};
use super::options::Options;
use super::run::source;
use crate::worker::{Job, Task};
use anyhow::Context as _;
use mantis_config::{Challenge, Config};
use mantis_ledger::Ledger;
use mantis_ledger::snapshot::Snapshot;
use mantis_plugin_api::{Market, Targets};
use std::collections::BTreeSet;

/// The rows of one challenge in a ledger, without its miners. The ledger is only read, at one moment.
pub struct Labelled<'a> {
    options: &'a Options,
    history: History,
    job: Job,
    market: Market,
}

impl<'a> Labelled<'a> {
    /// Cuts the rows out of the ledger; those that `options` leaves out are not there.
    ///
    /// # Errors
    /// If the ledger, the plugin's file or a folder for the rows cannot be had.
    pub fn new(config: &Config, challenge: &Challenge, options: &'a Options) -> anyhow::Result<Self> {
        let ledger = Ledger::read(&options.ledger)?;
        ledger.check_layout(config)?;
        ledger.attach_sides(config)?;
        let alone =
            Options { active: Some(BTreeSet::new()), histories: None, guests: [].into(), ..options.clone() };
        let request = request(config, challenge, options.facts.clone(), &alone);
        let history = History::prepare(&ledger, challenge, &request, &alone, &|_| {})
            .map_err(|error| anyhow::anyhow!("{}", error.into_line()))?;
        let mut spec = challenge.spec(&config.network, options.solver.unwrap_or(challenge.solver));
        spec.targets = true;
        let job = Job {
            plugin: source(config, challenge)?,
            spec,
            params: challenge.params.clone(),
            task: Task::Inspect,
            beat: None,
        };
        let market = Snapshot::open(history.path()).and_then(|snapshot| snapshot.market());
        let market = market.with_context(|| format!("the rows of {}", challenge.ticker))?;
        Ok(Self { options, history, job, market })
    }

    /// Its prices and channels, row by row.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// What the plugin's labels are where the market has its first `rows` rows alone, in a worker process. `None` where
    /// the plugin cannot say it, or was built before it could be asked.
    ///
    /// # Errors
    /// If the worker or the plugin fails, or what it says does not fit the market.
    pub fn targets(&self, rows: usize) -> anyhow::Result<Option<Targets>> {
        let task = Task::Targets { snapshot: self.history.path().to_path_buf(), rows };
        let job = Job { task, ..self.job.clone() };
        let finished = self.options.launcher.run(&job, |_| {}, |_| {})?;
        if let Some(targets) = &finished.targets {
            let subjects = job.spec.assets.len().max(1);
            targets.check(rows.min(self.market.rows()), subjects, job.spec.dim)?;
        }
        Ok(finished.targets)
    }
}
