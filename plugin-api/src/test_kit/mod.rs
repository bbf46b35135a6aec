//! Markets, miners and a history in memory, to test a plugin without the host.
//!
//! [`random_walk`] and [`MarketBuilder`] make a market of one asset or of many, [`Noise`] and [`ranking_miner`] the miners'
//! numbers, [`score`] does what the host does with them, and [`earned`], [`clone_gains`] and [`order_effect`] say who got how much of it.

mod history;
mod market;
mod noise;
mod ranking;
mod scoring;

pub use history::MemoryHistory;
pub use market::{BROKEN, MISSING_PRICES, MarketBuilder, put_broken_numbers, put_into_holes, random_walk};
pub use noise::Noise;
pub use ranking::ranking_miner;
pub use scoring::{
    clone_gains, earned, fact, honest_and_attacked, is_sound, order_effect, score, spec, spec_with_assets,
    why_zero,
};
