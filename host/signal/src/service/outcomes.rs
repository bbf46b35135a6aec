//! What came true of forecasts.

use crate::store::{Outcome, Published, Settlement, Store};
use mantis_config::{Challenge, Config};
use mantis_plugin_api::{Market, Outlook, Targets};
use mantis_scoring::{Labelled, Options};
use std::collections::BTreeMap;

/// What became of a challenge's open forecasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleReport {
    /// The challenge.
    pub ticker: String,
    /// Forecasts whose outcome is kept now.
    pub settled: usize,
    /// Forecasts that wait for theirs.
    pub waiting: usize,
    /// Why nothing could be worked out, if so.
    pub failed: Option<String>,
}

/// Forecasts that are looked at in one read.
const PAGE: usize = 10_000;

/// Works out what came true of the forecasts of every challenge, as far as the ledger has it.
///
/// # Errors
/// If the store fails; what fails of a challenge is in its report.
pub fn settle_all(
    config: &Config,
    store: &Store,
    options: &Options,
    now: i64,
) -> anyhow::Result<Vec<SettleReport>> {
    let mut reports = Vec::new();
    for info in store.signals()? {
        let ticker = info.ticker;
        let Some(challenge) = config.challenges.iter().find(|challenge| challenge.ticker == ticker) else {
            continue;
        };
        if store.unsettled(Some(&ticker), 0, 1)?.is_empty() {
            continue;
        }
        let mut report = SettleReport { ticker: ticker.clone(), settled: 0, waiting: 0, failed: None };
        match Known::of(config, challenge, options) {
            Ok(known) => settle(store, &known, &info.outlook, now, &mut report)?,
            Err(error) => report.failed = Some(format!("{error:#}")),
        }
        reports.push(report);
    }
    Ok(reports)
}

fn settle(
    store: &Store,
    known: &Known,
    outlook: &Outlook,
    now: i64,
    report: &mut SettleReport,
) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let page = store.unsettled(Some(&report.ticker), after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for forecast in &page {
            match known.outcome(forecast, outlook) {
                Some((outcome, known_sidx)) => {
                    store.settle(forecast.seq, &Settlement { outcome, known_sidx, settled_at: now })?;
                    report.settled += 1;
                }
                None => report.waiting += 1,
            }
        }
    }
}

/// What the ledger knows of a challenge's rows.
struct Known {
    market: Market,
    /// The plugin's labels in numbers, if it can say them.
    targets: Option<Targets>,
    /// Row of the market by its index.
    rows: BTreeMap<i64, usize>,
    /// Place in the targets by row.
    places: BTreeMap<usize, usize>,
}

impl Known {
    fn of(config: &Config, challenge: &Challenge, options: &Options) -> anyhow::Result<Self> {
        let labelled = Labelled::new(config, challenge, options)?;
        let market = labelled.market().clone();
        let targets = labelled.targets(market.rows())?;
        let rows = market.sidx.iter().enumerate().map(|(row, sidx)| (*sidx, row)).collect();
        let of_targets = targets.iter().flat_map(|targets| targets.rows.iter().enumerate());
        let places = of_targets.map(|(place, row)| (*row, place)).collect();
        Ok(Self { market, targets, rows, places })
    }

    /// What came true of a forecast, and with which row it has become known.
    fn outcome(&self, forecast: &Published, outlook: &Outlook) -> Option<(Outcome, i64)> {
        let row = *self.rows.get(&forecast.sidx)?;
        match &self.targets {
            Some(targets) => {
                let place = *self.places.get(&row)?;
                let subjects = outlook.subjects.len();
                let values = targets.values.get(place * subjects..(place + 1) * subjects)?.to_vec();
                let known = *self.market.sidx.get(*targets.known.get(place)?)?;
                Some((Outcome::Labels { reading: targets.reading, values }, known))
            }
            None => self.returns(row, outlook),
        }
    }

    /// Returns of the subjects from a row to its horizon, or to the next row where there is none.
    fn returns(&self, row: usize, outlook: &Outlook) -> Option<(Outcome, i64)> {
        let ahead = outlook.horizon_rows.max(1);
        let later = self.market.sidx[row] + i64::try_from(ahead).ok()?;
        let end = *self.rows.get(&later)?;
        if outlook.subjects.len() != self.market.assets {
            return None;
        }
        let change = |asset| {
            let (from, to) = (self.market.usable(row, asset)?, self.market.usable(end, asset)?);
            Some(to / from - 1.0)
        };
        let values = (0..self.market.assets).map(change).collect();
        Some((Outcome::Returns { values }, later))
    }
}
