//! The text of a file as tables that know their places and collect faults instead of stopping at the first.

mod file;
mod positions;
mod suggest;
mod table;

pub(crate) use file::SourceFile;
pub(crate) use positions::{DEEPEST, insert_positions};
pub use suggest::closest;
pub(crate) use suggest::one_of;
pub(crate) use table::{TomlTable, type_name};
