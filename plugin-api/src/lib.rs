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
//! /// Pays every miner by how often it showed up.
//! pub struct Attendance {
//!     spec: Spec,
//!     params: Params,
//! }
//!
//! impl Challenge for Attendance {
//!     fn describe() -> Description {
//!         Description::new("attendance", "0.1.0", "presence").with_params(Params::table())
//!     }
//!     fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
//!         Ok(Self { params: Params::read(params)?, spec })
//!     }
//!     fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
//!         decode::vector(submission, self.spec.dim, -1.0..=1.0)
//!     }
//! }
//!
//! impl Label for Attendance {
//!     type Labels = usize;
//!     fn label(&self, market: &Market) -> Result<usize, PluginError> {
//!         Ok(market.scored_rows)
//!     }
//! }
//!
//! impl Score for Attendance {
//!     fn score(&self, history: &dyn History, rows: &usize, _run: &dyn Run) -> Result<Salience, PluginError> {
//!         let mut salience = Salience::new(history.shape().miners);
//!         for miner in 0..history.shape().miners {
//!             let column = history.miner(miner)?;
//!             let present = column.chunks(history.shape().dim).filter(|x| is_present(x)).count();
//!             if present >= self.params.min_rows {
//!                 salience.set(miner, present as f64 / *rows as f64);
//!             } else {
//!                 salience.zero(miner, WhyZero::too_few_rows(present, self.params.min_rows));
//!             }
//!         }
//!         Ok(salience)
//!     }
//! }
//!
//! export!(Attendance);
//! ```
//!
//! # Rules
//! A plugin is a pure function of what it is given: no clock, no network, no files, no randomness but seeded, and
//! no result that depends on the machine (use a deterministic `exp` and `ln`, stable sorts, no `HashMap` order).

pub mod abi;
mod challenge;
#[cfg(target_family = "wasm")]
pub mod component;
pub mod decode;
mod error;
mod history;
mod market;
mod params;
mod salience;
mod spec;
#[cfg(feature = "test-kit")]
pub mod test_kit;

pub use challenge::{Challenge, Label, Run, Score, Silent, States, TrackedRow};
pub use error::PluginError;
pub use half::f16;
pub use history::{History, Shape, is_present};
pub use market::Market;
pub use params::{
    Allowed, Choice, Param, ParamGroup, ParamMap, ParamTable, ParamValue, read_param, refuse_unknown,
};
pub use salience::{Fact, MinerReport, Salience, WhyZero};
pub use serde_json;
pub use spec::{Description, Solver, Spec};
