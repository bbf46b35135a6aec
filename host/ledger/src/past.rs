//! How it came to be: our own record of all computations, by miner and by challenge.

use super::sample::NO_PAYLOAD;
use super::{Ledger, LedgerError, schema};
use mantis_config::Block;
use mantis_plugin_api::WhyZero;
use rusqlite::{Params, Row};
use std::collections::BTreeMap;

/// One computation of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputationLine {
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
    /// Why challenges paid no miner, by ticker.
    pub skipped: BTreeMap<String, String>,
}

/// One challenge in one computation.
#[derive(Clone, Debug, PartialEq)]
pub struct ChallengeLine {
    /// The block that was computed for.
    pub block: Block,
    /// What the challenge counted for.
    pub weight: f64,
    /// How long it took, s.
    pub seconds: f64,
    /// Miners that had rows.
    pub miners: u32,
    /// Miners that it paid.
    pub paid: u32,
}

/// One hotkey's weight in one computation.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightLine {
    /// The block that was computed for.
    pub block: Block,
    /// Its UID then.
    pub uid: u16,
    /// What all challenges together pay it, 0 to 1.
    pub salience: f64,
    /// The smoothed weight.
    pub weight: f64,
}

/// Why a challenge paid a hotkey nothing in one computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonLine {
    /// The block that was computed for.
    pub block: Block,
    /// The challenge.
    pub ticker: String,
    /// Why.
    pub why: WhyZero,
}

/// What one challenge pays one hotkey in one computation.
#[derive(Clone, Debug, PartialEq)]
pub struct SalienceLine {
    /// The block that was computed for.
    pub block: Block,
    /// The challenge.
    pub ticker: String,
    /// Its share of what the challenge pays, above 0.
    pub share: f64,
}

/// How many payloads there were of one hotkey.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MinerCounts {
    /// Taken to wait for their opening.
    pub accepted: u64,
    /// Of those, served unchanged.
    pub stale: u64,
    /// Of those, such as anybody could have opened already.
    pub early: u64,
    /// Of those, opened so far.
    pub opened: u64,
    /// Block of the newest.
    pub last_block: Block,
}

/// Smoothed weights of some of the computations, evenly spread, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// The blocks that were computed for.
    pub blocks: Vec<Block>,
    /// By hotkey, a weight per block; 0 where it had none.
    pub weights: BTreeMap<String, Vec<f64>>,
}

