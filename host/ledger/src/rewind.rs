//! Setting a ledger back, where blocks were stored that the chain never had.

use super::{Ledger, LedgerError, held, weights};
use mantis_config::Block;
use rusqlite::{Connection, TransactionBehavior};

/// What is taken out of a ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewound {
    /// Sampled blocks.
    pub blocks: u64,
    /// Rows of challenges.
    pub rows: u64,
    /// Computations of weights.
    pub computations: u64,
}

impl Ledger {
    /// What lies behind a block.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn behind(&self, last: Block, sample_every: u32) -> Result<Rewound, LedgerError> {
        let sidx = last.sidx(sample_every);
        let count = |sql: &str, from: i64| -> Result<u64, LedgerError> {
            let found: rusqlite::Result<i64> = self.conn.query_row(sql, [from], |row| row.get(0));
            found.map(i64::cast_unsigned).map_err(|e| LedgerError::sqlite(&self.path, "counting rows", e))
        };
        Ok(Rewound {
            blocks: count("SELECT COUNT(*) FROM blocks WHERE block > ?1", last.0)?,
            rows: count("SELECT COUNT(*) FROM challenge_data WHERE sidx > ?1", sidx.0)?,
            computations: count("SELECT COUNT(*) FROM host_cycles WHERE block > ?1", last.0)?,
        })
    }

    /// Takes out all that lies behind a block, and forgets the head that was believed, wholly or not at all. Attempts to
    /// set weights stay: they were made.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn rewind(&mut self, last: Block, sample_every: u32) -> Result<Rewound, LedgerError> {
        let rewound = self.behind(last, sample_every)?;
        let before = self.weights_before(last + 1)?;
        let path = &self.path;
        let fail = |e| LedgerError::sqlite(path, format!("taking out what lies behind block {last}"), e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        take_out(&tx, last, sample_every).map_err(fail)?;
        if let Some(before) = before {
            let each = before.weights.iter().map(|(hotkey, weight)| (hotkey.as_str(), *weight));
            weights::replace(&tx, before.block, each).map_err(fail)?;
        } else {
            tx.execute("DELETE FROM host_weights", []).map_err(fail)?;
        }
        tx.commit().map_err(fail)?;
        Ok(rewound)
    }

    /// Forgets which chain it is of; the next one that is believed is.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn forget_chain(&mut self) -> Result<(), LedgerError> {
        self.conn
            .execute("DELETE FROM host_chain", [])
            .map(drop)
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_chain", e))
    }
}

