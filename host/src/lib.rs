//! The Mantis host: everything around the challenges.

pub mod config;
