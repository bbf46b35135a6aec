//! The addresses of the API.

pub(super) mod about;
pub(super) mod days;
pub(super) mod history;
mod keep;
pub(super) mod keys;
pub(super) mod latest;
pub(super) mod me;
mod query;
pub(super) mod record;
mod shape;
pub(super) mod signals;
pub(super) mod stream;

pub(super) use keep::keep;
