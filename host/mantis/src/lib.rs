//! The `mantis` program: commands for validators, the subnet owner, miners and authors of challenges.
//!
//! The commands join what the crates beside this one do; no code here knows a challenge by name.

pub mod adopt;
pub mod authoring;
pub mod cli;
pub mod demo;
pub mod doctor;
mod files;
pub mod miner;
pub mod publication;
pub mod release;
pub mod replay;
pub mod salience;
pub mod simulation;
