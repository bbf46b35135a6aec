//! The snapshot that a scoring worker reads: one challenge's market and history, cut from the ledger.
//!
//! A snapshot is a folder of Arrow IPC files, which Python or DuckDB can read too:
//!
//! | file | holds |
//! |---|---|
//! | `market.arrow` | `sidx`, `submitted`, one `float64` column per asset (`price` for single-asset challenges) and channel; NaN = none; then what was bad about the row, and the checksums that the ledger has of it |
//! | `part-00000.arrow`, ... | a run of rows each: one `fixed_size_list<float16>` column per hotkey that is in it; absent = zeros |
//! | `snapshot.sums` | a checksum of each of the other files |
//! | `snapshot.json` | written last: rows, hotkeys, parts |
//!
//! Only the parts that a hotkey is in have a column for it, so a new hotkey or new rows leave old parts as
//! they are. A history that is kept ([`KeptHistory`]) has the same files, the market's with a number in its name, and
//! `kept.json`, which says what of them the next snapshot goes on with.

mod arrow_file;
mod build;
mod cut;
mod error;
mod files;
mod guest;
#[cfg(test)]
mod guest_test;
mod keep;
#[cfg(test)]
mod keep_test;
mod kept;
mod manifest;
mod market;
mod marks;
#[cfg(test)]
mod oracle_test;
mod parts;
mod reader;
mod request;
mod seen;
mod stamps;
mod sums;
mod table;

pub use error::SnapshotError;
pub use guest::Guest;
pub use keep::{Extended, KeptHistory, extend_together};
pub use manifest::{Manifest, SnapshotPart};
pub use marks::RowMarks;
pub use reader::Snapshot;
pub use request::{AsOf, SnapshotRequest};
pub use table::{Column, Table};

/// The name of the file with the prices, where it has no number.
const MARKET: &str = "market.arrow";
