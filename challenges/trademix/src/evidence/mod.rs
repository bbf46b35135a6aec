//! Pay by evidence: how a miner's book does against the returns that followed, measured by how it would have done against
//! the same returns shifted in time.
//!
//! Once an hour a miner's positions are split into what they hold of the market and what they hold against it. Either
//! part earns if its correlation with later returns stands out among all shifts, after the books of those who came first
//! were taken out, by what it made after fees. What is not earned is burned.

mod attendance;
mod books;
mod cosines;
mod factors;
mod field;
mod gate;
mod null;
mod panel;
mod params;
mod pay;
mod profit;
mod report;
mod score;
mod seniority;

pub use panel::Panel;
pub use params::EvidenceParams;

/// Keeps ratios finite.
const EPS: f64 = 1e-12;
