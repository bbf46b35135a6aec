//! What the ledger tells people.
//!
//! [`standing`] reads how things stand after a computation of weights, [`sections`] turn that into HTML and SVG, and
//! [`server`] serves them, with an API and metrics. `sections` also make the report of one file.

pub mod sections;
pub mod server;
pub mod standing;
