//! The network's tables, and our own with their versions.

use super::LedgerError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// The network's tables. Nothing of ours is in them, and they are never altered.
pub(super) const NETWORK: &str = "
CREATE TABLE IF NOT EXISTS blocks (idx INTEGER PRIMARY KEY, block INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS challenge_meta (
    ticker TEXT PRIMARY KEY, dim INTEGER NOT NULL, blocks_ahead INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS challenge_data (
    ticker TEXT NOT NULL, sidx INTEGER NOT NULL, price REAL, price_data TEXT,
    hotkeys TEXT NOT NULL DEFAULT '[]', embeddings BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (ticker, sidx));
CREATE TABLE IF NOT EXISTS raw_payloads (
    ts INTEGER NOT NULL, hotkey TEXT NOT NULL, payload BLOB, PRIMARY KEY (ts, hotkey));
CREATE TABLE IF NOT EXISTS drand_cache (round INTEGER PRIMARY KEY, signature BLOB);
CREATE TABLE IF NOT EXISTS breakout_state (asset TEXT PRIMARY KEY, state_json TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS idx_blocks_block ON blocks(block);
";

/// What makes a file a ledger. The network's other tables may be missing: they are made when we write.
const REQUIRED: &[(&str, &[&str])] = &[
    ("blocks", &["idx", "block"]),
    ("challenge_meta", &["ticker", "dim", "blocks_ahead"]),
    ("challenge_data", &["ticker", "sidx", "price", "price_data", "hotkeys", "embeddings"]),
];

/// Our own tables, step by step. A step that was released is never changed: add another.
pub(super) const MIGRATIONS: &[(&str, &str)] = &[
    (
        "smoothed weights of the last computation",
        "CREATE TABLE host_weights (
            hotkey TEXT PRIMARY KEY, weight REAL NOT NULL, block INTEGER NOT NULL) WITHOUT ROWID;",
    ),
    (
        "payloads seen, and why others were refused",
        "CREATE TABLE host_payloads (
            hotkey TEXT NOT NULL, sha256 BLOB NOT NULL, round INTEGER NOT NULL,
            first_block INTEGER NOT NULL, last_block INTEGER NOT NULL, times INTEGER NOT NULL,
            PRIMARY KEY (hotkey, sha256)) WITHOUT ROWID;
        CREATE INDEX host_payloads_last ON host_payloads(last_block);
        CREATE TABLE host_miners (
            hotkey TEXT PRIMARY KEY, accepted INTEGER NOT NULL, stale INTEGER NOT NULL, early INTEGER NOT NULL,
            opened INTEGER NOT NULL, last_block INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE host_rejections (
            hotkey TEXT NOT NULL, stage TEXT NOT NULL, ticker TEXT NOT NULL, code TEXT NOT NULL,
            first_block INTEGER NOT NULL, last_block INTEGER NOT NULL, times INTEGER NOT NULL, detail TEXT NOT NULL,
            PRIMARY KEY (hotkey, stage, ticker, code, first_block)) WITHOUT ROWID;",
    ),
    (
        "how far live states have come",
        "CREATE TABLE host_tracked (ticker TEXT PRIMARY KEY, sidx INTEGER NOT NULL) WITHOUT ROWID;",
    ),
    (
        "what was computed, step by step, and what was set",
        "CREATE TABLE host_cycles (
            block INTEGER PRIMARY KEY, max_block INTEGER NOT NULL, unix INTEGER NOT NULL, seconds REAL NOT NULL,
            rejected TEXT, skipped TEXT NOT NULL);
        CREATE TABLE host_saliences (
            block INTEGER NOT NULL, ticker TEXT NOT NULL, hotkey TEXT NOT NULL, salience REAL NOT NULL,
            PRIMARY KEY (block, ticker, hotkey)) WITHOUT ROWID;
        CREATE TABLE host_steps (
            block INTEGER NOT NULL, uid INTEGER NOT NULL, hotkey TEXT NOT NULL, salience REAL NOT NULL,
            young INTEGER NOT NULL, share REAL NOT NULL, burned REAL NOT NULL, previous REAL, weight REAL NOT NULL,
            PRIMARY KEY (block, uid)) WITHOUT ROWID;
        CREATE TABLE host_weight_history (
            id INTEGER PRIMARY KEY, computed INTEGER NOT NULL, block INTEGER NOT NULL, unix INTEGER NOT NULL,
            outcome TEXT NOT NULL, hash TEXT, included INTEGER, error TEXT, weights TEXT NOT NULL);",
    ),
    (
        "why the last computation paid whom, and how each miner sends",
        "CREATE TABLE host_challenges (
            block INTEGER NOT NULL, ticker TEXT NOT NULL, place INTEGER NOT NULL, weight REAL NOT NULL,
            seconds REAL NOT NULL, skipped TEXT, plugin TEXT, facts TEXT NOT NULL, miners INTEGER NOT NULL,
            paid INTEGER NOT NULL, PRIMARY KEY (block, ticker)) WITHOUT ROWID;
        CREATE TABLE host_reports (
            ticker TEXT NOT NULL, hotkey TEXT NOT NULL, place INTEGER NOT NULL, salience REAL NOT NULL,
            why_code TEXT, why_text TEXT, facts TEXT NOT NULL,
            PRIMARY KEY (ticker, hotkey)) WITHOUT ROWID;
        CREATE TABLE host_activity (
            ticker TEXT NOT NULL, hotkey TEXT NOT NULL, rows INTEGER NOT NULL, present INTEGER NOT NULL,
            changes INTEGER NOT NULL, last_sidx INTEGER NOT NULL, changed_sidx INTEGER NOT NULL,
            twin TEXT, twin_rows INTEGER NOT NULL,
            PRIMARY KEY (ticker, hotkey)) WITHOUT ROWID;
        CREATE INDEX host_saliences_hotkey ON host_saliences(hotkey);
        CREATE INDEX host_steps_hotkey ON host_steps(hotkey);",
    ),
    (
        "what a computation was made with, and which challenges failed",
        "CREATE TABLE host_made (block INTEGER PRIMARY KEY, config TEXT NOT NULL, rules TEXT NOT NULL);
        CREATE TABLE host_runs (
            block INTEGER NOT NULL, ticker TEXT NOT NULL, failure TEXT, held_block INTEGER,
            held_computations INTEGER, solver TEXT, runtime TEXT, sha256 TEXT,
            PRIMARY KEY (block, ticker)) WITHOUT ROWID;",
    ),
    (
        "what the stored numbers of each challenge mean",
        "CREATE TABLE host_layout (
            ticker TEXT PRIMARY KEY, dim INTEGER NOT NULL, assets TEXT NOT NULL, sample_every INTEGER NOT NULL,
            prices_from TEXT) WITHOUT ROWID;",
    ),
    (
        "which chain it is of, and up to where it was emptied",
        "CREATE TABLE host_chain (
            id INTEGER PRIMARY KEY, genesis TEXT, block INTEGER, unix INTEGER,
            pruned_block INTEGER, pruned_unix INTEGER, pruned_days INTEGER);",
    ),
    (
        "prices that were hardly to be believed",
        "CREATE TABLE host_doubtful_prices (
            ticker TEXT NOT NULL, sidx INTEGER NOT NULL, asset TEXT NOT NULL, price REAL NOT NULL, usual REAL,
            code TEXT NOT NULL, stored INTEGER NOT NULL, PRIMARY KEY (ticker, sidx, asset)) WITHOUT ROWID;",
    ),
    (
        "payloads that wait for their round alone, and openings that were begun",
        "CREATE TABLE host_waiting (
            ts INTEGER NOT NULL, hotkey TEXT NOT NULL, round INTEGER NOT NULL, since INTEGER NOT NULL,
            PRIMARY KEY (ts, hotkey)) WITHOUT ROWID;
        CREATE TABLE host_openings (
            ts INTEGER NOT NULL, hotkey TEXT NOT NULL, tries INTEGER NOT NULL,
            PRIMARY KEY (ts, hotkey)) WITHOUT ROWID;",
    ),
    (
        "checksums of rows",
        "CREATE TABLE host_sums (
            ticker TEXT NOT NULL, sidx INTEGER NOT NULL, prices INTEGER NOT NULL, vectors INTEGER NOT NULL,
            PRIMARY KEY (ticker, sidx)) WITHOUT ROWID;",
    ),
    (
        "what nobody earns",
        "CREATE TABLE host_burns (
            block INTEGER NOT NULL, ticker TEXT NOT NULL, burn REAL NOT NULL,
            PRIMARY KEY (block, ticker)) WITHOUT ROWID;",
    ),
    (
        "challenges whose numbers are stored in single precision, and facts from outside",
        "CREATE TABLE host_singles (ticker TEXT PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE host_fact_lists (
            name TEXT PRIMARY KEY, source TEXT NOT NULL, block INTEGER, time REAL, hash TEXT, complete INTEGER NOT NULL,
            unix INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE host_facts (
            name TEXT NOT NULL, place INTEGER NOT NULL, hotkey TEXT NOT NULL, block INTEGER, time REAL,
            numbers TEXT NOT NULL, PRIMARY KEY (name, place)) WITHOUT ROWID;",
    ),
    (
        "bytes of the payloads that wait, and ways to those that wait alone",
        "CREATE TABLE host_held (hotkey TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO host_held (hotkey, bytes)
            SELECT hotkey, SUM(LENGTH(payload)) FROM raw_payloads WHERE LENGTH(payload) > 2 GROUP BY hotkey;
        CREATE INDEX host_waiting_round ON host_waiting(round);
        CREATE INDEX host_waiting_since ON host_waiting(since);",
    ),
    (
        "releases of the subnet's owner, and from which block on each counts",
        "CREATE TABLE host_releases (
            number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, activate INTEGER NOT NULL, taken INTEGER NOT NULL,
            unix INTEGER NOT NULL);",
    ),
    (
        "how weights stand with those of other validators",
        "CREATE TABLE host_agreement (
            block INTEGER PRIMARY KEY, unix INTEGER NOT NULL, distance REAL, validator_trust REAL NOT NULL,
            document TEXT NOT NULL);",
    ),
    (
        "why challenges paid whom, of a week of computations",
        "CREATE TABLE host_reasons (
            block INTEGER NOT NULL, ticker TEXT NOT NULL, hotkey TEXT NOT NULL, place INTEGER NOT NULL,
            salience REAL NOT NULL, why_code TEXT, why_text TEXT, facts TEXT NOT NULL,
            PRIMARY KEY (block, ticker, hotkey)) WITHOUT ROWID;
        INSERT INTO host_reasons
            SELECT newest, ticker, hotkey, place, salience, why_code, why_text, facts
            FROM host_reports, (SELECT MAX(block) AS newest FROM host_challenges) WHERE newest IS NOT NULL;
        DROP TABLE host_reports;
        CREATE INDEX host_reasons_hotkey ON host_reasons(hotkey);",
    ),
    (
        "what was fetched of published ledgers",
        "CREATE TABLE host_publishers (
            publisher TEXT PRIMARY KEY, number INTEGER NOT NULL, sha256 TEXT NOT NULL, unix INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE host_parts (
            day INTEGER PRIMARY KEY, publisher TEXT NOT NULL, number INTEGER NOT NULL, content TEXT NOT NULL,
            is_final INTEGER NOT NULL, unix INTEGER NOT NULL);
        CREATE TABLE host_fetched (sidx INTEGER PRIMARY KEY);",
    ),
];

