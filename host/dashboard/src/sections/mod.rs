//! What came of a scoring run, for people.
//!
//! The sections serve two ends. `html` makes one page of them that needs nothing but itself: no file and no address
//! from elsewhere, a script only to sort; `replay_html` does so of history that was computed once more. The dashboard makes a page of each, with links from one to the other.
//!
//! A section is a struct that says what is shown, and a template of `templates/` that says how. Templates escape what
//! they insert; only what is markup by its type is not escaped: another template, or a drawing. Everything is
//! well-formed XML too, so that anything can read it. The same input gives the same page.

pub(crate) mod agreement;
pub mod assets;
pub(crate) mod board;
mod breakouts;
pub(crate) mod challenges;
pub(crate) mod chart;
pub(crate) mod configuration;
pub(crate) mod constants;
pub(crate) mod definitions;
pub(crate) mod earnings;
mod error;
mod facts;
pub(crate) mod filters;
mod inline;
pub(crate) mod leaderboard;
pub(crate) mod links;
mod miners;
mod numbers;
pub(crate) mod refused;
mod replay;
#[cfg(test)]
mod replay_test;
mod report;
pub(crate) mod sending;
pub(crate) mod spread;
pub(crate) mod steps;
pub(crate) mod summary;
pub(crate) mod svg;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod view;
pub(crate) mod weights;

pub use error::RenderError;
pub use replay::{ReplayInput, replay_html};
pub use report::{Input, html};

#[cfg(test)]
mod report_test;
