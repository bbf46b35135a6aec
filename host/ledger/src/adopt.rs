//! Making a file that strangers wrote our own: judged before anything is written, and without what is only theirs.

use super::open::{connect_read_only, connect_to_write, inspect};
use super::{Ledger, LedgerError, schema, shape};
use mantis_config::Block;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Bytes of one hotkey, of one text, and of one blob, at most.
const HOTKEY: i64 = 128;
const TEXT: i64 = 4 << 20;
const BLOB: i64 = 64 << 20;

/// Rows that no ledger has: what they are, the table, and what is true of them. `?1` is the newest block that there can
/// be, `?2` the newest row.
fn judgements() -> Vec<(&'static str, &'static str, String)> {
    let text = |column: &str, longest: i64| {
        format!("(typeof({column}) <> 'text' OR octet_length({column}) > {longest})")
    };
    let blob = |column: &str| {
        format!(
            "({column} IS NOT NULL AND (typeof({column}) NOT IN ('blob', 'text') OR octet_length({column}) > {BLOB}))"
        )
    };
    let number = |column: &str, most: &str| {
        format!("(typeof({column}) <> 'integer' OR {column} < 0 OR {column} > {most})")
    };
    let any = |all: &[String]| all.join(" OR ");
    vec![
        ("a block that there cannot be", "blocks", any(&[number("block", "?1"), number("idx", "?1")])),
        (
            "a challenge with impossible numbers",
            "challenge_meta",
            any(&[text("ticker", HOTKEY), number("dim", "1000000"), number("blocks_ahead", "100000000")]),
        ),
        (
            "a row of no challenge, or of a block that there cannot be",
            "challenge_data",
            any(&[text("ticker", HOTKEY), number("sidx", "?2")]),
        ),
        (
            "a price that is no number, or too large for one",
            "challenge_data",
            "price IS NOT NULL AND (typeof(price) NOT IN ('real', 'integer') OR abs(price + 0.0) > 1e300)"
                .into(),
        ),
        (
            "prices, hotkeys or forecasts of another type, or too long",
            "challenge_data",
            any(&[
                format!("(price_data IS NOT NULL AND {})", text("price_data", TEXT)),
                format!("(hotkeys IS NOT NULL AND {})", text("hotkeys", TEXT)),
                blob("embeddings"),
            ]),
        ),
        (
            "a payload of nobody, of another type, or too long",
            "raw_payloads",
            any(&[number("ts", "?1"), text("hotkey", HOTKEY), blob("payload")]),
        ),
        (
            "a live state of another type, or too long",
            "breakout_state",
            any(&[text("asset", HOTKEY), text("state_json", TEXT)]),
        ),
    ]
}

impl Ledger {
    /// Judges a file that strangers wrote, and makes it a ledger to begin with: the network's tables stay, signatures of
    /// the beacon go (they are fetched and verified again), and so does all that another validator of this program wrote
    /// about itself: its weights, its computations, its history. `newest` is the newest block that there can be.
    ///
    /// # Errors
    /// If it is no ledger, is damaged, holds anything that could run, or rows that no ledger has. It has not been written
    /// to then.
    pub fn adopt(path: impl AsRef<Path>, newest: Block, sample_every: u32) -> Result<(), LedgerError> {
        let path = path.as_ref();
        let theirs = judge(path, newest, sample_every)?;
        if theirs.is_empty() {
            return Ok(());
        }
        let fail = |e| LedgerError::sqlite(path, "removing what is its publisher's own", e);
        let mut conn = connect_to_write(path)?;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        for sql in theirs {
            tx.execute_batch(&sql).map_err(fail)?;
        }
        tx.commit().map_err(fail)?;
        // Into the file itself, in whichever mode it is.
        conn.pragma_update(None, "journal_mode", "DELETE").map_err(fail)
    }
}

/// Looks at everything; gives the statements that remove what is only theirs.
fn judge(path: &Path, newest: Block, sample_every: u32) -> Result<Vec<String>, LedgerError> {
    if inspect(path)? == 0 {
        return Err(LedgerError::Foreign { path: path.into(), lacks: "the file is empty".into() });
    }
    let ledger = connect_read_only(path)?;
    let conn = &ledger.conn;
    schema::check_network_tables(conn, path)?;
    // Before any question that would run what may stand there.
    shape::check_is_ours_alone(conn, path)?;
    schema::check_version(conn, path)?;
    ledger.check_integrity()?;
    for (what, table, is_bad) in judgements() {
        if schema::has_table(conn, path, table)? {
            refuse(conn, path, (newest, sample_every), (what, table, &is_bad))?;
        }
    }
    let fail = |e| LedgerError::sqlite(path, schema::DOING, e);
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'host\\_%' ESCAPE '\\'";
    let tables: Vec<String> = conn
        .prepare(sql)
        .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect())
        .map_err(fail)?;
    // Only names that were found to be ours.
    let mut theirs: Vec<String> = tables.iter().map(|table| format!("DROP TABLE \"{table}\"")).collect();
    let signed = "SELECT EXISTS (SELECT 1 FROM drand_cache)";
    if schema::has_table(conn, path, "drand_cache")?
        && conn.query_row(signed, [], |row| row.get(0)).map_err(fail)?
    {
        theirs.push("DELETE FROM drand_cache".into());
    }
    Ok(theirs)
}

fn refuse(
    conn: &Connection,
    path: &Path,
    (newest, sample_every): (Block, u32),
    (what, table, is_bad): (&str, &str, &str),
) -> Result<(), LedgerError> {
    let sidx = newest.0 / i64::from(sample_every.max(1)) + 1;
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE ({is_bad}) AND ?1 >= 0 AND ?2 >= 0)");
    let is_there: bool = conn
        .query_row(&sql, (newest.0, sidx), |row| row.get(0))
        .map_err(|e| LedgerError::sqlite(path, format!("the table {table}"), e))?;
    if is_there {
        let what = format!("{what} in its table `{table}` (the newest block is {newest})");
        return Err(LedgerError::Unsafe { path: path.into(), what });
    }
    Ok(())
}
