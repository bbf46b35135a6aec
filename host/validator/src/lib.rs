//! What a validator does with each sampled block: collect, store, and open what has matured.
//!
//! [`Sampler`] brings a block's payloads and prices into the ledger; [`Maturer`] turns payloads that have waited long
//! enough into vectors; [`Tracking`] takes those into the live states of challenges about events; a [`Pipeline`] does all
//! three. [`HotReload`] gives them the configuration, and another when its files change; [`release`] one of the subnet's owner,
//! which counts from a block on ([`Eras`]). A [`Service`] steps as the chain's
//! blocks come, computes weights beside that, and sets them. They keep all they know in the ledger, so that a validator
//! that was killed goes on where it was.

pub mod agreement;
mod belief;
#[cfg(test)]
mod belief_test;
pub mod bootstrap;
pub mod catch_up;
mod clock;
mod computation;
mod decoders;
mod doubtful;
mod earlier;
mod eras;
mod facts;
#[cfg(test)]
mod facts_test;
mod forgetting;
mod hold;
mod hot_reload;
mod jobs;
mod maturer;
mod opener;
mod pipeline;
pub mod release;
pub mod replay;
mod roster;
mod rounds;
mod sampler;
mod schedule;
mod service;
mod setter;
mod shares;
mod status;
mod tracking;
mod twin;

pub use clock::unix;

pub use belief::{Belief, HeadRejection, Seen, Verdict};
pub use computation::{ComputationError, ComputationJob, weights_of_scores};
pub use decoders::{DecoderError, Decoders, Vectors};
pub use eras::{Era, Eras};
pub use facts::{FactKeeper, FactStanding};
pub use hot_reload::{Adjust, HotReload, HotReloadError, Refreshed, Template, changes};
pub use jobs::{BatchStatus, JobStatus};
pub use maturer::{MatureError, Maturer, Progress};
pub use roster::{MetagraphRejection, judge_metagraph};
pub use sampler::{SampleError, Sampled, Sampler, SetupError};
pub use service::{Service, ServiceError, ServiceOptions};
pub use setter::{registered_weights, set_weights};

pub use pipeline::{PassReport, Pipeline, PipelineError};
pub use release::{ReleaseStatus, StagedStatus};
pub use status::{
    Board, ChainStatus, ConfigurationStatus, FactsStatus, FailedChallenge, OpeningStatus, SamplingStatus,
    Status, WeightsStatus, without_path,
};
pub use tracking::Tracking;
pub use twin::TakeOver;
