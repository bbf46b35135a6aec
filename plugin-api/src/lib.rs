//! What a Mantis challenge is: the contract between the host and its plugins.
//!
//! A challenge turns market prices into labels ([`Label`]) and miners' stored predictions into saliences
//! ([`Score`]). An author writes one type that implements [`Challenge`], and hands it to [`export!`]; the same
//! source builds as a shared library and as a WebAssembly component.
//!
//! ```
//! use mantis_plugin_api::*;
//!
//! params! {
//!     /// Parameters of the example.
//!     pub struct Params {
//!         /// Rows that a miner must be present in.
//!         min_rows: usize = 10, in 1..=1_000_000;
//!     }
//! }
//!
//! /// Pays every miner by how often it told which way the price went.
//! pub struct Direction {
//!     spec: Spec,
//!     params: Params,
//! }
//!
//! impl Challenge for Direction {
//!     fn describe() -> Description {
//!         Description::new("direction", "0.1.0", "Direction of a price.").with_params(Params::table())
//!     }
//!     fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
//!         spec.require_one_asset()?;
//!         spec.require_dim(1, "above 0 for a rise, below for a fall")?;
//!         spec.require_horizon()?;
//!         Ok(Self { params: Params::read(params)?, spec })
//!     }
//!     fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
//!         decode::vector(submission, self.spec.dim, -1.0..=1.0)
//!     }
//! }
//!
//! impl Label for Direction {
//!     /// Rows, and whether the price rose after each of them.
//!     type Labels = Vec<(usize, bool)>;
//!
//!     fn label(&self, market: &Market) -> Result<Self::Labels, PluginError> {
//!         let ahead = self.spec.rows_ahead() as i64;
//!         let label = |row: usize| {
//!             // A missing price is `None`, and so is that of a row that the ledger does not have.
//!             let now = market.usable(row, 0)?;
//!             let later = market.usable(market.row_of(market.sidx[row] + ahead)?, 0)?;
//!             Some((row, later > now))
//!         };
//!         Ok(market.scored().filter_map(label).collect())
//!     }
//! }
//!
//! impl Score for Direction {
//!     fn score(
//!         &self,
//!         history: &dyn History,
//!         labels: &Self::Labels,
//!         progress: &dyn Progress,
//!     ) -> Result<Salience, PluginError> {
//!         let miners = history.shape().miners;
//!         let mut salience = Salience::new(miners);
//!         for miner in 0..miners {
//!             let column = history.miner(miner)?;
//!             let sent: Vec<_> = labels.iter().filter(|(row, _)| is_present(&column[*row..=*row])).collect();
//!             if sent.len() < self.params.min_rows {
//!                 salience.zero(miner, WhyZero::too_few_rows(sent.len(), self.params.min_rows));
//!                 continue;
//!             }
//!             let right = sent.iter().filter(|(row, rose)| (column[*row].to_f64() > 0.0) == *rose).count();
//!             salience.set(miner, right as f64 / sent.len() as f64);
//!             progress.report((miner + 1) as f64 / miners as f64);
//!         }
//!         Ok(salience)
//!     }
//! }
//!
//! export!(Direction);
//! ```
//!
//! # Rules
//! A plugin is a pure function of what it is given: no clock, no network, no files, no randomness but seeded, and
//! no result that depends on the machine (use a deterministic `exp` and `ln`, stable sorts, no `HashMap` order).
//!
//! Numbers come as they were stored: a missing price is NaN, a miner that sent nothing is all zeros, and either can be
//! anything else that a float can be. [`Market::usable`], [`Market::rate`] and [`is_present`] tell what counts.
//!
//! # Tests
//! With the feature `test-kit`, the module `test_kit` has markets and miners in memory, and scores them as the host does.
//!
//! # Versions
//! The crate's version is the contract's, as authors see it: what compiles with 1.0 compiles with every 1.x, but for values
//! of [`Market`], [`Spec`] and [`Salience`] that are written out field by field, which may gain fields. What crosses the boundary between host and plugin has a version of its own, [`abi::VERSION`]; a host takes every plugin of
//! the versions in [`abi::SUPPORTED`], whichever version of this crate it was built with.

pub mod abi;
mod challenge;
#[cfg(target_family = "wasm")]
pub mod component;
pub mod decode;
mod description;
mod error;
mod facts;
mod history;
mod instance;
mod last_rows;
mod market;
mod params;
mod salience;
mod signal;
mod spec;
mod targets;
#[cfg(feature = "test-kit")]
pub mod test_kit;

pub use challenge::{Challenge, Label, Progress, Score, Silent, States, TrackedRow};
pub use description::Description;
pub use error::PluginError;
pub use facts::{FactList, FactRow};
pub use half::f16;
pub use history::{History, Shape, is_present};
pub use last_rows::LastRows;
pub use market::Market;
pub use params::{
    Allowed, Choice, Each, Param, ParamGroup, ParamMap, ParamTable, ParamValue, read_param, refuse_unknown,
};
pub use salience::{Fact, MinerReport, Salience, WhyZero};
pub use serde_json;
pub use signal::{Forecast, MAX_FIT, Outlook, OutlookKind, Signal};
pub use spec::{Solver, Spec, Storage};
pub use targets::{Reading, Targets};
