//! Facts: numbers about miners that come from outside the ledger.

use serde::{Deserialize, Serialize};

/// What one source of facts gave, as `challenges.toml` declares it. Since contract 1.1.
///
/// The host fetches facts and keeps them in the ledger; to a plugin they are input like prices are. A source that cannot
/// be reached gives an older list, never an empty one: [`FactList::block`] and [`FactList::time`] say as of when it is
/// complete.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FactList {
    /// The source's name in `challenges.toml`.
    pub name: String,
    /// Newest block of the source's chain whose facts are all in the list; `None` where it has no blocks.
    pub block: Option<i64>,
    /// Unix time of that block, or of the document, in seconds; `None` if there was no answer yet.
    pub time: Option<f64>,
    /// The facts in the order of their source; hotkeys that are not scored are left out.
    pub rows: Vec<FactRow>,
}

/// One fact: some numbers about a miner.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FactRow {
    /// Whom it is about.
    pub hotkey: String,
    /// Block in which it was stated, if its source has blocks.
    pub block: Option<i64>,
    /// Unix time at which it was stated, in seconds.
    pub time: Option<f64>,
    /// The numbers; what they mean, the plugin that asks for the list says.
    pub numbers: Vec<f64>,
}
