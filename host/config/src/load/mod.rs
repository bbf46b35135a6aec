//! From a file to a checked configuration.

mod assets;
mod challenge;
mod file;
mod operators;
mod params;
mod rules;
mod table_list;

pub use operators::{OPERATORS_KEYS, OPERATORS_TOP};
