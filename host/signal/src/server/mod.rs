//! What buyers and visitors see: a JSON API, a stream of events, a page.
//!
//! A [`SignalSite`] reads the store alone; a [`SignalServer`] answers requests with it. Who asks decides how late forecasts
//! are given: no address tells anyone of one that is newer than the plan allows. JSON answers are signed.

mod admit;
mod api;
mod cache;
mod caller;
mod error;
mod headers;
mod hub;
mod limits;
mod listen;
mod page;
mod routes;
#[cfg(test)]
mod server_test;
mod signed;
mod site;
mod svg;
mod usage;

pub use listen::SignalServer;
pub use site::{Making, SignalSite};
