//! The market feed: reading its document of prices and funding rates, and making one.
//!
//! A validator reads it with a [`Feed`] and stores of it what [`price_of`] says. A publisher makes it with a [`Poller`]
//! that asks [`Source`]s.

mod feed;
mod freshness;
mod plausible;
mod poll;
#[cfg(test)]
mod poll_test;
mod presets;
mod quotes;
mod raw;
mod sources;
mod stored;

pub use feed::{Document, Feed, FeedError};
pub use freshness::{Freshness, StaleFeed};
pub use plausible::{PriceDoubt, doubt};
pub use poll::{Polled, Poller};
pub use quotes::{Quotes, QuotesError};
pub use sources::{Source, SourcesError, default_sources, load_sources};
pub use stored::price_of;
