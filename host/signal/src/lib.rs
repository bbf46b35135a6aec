//! The owner's signal: forecasts of the fitted ensembles, kept before their outcomes are known, measured, and sold.
//!
//! [`store`] is its own file beside the ledger, [`signing`] the key that what is published is signed with, [`record`] what
//! the published forecasts were worth. [`service`] makes them, [`keys`] and [`plans`] say who is given what; [`server`] gives it.

pub mod keys;
pub mod plans;
pub mod record;
pub mod server;
pub mod service;
pub mod signing;
pub mod store;