/// Which of the steps were done.
pub(super) const MIGRATIONS_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS host_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL)";

/// The newest version of our own tables.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

pub(super) const DOING: &str = "its table of contents";

/// Whether there is no table at all: a ledger whose creation was cut short.
pub(super) fn is_blank(conn: &Connection, path: &Path) -> Result<bool, LedgerError> {
    conn.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(|e| LedgerError::sqlite(path, DOING, e))
}

/// Refuses a file that lacks one of the network's tables or columns.
pub(super) fn check_network_tables(conn: &Connection, path: &Path) -> Result<(), LedgerError> {
    for (table, columns) in REQUIRED {
        if !has_table(conn, path, table)? {
            return Err(LedgerError::Foreign {
                path: path.into(),
                lacks: format!("it has no table `{table}`"),
            });
        }
        for column in *columns {
            let found: bool = conn
                .query_row(
                    "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)",
                    [table, column],
                    |row| row.get(0),
                )
                .map_err(|e| LedgerError::sqlite(path, DOING, e))?;
            if !found {
                let lacks = format!("its table `{table}` has no column `{column}`");
                return Err(LedgerError::Foreign { path: path.into(), lacks });
            }
        }
    }
    Ok(())
}

/// Refuses a file whose own tables are newer than this program. Returns their version, 0 if there are none.
pub(super) fn check_version(conn: &Connection, path: &Path) -> Result<i64, LedgerError> {
    if !has_table(conn, path, "host_migrations")? {
        return Ok(0);
    }
    let found = conn
        .query_row("SELECT COALESCE(MAX(version), 0) FROM host_migrations", [], |row| row.get(0))
        .map_err(|e| LedgerError::sqlite(path, "host_migrations", e))?;
    if found > VERSION {
        return Err(LedgerError::Newer { path: path.into(), found, known: VERSION });
    }
    Ok(found)
}

/// Creates what is missing and runs the migrations that have not been run, all in one transaction.
pub(super) fn create_and_migrate(conn: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let fail = |e| LedgerError::sqlite(path, "creating its tables", e);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    tx.execute_batch(NETWORK).map_err(fail)?;
    tx.execute_batch(MIGRATIONS_TABLE).map_err(fail)?;
    let done = check_version(&tx, path)?;
    for (version, (name, sql)) in (1_i64..).zip(MIGRATIONS) {
        if version > done {
            tx.execute_batch(sql).map_err(fail)?;
            tx.execute("INSERT INTO host_migrations (version, name) VALUES (?1, ?2)", (version, name))
                .map_err(fail)?;
        }
    }
    tx.commit().map_err(fail)
}

/// Whether the file has a table.
pub(super) fn has_table(conn: &Connection, path: &Path, table: &str) -> Result<bool, LedgerError> {
    conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)",
        [table],
        |row| row.get(0),
    )
    .map_err(|e| LedgerError::sqlite(path, DOING, e))
}
