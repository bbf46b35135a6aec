//! What people and programs see of a validator: pages, a JSON API, metrics. All of it only reads.
//!
//! A [`Site`] looks into the ledger and at the validator's [`Board`](mantis_validator::Board); a [`Server`] answers
//! requests with it. Answers are kept for two seconds, and no more than two are made at once, so that readers, however
//! many, do not keep the validator from its work.

mod api;
mod cache;
mod exposition;
mod extract;
mod fault;
mod health;
mod html;
mod listener;
mod metrics;
pub mod pages;
mod routes;
mod site;

pub use listener::{Server, WebError};
pub use site::Site;
