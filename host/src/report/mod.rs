//! What came of a scoring run, for people: one HTML page that needs nothing but itself.
//!
//! No script, no file and no address from elsewhere: tables, SVG and `<details>`. The page is well-formed XML too, so
//! that anything can read it. The same input gives the same page.

mod challenges;
mod chart;
mod leaderboard;
mod links;
mod miners;
mod page;
mod prices;
mod summary;
mod svg;
mod text;
mod view;
mod weights;

pub use page::{Input, html};

#[cfg(test)]
mod page_test;
