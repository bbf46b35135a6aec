//! `[market]`.

use crate::kinds::{Optional, Seconds, URL};
use crate::section::{Section, section};
use std::time::Duration;

section! {
    /// The price feed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct MarketFeed {
        /// Where the JSON document of prices lies; without it, prices are not fetched.
        url: Option<String> = None, in Optional(URL);

        /// Time for the whole document, s.
        timeout: Duration = Duration::from_secs(10), in Seconds;

        /// Largest document, bytes.
        max_bytes: u64 = 1 << 20, in 1..=1 << 30;
    }
}

impl Default for MarketFeed {
    fn default() -> Self {
        Self::absent()
    }
}
