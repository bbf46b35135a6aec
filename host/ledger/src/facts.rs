//! Facts from outside: our own tables `host_fact_lists`, a row per list, and `host_facts`, a row per fact.

use super::{Ledger, LedgerError};
use mantis_plugin_api::{FactList, FactRow};
use rusqlite::{Connection, TransactionBehavior};

/// A list of facts, and where and when it was had.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFacts {
    /// The facts.
    pub list: FactList,
    /// What tells its source from others: a list of another source is begun anew.
    pub source: String,
    /// When it was last brought up to date, Unix seconds.
    pub unix: u64,
}

impl Ledger {
    /// The list of facts of a name; `None` if none was ever had.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn facts(&self, name: &str) -> Result<Option<StoredFacts>, LedgerError> {
        let sql = "SELECT source, block, time, unix FROM host_fact_lists WHERE name = ?1";
        let heads = self.record("host_fact_lists", sql, [name], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)?))
        })?;
        let Some((source, block, time, unix)) = heads.into_iter().next() else { return Ok(None) };
        let sql = "SELECT hotkey, block, time, numbers FROM host_facts WHERE name = ?1 ORDER BY place";
        let rows = self.record("host_facts", sql, [name], |row| {
            let numbers: String = row.get(3)?;
            Ok(FactRow {
                hotkey: row.get(0)?,
                block: row.get(1)?,
                time: row.get(2)?,
                numbers: serde_json::from_str(&numbers).unwrap_or_default(),
            })
        })?;
        let list = FactList { name: name.into(), block, time, rows };
        Ok(Some(StoredFacts { list, source, unix: unix.cast_unsigned() }))
    }

    /// Stores a list: facts that come after those it has, or, where `anew`, all of them in their place; wholly or not at
    /// all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_facts(&mut self, facts: &StoredFacts, anew: bool) -> Result<(), LedgerError> {
        let path = &self.path;
        let fail = |e| LedgerError::sqlite(path, "writing the table host_facts", e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        write(&tx, facts, anew).map_err(fail)?;
        tx.commit().map_err(fail)
    }
}

fn write(tx: &Connection, facts: &StoredFacts, anew: bool) -> rusqlite::Result<()> {
    let StoredFacts { list: FactList { name, block, time, rows }, source, unix } = facts;
    if anew {
        tx.execute("DELETE FROM host_facts WHERE name = ?1", [name])?;
    }
    tx.execute(
        "INSERT OR REPLACE INTO host_fact_lists (name, source, block, time, unix) VALUES (?1, ?2, ?3, ?4, ?5)",
        (name, source, block, time, unix.cast_signed()),
    )?;
    let next: i64 =
        tx.query_row("SELECT COALESCE(MAX(place), -1) + 1 FROM host_facts WHERE name = ?1", [name], |row| {
            row.get(0)
        })?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO host_facts (name, place, hotkey, block, time, numbers) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (place, row) in (next..).zip(rows) {
        let numbers = serde_json::json!(row.numbers).to_string();
        insert.execute((name, place, &row.hotkey, row.block, row.time, numbers))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(block: i64, rows: &[(&str, f64)]) -> StoredFacts {
        let row = |(hotkey, number): &(&str, f64)| FactRow {
            hotkey: (*hotkey).into(),
            block: Some(block),
            time: None,
            numbers: vec![*number, 0.1 + 0.2],
        };
        let rows = rows.iter().map(row).collect();
        let list = FactList { name: "bets".into(), block: Some(block), time: Some(1.5), rows };
        StoredFacts { list, source: "a".into(), unix: 7 }
    }

    #[test]
    fn a_list_grows_or_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.facts("bets").unwrap(), None);
        ledger.store_facts(&facts(10, &[("x", 1.0), ("y", 2.0)]), false).unwrap();
        ledger.store_facts(&facts(20, &[("x", 3.0)]), false).unwrap();
        let read = ledger.facts("bets").unwrap().unwrap();
        let found: Vec<_> =
            read.list.rows.iter().map(|row| (row.hotkey.as_str(), row.block, row.numbers[0])).collect();
        assert_eq!(found, [("x", Some(10), 1.0), ("y", Some(10), 2.0), ("x", Some(20), 3.0)]);
        assert_eq!((read.list.block, read.list.rows[0].numbers[1]), (Some(20), 0.1 + 0.2));
        let anew = facts(30, &[("z", 1.0)]);
        ledger.store_facts(&anew, true).unwrap();
        assert_eq!(ledger.facts("bets").unwrap(), Some(anew));
        assert_eq!(ledger.facts("stakes").unwrap(), None);
    }
}
