//! What a validator does with each sampled block: collect, store, and open what has matured.
//!
//! [`Sampler`] brings a block's payloads and prices into the ledger; [`Maturer`] turns payloads that have waited long
//! enough into vectors; [`Tracking`] takes those into the live states of challenges about events; a [`Stepper`] does all
//! three. [`Live`] gives them the configuration, and another when its files change. A [`Service`] steps as the chain's
//! blocks come, computes weights beside that, and sets them. They keep all they know in the ledger, so that a validator
//! that was killed goes on where it was.

pub mod bootstrap;
mod clock;
mod computation;
mod decoders;
mod hot_reload;
mod maturer;
mod opener;
mod sampler;
mod schedule;
mod service;
mod setter;
mod status;
mod step;
mod tracking;

pub use clock::unix;

pub use computation::{Computation, CycleError, settle_scores};
pub use decoders::{Decoders, Unusable};
pub use hot_reload::{Adjust, Live, LiveError, Refreshed};
pub use maturer::{MatureError, Maturer, Progress};
pub use sampler::{SampleError, Sampled, Sampler, SetupError};
pub use service::{Run, Service, ServiceError};
pub use setter::set_weights;

pub use status::{
    Board, ChainStatus, ConfigurationStatus, OpeningStatus, SamplingStatus, Status, WeightsStatus,
    without_path,
};
pub use step::{StepError, Stepped, Stepper};
pub use tracking::Tracking;
