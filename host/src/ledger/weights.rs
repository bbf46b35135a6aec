//! Our own table `host_weights`: the smoothed weights of the last computation.

use super::{Ledger, LedgerError, schema};
use std::collections::BTreeMap;

/// Smoothed weights of one computation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// The block they were computed at.
    pub block: i64,
    /// Weight of each hotkey.
    pub weights: BTreeMap<String, f64>,
}

impl Ledger {
    /// The weights stored last; `None` if there are none.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn previous_weights(&self) -> Result<Option<Weights>, LedgerError> {
        if !schema::has_table(&self.conn, &self.path, "host_weights")? {
            return Ok(None);
        }
        let sql = "SELECT block, hotkey, weight FROM host_weights ORDER BY hotkey";
        let rows = self.list("host_weights", sql, |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        let Some(&(block, _)) = rows.first() else { return Ok(None) };
        Ok(Some(Weights { block, weights: rows.into_iter().map(|(_, weight)| weight).collect() }))
    }

    /// Replaces the stored weights, in one transaction.
    ///
    /// # Errors
    /// Where the file cannot be written, or a weight is NaN; the old weights stay.
    pub fn store_weights(&mut self, new: &Weights) -> Result<(), LedgerError> {
        let fail = |e| LedgerError::sqlite(&self.path, "writing the table host_weights", e);
        let tx = self.conn.transaction().map_err(fail)?;
        tx.execute("DELETE FROM host_weights", []).map_err(fail)?;
        {
            let sql = "INSERT INTO host_weights (hotkey, weight, block) VALUES (?1, ?2, ?3)";
            let mut insert = tx.prepare_cached(sql).map_err(fail)?;
            for (hotkey, weight) in &new.weights {
                insert.execute((hotkey, weight, new.block)).map_err(fail)?;
            }
        }
        tx.commit().map_err(fail)
    }
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
            block,
            weights: pairs.iter().map(|(hotkey, weight)| (hotkey.to_string(), *weight)).collect(),
        };
        let first = weights(1000, &[("a", 0.25), ("b", 0.1 + 0.2)]);
        ledger.store_weights(&first).unwrap();
        ledger.store_weights(&weights(2000, &[("c", f64::NAN)])).unwrap_err();
        assert_eq!(Ledger::read(&path).unwrap().previous_weights().unwrap(), Some(first));
        let second = weights(2000, &[("b", 1.0)]);
        ledger.store_weights(&second).unwrap();
        assert_eq!(ledger.previous_weights().unwrap(), Some(second));
    }
}
