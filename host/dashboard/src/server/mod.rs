//! What people and programs see of a validator: pages, a JSON API, metrics. All of it only reads.
//!
//! A [`Site`] reads the ledger and the validator's [`Board`](mantis_validator::Board); a [`Server`] answers
//! requests with it. Answers are kept for two seconds, and no more than two are made at once, so that readers, however
//! many, do not keep the validator from its work.

mod api;
mod cache;
mod error;
mod exposition;
mod extract;
mod health;
mod html;
mod listener;
mod metrics;
mod middleware;
pub mod pages;
mod routes;
mod site;
mod traffic;

pub use listener::Server;
pub use mantis_web::ListenError as WebError;
pub use site::Site;
