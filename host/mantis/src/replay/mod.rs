//! What goes into a replay of history beside the ledger, and the files that come of it: weightings that are read or drawn, groups
//! of hotkeys, tables.

mod draw;
mod error;
mod groups;
mod tables;
mod weightings;

pub use draw::draw;
pub use error::ReplayInputError;
pub use groups::{GroupArg, group};
pub use tables::{TABLES, write_tables};
pub use weightings::read_weightings;
