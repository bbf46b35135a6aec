//! Sampling: what one sampled block brings, before anything of it can be opened.

use super::append::{AppendError, insert};
use super::rejections::{Rejection, reject};
use super::{DoubtfulPrice, Ledger, LedgerError, SampledBlock, doubtful, held};
use rusqlite::{Connection, TransactionBehavior};

/// What stands in for a payload that was not there, as in the network's ledgers.
pub(super) const NO_PAYLOAD: &[u8] = b"{}";
/// Blocks for which it is remembered that a payload was seen: a day.
const REMEMBERED: i64 = 7200;

/// All that is stored when a block is sampled, in one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// The block and its prices; its records have no submissions yet.
    pub step: SampledBlock,
    /// Every registered hotkey, with the payload that waits to be opened if it has one.
    pub arrivals: Vec<Arrival>,
    /// What was refused, and why.
    pub rejections: Vec<Rejection>,
    /// Prices of its rows that are hardly to be believed.
    pub doubtful: Vec<DoubtfulPrice>,
}

/// One hotkey in a sampled block.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// The hotkey.
    pub hotkey: String,
    /// Its payload; `None` where nothing was fetched or what was fetched is refused.
    pub accepted: Option<Accepted>,
}

/// A payload that waits to be opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// The payload as it was served.
    pub payload: Vec<u8>,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// The beacon round that opens it.
    pub round: u64,
    /// Whether that round was out already when the payload was sampled: anybody could have read it.
    pub early: bool,
}

impl Ledger {
    /// Stores a sampled block, wholly or not at all.
    ///
    /// # Errors
    /// As [`Ledger::append`], or [`LedgerError::Moved`].
    pub fn sample(&mut self, sample: &Sample) -> Result<(), LedgerError> {
        self.check_in_place()?;
        let (path, block) = (&self.path, sample.step.block);
        let fail = |e| LedgerError::sqlite(path, format!("writing block {block}"), e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        write(&tx, sample).map_err(|refused| refused.of_block(path, block))?;
        tx.commit().map_err(fail)
    }

    /// Whether a hotkey has served this payload before (within a day).
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn has_seen(&self, hotkey: &str, sha256: &[u8; 32]) -> Result<bool, LedgerError> {
        self.conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM host_payloads WHERE hotkey = ?1 AND sha256 = ?2)")
            .and_then(|mut query| query.query_row((hotkey, sha256), |row| row.get(0)))
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_payloads", e))
    }
}

fn write(tx: &Connection, sample: &Sample) -> Result<(), AppendError> {
    let block = sample.step.block;
    let ts = insert(tx, &sample.step)?;
    let mut raw = tx.prepare_cached("INSERT INTO raw_payloads (ts, hotkey, payload) VALUES (?1, ?2, ?3)")?;
    let mut seen = tx.prepare_cached(
        "INSERT INTO host_payloads (hotkey, sha256, round, first_block, last_block, times)
        VALUES (?1, ?2, ?3, ?4, ?4, 1)
        ON CONFLICT DO UPDATE SET last_block = ?4, times = times + 1 RETURNING times",
    )?;
    let mut count = tx.prepare_cached(
        "INSERT INTO host_miners (hotkey, accepted, stale, early, opened, last_block) VALUES (?1, 1, ?2, ?3, 0, ?4)
        ON CONFLICT DO UPDATE SET accepted = accepted + 1, stale = stale + ?2, early = early + ?3, last_block = ?4",
    )?;
    for arrival in &sample.arrivals {
        let Some(accepted) = &arrival.accepted else {
            raw.execute((ts, &arrival.hotkey, NO_PAYLOAD))?;
            continue;
        };
        raw.execute((ts, &arrival.hotkey, &accepted.payload))?;
        held::add(tx, &arrival.hotkey, accepted.payload.len())?;
        let round = i64::try_from(accepted.round).unwrap_or(i64::MAX);
        let times: i64 =
            seen.query_row((&arrival.hotkey, accepted.sha256, round, block.0), |row| row.get(0))?;
        count.execute((&arrival.hotkey, times > 1, accepted.early, block.0))?;
    }
    tx.prepare_cached("DELETE FROM host_payloads WHERE last_block < ?1")?
        .execute([(block - REMEMBERED).0])?;
    for rejection in &sample.rejections {
        reject(tx, block, rejection)?;
    }
    doubtful::write(tx, &sample.doubtful)?;
    Ok(())
}
