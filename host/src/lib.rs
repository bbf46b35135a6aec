//! The Mantis host: everything around the challenges.
//!
//! Data flows one way: the ledger's rows become a history snapshot per challenge, a plugin in a worker process turns
//! it into saliences, and those are aggregated and smoothed into weights. No module here knows a challenge by name.

pub mod author;
pub mod beacon;
pub mod chain;
pub mod cli;
pub mod collect;
pub mod config;
pub mod datalog;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod history;
pub mod http;
pub mod ledger;
pub mod market;
pub mod miner;
pub mod payload;
pub mod plugins;
pub mod record;
pub mod report;
pub mod scoring;
pub mod store;
pub mod validator;
pub mod wallet;
pub mod web;
pub mod weights;
pub mod worker;
