//! One line of a table of embeddings.

use mantis_config::{Block, Sidx};

/// For which row of the ledger a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// That of a block.
    Block(Block),
    /// That of an index.
    Sidx(Sidx),
}

/// One line: a challenge's numbers for one row.
#[derive(Clone, Copy, Debug)]
pub struct GuestLine<'a> {
    /// Its place in the file, from 1; a header is not counted.
    pub row: u64,
    /// For which row of the ledger it is.
    pub at: At,
    /// Ticker or name of the challenge, if the file says it.
    pub challenge: Option<&'a str>,
    /// Whose numbers they are, if the file says it: then they were taken out of a ledger.
    pub hotkey: Option<&'a str>,
    /// The numbers, all finite; none where the line has none.
    pub numbers: &'a [f64],
}
