//! Our own record of what was computed and what was set: `host_cycles`, `host_saliences`, `host_steps` and
//! `host_weight_history`.

use super::{Activities, Ledger, LedgerError, activity, reports, runs, schema, weights};
use mantis_config::Block;
use mantis_weights::{Outcome, Scored, Settlement, WeightsRejection};
use rusqlite::{OptionalExtension, TransactionBehavior};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// One computation of weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Computation {
    /// The block it was computed for.
    pub block: Block,
    /// The newest block whose row was scored.
    pub max_block: Block,
    /// When it ended, Unix seconds.
    pub unix: u64,
    /// How long scoring took, s.
    pub seconds: f64,
    /// Why no weights came of it; `None` where they did.
    pub rejected: Option<String>,
    /// What it went by; `None` where that was not recorded.
    pub basis: Option<runs::Basis>,
    /// What each challenge gave, in the order of the configuration. Left out where a computation is read back.
    pub scored: Vec<Scored>,
    /// How miners sent in the last day before `max_block`. Left out where a computation is read back.
    pub activities: Activities,
    /// Every UID's way to its weight; empty where no weights came of it.
    pub settlements: Vec<Settlement>,
}

/// How an attempt to set weights ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The chain shows them.
    Set,
    /// They are committed, and shown later.
    Committed,
    /// They were sent, and it is not known what became of them.
    Unconfirmed,
    /// They are not set.
    Failed,
    /// They would have been sent, but this was a dry run.
    DryRun,
}

/// One attempt to set weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The block whose computation they come from.
    pub computed: Block,
    /// The block at which they were sent.
    pub block: Block,
    /// When it ended, Unix seconds.
    pub unix: u64,
    /// How it ended.
    pub sent: Sent,
    /// The transaction's hash, where there was one.
    pub transaction: Option<String>,
    /// The block that the transaction is in, where it is known.
    pub included: Option<Block>,
    /// What went wrong.
    pub error: Option<String>,
    /// UID, hotkey and weight, by UID; the largest weight is 65,535.
    pub weights: Vec<(u16, String, u16)>,
}

impl Computation {
    /// What came of it.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        match self.rejected {
            Some(text) => Outcome::Rejected(WeightsRejection::from_text(&text)),
            None => Outcome::Weights(self.settlements),
        }
    }
}

impl Sent {
    const ALL: [Self; 5] = [Self::Set, Self::Committed, Self::Unconfirmed, Self::Failed, Self::DryRun];

    /// The word for it in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Committed => "committed",
            Self::Unconfirmed => "unconfirmed",
            Self::Failed => "failed",
            Self::DryRun => "dry run",
        }
    }
}

impl Ledger {
    /// Stores a computation, and its weights as those of last time where there are any; wholly or not at all. One
    /// that is stored for the same block is replaced.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_computation(&mut self, computation: &Computation) -> Result<(), LedgerError> {
        let path = &self.path;
        let fail =
            |e| LedgerError::sqlite(path, format!("storing the weights of block {}", computation.block), e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        write(&tx, computation).map_err(fail)?;
        tx.commit().map_err(fail)
    }