fn take_out(tx: &Connection, last: Block, sample_every: u32) -> rusqlite::Result<()> {
    let (block, sidx) = (last.0, last.sidx(sample_every).0);
    held::drop_payloads(tx, "ts IN (SELECT idx FROM blocks WHERE block > ?1)", [block])?;
    for (sql, from) in [
        ("DELETE FROM host_waiting WHERE ts IN (SELECT idx FROM blocks WHERE block > ?1)", block),
        ("DELETE FROM host_openings WHERE ts IN (SELECT idx FROM blocks WHERE block > ?1)", block),
        ("DELETE FROM blocks WHERE block > ?1", block),
        ("DELETE FROM main.challenge_data WHERE sidx > ?1", sidx),
        ("DELETE FROM host_sums WHERE sidx > ?1", sidx),
        ("DELETE FROM host_doubtful_prices WHERE sidx > ?1", sidx),
        ("UPDATE host_tracked SET sidx = ?1 WHERE sidx > ?1", sidx),
        ("DELETE FROM host_payloads WHERE first_block > ?1", block),
        ("UPDATE host_payloads SET last_block = ?1 WHERE last_block > ?1", block),
        ("UPDATE host_miners SET last_block = ?1 WHERE last_block > ?1", block),
        ("DELETE FROM host_rejections WHERE first_block > ?1", block),
        ("UPDATE host_rejections SET last_block = ?1 WHERE last_block > ?1", block),
        ("DELETE FROM host_cycles WHERE block > ?1", block),
        ("DELETE FROM host_made WHERE block > ?1", block),
        ("DELETE FROM host_runs WHERE block > ?1", block),
        ("DELETE FROM host_burns WHERE block > ?1", block),
        ("DELETE FROM host_agreement WHERE block > ?1", block),
        ("DELETE FROM host_challenges WHERE block > ?1", block),
        ("DELETE FROM host_reasons WHERE block > ?1", block),
        ("DELETE FROM host_saliences WHERE block > ?1", block),
        ("DELETE FROM host_steps WHERE block > ?1", block),
        ("DELETE FROM host_fetched WHERE sidx > ?1", sidx),
        ("DELETE FROM host_parts WHERE day >= (?1 + 1) / 7200", block),
        ("UPDATE host_chain SET block = NULL, unix = NULL WHERE ?1 = ?1", block),
    ] {
        tx.execute(sql, [from])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Accepted, Arrival, ChainRecord, Computation, Delayed, Matured, NewRow, Pending, Pruned, Sample,
        SampledBlock,
    };
    use mantis_weights::Settlement;

    fn sample(block: i64) -> Sample {
        let record = NewRow { ticker: "A".into(), price: Some(1.0), ..NewRow::default() };
        let accepted = Accepted { payload: b"x".to_vec(), sha256: [0; 32], round: 1, early: false };
        Sample {
            step: SampledBlock { block: Block(block), sidx: Block(block).sidx(5), rows: vec![record] },
            arrivals: vec![Arrival { hotkey: "a".into(), accepted: Some(accepted) }],
            rejections: Vec::new(),
            doubtful: Vec::new(),
        }
    }

    fn computation(block: i64, weight: f64) -> Computation {
        let step = Settlement {
            uid: 1,
            hotkey: "a".into(),
            salience: 1.0,
            young: false,
            share: 1.0,
            burned: 0.0,
            previous: None,
            weight,
        };
        Computation { block: Block(block), settlements: vec![step], ..Computation::default() }
    }

    #[test]
    fn what_the_chain_never_had_is_taken_out_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        for block in [100, 105] {
            ledger.sample(&sample(block)).unwrap();
        }
        ledger.store_computation(&computation(100, 0.25)).unwrap();
        let good = (ledger.weights_before(Block(1000)).unwrap(), ledger.pending().unwrap());
        let pruned = Some(Pruned { block: Block(3), unix: 4, days: 65 });
        let record = ChainRecord { genesis: Some("0x1".into()), head: Some((Block(9), 9)), pruned };
        ledger.store_chain_record(&record).unwrap();

        ledger.sample(&sample(1_000_000_000)).unwrap();
        ledger.store_computation(&computation(1_000_000_000, 0.75)).unwrap();
        assert!(ledger.sample(&sample(110)).is_err());
        // A payload that waits alone there goes too: its number in the order of sampling will be another block's.
        let Pending { ts, block } = ledger.pending().unwrap()[2];
        let delayed = vec![Delayed { ts, block, hotkey: "a".into(), round: 1, since: 1 }];
        ledger.mature(&Matured { ts, block, delayed, ..Matured::default() }).unwrap();
        let rewound = ledger.rewind(Block(107), 5).unwrap();
        assert_eq!(rewound, Rewound { blocks: 1, rows: 1, computations: 1 });
        assert_eq!((ledger.weights_before(Block(1000)).unwrap(), ledger.pending().unwrap()), good);
        assert_eq!(ledger.last_block().unwrap(), Some(Block(105)));
        assert_eq!(ledger.tickers().unwrap()[0].rows, 2);
        assert_eq!(ledger.chain_record().unwrap(), ChainRecord { head: None, ..record });
        ledger.sample(&sample(110)).unwrap();
        assert_eq!((ledger.delayed().unwrap(), ledger.pending().unwrap().len()), (0, 3));
        ledger.forget_chain().unwrap();
        assert_eq!(ledger.chain_record().unwrap(), ChainRecord::default());
    }
}
