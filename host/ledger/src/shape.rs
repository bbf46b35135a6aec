//! The table of contents of a file that strangers may have written. SQLite runs what stands there: triggers at every
//! change, expressions in columns, indexes and constraints at every row.

use super::schema::{MIGRATIONS, MIGRATIONS_TABLE, NETWORK};
use super::{LedgerError, schema::DOING};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

/// An entry of the table of contents.
struct Entry {
    kind: String,
    name: String,
    table: String,
    sql: Option<String>,
}

/// Words that stand in the definition of a plain table or index, beside its own names.
const PLAIN: [&str; 22] = [
    "CREATE",
    "TABLE",
    "INDEX",
    "UNIQUE",
    "ON",
    "IF",
    "NOT",
    "EXISTS",
    "NULL",
    "DEFAULT",
    "PRIMARY",
    "KEY",
    "WITHOUT",
    "ROWID",
    "INTEGER",
    "REAL",
    "TEXT",
    "BLOB",
    "ASC",
    "X",
    "MAIN",
    "AUTOINCREMENT",
];
/// Words that begin an expression in a table's definition.
const EXPRESSIONS: [&str; 5] = ["CHECK", "GENERATED", "AS", "REFERENCES", "FOREIGN"];
/// SQLite's own tables: statistics, and the highest rowids.
const OWN: [&str; 3] = ["sqlite_stat1", "sqlite_stat4", "sqlite_sequence"];

/// Refuses a file in which anything would run that a ledger does not have: a trigger, a virtual table, an expression in
/// one of a ledger's tables or their indexes. Tables of other names, and views, may be there: nothing asks them.
pub(super) fn check_runs_nothing(conn: &Connection, path: &Path) -> Result<(), LedgerError> {
    let Contents { columns: known, .. } = contents(path)?;
    for entry in entries(conn, path)? {
        let sql = entry.sql.as_deref().unwrap_or_default();
        let words = words(sql);
        let is_known = known.contains_key(&entry.table);
        let runs = match entry.kind.as_str() {
            "trigger" => true,
            "table" if words.get(1).is_some_and(|word| word == "VIRTUAL") => true,
            "table" if is_known => {
                words.iter().any(|word| EXPRESSIONS.contains(&word.as_str())) || has_computed_default(sql)
            }
            "index" if is_known => !is_plain_index(sql),
            _ => false,
        };
        if runs {
            return Err(refused(path, &entry, "which could run code"));
        }
    }
    Ok(())
}

/// Refuses a file that holds anything but a ledger's tables and indexes, each with the columns that it has here.
pub(super) fn check_is_ours_alone(conn: &Connection, path: &Path) -> Result<(), LedgerError> {
    check_runs_nothing(conn, path)?;
    let Contents { columns: known, indexes } = contents(path)?;
    for entry in entries(conn, path)? {
        let sql = entry.sql.as_deref().unwrap_or_default();
        let is_ours = match entry.kind.as_str() {
            "table" if OWN.contains(&entry.name.as_str()) => true,
            "table" => known.get(&entry.name).is_some_and(|columns| is_plain(sql, &entry.name, columns)),
            // Made by SQLite for a key, without a text of its own.
            "index" if entry.sql.is_none() => known.contains_key(&entry.table),
            "index" => indexes.get(&entry.name).is_some_and(|ours| *ours == words(sql)),
            _ => false,
        };
        if !is_ours {
            return Err(refused(path, &entry, "which is none of a ledger's"));
        }
    }
    let there = columns(conn, path)?;
    for (table, columns) in there.iter().filter(|(table, _)| known.contains_key(*table)) {
        if known.get(table) != Some(columns) {
            let what = format!("the table `{table}` with other columns or another key than a ledger's");
            return Err(LedgerError::Unsafe { path: path.into(), what });
        }
    }
    Ok(())
}

fn refused(path: &Path, entry: &Entry, why: &str) -> LedgerError {
    let name: String = entry.name.chars().take(80).collect();
    let what = format!("the {} `{}`, {why}", entry.kind.escape_debug(), name.escape_debug());
    LedgerError::Unsafe { path: path.into(), what }
}

