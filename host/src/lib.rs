//! The Mantis host: everything around the challenges.

pub mod history;
pub mod ledger;
