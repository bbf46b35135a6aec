//! Which connections are open, and which of them goes when another one comes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// How long every connection has to say what it wants before it may be closed for another.
const GRACE: Duration = Duration::from_millis(20);

/// The open connections of one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    next: u64,
    all: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    /// Since when nothing of it is being answered; `None` while something is.
    idle: Option<Instant>,
    /// Answers that are being made.
    busy: usize,
    /// Ends it; known once it is served.
    task: Option<AbortHandle>,
}

/// One open connection: counted until it is dropped. Every request has an `Arc` of its own among its extensions.
#[derive(Debug)]
pub struct Place {
    connections: Connections,
    id: u64,
}

/// A request that is being answered: its connection is not closed for another one.
#[derive(Debug)]
pub struct Busy(Arc<Place>);

impl Connections {
    /// A place for a new connection, if there are fewer than `most`; else the one that has been idle for the longest
    /// time is closed, and the place is there a little later. `None` until then.
    pub(crate) fn place(&self, most: usize) -> Option<Place> {
        let mut open = self.lock();
        if open.all.len() >= most {
            let idle = open.all.iter().filter_map(|(id, one)| Some((one.idle?, *id, one.task.clone()?)));
            let (since, oldest, task) = idle.min_by_key(|(since, id, _)| (*since, *id))?;
            if since.elapsed() < GRACE {
                return None;
            }
            open.all.remove(&oldest);
            task.abort();
        }
        let id = open.next;
        open.next += 1;
        open.all.insert(id, Connection { idle: Some(Instant::now()), busy: 0, task: None });
        Some(Place { connections: self.clone(), id })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn ids(&self) -> Vec<u64> {
        self.lock().all.keys().copied().collect()
    }
}

impl Place {
    /// What ends the connection.
    pub(crate) fn served_by(connections: &Connections, id: u64, task: AbortHandle) {
        if let Some(connection) = connections.lock().all.get_mut(&id) {
            connection.task = Some(task);
        }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// A request has come; it is answered when the result is dropped. The server does so until the answer begins; an answer
    /// that goes on for long, and is to be kept, holds one of its own.
    #[must_use]
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.count(1);
        Busy(self.clone())
    }

    /// Closes the connection, whatever it is doing.
    pub fn close(&self) {
        if let Some(task) = self.connections.lock().all.get(&self.id).and_then(|one| one.task.clone()) {
            task.abort();
        }
    }

    fn count(&self, more: isize) {
        if let Some(connection) = self.connections.lock().all.get_mut(&self.id) {
            connection.busy = connection.busy.saturating_add_signed(more);
            connection.idle = (connection.busy == 0).then(Instant::now);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().all.remove(&self.id);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.count(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_is_idle_for_the_longest_time_goes() {
        let connections = Connections::default();
        let mut places = Vec::new();
        for _ in 0..3 {
            let place = Arc::new(connections.place(3).unwrap());
            let task = tokio::spawn(std::future::pending::<()>());
            Place::served_by(&connections, place.id(), task.abort_handle());
            places.push((place, task));
        }
        assert!(connections.place(3).is_none(), "each has some time of its own");
        tokio::time::sleep(2 * GRACE).await;
        // The first is at work: the second goes.
        let busy = places[0].0.busy();
        // Another answer on it that ends does not make it idle.
        drop(places[0].0.busy());
        let fourth = connections.place(3).unwrap();
        assert_eq!(connections.ids(), [0, 2, 3]);
        assert!(places.remove(1).1.await.unwrap_err().is_cancelled());
        // The first has begun to wait again, later than the third.
        drop(busy);
        tokio::time::sleep(2 * GRACE).await;
        let _fifth = connections.place(3).unwrap();
        assert_eq!(connections.ids(), [0, 3, 4]);
        drop(fourth);
        assert_eq!(connections.ids(), [0, 4]);
        assert!(connections.place(3).is_some());
    }
}
