//! Facts from outside: our own tables `host_fact_lists`, a row per list, and `host_facts`, a row per fact.

use super::{Ledger, LedgerError};
use mantis_plugin_api::{FactList, FactRow};
use rusqlite::{Connection, TransactionBehavior};

/// How far a list of facts is had, and where from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FactsHead {
    /// What tells its source from others: a list of another source is begun anew.
    pub source: String,
    /// As [`FactList::block`].
    pub block: Option<i64>,
    /// As [`FactList::time`].
    pub time: Option<f64>,
    /// That block's hash, where it has one.
    pub hash: Option<String>,
    /// Whether it was once all that its source had: until then it is no list to score by.
    pub is_complete: bool,
    /// When it was last brought up to date, Unix seconds.
    pub unix: u64,
}

impl Ledger {
    /// How far the list of facts of a name is had; `None` if nothing of it ever was.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn facts_head(&self, name: &str) -> Result<Option<FactsHead>, LedgerError> {
        let sql = "SELECT source, block, time, hash, complete, unix FROM host_fact_lists WHERE name = ?1";
        let heads = self.record("host_fact_lists", sql, [name], |row| {
            Ok(FactsHead {
                source: row.get(0)?,
                block: row.get(1)?,
                time: row.get(2)?,
                hash: row.get(3)?,
                is_complete: row.get(4)?,
                unix: row.get::<_, i64>(5)?.cast_unsigned(),
            })
        })?;
        Ok(heads.into_iter().next())
    }

    /// The list of facts of a name; `None` if it never was complete.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn facts(&self, name: &str) -> Result<Option<FactList>, LedgerError> {
        // Of one moment: a list may be begun anew meanwhile.
        let _moment = self.conn.is_autocommit().then(|| self.freeze()).transpose()?;
        let Some(head) = self.facts_head(name)?.filter(|head| head.is_complete) else { return Ok(None) };
        let sql = "SELECT hotkey, block, time, numbers FROM host_facts WHERE name = ?1 ORDER BY place";
        let rows = self.record("host_facts", sql, [name], |row| {
            let numbers = row.get_ref(3)?.as_str()?;
            Ok(FactRow {
                hotkey: row.get(0)?,
                block: row.get(1)?,
                time: row.get(2)?,
                numbers: serde_json::from_str(numbers).unwrap_or_default(),
            })
        })?;
        Ok(Some(FactList { name: name.into(), block: head.block, time: head.time, rows }))
    }

    /// Stores facts of a list that come after those it has, or, where `anew`, all of them in their place; wholly or not at
    /// all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_facts(
        &mut self,
        name: &str,
        head: &FactsHead,
        rows: &[FactRow],
        anew: bool,
    ) -> Result<(), LedgerError> {
        let path = &self.path;
        let fail = |e| LedgerError::sqlite(path, "writing the table host_facts", e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        write(&tx, name, head, rows, anew).map_err(fail)?;
        tx.commit().map_err(fail)
    }
}

fn write(
    tx: &Connection,
    name: &str,
    head: &FactsHead,
    rows: &[FactRow],
    anew: bool,
) -> rusqlite::Result<()> {
    if anew {
        tx.execute("DELETE FROM host_facts WHERE name = ?1", [name])?;
    }
    let FactsHead { source, block, time, hash, is_complete, unix } = head;
    tx.execute(
        "INSERT OR REPLACE INTO host_fact_lists (name, source, block, time, hash, complete, unix)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (name, source, block, time, hash, is_complete, unix.cast_signed()),
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

    fn head(block: i64) -> FactsHead {
        let hash = Some(format!("{block:064x}"));
        FactsHead {
            source: "a".into(),
            block: Some(block),
            time: Some(1.5),
            hash,
            is_complete: true,
            unix: 7,
        }
    }

    fn rows(block: i64, rows: &[(&str, f64)]) -> Vec<FactRow> {
        let row = |(hotkey, number): &(&str, f64)| FactRow {
            hotkey: (*hotkey).into(),
            block: Some(block),
            time: None,
            numbers: vec![*number, 0.1 + 0.2],
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn a_list_grows_or_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!((ledger.facts("bets").unwrap(), ledger.facts_head("bets").unwrap()), (None, None));
        let begun = FactsHead { is_complete: false, ..head(10) };
        ledger.store_facts("bets", &begun, &rows(10, &[("x", 1.0), ("y", 2.0)]), false).unwrap();
        // Half a list says of the other half's miners that there is nothing: it is not given.
        assert_eq!((ledger.facts("bets").unwrap(), ledger.facts_head("bets").unwrap()), (None, Some(begun)));
        ledger.store_facts("bets", &head(20), &rows(20, &[("x", 3.0)]), false).unwrap();
        let read = ledger.facts("bets").unwrap().unwrap();
        let found: Vec<_> =
            read.rows.iter().map(|row| (row.hotkey.as_str(), row.block, row.numbers[0])).collect();
        assert_eq!(found, [("x", Some(10), 1.0), ("y", Some(10), 2.0), ("x", Some(20), 3.0)]);
        assert_eq!((read.block, read.rows[0].numbers[1]), (Some(20), 0.1 + 0.2));
        ledger.store_facts("bets", &head(30), &rows(30, &[("z", 1.0)]), true).unwrap();
        let read = ledger.facts("bets").unwrap().unwrap();
        assert_eq!((read.block, read.time, read.rows), (Some(30), Some(1.5), rows(30, &[("z", 1.0)])));
        assert_eq!(ledger.facts("stakes").unwrap(), None);
    }
}
