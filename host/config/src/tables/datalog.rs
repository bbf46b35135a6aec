//! `[datalog]`.

use crate::kinds::{Hex, Optional, URL};
use crate::section::section;

section! {
    /// A published ledger to begin with.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Datalog {
        /// Where the SQLite file lies; with `http://`, `sha256` is needed.
        url: String, in URL;

        /// SHA-256 that the file must have.
        sha256: Option<[u8; 32]> = None, in Optional(Hex);

        /// Largest file, bytes.
        max_bytes: u64 = 64 << 30, in 1..=1 << 44;
    }
}
