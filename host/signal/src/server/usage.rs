//! What keys are used for, written down every few seconds; and how many streams each has.

use super::caller::Name;
use crate::store::{DAY_MS, Store, StoreError, Used};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys whose use waits to be written down.
#[derive(Default)]
pub(super) struct Usage(Mutex<HashMap<String, Used>>);

impl Usage {
    /// Counts requests and events of a key, at a time in Unix milliseconds.
    pub(super) fn count(&self, id: &str, now: i64, requests: i64, events: i64) {
        let day = now.div_euclid(DAY_MS);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = all.entry(id.to_owned()).or_insert(Used {
            id: id.to_owned(),
            day,
            at: 0,
            requests: 0,
            events: 0,
        });
        // At midnight a few count for the day that has begun.
        used.day = day;
        used.at = now / 1000;
        used.requests += requests;
        used.events += events;
    }

    /// Writes down what waits.
    pub(super) fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let all: Vec<Used> = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *all).into_values().collect()
        };
        store.add_usage(&all)
    }
}

/// Open streams.
#[derive(Clone, Default)]
pub(super) struct Streams(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    all: usize,
    by_name: HashMap<Name, usize>,
}

/// A stream's place, until it is dropped.
pub(super) struct StreamPlace {
    streams: Streams,
    name: Name,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The caller has as many as the plan allows.
    Caller,
    /// All together are as many as there may be.
    All,
}

impl Streams {
    pub(super) fn place(&self, name: &Name, most: usize, most_of_all: usize) -> Result<StreamPlace, Full> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.by_name.get(name).copied().unwrap_or(0) >= most {
            return Err(Full::Caller);
        }
        if open.all >= most_of_all {
            return Err(Full::All);
        }
        open.all += 1;
        *open.by_name.entry(name.clone()).or_insert(0) += 1;
        Ok(StreamPlace { streams: self.clone(), name: name.clone() })
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(count) = open.by_name.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                open.by_name.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let streams = Streams::default();
        let [a, b] = ["a", "b"].map(|key| Name::Key(key.into()));
        let first = streams.place(&a, 1, 2).ok().unwrap();
        assert_eq!(streams.place(&a, 1, 2).err(), Some(Full::Caller));
        let _second = streams.place(&b, 2, 2).ok().unwrap();
        assert_eq!(streams.place(&b, 2, 2).err(), Some(Full::All));
        drop(first);
        assert!(streams.place(&a, 1, 2).is_ok());
        assert_eq!(streams.0.lock().unwrap().by_name.len(), 1);
    }
}
