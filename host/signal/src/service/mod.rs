//! Making the forecasts: from a validator's ledger and the owner's key to the store.
//!
//! The owner's validator collects; this reads its ledger and never writes it. Payloads that wait there for their round are
//! opened with the owner's key, and what they hold stays in the memory of this process: no scoring job can see it. A
//! [`Desk`] holds the newest fit of each challenge and forecasts with it, [`fit_all`] makes fits, [`settle_all`] works out
//! what came true, [`judge_early`] whether miners told the owner what they told everybody, [`Live`] does all of it in turns,
//! and [`Replay`] does it for the past.

mod desk;
mod early;
#[cfg(test)]
mod early_test;
mod fits;
mod last_rows;
mod live;
mod outcomes;
mod replay;

pub use desk::{Desk, DeskError, FromRow};
pub use early::{Opened, OwnerEye, judge_early};
pub use fits::{FitReport, FitState, fit_all};
pub use live::{Live, LiveOptions, LiveStatus, SignalState};
pub use outcomes::{SettleReport, settle_all};
pub use replay::{Replay, ReplayOptions, ReplayReport};
