//! A hundred published ledgers and more that are not to be trusted: each is refused before anything is written.

use super::{Ledger, LedgerError, NewRow, SampledBlock};
use mantis_config::{Block, Sidx};
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};

const NEWEST: Block = Block(20_000);

/// A ledger as a validator of ours leaves it: with a record of its own.
fn published(dir: &Path) -> PathBuf {
    let path = dir.join("published.db");
    let mut ledger = Ledger::open(&path).unwrap();
    let record =
        |ticker: &str| NewRow { ticker: ticker.into(), price: Some(1.0), dim: 2, ..NewRow::default() };
    let step = |k| SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![record("A"), record("B")] };
    ledger.append_many((1..=300).map(step), 500).unwrap();
    ledger.store_signatures(&[(7, [7; 48])]).unwrap();
    drop(ledger);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "INSERT INTO host_weights VALUES ('5Mine', 1.0, 1500);
        INSERT INTO host_weight_history (computed, block, unix, outcome, weights) VALUES (1500, 1500, 1, 'set', '[]');
        INSERT INTO breakout_state VALUES ('BTC', '{}');
        PRAGMA journal_mode = DELETE;",
    )
    .unwrap_or_default();
    drop(conn);
    path
}

/// The same file, changed by SQL that its publisher may run.
fn changed(good: &Path, name: &str, sql: &str) -> PathBuf {
    let path = good.with_file_name(format!("{name}.db"));
    fs::copy(good, &path).unwrap();
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "foreign_keys", false).unwrap();
    conn.execute_batch(sql).unwrap_or_else(|error| panic!("{name}: {error}: {sql}"));
    path
}

/// A table made again, with what is in it, by another definition.
fn redefined(table: &str, definition: &str, columns: &str) -> String {
    format!(
        "ALTER TABLE {table} RENAME TO old; {definition}; INSERT INTO {table} ({columns}) SELECT {columns} FROM old;
        DROP TABLE old;"
    )
}