impl Ledger {
    /// Computations, newest first: at most `limit` after leaving out the first `offset`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn computations(&self, offset: u32, limit: u32) -> Result<Vec<ComputationLine>, LedgerError> {
        let sql = "SELECT block, max_block, unix, seconds, rejected, skipped FROM host_cycles
            ORDER BY block DESC LIMIT ?2 OFFSET ?1";
        self.record("host_cycles", sql, (offset, limit), |row| {
            Ok(ComputationLine {
                block: Block(row.get(0)?),
                max_block: Block(row.get(1)?),
                unix: row.get::<_, i64>(2)?.cast_unsigned(),
                seconds: row.get(3)?,
                rejected: row.get(4)?,
                skipped: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default(),
            })
        })
    }

    /// How many computations are kept.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn count_cycles(&self) -> Result<u64, LedgerError> {
        self.count("host_cycles")
    }

    /// How many attempts to set weights are kept.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn count_attempts(&self) -> Result<u64, LedgerError> {
        self.count("host_weight_history")
    }

    /// One challenge in all computations, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn challenge_history(&self, ticker: &str) -> Result<Vec<ChallengeLine>, LedgerError> {
        let sql = "SELECT block, weight, seconds, miners, paid FROM host_challenges WHERE ticker = ?1 ORDER BY block";
        self.record("host_challenges", sql, [ticker], |row| {
            Ok(ChallengeLine {
                block: Block(row.get(0)?),
                weight: row.get(1)?,
                seconds: row.get(2)?,
                miners: row.get(3)?,
                paid: row.get(4)?,
            })
        })
    }

    /// A hotkey's weight in all computations that weights came of, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn weight_history(&self, hotkey: &str) -> Result<Vec<WeightLine>, LedgerError> {
        let sql = "SELECT block, uid, salience, weight FROM host_steps WHERE hotkey = ?1 ORDER BY block";
        self.record("host_steps", sql, [hotkey], |row| {
            Ok(WeightLine {
                block: Block(row.get(0)?),
                uid: row.get(1)?,
                salience: row.get(2)?,
                weight: row.get(3)?,
            })
        })
    }

    /// What challenges paid a hotkey in all computations, oldest first. Where they paid nothing there is no line.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn salience_history(&self, hotkey: &str) -> Result<Vec<SalienceLine>, LedgerError> {
        let sql =
            "SELECT block, ticker, salience FROM host_saliences WHERE hotkey = ?1 ORDER BY block, ticker";
        self.record("host_saliences", sql, [hotkey], |row| {
            Ok(SalienceLine { block: Block(row.get(0)?), ticker: row.get(1)?, share: row.get(2)? })
        })
    }

    /// Why challenges paid a hotkey nothing, oldest first: of the newest computations, of which that is kept.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn reason_history(&self, hotkey: &str) -> Result<Vec<ReasonLine>, LedgerError> {
        let sql = "SELECT block, ticker, why_code, why_text FROM host_reasons
            WHERE hotkey = ?1 AND why_code IS NOT NULL AND why_text IS NOT NULL ORDER BY block, ticker";
        self.record("host_reasons", sql, [hotkey], |row| {
            let why = WhyZero { code: row.get(2)?, text: row.get(3)? };
            Ok(ReasonLine { block: Block(row.get(0)?), ticker: row.get(1)?, why })
        })
    }

    /// When computations ended, Unix seconds.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn computation_times(&self) -> Result<BTreeMap<Block, u64>, LedgerError> {
        let times = self.record("host_cycles", "SELECT block, unix FROM host_cycles", [], |row| {
            Ok((Block(row.get(0)?), row.get::<_, i64>(1)?.max(0).cast_unsigned()))
        })?;
        Ok(times.into_iter().collect())
    }

    /// How many payloads there were, by hotkey.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn miner_counts(&self) -> Result<BTreeMap<String, MinerCounts>, LedgerError> {
        let sql = "SELECT hotkey, accepted, stale, early, opened, last_block FROM host_miners";
        let rows = self.record("host_miners", sql, [], |row| {
            let count = |column| row.get(column).map(i64::cast_unsigned);
            let counts = MinerCounts {
                accepted: count(1)?,
                stale: count(2)?,
                early: count(3)?,
                opened: count(4)?,
                last_block: Block(row.get(5)?),
            };
            Ok((row.get(0)?, counts))
        })?;
        Ok(rows.into_iter().collect())
    }

    /// How often payloads, or parts of them, were refused, by stage and code; most frequent first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn refusals_by_code(&self) -> Result<Vec<(String, String, u64)>, LedgerError> {
        let sql =
            "SELECT stage, code, SUM(times) FROM host_rejections GROUP BY stage, code ORDER BY 3 DESC, 1, 2";
        self.record("host_rejections", sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.cast_unsigned()))
        })
    }

    /// Blocks whose payload of a hotkey waits to be opened, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn waiting(&self, hotkey: &str) -> Result<Vec<Block>, LedgerError> {
        let sql = "SELECT block FROM blocks WHERE idx >= (SELECT MIN(ts) FROM raw_payloads)
            AND EXISTS (SELECT 1 FROM raw_payloads
                WHERE ts = idx AND hotkey = ?1 AND payload IS NOT NULL AND payload <> ?2) ORDER BY idx";
        self.record("raw_payloads", sql, (hotkey, NO_PAYLOAD), |row| row.get(0).map(Block))
    }

    /// The smoothed weights of some of the computations: at most `most` of them, the newest among them.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn past_weights(&self, most: usize) -> Result<Past, LedgerError> {
        let all: Vec<Block> = self.record(
            "host_cycles",
            "SELECT block FROM host_cycles WHERE rejected IS NULL ORDER BY block",
            [],
            |row| row.get(0).map(Block),
        )?;
        let last = all.len().saturating_sub(1);
        let count = all.len().min(most);
        let at = |i: usize| if count > 1 { i * last / (count - 1) } else { last };
        let blocks: Vec<Block> = (0..count).filter_map(|i| all.get(at(i)).copied()).collect();
        let mut weights: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (i, block) in blocks.iter().enumerate() {
            let sql = "SELECT hotkey, weight FROM host_steps WHERE block = ?1";
            let steps = self.record("host_steps", sql, [block.0], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?))
            })?;
            for (hotkey, weight) in steps {
                if let Some(at) = weights.entry(hotkey).or_insert_with(|| vec![0.0; count]).get_mut(i) {
                    *at = weight;
                }
            }
        }
        Ok(Past { blocks, weights })
    }

    fn count(&self, table: &str) -> Result<u64, LedgerError> {
        let rows =
            self.record(table, &format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0))?;
        Ok(rows.first().copied().unwrap_or(0).cast_unsigned())
    }

    /// The rows of a query on a table of our own; none where the file has no such table.
    pub(super) fn record<T>(
        &self,
        table: &str,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        if !schema::has_table(&self.conn, &self.path, table)? {
            return Ok(Vec::new());
        }
        self.conn
            .prepare_cached(sql)
            .and_then(|mut query| query.query_map(params, read)?.collect())
            .map_err(|e| LedgerError::sqlite(&self.path, format!("the table {table}"), e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Computation;
    use mantis_plugin_api::Salience;
    use mantis_weights::Scored;
    use mantis_weights::Settlement;

    fn computation(k: i64) -> Computation {
        let mut salience = Salience::new(2);
        salience.set(0, 1.0 + k as f64);
        salience.set(1, 1.0);
        let step = Settlement {
            uid: 7,
            hotkey: "x".into(),
            salience: 0.5,
            young: false,
            share: 0.5,
            burned: 0.4,
            previous: None,
            weight: k as f64,
        };
        let scored = Scored {
            ticker: "A".into(),
            weight: 2.0,
            hotkeys: vec!["x".into(), "y".into()],
            salience: Some(salience),
            ..Scored::default()
        };
        Computation {
            block: Block(1000 * k),
            scored: vec![scored],
            settlements: vec![step],
            ..Computation::default()
        }
    }

    #[test]
    fn the_past_is_read_by_miner_and_by_challenge() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.past_weights(3).unwrap(), Past::default());
        for k in 1..=7 {
            ledger.store_computation(&computation(k)).unwrap();
        }
        let lines = ledger.computations(1, 2).unwrap();
        assert_eq!(lines.iter().map(|line| line.block.0).collect::<Vec<_>>(), [6000, 5000]);
        assert_eq!((ledger.count_cycles().unwrap(), ledger.count_attempts().unwrap()), (7, 0));
        let line = ChallengeLine { block: Block(7000), weight: 2.0, seconds: 0.0, miners: 2, paid: 2 };
        assert_eq!(ledger.challenge_history("A").unwrap().last(), Some(&line));
        assert_eq!(ledger.challenge_history("B").unwrap(), []);
        let line = WeightLine { block: Block(7000), uid: 7, salience: 0.5, weight: 7.0 };
        assert_eq!(ledger.weight_history("x").unwrap().last(), Some(&line));
        let line = SalienceLine { block: Block(7000), ticker: "A".into(), share: 8.0 / 9.0 };
        assert_eq!(ledger.salience_history("x").unwrap().last(), Some(&line));
        let Past { blocks, weights } = ledger.past_weights(3).unwrap();
        assert_eq!((blocks, &weights["x"]), ([1000, 4000, 7000].map(Block).to_vec(), &vec![1.0, 4.0, 7.0]));
        assert_eq!(ledger.past_weights(1).unwrap().blocks, [Block(7000)]);
        assert_eq!(ledger.past_weights(100).unwrap().blocks.len(), 7);
    }
}
