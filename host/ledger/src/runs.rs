//! What each challenge of a computation was made with, and how it failed: our own tables `host_runs`, a row per
//! computation and challenge, and `host_made`, a row per computation.

use super::{Ledger, LedgerError, schema};
use mantis_config::{Block, Runtime};
use mantis_plugin_api::Solver;
use mantis_weights::{FailureCause, Held, MadeWith, Scored, SettleRules, Shares};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

/// What the weights of a computation go by.
#[derive(Clone, Debug, PartialEq)]
pub struct Basis {
    /// The digest of the configuration.
    pub config: String,
    /// What weights were settled by.
    pub rules: SettleRules,
}

/// A challenge's outcome in a computation, apart from its saliences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) failure: Option<FailureCause>,
    pub(super) held: Option<Held>,
    pub(super) made_with: Option<MadeWith>,
}

impl Ledger {
    /// The newest saliences of a challenge that did not fail, from a computation for a block before `before`. `None` if there
    /// is no such computation.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_good(&self, ticker: &str, before: Block) -> Result<Option<(Held, Shares)>, LedgerError> {
        let fail = |e| LedgerError::sqlite(&self.path, format!("the last good saliences of {ticker}"), e);
        if !schema::has_table(&self.conn, &self.path, "host_runs")? {
            return Ok(None);
        }
        // What is older than the table `host_runs` is good if it paid.
        let newest = "SELECT c.block FROM host_challenges c
            LEFT JOIN host_runs r ON r.block = c.block AND r.ticker = c.ticker
            WHERE c.ticker = ?1 AND c.block < ?2 AND r.failure IS NULL
                AND (r.block IS NOT NULL OR c.skipped IS NULL)
            ORDER BY c.block DESC LIMIT 1";
        let found = self.conn.query_row(newest, (ticker, before.0), |row| row.get::<_, i64>(0));
        let Some(block) = found.optional().map_err(fail)? else { return Ok(None) };
        let since = "SELECT COUNT(*) FROM host_cycles WHERE block >= ?1 AND block < ?2";
        let computations = self.conn.query_row(since, (block, before.0), |row| row.get(0)).map_err(fail)?;
        let block = Block(block);
        let shares = self.shares(block)?.remove(ticker).unwrap_or_default();
        Ok(Some((Held { block, computations }, shares)))
    }

    /// What every challenge paid in the computation for a block, by ticker. Challenges that paid nothing are not there.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn shares(&self, block: Block) -> Result<BTreeMap<String, Shares>, LedgerError> {
        let sql = "SELECT ticker, hotkey, salience FROM host_saliences WHERE block = ?1";
        let rows = self
            .record("host_saliences", sql, [block.0], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        let mut all: BTreeMap<String, Shares> = BTreeMap::new();
        for (ticker, (hotkey, share)) in rows {
            all.entry(ticker).or_default().insert(hotkey, share);
        }
        Ok(all)
    }

    /// What a computation went by; `None` if it is not recorded.
    pub fn basis(&self, block: Block) -> Result<Option<Basis>, LedgerError> {
        let sql = "SELECT config, rules FROM host_made WHERE block = ?1";
        let rows: Vec<(String, String)> =
            self.record("host_made", sql, [block.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let read = |(config, rules): (String, String)| {
            Some(Basis { config, rules: serde_json::from_str(&rules).ok()? })
        };
        Ok(rows.into_iter().next().and_then(read))
    }

    /// How the challenges of a computation went, by ticker. Empty if it is not recorded.
    pub(super) fn runs(&self, block: Block) -> Result<BTreeMap<String, Run>, LedgerError> {
        let sql = "SELECT ticker, failure, held_block, held_computations, solver, runtime, sha256
            FROM host_runs WHERE block = ?1";
        let rows = self.record("host_runs", sql, [block.0], |row| {
            let failure: Option<String> = row.get(1)?;
            let held: (Option<i64>, Option<u32>) = (row.get(2)?, row.get(3)?);
            let held = held.0.zip(held.1);
            let made: (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
            let made = made.0.as_deref().and_then(solver).zip(made.1.as_deref().and_then(runtime));
            let sha256 = row.get(6)?;
            let run = Run {
                // A word of a newer program is a failure all the same.
                failure: failure.map(|word| FailureCause::from_word(&word).unwrap_or(FailureCause::Host)),
                held: held.map(|(block, computations)| Held { block: Block(block), computations }),
                made_with: made.map(|(solver, runtime)| MadeWith { solver, runtime, sha256 }),
            };
            Ok((row.get(0)?, run))
        })?;
        Ok(rows.into_iter().collect())
    }

    /// What plugins said that nobody earns, by ticker, in the unit of their saliences.
    pub(super) fn burns(&self, block: Block) -> Result<BTreeMap<String, f64>, LedgerError> {
        let sql = "SELECT ticker, burn FROM host_burns WHERE block = ?1";
        let rows = self.record("host_burns", sql, [block.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.into_iter().collect())
    }
}

/// Stores what a computation was made with, in place of what is stored for the same block.
pub(super) fn write(
    tx: &Connection,
    block: Block,
    basis: Option<&Basis>,
    scored: &[Scored],
) -> rusqlite::Result<()> {
    for table in ["host_runs", "host_burns", "host_made"] {
        tx.execute(&format!("DELETE FROM {table} WHERE block = ?1"), [block.0])?;
    }
    let basis = basis.and_then(|Basis { config, rules }| Some((config, serde_json::to_string(rules).ok()?)));
    if let Some((config, rules)) = basis {
        tx.execute(
            "INSERT INTO host_made (block, config, rules) VALUES (?1, ?2, ?3)",
            (block.0, config, rules),
        )?;
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO host_runs (block, ticker, failure, held_block, held_computations, solver, runtime, sha256)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for Scored { ticker, failure, held, made_with, .. } in scored {
        let held = held.map_or((None, None), |held| (Some(held.block.0), Some(held.computations)));
        let made = made_with.as_ref();
        insert.execute((
            block.0,
            ticker,
            failure.map(FailureCause::as_str),
            held.0,
            held.1,
            made.map(|made| made.solver.as_str()),
            made.map(|made| made.runtime.as_str()),
            made.and_then(|made| made.sha256.as_ref()),
        ))?;
    }
    let mut insert = tx.prepare_cached("INSERT INTO host_burns (block, ticker, burn) VALUES (?1, ?2, ?3)")?;
    for Scored { ticker, salience, .. } in scored {
        if let Some(burn) = salience.as_ref().map(|salience| salience.burn).filter(|burn| *burn > 0.0) {
            insert.execute((block.0, ticker, burn))?;
        }
    }
    Ok(())
}

fn solver(found: &str) -> Option<Solver> {
    [Solver::Exact, Solver::Network].into_iter().find(|solver| solver.as_str() == found)
}

fn runtime(found: &str) -> Option<Runtime> {
    [Runtime::Native, Runtime::Wasm].into_iter().find(|runtime| runtime.as_str() == found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Computation;
    use mantis_plugin_api::Salience;

    fn scored(failure: Option<FailureCause>, shares: &[(&str, f64)]) -> Scored {
        let mut salience = Salience::new(shares.len());
        shares.iter().enumerate().for_each(|(miner, (_, share))| salience.set(miner, *share));
        Scored {
            ticker: "A".into(),
            weight: 1.0,
            hotkeys: shares.iter().map(|(hotkey, _)| hotkey.to_string()).collect(),
            salience: failure.is_none().then_some(salience),
            skipped: failure.map(|cause| format!("a {cause}")),
            failure,
            made_with: Some(MadeWith {
                solver: Solver::Network,
                runtime: Runtime::Wasm,
                sha256: failure.is_none().then(|| "ab".into()),
            }),
            ..Scored::default()
        }
    }

    #[test]
    fn the_newest_saliences_that_are_good_are_found_with_their_age() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.last_good("A", Block(9000)).unwrap(), None);
        let held = Held { block: Block(2000), computations: 1 };
        let good = scored(None, &[("x", 3.0), ("y", 1.0)]);
        let standing_in = Scored { held: Some(held), failure: Some(FailureCause::Crash), ..good.clone() };
        for (block, scored) in [
            (1000, scored(None, &[("z", 1.0)])),
            (2000, good),
            (3000, standing_in.clone()),
            (4000, scored(Some(FailureCause::Deadline), &[])),
        ] {
            let rules = SettleRules { burn: 0.25, ..SettleRules::default() };
            let computation = Computation {
                block: Block(block),
                basis: Some(Basis { config: format!("digest {block}"), rules }),
                scored: vec![scored],
                ..Computation::default()
            };
            ledger.store_computation(&computation).unwrap();
        }
        let (found, shares) = ledger.last_good("A", Block(5000)).unwrap().unwrap();
        assert_eq!(found, Held { block: Block(2000), computations: 3 });
        assert_eq!(shares.miners, [("x".to_owned(), 0.75), ("y".to_owned(), 0.25)].into());
        // One that is made once more looks at what was before it.
        assert_eq!(ledger.last_good("A", Block(2000)).unwrap().unwrap().0.block, Block(1000));
        assert_eq!(ledger.last_good("B", Block(5000)).unwrap(), None);

        let basis = ledger.basis(Block(3000)).unwrap().unwrap();
        assert_eq!((basis.config.as_str(), basis.rules.burn), ("digest 3000", 0.25));
        assert_eq!(ledger.basis(Block(3001)).unwrap(), None);
        assert_eq!(ledger.shares(Block(2000)).unwrap(), [("A".to_owned(), shares)].into());
        assert!(ledger.shares(Block(4000)).unwrap().is_empty());
        let read = &ledger.scored(Block(3000)).unwrap()[0];
        assert_eq!((read.failure, read.held), (Some(FailureCause::Crash), Some(held)));
        assert_eq!(read.made_with, standing_in.made_with);
        assert_eq!(ledger.scored(Block(4000)).unwrap()[0].failure, Some(FailureCause::Deadline));
    }
}
