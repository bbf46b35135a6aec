//! What the host's HTTP servers share: a [`Server`] that takes a bounded number of connections and closes the one that has
//! been idle for longest when another one comes, and the [`Hosts`] under whose names it answers.

mod connections;
mod hosts;
mod server;

pub use connections::{Busy, Place};
pub use hosts::Hosts;
pub use server::{ListenError, Server};
