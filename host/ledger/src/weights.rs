//! Our own table `host_weights`: the smoothed weights of the last computation.

use super::{Ledger, LedgerError, schema};
use mantis_config::Block;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Smoothed weights of one computation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// The block they were computed at.
    pub block: Block,
    /// Weight of each hotkey.
    pub weights: BTreeMap<String, f64>,
}

impl Ledger {
    /// The weights stored last; `None` if there are none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn previous_weights(&self) -> Result<Option<Weights>, LedgerError> {
        if !schema::has_table(&self.conn, &self.path, "host_weights")? {
            return Ok(None);
        }
        let sql = "SELECT block, hotkey, weight FROM host_weights ORDER BY hotkey";
        let rows =
            self.list("host_weights", sql, |row| Ok((Block(row.get(0)?), (row.get(1)?, row.get(2)?))))?;
        let Some(&(block, _)) = rows.first() else { return Ok(None) };
        Ok(Some(Weights { block, weights: rows.into_iter().map(|(_, weight)| weight).collect() }))
    }

    /// The weights of the newest computation for a block before this one, as far back as they are kept; `None` if there
    /// are none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn weights_before(&self, block: Block) -> Result<Option<Weights>, LedgerError> {
        let last = self.previous_weights()?;
        if last.as_ref().is_none_or(|last| last.block < block) {
            return Ok(last);
        }
        if !schema::has_table(&self.conn, &self.path, "host_steps")? {
            return Ok(None);
        }
        let sql = "SELECT MAX(block) FROM host_steps WHERE block < ?1";
        let before: Option<i64> = self
            .conn
            .query_row(sql, [block.0], |row| row.get(0))
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_steps", e))?;
        let Some(block) = before.map(Block) else { return Ok(None) };
        let steps = self.settlements(block)?.into_iter();
        Ok(Some(Weights { block, weights: steps.map(|step| (step.hotkey, step.weight)).collect() }))
    }
}

impl Ledger {
    /// Takes these as the smoothed weights that the next computation goes on from.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn adopt_weights(&mut self, weights: &Weights) -> Result<(), LedgerError> {
        let store = |conn: &mut Connection| {
            let tx = conn.transaction()?;
            let all = weights.weights.iter().map(|(hotkey, weight)| (hotkey.as_str(), *weight));
            replace(&tx, weights.block, all)?;
            tx.commit()
        };
        store(&mut self.conn).map_err(|e| LedgerError::sqlite(&self.path, "the table host_weights", e))
    }
}

/// Replaces the stored weights.
pub(super) fn replace<'a>(
    tx: &Connection,
    block: Block,
    weights: impl Iterator<Item = (&'a str, f64)>,
) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM host_weights", [])?;
    let sql = "INSERT INTO host_weights (hotkey, weight, block) VALUES (?1, ?2, ?3)";
    let mut insert = tx.prepare_cached(sql)?;
    for (hotkey, weight) in weights {
        insert.execute((hotkey, weight, block.0))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_replaced_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.previous_weights().unwrap(), None);
        let weights = |block, pairs: &[(&str, f64)]| Weights {
            block: Block(block),
            weights: pairs.iter().map(|(hotkey, weight)| (hotkey.to_string(), *weight)).collect(),
        };
        let first = weights(1000, &[("a", 0.25), ("b", 0.1 + 0.2)]);
        ledger.adopt_weights(&first).unwrap();
        ledger.adopt_weights(&weights(2000, &[("c", f64::NAN)])).unwrap_err();
        assert_eq!(Ledger::read(&path).unwrap().previous_weights().unwrap(), Some(first));
        let second = weights(2000, &[("b", 1.0)]);
        ledger.adopt_weights(&second).unwrap();
        assert_eq!(ledger.previous_weights().unwrap(), Some(second));
    }
}
