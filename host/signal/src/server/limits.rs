//! How often one may ask: a bucket for each key or address, which fills at the plan's rate.

use super::caller::Name;
use crate::plans::Rate;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Buckets at most. When there are so many that none has filled up again, newcomers share one.
const MOST: usize = 20_000;

/// The buckets.
#[derive(Default)]
pub(super) struct Limits {
    buckets: Mutex<HashMap<Option<Name>, Bucket>>,
}

struct Bucket {
    left: f64,
    at: Instant,
    rate: Rate,
}

/// What is left of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Left {
    /// Whether there was one to take.
    pub(super) taken: bool,
    /// All that fit in.
    pub(super) limit: u32,
    /// Requests that are left.
    pub(super) remaining: u32,
    /// Seconds until it is full.
    pub(super) reset: u64,
    /// Seconds until there is one.
    pub(super) wait: u64,
}

impl Bucket {
    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * per_second(self.rate)).min(f64::from(self.rate.count));
        self.at = now;
    }
}

impl Limits {
    /// Takes one from a bucket.
    pub(super) fn take(&self, name: &Name, rate: Rate, now: Instant) -> Left {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = Some(name.clone());
        if buckets.len() >= MOST && !buckets.contains_key(&name) {
            buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.left < f64::from(bucket.rate.count)
            });
            if buckets.len() >= MOST {
                name = None;
            }
        }
        let full = || Bucket { left: f64::from(rate.count), at: now, rate };
        let bucket = buckets.entry(name).or_insert_with(full);
        if bucket.rate != rate {
            *bucket = full();
        }
        bucket.fill(now);
        let taken = bucket.left >= 1.0;
        if taken {
            bucket.left -= 1.0;
        }
        let until = |left: f64| ((left - bucket.left).max(0.0) / per_second(rate)).ceil() as u64;
        Left {
            taken,
            limit: rate.count,
            remaining: bucket.left as u32,
            reset: until(f64::from(rate.count)),
            wait: until(1.0).max(u64::from(!taken)),
        }
    }
}

fn per_second(rate: Rate) -> f64 {
    f64::from(rate.count) / rate.per.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    fn name(at: u32) -> Name {
        Name::Address(Ipv4Addr::from(at).into())
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limits = Limits::default();
        let rate = Rate { count: 3, per: Duration::from_secs(60) };
        let start = Instant::now();
        let take = |seconds| limits.take(&name(1), rate, start + Duration::from_secs(seconds));
        assert_eq!(take(0), Left { taken: true, limit: 3, remaining: 2, reset: 20, wait: 0 });
        assert!(take(0).taken && take(0).taken);
        let empty = take(0);
        assert!(!empty.taken && empty.wait == 20 && empty.remaining == 0, "{empty:?}");
        assert!(!take(19).taken && take(21).taken && !take(22).taken);
        assert!(limits.take(&name(2), rate, start).taken, "another has a bucket of its own");
        for _ in 0..3 {
            assert!(take(10_000).taken, "no more than fits in");
        }
        assert!(!take(10_000).taken);
    }

    #[test]
    fn addresses_without_end_take_no_memory_without_end() {
        let limits = Limits::default();
        let rate = Rate { count: 2, per: Duration::from_secs(60) };
        let now = Instant::now();
        let taken = (0..30_000).filter(|at| limits.take(&name(*at), rate, now).taken).count();
        assert_eq!(taken, MOST + 2, "the rest share one bucket");
        assert!(limits.buckets.lock().unwrap().len() <= MOST + 1);
        // Those that have filled up again make room.
        let later = now + Duration::from_secs(120);
        assert!((0..10).all(|at| limits.take(&name(90_000 + at), rate, later).taken));
        assert!(limits.buckets.lock().unwrap().len() < 20);
    }
}