fn hostile() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, sql: String| all.push((format!("{name}-{}", all.len()), sql));

    let tables =
        ["blocks", "challenge_meta", "challenge_data", "raw_payloads", "drand_cache", "breakout_state"];
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    for table in tables.iter().chain(["host_weights", "host_saliences", "host_steps"].iter()) {
        for (event, action) in [
            ("AFTER INSERT", "UPDATE challenge_data SET price = 2 * price"),
            ("BEFORE INSERT", "SELECT RAISE(ABORT, 'no')"),
            ("AFTER DELETE", "DELETE FROM challenge_data"),
            ("AFTER UPDATE", endless),
        ] {
            add("trigger", format!("CREATE TRIGGER t {event} ON {table} BEGIN {action}; END"));
        }
    }
    for view in [
        "CREATE VIEW v AS SELECT * FROM blocks".to_owned(),
        format!("CREATE VIEW v AS {endless}"),
        "DROP TABLE drand_cache; CREATE VIEW drand_cache AS SELECT 1 AS round, x'00' AS signature".into(),
        "DROP TABLE raw_payloads; CREATE VIEW raw_payloads AS SELECT idx AS ts, 'h' AS hotkey, x'00' AS payload FROM blocks"
            .into(),
    ] {
        add("view", view);
    }
    for module in ["fts5(a)", "rtree(id, a, b)"] {
        add("virtual", format!("CREATE VIRTUAL TABLE v USING {module}"));
    }
    for computed in [
        "ALTER TABLE challenge_data ADD COLUMN more REAL AS (price * 2)",
        "ALTER TABLE blocks ADD COLUMN more INTEGER GENERATED ALWAYS AS (block + 1) VIRTUAL",
        "ALTER TABLE breakout_state ADD COLUMN more TEXT AS (hex(state_json))",
        "ALTER TABLE challenge_data ADD COLUMN more REAL",
        "ALTER TABLE blocks ADD COLUMN more TEXT DEFAULT 'x'",
        "ALTER TABLE host_weights ADD COLUMN more TEXT",
    ] {
        add("column", computed.into());
    }
    let data = "ticker, sidx, price, price_data, hotkeys, embeddings";
    for last in [
        "price REAL CHECK (price < 2)",
        "price REAL DEFAULT (random())",
        "price REAL REFERENCES blocks (block)",
        "price REAL COLLATE NOCASE",
        "price TEXT",
        "price REAL UNIQUE ON CONFLICT REPLACE",
    ] {
        let definition = format!(
            "CREATE TABLE challenge_data (ticker TEXT NOT NULL, sidx INTEGER NOT NULL, {last}, price_data TEXT,
            hotkeys TEXT, embeddings BLOB, PRIMARY KEY (ticker, sidx))"
        );
        add("definition", redefined("challenge_data", &definition, data));
    }
    for definition in [
        "CREATE TABLE blocks (idx INTEGER, block INTEGER NOT NULL)",
        "CREATE TABLE blocks (idx INTEGER PRIMARY KEY, block TEXT NOT NULL)",
        "CREATE TABLE blocks (idx INTEGER PRIMARY KEY, block INTEGER CHECK (abs(block) >= 0))",
        "CREATE TABLE blocks (idx INTEGER PRIMARY KEY, block INTEGER DEFAULT (1 + 1))",
    ] {
        add("definition", redefined("blocks", definition, "idx, block"));
    }
    for index in [
        "CREATE INDEX i ON challenge_data (abs(price))",
        "CREATE INDEX i ON challenge_data (price) WHERE price > 0",
        "CREATE INDEX i ON blocks (block + 1)",
        "CREATE INDEX i ON blocks (idx, block)",
        "CREATE UNIQUE INDEX i ON challenge_meta (dim, ticker)",
        "CREATE INDEX i ON host_weights (upper(hotkey))",
        "DROP INDEX idx_blocks_block; CREATE INDEX idx_blocks_block ON blocks (block DESC)",
        "DROP INDEX idx_blocks_block; CREATE INDEX idx_blocks_block ON blocks (block) WHERE block > 9",
    ] {
        add("index", index.into());
    }
    for table in [
        "CREATE TABLE users (name TEXT)",
        "CREATE TABLE host_other (a TEXT)",
        "CREATE TABLE \"\u{1b}[2J\" (a)",
    ] {
        add("table", table.into());
    }
    let last = i64::MAX;
    for rows in [
        format!("INSERT INTO blocks VALUES (301, {last})"),
        "INSERT INTO blocks VALUES (301, 20001)".into(),
        "INSERT INTO blocks VALUES (301, -5)".into(),
        format!("INSERT INTO blocks VALUES ({last}, 1505)"),
        "INSERT INTO blocks VALUES (-1, 1505)".into(),
        "UPDATE blocks SET block = 'soon' WHERE idx = 7".into(),
        "UPDATE blocks SET block = x'00' WHERE idx = 7".into(),
        "UPDATE blocks SET block = 7.5 WHERE idx = 7".into(),
        format!("INSERT INTO challenge_data (ticker, sidx, price) VALUES ('A', {last}, 1)"),
        "INSERT INTO challenge_data (ticker, sidx, price) VALUES ('A', -1, 1)".into(),
        "INSERT INTO challenge_data (ticker, sidx, price) VALUES ('A', 5000, 1)".into(),
        "INSERT INTO challenge_data (ticker, sidx, price) VALUES (x'41', 301, 1)".into(),
        "INSERT INTO challenge_data (ticker, sidx, price) VALUES (hex(zeroblob(1000)), 301, 1)".into(),
        "UPDATE challenge_data SET price = 9e999 WHERE sidx = 7".into(),
        "UPDATE challenge_data SET price = -9e999 WHERE sidx = 7".into(),
        "UPDATE challenge_data SET price = 'much' WHERE sidx = 7".into(),
        "UPDATE challenge_data SET price = x'00' WHERE sidx = 7".into(),
        "UPDATE challenge_data SET hotkeys = x'5b5d' WHERE sidx = 7".into(),
        "UPDATE challenge_data SET hotkeys = hex(zeroblob(3000000)) WHERE sidx = 7 AND ticker = 'A'".into(),
        "UPDATE challenge_data SET price_data = 5.5e5 || hex(zeroblob(3000000)) WHERE sidx = 7 AND ticker = 'A'".into(),
        "UPDATE challenge_data SET embeddings = 7 WHERE sidx = 7".into(),
        "UPDATE challenge_data SET embeddings = zeroblob(70000000) WHERE sidx = 7 AND ticker = 'A'".into(),
        "UPDATE challenge_meta SET dim = -1".into(),
        "UPDATE challenge_meta SET dim = 1000000000000".into(),
        "UPDATE challenge_meta SET dim = 'two'".into(),
        format!("UPDATE challenge_meta SET blocks_ahead = {last}"),
        format!("INSERT INTO raw_payloads VALUES ({last}, 'h', x'00')"),
        "INSERT INTO raw_payloads VALUES (7, x'00', x'00')".into(),
        "INSERT INTO raw_payloads VALUES (7, hex(zeroblob(1000)), x'00')".into(),
        "INSERT INTO raw_payloads VALUES (7, 'h', 7)".into(),
        "INSERT INTO breakout_state VALUES ('ETH', x'00')".into(),
        "INSERT INTO breakout_state VALUES ('ETH', hex(zeroblob(3000000)))".into(),
        "INSERT INTO host_migrations VALUES (99, 'from the future')".into(),
    ] {
        add("rows", rows);
    }
    all
}

