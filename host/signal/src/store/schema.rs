//! Tables of the store.

/// What tells the file from others, in its header.
pub(super) const APPLICATION: i64 = 0x4d53_4947;

/// What brings a file from one version to the next. One that was released is never changed.
pub(super) const MIGRATIONS: [&str; 1] = ["
CREATE TABLE fits (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    ticker   TEXT NOT NULL,
    plugin   BLOB NOT NULL,
    params   TEXT NOT NULL,
    sidx     INTEGER NOT NULL,
    block    INTEGER NOT NULL,
    hotkeys  TEXT NOT NULL,
    outlook  TEXT NOT NULL,
    bytes    BLOB,
    sha256   BLOB NOT NULL,
    made_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX fits_newest ON fits (ticker, id);
CREATE TABLE forecasts (
    seq           INTEGER PRIMARY KEY,
    ticker        TEXT NOT NULL,
    sidx          INTEGER NOT NULL,
    block         INTEGER NOT NULL,
    head          INTEGER NOT NULL,
    as_of         INTEGER,
    published_at  INTEGER NOT NULL,
    fit           INTEGER NOT NULL REFERENCES fits (id),
    fit_sha256    BLOB NOT NULL,
    vals          TEXT NOT NULL,
    miners        INTEGER NOT NULL,
    previous      BLOB NOT NULL,
    hash          BLOB NOT NULL,
    UNIQUE (ticker, sidx)
) STRICT;
CREATE INDEX forecasts_published ON forecasts (ticker, published_at, seq);
CREATE INDEX forecasts_day ON forecasts (published_at, seq);
CREATE TABLE days (
    day        INTEGER PRIMARY KEY,
    first_seq  INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    root       BLOB NOT NULL,
    signature  TEXT NOT NULL,
    signer     TEXT NOT NULL
) STRICT;
CREATE TABLE outcomes (
    seq         INTEGER PRIMARY KEY REFERENCES forecasts (seq),
    outcome     TEXT NOT NULL,
    known_sidx  INTEGER NOT NULL,
    settled_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE names (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE early (
    sidx    INTEGER NOT NULL,
    ticker  INTEGER NOT NULL,
    hotkey  INTEGER NOT NULL,
    digest  BLOB NOT NULL,
    PRIMARY KEY (sidx, ticker, hotkey)
) STRICT, WITHOUT ROWID;
CREATE TABLE early_counts (
    ticker    INTEGER NOT NULL,
    hotkey    INTEGER NOT NULL,
    equal     INTEGER NOT NULL DEFAULT 0,
    differs   INTEGER NOT NULL DEFAULT 0,
    unopened  INTEGER NOT NULL DEFAULT 0,
    last_differs  INTEGER,
    PRIMARY KEY (ticker, hotkey)
) STRICT, WITHOUT ROWID;
CREATE TABLE keys (
    id         TEXT PRIMARY KEY,
    secret     BLOB NOT NULL,
    note       TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    signals    TEXT,
    plan       TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    expires    INTEGER,
    revoked    INTEGER,
    last_used  INTEGER,
    follows    TEXT
) STRICT;
CREATE TABLE usage (
    key       TEXT NOT NULL,
    day       INTEGER NOT NULL,
    requests  INTEGER NOT NULL DEFAULT 0,
    events    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (key, day)
) STRICT, WITHOUT ROWID;
"];
