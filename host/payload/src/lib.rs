//! Sealed payloads: what miners upload, and how it is opened.
//!
//! [`Envelope::parse`] checks all that is cheap to check. [`Envelope::open`] opens with the beacon's signature,
//! [`Envelope::open_as_owner`] with the subnet owner's secret; both come to the same [`Plaintext`]. [`seal`] is the
//! miner's side. Every way to fail is a [`PayloadRejection`] that the miner can be told.

pub mod beacon;
pub mod describe;
mod drand;
mod envelope;
mod error;
mod field;
pub mod json;
mod keys;
mod lock;
mod open;
mod rejection;
mod seal;
pub mod submission;
mod suite;
pub mod timelock;

pub use envelope::{Envelope, EnvelopeRules};
pub use error::SealError;
pub use keys::OwnerSecret;
pub use open::Plaintext;
pub use rejection::PayloadRejection;
pub use seal::{SealOptions, seal};
pub use suite::Suite;

#[cfg(test)]
mod malformed_test;
#[cfg(test)]
mod reference_test;