    /// When weights were last set, or would have been in a dry run; before the first time, when they were first computed.
    /// Unix seconds; `None` before that.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn weights_since(&self) -> Result<Option<u64>, LedgerError> {
        let mut since = None;
        for (table, sql) in [
            (
                "host_weight_history",
                "SELECT MAX(unix) FROM host_weight_history WHERE outcome IN ('set', 'committed', 'dry run')",
            ),
            ("host_cycles", "SELECT MIN(unix) FROM host_cycles"),
        ] {
            if since.is_none() && schema::has_table(&self.conn, &self.path, table)? {
                since = self
                    .conn
                    .query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
                    .map_err(|e| LedgerError::sqlite(&self.path, format!("the table {table}"), e))?;
            }
        }
        Ok(since.map(|since| since.max(0).cast_unsigned()))
    }

    /// The newest computation; `None` if there is none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_computation(&self) -> Result<Option<Computation>, LedgerError> {
        self.cycle_where("1")
    }

    /// The newest computation that weights came of; `None` if there is none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_weights(&self) -> Result<Option<Computation>, LedgerError> {
        self.cycle_where("rejected IS NULL")
    }

    /// The computation for a block; `None` if there is none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn computation_for(&self, block: Block) -> Result<Option<Computation>, LedgerError> {
        self.cycle_where(&format!("block = {block}"))
    }

    fn cycle_where(&self, condition: &str) -> Result<Option<Computation>, LedgerError> {
        let fail = |e| LedgerError::sqlite(&self.path, "the table host_cycles", e);
        if !schema::has_table(&self.conn, &self.path, "host_cycles")? {
            return Ok(None);
        }
        let sql = format!(
            "SELECT block, max_block, unix, seconds, rejected FROM host_cycles
            WHERE {condition} ORDER BY block DESC LIMIT 1"
        );
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Computation {
                block: Block(row.get(0)?),
                max_block: Block(row.get(1)?),
                unix: row.get::<_, i64>(2)?.cast_unsigned(),
                seconds: row.get(3)?,
                rejected: row.get(4)?,
                ..Computation::default()
            })
        };
        let Some(mut computation) = self.conn.query_row(&sql, [], read).optional().map_err(fail)? else {
            return Ok(None);
        };
        computation.settlements = self.settlements(computation.block)?;
        computation.basis = self.basis(computation.block)?;
        Ok(Some(computation))
    }

    /// Every UID's way to its weight in the computation for a block, by UID; empty where there is none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn settlements(&self, block: Block) -> Result<Vec<Settlement>, LedgerError> {
        let sql = "SELECT uid, hotkey, salience, young, share, burned, previous, weight FROM host_steps
            WHERE block = ?1 ORDER BY uid";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Settlement {
                uid: row.get(0)?,
                hotkey: row.get(1)?,
                salience: row.get(2)?,
                young: row.get(3)?,
                share: row.get(4)?,
                burned: row.get(5)?,
                previous: row.get(6)?,
                weight: row.get(7)?,
            })
        };
        self.conn
            .prepare_cached(sql)
            .and_then(|mut query| query.query_map([block.0], read)?.collect())
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_steps", e))
    }

    /// The blocks of the computations in a range that weights came of, in order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn settled_blocks(&self, range: RangeInclusive<Block>) -> Result<Vec<Block>, LedgerError> {
        let sql = "SELECT DISTINCT block FROM host_steps WHERE block BETWEEN ?1 AND ?2 ORDER BY block";
        self.record("host_steps", sql, (range.start().0, range.end().0), |row| row.get(0).map(Block))
    }

    /// The blocks of all computations in a range, in order, whether or not weights came of them.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn computed_blocks(&self, range: RangeInclusive<Block>) -> Result<Vec<Block>, LedgerError> {
        let sql = "SELECT block FROM host_cycles WHERE block BETWEEN ?1 AND ?2 ORDER BY block";
        self.record("host_cycles", sql, (range.start().0, range.end().0), |row| row.get(0).map(Block))
    }

    /// Records an attempt to set weights; gives its number in the record.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_attempt(&mut self, attempt: &Attempt) -> Result<i64, LedgerError> {
        self.write_attempt(None, attempt)?;
        Ok(self.conn.last_insert_rowid())
    }

    /// Records how an attempt ended, in the place of what was recorded of it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn replace_attempt(&mut self, id: i64, attempt: &Attempt) -> Result<(), LedgerError> {
        self.write_attempt(Some(id), attempt)
    }

    fn write_attempt(&mut self, id: Option<i64>, attempt: &Attempt) -> Result<(), LedgerError> {
        let weights = serde_json::Value::from_iter(
            attempt.weights.iter().map(|(uid, hotkey, weight)| serde_json::json!([uid, hotkey, weight])),
        );
        let sql = "INSERT OR REPLACE INTO host_weight_history
            (id, computed, block, unix, outcome, hash, included, error, weights)
            VALUES (?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let Attempt { computed, block, unix, sent, transaction, included, error, .. } = attempt;
        let (unix, included, weights) =
            (unix.cast_signed(), included.map(|block| block.0), weights.to_string());
        self.conn
            .execute(
                sql,
                (computed.0, block.0, unix, sent.as_str(), transaction, included, error, weights, id),
            )
            .map(drop)
            .map_err(|e| LedgerError::sqlite(&self.path, "writing the table host_weight_history", e))
    }

    /// Records that the chain shows the weights that were committed at a block.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_shown(&mut self, block: Block) -> Result<(), LedgerError> {
        let sql = "UPDATE host_weight_history SET outcome = ?2 WHERE block = ?1 AND outcome = ?3";
        self.conn
            .execute(sql, (block.0, Sent::Set.as_str(), Sent::Committed.as_str()))
            .map(drop)
            .map_err(|e| LedgerError::sqlite(&self.path, "writing the table host_weight_history", e))
    }

    /// Attempts to set weights, newest first, at most `limit`. Empty where the file has no such table.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn attempts(&self, limit: u32) -> Result<Vec<Attempt>, LedgerError> {
        self.attempts_from(0, limit)
    }

    /// The same, after leaving out the first `offset`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn attempts_from(&self, offset: u32, limit: u32) -> Result<Vec<Attempt>, LedgerError> {
        let sql =
            "SELECT computed, block, unix, outcome, hash, included, error, weights FROM host_weight_history
            ORDER BY id DESC LIMIT ?2 OFFSET ?1";
        self.record("host_weight_history", sql, (offset, limit), |row| {
            let (outcome, weights): (String, String) = (row.get(3)?, row.get(7)?);
            Ok(Attempt {
                computed: Block(row.get(0)?),
                block: Block(row.get(1)?),
                unix: row.get::<_, i64>(2)?.cast_unsigned(),
                sent: Sent::ALL.into_iter().find(|s| s.as_str() == outcome).unwrap_or(Sent::Failed),
                transaction: row.get(4)?,
                included: row.get::<_, Option<i64>>(5)?.map(Block),
                error: row.get(6)?,
                weights: serde_json::from_str(&weights).unwrap_or_default(),
            })
        })
    }
}

