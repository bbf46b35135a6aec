//! `[datalog]`.

use crate::kinds::{Hex, Optional, URL};
use crate::section::section;

section! {
    /// A published ledger to begin with.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Datalog {
        /// Where the SQLite file lies.
        url: String, in URL;

        /// SHA-256 that the file must have.
        sha256: Option<[u8; 32]> = None, in Optional(Hex);
    }
}
