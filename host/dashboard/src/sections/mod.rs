//! What came of a scoring run, for people.
//!
//! The sections serve two ends. `html` makes one page of them that needs nothing but itself: no file and no address
//! from elsewhere, a script only to sort. The dashboard makes a page of each, with links from one to the other.
//! Everything is well-formed XML too, so that anything can read it. The same input gives the same page.

pub mod assets;
pub(crate) mod breakouts;
pub(crate) mod challenges;
pub(crate) mod chart;
pub(crate) mod configuration;
mod facts;
pub(crate) mod leaderboard;
pub(crate) mod links;
pub(crate) mod miners;
mod page;
pub(crate) mod summary;
pub(crate) mod svg;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod view;
pub(crate) mod weights;

pub use page::{Input, html};

#[cfg(test)]
mod page_test;