fn write(tx: &rusqlite::Transaction<'_>, computation: &Computation) -> rusqlite::Result<()> {
    let block = computation.block.0;
    for table in ["host_cycles", "host_saliences", "host_steps"] {
        tx.execute(&format!("DELETE FROM {table} WHERE block = ?1"), [block])?;
    }
    let skipped: BTreeMap<&str, &str> =
        computation.scored.iter().filter_map(|c| Some((c.ticker.as_str(), c.skipped.as_deref()?))).collect();
    let skipped = serde_json::json!(skipped).to_string();
    let unix = computation.unix.cast_signed();
    tx.execute(
        "INSERT INTO host_cycles (block, max_block, unix, seconds, rejected, skipped) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (block, computation.max_block.0, unix, computation.seconds, &computation.rejected, skipped),
    )?;
    let sql = "INSERT INTO host_saliences (block, ticker, hotkey, salience) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = tx.prepare_cached(sql)?;
    for scored in &computation.scored {
        for (name, share) in scored.shares().named() {
            insert.execute((block, &scored.ticker, name, share))?;
        }
    }
    reports::write(tx, computation.block, &computation.scored)?;
    runs::write(tx, computation.block, computation.basis.as_ref(), &computation.scored)?;
    activity::write(tx, &computation.activities)?;
    if computation.settlements.is_empty() {
        return Ok(());
    }
    let last = computation.settlements.iter().map(|step| (step.hotkey.as_str(), step.weight));
    weights::replace(tx, computation.block, last)?;
    let sql = "INSERT INTO host_steps (block, uid, hotkey, salience, young, share, burned, previous, weight)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let mut insert = tx.prepare_cached(sql)?;
    for step in &computation.settlements {
        let Settlement { uid, hotkey, salience, young, share, burned, previous, weight } = step;
        insert.execute((block, uid, hotkey, salience, young, share, burned, previous, weight))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::Salience;
    use mantis_weights::SettleRules;

    fn step(uid: u16, hotkey: &str, weight: f64) -> Settlement {
        Settlement {
            uid,
            hotkey: hotkey.into(),
            salience: 0.5,
            young: uid == 1,
            share: 0.1 + 0.2,
            burned: 0.25,
            previous: (uid == 1).then_some(0.125),
            weight,
        }
    }

    fn scored(ticker: &str, miners: &[(&str, f64)]) -> Scored {
        let mut salience = Salience::new(miners.len());
        for (i, (_, x)) in miners.iter().enumerate() {
            salience.set(i, *x);
        }
        let hotkeys = miners.iter().map(|(hotkey, _)| hotkey.to_string()).collect();
        Scored { ticker: ticker.into(), weight: 1.0, hotkeys, salience: Some(salience), ..Scored::default() }
    }

    #[test]
    fn a_computation_is_kept_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.last_computation().unwrap(), None);
        let mut computation = Computation {
            block: Block(1000),
            max_block: Block(500),
            unix: 77,
            seconds: 1.5,
            basis: Some(runs::Basis { config: "abcd".into(), rules: SettleRules::default() }),
            scored: vec![scored("A", &[("x", 3.0), ("y", 0.0)])],
            activities: Activities::new(),
            settlements: vec![step(0, "x", 0.75), step(1, "y", 0.25)],
            rejected: None,
        };
        ledger.store_computation(&computation).unwrap();
        computation.seconds = 2.5;
        ledger.store_computation(&computation).unwrap();
        computation.scored.clear();
        assert_eq!(ledger.last_computation().unwrap(), Some(computation.clone()));
        let count = |sql: &str| ledger.raw().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT COUNT(*) FROM host_saliences"), 1);
        let previous = ledger.previous_weights().unwrap().unwrap();
        assert_eq!((previous.block, previous.weights["y"]), (Block(1000), 0.25));
        // One without weights leaves those of last time.
        let rejected = Computation {
            block: Block(2000),
            rejected: Some("zero sum".into()),
            settlements: Vec::new(),
            ..computation.clone()
        };
        ledger.store_computation(&rejected).unwrap();
        assert_eq!(ledger.previous_weights().unwrap().unwrap(), previous);
        assert_eq!(ledger.last_computation().unwrap(), Some(rejected));
        assert_eq!(ledger.last_weights().unwrap().unwrap().block, Block(1000));
        assert_eq!(ledger.settlements(Block(1000)).unwrap().len(), 2);
        // One that is made once more is smoothed as it was the first time.
        assert_eq!(ledger.weights_before(Block(2000)).unwrap(), Some(previous.clone()));
        assert_eq!(ledger.weights_before(Block(1000)).unwrap(), None);
        let later = Computation {
            block: Block(3000),
            rejected: None,
            settlements: vec![step(0, "z", 1.0)],
            ..computation
        };
        ledger.store_computation(&later).unwrap();
        assert_eq!(ledger.weights_before(Block(3000)).unwrap(), Some(previous));
        assert_eq!(ledger.weights_before(Block(3001)).unwrap().unwrap().weights["z"], 1.0);
    }

    #[test]
    fn attempts_are_kept_with_how_they_ended() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let all: Vec<Attempt> = Sent::ALL
            .into_iter()
            .zip(0..)
            .map(|(sent, i)| Attempt {
                computed: Block(1000),
                block: Block(1360) + i,
                unix: 5,
                sent,
                transaction: (i == 0).then(|| "0xab".into()),
                included: (i == 0).then_some(Block(1361)),
                error: (i > 0).then(|| "so".into()),
                weights: vec![(0, "x".into(), 65_535)],
            })
            .collect();
        for attempt in &all {
            ledger.store_attempt(attempt).unwrap();
        }
        let newest: Vec<Attempt> = all.into_iter().rev().take(3).collect();
        assert_eq!(ledger.attempts(3).unwrap(), newest);
        // Block 1361 is that of the commit; others stay what they are.
        (1360..1365).for_each(|block| ledger.store_shown(Block(block)).unwrap());
        let sent: Vec<Sent> = ledger.attempts(9).unwrap().iter().rev().map(|attempt| attempt.sent).collect();
        assert_eq!(sent, [Sent::Set, Sent::Set, Sent::Unconfirmed, Sent::Failed, Sent::DryRun]);
    }
}
