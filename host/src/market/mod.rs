//! The market feed: reading its document of prices and funding rates, and making one.
//!
//! A validator reads it with a [`Feed`] and stores of it what [`price_of`] says.

mod feed;
mod quotes;
mod record;

pub use feed::{Feed, FeedError};
pub use quotes::{NotQuotes, Quotes};
pub use record::price_of;
