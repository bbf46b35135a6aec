//! Forecasts as they would have been: a record for those who have not waited for one yet.

use super::desk::Desk;
use super::fits::{FitReport, fit_all};
use super::live::unix_ms;
use super::outcomes::{SettleReport, settle_all};
use crate::store::{Head, NewForecast, Store};
use mantis_config::{Block, Challenge, Config};
use mantis_ledger::snapshot::AsOf;
use mantis_ledger::{Ledger, LedgerError, Row, Vector};
use mantis_scoring::{Observer, Options};
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// What is replayed.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The first block, and the first that is left out.
    pub blocks: Range<Block>,
    /// Blocks from one round of fits to the next.
    pub fit_every: u32,
    /// How challenges are scored; the ledger among it.
    pub scoring: Options,
}

/// What came of a replay.
#[derive(Clone, Debug, Default)]
pub struct ReplayReport {
    /// Forecasts that are in the store now.
    pub forecasts: usize,
    /// What became of each round of fits, by the block that it was made at.
    pub fits: Vec<(Block, FitReport)>,
    /// What came true.
    pub settled: Vec<SettleReport>,
    /// Why a challenge gave no forecast, the last reason of each.
    pub failed: BTreeMap<String, String>,
}

/// Forecasts from stored vectors, with fits of what was known at the time.
pub struct Replay {
    config: Arc<Config>,
    options: ReplayOptions,
}

impl Replay {
    /// Of a ledger's past.
    #[must_use]
    pub fn new(config: Arc<Config>, options: ReplayOptions) -> Self {
        Self { config, options }
    }

    /// Fills a store, which should be one of its own: forecasts of the past are no live ones. Every fit knows what was known
    /// at its block, and forecasts the rows from there to the next; then it is worked out what came true.
    ///
    /// # Errors
    /// If the ledger or the store fails. What fails of one challenge is in the report.
    pub fn run(
        &self,
        store: &Store,
        observer: &dyn Observer,
        mut progress: impl FnMut(f64),
    ) -> anyhow::Result<ReplayReport> {
        let Self { config, options: ReplayOptions { blocks, fit_every, scoring } } = self;
        let network = &config.network;
        let ledger = Ledger::read(&scoring.ledger)?;
        ledger.attach_sides(config)?;
        let head = ledger.chain_record()?.head;
        let time = |block: Block| head.map_or(block.0 * 12_000, |(known, unix)| unix_ms(block, known, unix));
        let mut desk = Desk::new(config.clone(), scoring.launcher.clone());
        let mut report = ReplayReport::default();
        let total = (blocks.end - blocks.start).max(1) as f64;
        let mut from = blocks.start;
        while from < blocks.end {
            let to = (from + i64::from((*fit_every).max(1))).min(blocks.end);
            let known = Options {
                max_block: Some(from - network.maturity()),
                as_of: Some(AsOf::at(from, network.maturity())),
                ..scoring.clone()
            };
            let fits = fit_all(config, store, &known, time(from), observer)?;
            report.fits.extend(fits.into_iter().map(|fit| (from, fit)));
            for (ticker, error) in desk.refresh(store)? {
                report.failed.insert(ticker, error.to_string());
            }
            for row in rows(&ledger, from..to, network.sample_every)? {
                self.forecast(&ledger, store, &mut desk, row, time(row), &mut report)?;
            }
            from = to;
            progress((from - blocks.start) as f64 / total);
        }
        let now = time(ledger.last_block()?.unwrap_or(blocks.end));
        report.settled = settle_all(config, store, scoring, now)?;
        Ok(report)
    }

    fn forecast(
        &self,
        ledger: &Ledger,
        store: &Store,
        desk: &mut Desk,
        row: Block,
        now: i64,
        report: &mut ReplayReport,
    ) -> anyhow::Result<()> {
        let sidx = row.sidx(self.config.network.sample_every);
        let tickers: Vec<String> = desk.tickers().map(String::from).collect();
        for ticker in tickers {
            let challenge = self.config.challenges.iter().find(|challenge| challenge.ticker == ticker);
            let Some(challenge) = challenge else { continue };
            let sent = sent(ledger, challenge, row, self.config.network.sample_every)?;
            let made = match desk.forecast(ledger, &ticker, sidx, &sent) {
                Ok(made) => made,
                Err(error) => {
                    report.failed.insert(ticker, error.to_string());
                    continue;
                }
            };
            let new = NewForecast {
                sidx: sidx.0,
                block: row.0,
                as_of: Some(now),
                fit: made.fit,
                values: made.forecast.values,
                miners: u32::try_from(made.forecast.miners).unwrap_or(u32::MAX),
                within: desk.within(&ticker)?,
                ticker: ticker.clone(),
            };
            match store.publish(&new, Head { block: row.0, now }) {
                Ok(_) => report.forecasts += 1,
                Err(error) => {
                    report.failed.insert(ticker, error.to_string());
                }
            }
        }
        Ok(())
    }
}

/// The sampled blocks of a range that the ledger has.
fn rows(ledger: &Ledger, blocks: Range<Block>, every: u32) -> Result<Vec<Block>, LedgerError> {
    let mut found = ledger.blocks()?;
    found.retain(|block| blocks.contains(block));
    found.dedup_by_key(|block| block.sidx(every));
    Ok(found)
}

/// What miners sent in a row, as the ledger has it.
fn sent(
    ledger: &Ledger,
    challenge: &Challenge,
    row: Block,
    every: u32,
) -> Result<BTreeMap<String, Vec<f32>>, LedgerError> {
    let sidx = row.sidx(every);
    let mut sent = BTreeMap::new();
    ledger.rows(
        &challenge.ticker,
        sidx..=sidx,
        challenge.storage_dim(),
        |row: Row<'_>| -> Result<_, LedgerError> {
            let storage = row.submissions.storage();
            for (hotkey, bytes) in row.submissions.iter() {
                sent.insert(hotkey.to_owned(), Vector::from_bytes(bytes, storage).to_f32());
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(sent)
}
