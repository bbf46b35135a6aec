//! What is published, in a file of its own: `signal.db`, beside the ledger and never a part of it.
//!
//! A forecast is kept before its outcome can be known, and never changed: each has the SHA-256 of itself and of the one
//! before ([`Published`] says of which bytes), and the last of each day (UTC) is signed. What came true is added later.
//!
//! A [`Store`] may be used by several threads, and its file by several processes. Reads are bounded: none gives more than
//! [`MOST`] rows.

mod days;
mod early;
mod error;
mod fits;
mod forecast;
mod forecasts;
mod keys;
mod kinds;
mod open;
mod outcomes;
mod schema;
mod settled;
#[cfg(test)]
mod store_test;
mod verify;

pub use days::{Day, day_message};
pub use early::{Early, EarlyCount, Later};
pub use error::StoreError;
pub use fits::{Fit, FitInfo, LONGEST_FIT, NewFit};
pub use forecast::{GENESIS, Head, NewForecast, Published};
pub use forecasts::{ANY_TIME, Span};
pub use keys::{KeyRecord, NewKey, Used};
pub use kinds::{DAY_MS, Digest, MOST};
pub use open::{STORE_FILE, Store};
pub use outcomes::{Outcome, Settlement};
pub use settled::Settled;
pub use verify::{Broken, Verified};
