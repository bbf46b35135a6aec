//! How the workspace is built: what may use what, and where its pages point. `structure.rs` and `pages.rs` of
//! `tests/tests/outside` hold the workspace to it.

mod crates;
mod files;
mod modules;
mod pages;
mod source;

pub use crates::{Package, faults, packages};
pub use files::{long_files, sources};
pub use modules::circles;
pub use pages::{broken_citations, broken_links, pages};
