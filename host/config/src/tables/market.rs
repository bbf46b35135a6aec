//! `[market]`.

use crate::kinds::{ListOf, Optional, Seconds, URL, Words};
use crate::section::{Section, section};
use std::time::Duration;

section! {
    /// The price feed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct MarketFeed {
        /// Where the JSON document of prices lies; without it, prices are not fetched.
        url: Option<String> = None, in Optional(URL);

        /// Further feeds, with documents of the same form. Each asset has the median of all that answer.
        others: Vec<String> = Vec::new(), in ListOf(URL);

        /// Time for the whole document, s.
        timeout: Duration = Duration::from_secs(10), in Seconds;

        /// Largest document, bytes.
        max_bytes: u64 = 1 << 20, in 1..=1 << 30;

        /// What becomes of prices that are hardly to be believed (of a stale document, outside 1e-12 to 1e12, or 30% off the
        /// median of the last rows): `"store"`, stored, counted and shown; `"leave_out"`, stored as missing.
        doubtful: Doubtful = Doubtful::Store, in DOUBTFUL;
    }
}

/// What becomes of prices that are hardly to be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doubtful {
    /// Stored, counted and shown.
    #[default]
    Store,
    /// Stored as missing, counted and shown.
    LeaveOut,
}

const DOUBTFUL: Words<Doubtful> = Words(&[("store", Doubtful::Store), ("leave_out", Doubtful::LeaveOut)]);

impl Default for MarketFeed {
    fn default() -> Self {
        Self::absent()
    }
}
