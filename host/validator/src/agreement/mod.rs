//! How far our weights are from every other validator's and from the consensus, and what that costs.
//!
//! [`agreement`] compares what a chain shows, all at one block, with the newest weights of a ledger. Nothing is sent, and no validator
//! need run.

mod error;
mod reasons;
mod report;
mod row;
mod subnet;

pub use error::AgreementError;
pub use reasons::Reasons;
pub use report::{Agreement, MinerDifference, OtherValidator, Ours, Subnet, agreement};
pub use row::RowAgreement;
