//! `[mirrors]`.

use crate::kinds::{ListOf, Optional, SS58, URL};
use crate::section::section;

section! {
    /// Where a ledger is published in parts.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Mirrors {
        /// Where the signed list of parts lies, `ledger.toml`, at each mirror; one that lies or fails is passed over.
        urls: Vec<String>, in ListOf(URL);

        /// Hotkey (SS58) of who publishes it and signs the list.
        publisher: String, in SS58;

        /// Days back from the newest part that are fetched where they are missing. Without it: as many as scoring looks back,
        /// `max_days` or the longest `history_rows`.
        days: Option<u32> = None, in Optional(1..=4096_u32);
    }
}
