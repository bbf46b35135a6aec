//! Yuma consensus: what an epoch of the chain makes of all validators' weights.
//!
//! Stake of active validators with a permit is scaled to sum 1, and so is each validator's row of weights. A miner's *consensus*
//! is the weight that validators with `kappa` of the stake give it at least: the stake-weighted median, for a half. What a
//! row gives above it is clipped; what is left of a row is its *validator trust*. Clipped weights by stake are the miners' *incentive*,
//! and *bonds*, which follow the weights from epoch to epoch, share it among validators: their *dividends*.
//!
//! The formulas are those of `pallets/subtensor/src/epoch/run_epoch.rs` (`epoch_mechanism`) and `math.rs` of the chain's public
//! source, opentensor/subtensor. The chain computes in fixed point, with 32 bits below the point, and rounds down at each step; here numbers are
//! `f64`, added in the order of UIDs. Results agree to 1e-6, but where the stake on one side of a consensus is `kappa` to
//! the last bit: there the chain may take the next weight. Older runtimes have no Yuma 3, and do not count an owner without a
//! permit.

mod bonds;
mod compare;
mod consensus;
mod input;
mod row;
mod run;

pub use compare::{clipped_part, distance, normalised};
pub use input::{LiquidAlpha, YumaInput, YumaNeuron, YumaRules};
pub use row::Row;
pub use run::{Bonds, YumaOutcome, run};