/// What an empty ledger of this version consists of.
struct Contents {
    columns: Columns,
    /// The words of each index that has a text of its own.
    indexes: BTreeMap<String, Vec<String>>,
}

/// Made once: every file that is opened is compared with it.
fn contents(path: &Path) -> Result<&'static Contents, LedgerError> {
    static CONTENTS: OnceLock<Contents> = OnceLock::new();
    if let Some(contents) = CONTENTS.get() {
        return Ok(contents);
    }
    let reference = reference(path)?;
    let indexes = entries(&reference, path)?.into_iter().filter(|entry| entry.kind == "index");
    let contents = Contents {
        columns: columns(&reference, path)?,
        indexes: indexes.filter_map(|entry| Some((entry.name, words(&entry.sql?)))).collect(),
    };
    Ok(CONTENTS.get_or_init(|| contents))
}

/// An empty ledger of this version, in memory.
fn reference(path: &Path) -> Result<Connection, LedgerError> {
    let make = || -> rusqlite::Result<Connection> {
        let conn = Connection::open_in_memory()?;
        conn.execute_batch(NETWORK)?;
        conn.execute_batch(MIGRATIONS_TABLE)?;
        MIGRATIONS.iter().try_for_each(|(_, sql)| conn.execute_batch(sql))?;
        Ok(conn)
    };
    make().map_err(|e| LedgerError::sqlite(path, "comparing its tables", e))
}

fn entries(conn: &Connection, path: &Path) -> Result<Vec<Entry>, LedgerError> {
    let read = || -> rusqlite::Result<Vec<Entry>> {
        let mut query = conn.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
        let entry = |row: &rusqlite::Row<'_>| {
            Ok(Entry { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })
        };
        query.query_map([], entry)?.collect()
    };
    read().map_err(|e| LedgerError::sqlite(path, DOING, e))
}

/// Of every table: its columns by name, each with its type, its place in the key, and whether it is computed.
type Columns = BTreeMap<String, BTreeSet<(String, String, i64, bool)>>;

fn columns(conn: &Connection, path: &Path) -> Result<Columns, LedgerError> {
    let read = || -> rusqlite::Result<Columns> {
        let sql = "SELECT m.name, c.name, upper(c.type), c.pk, c.hidden <> 0
            FROM sqlite_schema AS m JOIN pragma_table_xinfo(m.name) AS c WHERE m.type = 'table'";
        let mut query = conn.prepare(sql)?;
        let mut rows = query.query([])?;
        let mut all = Columns::new();
        while let Some(row) = rows.next()? {
            let column = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            all.entry(row.get(0)?).or_default().insert(column);
        }
        Ok(all)
    };
    read().map_err(|e| LedgerError::sqlite(path, DOING, e))
}

/// Whether a definition consists of nothing but a plain table's words, its name and its columns.
fn is_plain(sql: &str, table: &str, columns: &BTreeSet<(String, String, i64, bool)>) -> bool {
    let own: BTreeSet<String> = columns.iter().map(|column| column.0.to_uppercase()).collect();
    let is_mark = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_(),;'\"`[]".contains(c);
    let is_word = |word: &String| {
        PLAIN.contains(&word.as_str())
            || own.contains(word)
            || *word == table.to_uppercase()
            || is_number(word)
    };
    sql.chars().all(is_mark) && words(sql).iter().all(is_word)
}

/// Whether an index is over whole columns and all rows.
fn is_plain_index(sql: &str) -> bool {
    let is_mark = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_(),;'\"`[].".contains(c);
    sql.chars().all(is_mark)
        && sql.matches('(').count() <= 1
        && !words(sql).iter().any(|word| word == "WHERE")
}

/// Whether what a column holds by default is computed: it then stands in parentheses.
fn has_computed_default(sql: &str) -> bool {
    let upper = sql.to_uppercase();
    upper.match_indices("DEFAULT").any(|(at, word)| upper[at + word.len()..].trim_start().starts_with('('))
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// The words of a definition, in capitals; quotes, parentheses and commas only part them.
fn words(sql: &str) -> Vec<String> {
    let parts = sql.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    parts.filter(|word| !word.is_empty()).map(str::to_uppercase).collect()
}
