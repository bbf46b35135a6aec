//! The system's clock, where records are dated.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix time, s.
#[must_use]
pub fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// The same with its part of a second.
pub(crate) fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
