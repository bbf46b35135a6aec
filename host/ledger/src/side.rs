//! Files beside the ledger: the network keeps the rows of some challenges in a database of their own.
//!
//! They are read as if their rows lay in the ledger; of a row that lies in both, the ledger's is taken. What is written goes
//! into the ledger alone.

use super::{Ledger, LedgerError};
use mantis_config::Config;
use rusqlite::limits::Limit;
use std::collections::BTreeMap;
use std::path::Path;

impl Ledger {
    /// Reads the files beside the ledger too that a configuration names for its challenges; one that is not there has no
    /// rows.
    ///
    /// # Errors
    /// [`LedgerError`] for a file that is no such database.
    pub fn attach_sides(&self, config: &Config) -> Result<(), LedgerError> {
        let mut sides: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for challenge in &config.challenges {
            if let Some(file) = &challenge.file {
                sides.entry(file).or_default().push(&challenge.ticker);
            }
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let mut parts = vec![format!("SELECT {COLUMNS} FROM main.challenge_data")];
        for (place, (file, tickers)) in sides.into_iter().enumerate() {
            let path = folder.join(file);
            if path.exists() {
                let schema = format!("side{place}");
                self.attach(&path, &schema)?;
                parts.push(part(&schema, &tickers));
            }
        }
        if parts.len() == 1 {
            return Ok(());
        }
        let view = format!("CREATE TEMP VIEW IF NOT EXISTS challenge_data AS {}", parts.join(" UNION ALL "));
        let fail = |e| LedgerError::sqlite(&self.path, "joining the files beside it", e);
        self.conn.execute_batch(&view).map_err(fail)
    }

    /// Attaches one file, if it is not yet.
    fn attach(&self, path: &Path, schema: &str) -> Result<(), LedgerError> {
        let fail = |e| LedgerError::sqlite(path, "opening it beside the ledger", e);
        let attached = "SELECT EXISTS (SELECT 1 FROM pragma_database_list WHERE name = ?1)";
        if self.conn.query_row(attached, [schema], |row| row.get(0)).map_err(fail)? {
            return Ok(());
        }
        super::open::inspect(path)?;
        // Nothing else may be attached, by whatever a file holds.
        let before = self.conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, MOST_SIDES).map_err(fail)?;
        let done = self.conn.execute(&format!("ATTACH ?1 AS {schema}"), [path.to_string_lossy()]);
        self.conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, before).map_err(fail)?;
        done.map_err(fail)?;
        let sql = format!(
            "SELECT COUNT(*) FROM {schema}.sqlite_schema WHERE type = 'table' AND name = 'challenge_data'"
        );
        let tables: i64 = self.conn.query_row(&sql, [], |row| row.get(0)).map_err(fail)?;
        if tables == 1 {
            return Ok(());
        }
        Err(LedgerError::Foreign { path: path.into(), lacks: "it has no table `challenge_data`".into() })
    }
}

const COLUMNS: &str = "ticker, sidx, price, price_data, hotkeys, embeddings";
/// Files beside a ledger.
const MOST_SIDES: i32 = 8;

/// The rows of some tickers in a file, without those that the ledger has itself. Tickers hold no quotes.
fn part(schema: &str, tickers: &[&str]) -> String {
    let tickers: Vec<String> = tickers.iter().map(|ticker| format!("'{ticker}'")).collect();
    format!(
        "SELECT {COLUMNS} FROM {schema}.challenge_data s WHERE s.ticker IN ({}) AND NOT EXISTS (
            SELECT 1 FROM main.challenge_data m WHERE m.ticker = s.ticker AND m.sidx = s.sidx)",
        tickers.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewRow, Row, SampledBlock, Vector};
    use mantis_config::{Block, Sidx};
    use std::ops::ControlFlow;

    fn write(path: &Path, sidx: impl Iterator<Item = i64>, number: f32) {
        let mut ledger = Ledger::open(path).unwrap();
        let row = NewRow {
            ticker: "FLOW".into(),
            dim: 2,
            price_data: Some(vec![("BTC".into(), 1.5)]),
            submissions: vec![("5A".into(), Vector::F32(vec![number, 0.0]))],
            ..NewRow::default()
        };
        for sidx in sidx {
            let block = Block(5 * sidx);
            ledger.append(&SampledBlock { block, sidx: Sidx(sidx), rows: vec![row.clone()] }).unwrap();
        }
    }

    #[test]
    fn rows_beside_the_ledger_are_read_with_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        write(&path, 3..6, 1.0);
        let text = "[[challenge]]\nname=\"F\"\nticker=\"FLOW\"\nplugin=\"flow\"\nassets=[\"BTC\"]\ndim=2\nweight=1\n\
            storage=\"f32\"\nfile=\"beside.db\"\n";
        let config = Config::parse(text, Path::new("a.toml")).unwrap();
        let read = || {
            let ledger = Ledger::read(&path).unwrap();
            ledger.attach_sides(&config).unwrap();
            ledger.attach_sides(&config).unwrap();
            let mut found = Vec::new();
            let each = |row: Row<'_>| {
                let (_, bytes) = row.submissions.iter().next().unwrap();
                found.push((row.sidx.0, Vector::from_bytes(bytes, row.submissions.storage()).to_f32()[0]));
                Ok::<_, LedgerError>(ControlFlow::Continue(()))
            };
            ledger.rows("FLOW", Sidx(2)..=Sidx(100), 2, each).unwrap();
            found
        };
        assert_eq!(read(), [(3, 1.0), (4, 1.0), (5, 1.0)]);
        write(&dir.path().join("beside.db"), 1..5, 2.0);
        assert_eq!(read(), [(2, 2.0), (3, 1.0), (4, 1.0), (5, 1.0)]);

        std::fs::write(dir.path().join("beside.db"), "not a database").unwrap();
        assert!(Ledger::read(&path).unwrap().attach_sides(&config).is_err());
    }
}