#[test]
fn hostile_ledgers_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let good = published(dir.path());
    let hostile = hostile();
    assert!(hostile.len() >= 100, "{}", hostile.len());
    for (name, sql) in hostile {
        let path = changed(&good, &name, &sql);
        let before = fs::read(&path).unwrap();
        let error = Ledger::adopt(&path, NEWEST, 5).err().unwrap_or_else(|| panic!("{name} is taken: {sql}"));
        let text = error.to_string();
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert_eq!(fs::read(&path).unwrap(), before, "{name} was written to");
        // What could run is refused however the file is opened.
        let runs = ["trigger", "virtual"].iter().any(|kind| name.starts_with(kind));
        if runs {
            assert!(matches!(Ledger::read(&path), Err(LedgerError::Unsafe { .. })), "{name} is read: {sql}");
            assert!(
                matches!(Ledger::open(&path), Err(LedgerError::Unsafe { .. })),
                "{name} is opened: {sql}"
            );
        }
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn what_is_cut_or_damaged_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let good = published(dir.path());
    let whole = fs::read(&good).unwrap();
    let path = dir.path().join("cut.db");
    for parts in 1..20 {
        fs::write(&path, &whole[..whole.len() * parts / 20]).unwrap();
        Ledger::adopt(&path, NEWEST, 5).unwrap_err();
    }
    let pages = whole.len() / 4096;
    for page in 1..pages {
        let mut bytes = whole.clone();
        bytes[page * 4096..page * 4096 + 64].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        // A page that nothing uses may hold what it will.
        if Ledger::adopt(&path, NEWEST, 5).is_ok() {
            Ledger::read(&path).unwrap().check_integrity().unwrap();
        }
    }
}

#[test]
fn a_good_one_is_taken_without_its_publisher_s_own_record() {
    let dir = tempfile::tempdir().unwrap();
    let path = published(dir.path());
    Ledger::adopt(&path, NEWEST, 5).unwrap();
    for side in ["-wal", "-shm", "-journal"] {
        assert!(!path.with_file_name(format!("published.db{side}")).exists(), "{side}");
    }
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.tickers().unwrap()[1].rows, 300);
    assert_eq!(ledger.last_block().unwrap(), Some(Block(1500)));
    assert_eq!(ledger.breakout_state().unwrap(), [("BTC".to_owned(), "{}".to_owned())]);
    assert!(ledger.attempts(10).unwrap().is_empty() && ledger.signature(7).unwrap().is_none());
    let weights: i64 =
        ledger.raw().query_row("SELECT COUNT(*) FROM host_weights", [], |row| row.get(0)).unwrap();
    assert_eq!(weights, 0);
    drop(ledger);

    // As the network's own program writes it, in its own words.
    let path = dir.path().join("network.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "CREATE TABLE blocks (idx INTEGER PRIMARY KEY, block INTEGER NOT NULL);
        CREATE TABLE challenge_meta (ticker TEXT PRIMARY KEY, dim INTEGER NOT NULL, blocks_ahead INTEGER NOT NULL);
        CREATE TABLE challenge_data (ticker TEXT NOT NULL, sidx INTEGER NOT NULL, price REAL, price_data TEXT,
            hotkeys TEXT, embeddings BLOB, PRIMARY KEY (ticker, sidx));
        CREATE TABLE raw_payloads (ts INTEGER NOT NULL, hotkey TEXT NOT NULL, payload BLOB, PRIMARY KEY (ts, hotkey));
        CREATE TABLE drand_cache (round INTEGER PRIMARY KEY, signature BLOB);
        CREATE TABLE breakout_state (asset TEXT PRIMARY KEY, state_json TEXT NOT NULL);
        CREATE INDEX idx_blocks_block ON blocks(block);
        INSERT INTO blocks VALUES (0, 5);
        INSERT INTO challenge_data VALUES ('A', 1, 1.5, NULL, '[]', x'');
        ANALYZE;",
    )
    .unwrap();
    drop(conn);
    let before = fs::read(&path).unwrap();
    Ledger::adopt(&path, NEWEST, 5).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before, "there was nothing to remove");
}

#[test]
fn what_people_add_to_their_own_ledger_does_not_keep_them_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = published(dir.path());
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE VIEW mine AS SELECT * FROM challenge_data; CREATE TABLE notes (a TEXT);
            CREATE INDEX fast ON challenge_data (sidx); ALTER TABLE challenge_meta ADD COLUMN note TEXT DEFAULT '';
            CREATE TABLE checked (a INTEGER CHECK (a > 0));",
        )
        .unwrap();
    assert_eq!(Ledger::read(&path).unwrap().last_block().unwrap(), Some(Block(1500)));
    drop(Ledger::open(&path).unwrap());
}
