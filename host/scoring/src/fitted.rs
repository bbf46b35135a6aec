//! A challenge's fitted ensemble, for those who forecast with it.

use super::history::History;
use super::inspect::job;
use super::observer::Observer;
use super::options::Options;
use super::run::{Asked, source};
use crate::worker::{Launcher, Task};
use anyhow::Context as _;
use mantis_config::{Challenge, Config, Sidx};
use mantis_ledger::Ledger;
use mantis_plugin_api::{History as _, Outlook, Salience};

/// What a score has fitted.
#[derive(Clone, Debug)]
pub struct FittedEnsemble {
    /// The miners that it was fitted on, in the order in which a forecast takes their numbers.
    pub hotkeys: Vec<String>,
    /// What kind of forecast the challenge gives.
    pub outlook: Outlook,
    /// The ensemble, in a form that is the plugin's own; `None` if nothing could be fitted.
    pub fit: Option<Vec<u8>>,
    /// The saliences of the same score.
    pub salience: Salience,
    /// The sha256 of the plugin's file, in lower-case hexadecimal.
    pub sha256: String,
    /// The last row that it was scored on; `None` for an empty ledger.
    pub last: Option<Sidx>,
}

/// What kind of forecast a challenge gives; `None` if it gives none. Nothing is scored for it.
///
/// # Errors
/// If the worker or the plugin fails.
pub fn outlook(
    config: &Config,
    challenge: &Challenge,
    launcher: &Launcher,
) -> anyhow::Result<Option<Outlook>> {
    let mut job = job(config, challenge, source(config, challenge)?);
    job.task = Task::Outlook;
    let finished = launcher.run(&job, |_| {}, |_| {})?;
    Ok(finished.fitted.and_then(|fitted| fitted.outlook))
}

/// Scores a challenge in a worker process of this machine, and gives what it has fitted; `None` if the challenge does not
/// forecast. The ledger is only read.
///
/// # Errors
/// If the ledger cannot be read, or the worker or the plugin fails.
pub fn fit(
    config: &Config,
    challenge: &Challenge,
    options: &Options,
    observer: &dyn Observer,
) -> anyhow::Result<Option<FittedEnsemble>> {
    let ledger = Ledger::read(&options.ledger)?;
    ledger.check_layout(config)?;
    ledger.attach_sides(config)?;
    let asked = Asked::new(config, challenge, &ledger, options)?;
    let say = |line: &str| observer.log(&challenge.ticker, line);
    let history = History::prepare(&ledger, challenge, &asked.request, options, &say)?;
    let mut job = asked.job(Task::Score { snapshot: history.path().to_path_buf(), digest: None });
    job.spec.fit = true;
    let progress = |done| observer.progress(&challenge.ticker, done);
    let finished = options.launcher.run(&job, progress, say)?;
    let salience = finished.salience.context("the worker gave no score")?;
    let Some(fitted) = finished.fitted else { return Ok(None) };
    let Some(outlook) = fitted.outlook else { return Ok(None) };
    let market = history.snapshot.market()?;
    let last = market.scored_rows.checked_sub(1).and_then(|row| market.sidx.get(row)).copied();
    Ok(Some(FittedEnsemble {
        hotkeys: history.snapshot.hotkeys().to_vec(),
        outlook,
        fit: fitted.fit,
        salience,
        sha256: finished.sha256,
        last: last.map(Sidx),
    }))
}
