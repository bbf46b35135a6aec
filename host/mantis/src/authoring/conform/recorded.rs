//! Miners and their market as a ledger has them, in place of simulated ones.

use super::world::SuiteMarket;
use crate::simulation::MinerKind;
use mantis_config::Config;
use mantis_ledger::Ledger;
use mantis_ledger::snapshot::{Snapshot, SnapshotError, SnapshotRequest};
use mantis_plugin_api::{History, f16, is_present};
use std::path::Path;
use thiserror::Error;

/// Miners that are taken: those who sent most.
const MINERS: usize = 12;
/// Of them, those whose numbers also come at wrong times, as miners who know nothing.
const NOISE: usize = 3;

/// A challenge's market and miners of a ledger, and beside them some who know nothing.
#[derive(Clone, Debug)]
pub struct Recorded(pub(super) SuiteMarket);

/// Why a ledger cannot be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// It cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// There is nothing of the challenge in it.
    #[error("the ledger has {rows} rows and {miners} miners of {ticker}; name another one with --ticker")]
    Empty {
        /// The challenge.
        ticker: String,
        /// Rows whose label is known.
        rows: usize,
        /// Miners who sent something.
        miners: usize,
    },
    /// A column of it cannot be read.
    #[error("a miner's column: {0}")]
    Column(#[from] mantis_plugin_api::PluginError),
}

impl Recorded {
    /// Reads what a ledger has of the first challenge of a configuration; `scratch` holds a copy meanwhile.
    ///
    /// # Errors
    /// [`RecordedError`].
    pub fn read(config: &Config, ledger: &Ledger, scratch: &Path) -> Result<Self, RecordedError> {
        let challenge = &config.challenges[0];
        let every = config.network.sample_every;
        let last = ledger.last_block().map_err(SnapshotError::from)?.unwrap_or_default();
        let request = SnapshotRequest {
            ticker: challenge.ticker.clone(),
            price_source: challenge.prices_from.clone(),
            assets: challenge.assets.clone(),
            channels: challenge.channels.clone(),
            facts: Vec::new(),
            storage_dim: challenge.storage_dim(),
            storage: challenge.storage,
            // As a validator leaves out the newest rows: their labels are not known.
            max_block: Some(last - i64::from(challenge.blocks_ahead.max(config.network.task_interval))),
            as_of: None,
            sample_every: every,
            active: None,
            guest: None,
            carry_breakouts: challenge.blocks_ahead == 0,
        };
        let snapshot = Snapshot::build(ledger, &request, scratch)?;
        let market = snapshot.market()?;
        let dim = challenge.storage_dim();
        let mut senders: Vec<(usize, usize)> = Vec::new();
        for miner in 0..snapshot.shape().miners {
            let rows = snapshot.miner(miner)?.chunks_exact(dim).filter(|numbers| is_present(numbers)).count();
            senders.push((rows, miner));
        }
        senders.retain(|(rows, _)| *rows > 0);
        senders.sort_by_key(|&(rows, miner)| (std::cmp::Reverse(rows), miner));
        let rows = market.scored_rows;
        if senders.is_empty() || rows == 0 {
            let (ticker, miners) = (challenge.ticker.clone(), senders.len());
            return Err(RecordedError::Empty { ticker, rows, miners });
        }
        let mut miners = Vec::new();
        for (_, miner) in senders.into_iter().take(MINERS) {
            let known = MinerKind::Skilled { skill: f64::NAN };
            miners.push((snapshot.hotkeys()[miner].clone(), known, snapshot.miner(miner)?));
        }
        let first: Vec<f16> =
            miners[0].2.chunks_exact(dim).find(|n| is_present(n)).unwrap_or_default().to_vec();
        let mut strangers: Vec<(String, MinerKind, Vec<f16>)> = Vec::new();
        for (i, (.., numbers)) in miners.iter().take(NOISE).enumerate() {
            // What was right half of the ledger ago.
            let mut late = numbers.clone();
            late.rotate_right(rows / 2 * dim);
            strangers.push((format!("5Noise{i:02}"), MinerKind::Noise, late));
        }
        strangers.push(("5Same".into(), MinerKind::Constant, first.repeat(rows)));
        strangers.push(("5Zeros".into(), MinerKind::Zeros, vec![f16::ZERO; rows * dim]));
        miners.extend(strangers);
        // A history's columns are in the order of their names.
        miners.sort_by(|(a, ..), (b, ..)| a.as_bytes().cmp(b.as_bytes()));
        Ok(Self(SuiteMarket { market, miners }))
    }
}
