//! Work on several things at the same time.

use rayon::ThreadPoolBuilder;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};

/// Does `work` for every item on up to `threads` threads, beginning with the items in their order; the results are in
/// the items' order too. Where no threads can be started, this one does it all.
///
/// # Panics
/// If `work` panics, once all that was begun has ended.
pub fn fan_out<T: Sync, R: Send + Sync>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.clamp(1, items.len().max(1));
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(threads).build() else {
        return items.iter().map(work).collect();
    };
    let results: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    // First come, first served: a parallel iterator would begin in the middle, and a long item last.
    pool.scope_fifo(|scope| {
        for (item, result) in items.iter().zip(&results) {
            let work = &work;
            scope.spawn_fifo(move |_| {
                let _first_time = result.set(work(item));
            });
        }
    });
    results.into_iter().filter_map(OnceLock::into_inner).collect()
}

/// So many at a time, whoever comes first.
pub(crate) struct Turns {
    free: Mutex<usize>,
    given_back: Condvar,
}

impl Turns {
    /// `turns` at a time, at least 1.
    pub(crate) fn new(turns: usize) -> Self {
        Self { free: Mutex::new(turns.max(1)), given_back: Condvar::new() }
    }

    /// Does `work` once there is a turn for it.
    pub(crate) fn take<R>(&self, work: impl FnOnce() -> R) -> R {
        let _turn = Turn::take(self);
        work()
    }
}

/// A turn that is given back when it is dropped.
struct Turn<'a>(&'a Turns);

impl<'a> Turn<'a> {
    fn take(turns: &'a Turns) -> Self {
        let mut free = turns.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = turns.given_back.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Self(turns)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn results_are_in_the_order_of_the_items_however_long_each_takes() {
        let items: Vec<u64> = (0..40).collect();
        let squares = fan_out(4, &items, |&x| {
            std::thread::sleep(Duration::from_millis(x % 3));
            x * x
        });
        assert_eq!(squares, items.iter().map(|x| x * x).collect::<Vec<_>>());
        assert!(fan_out(4, &[] as &[u64], |&x| x).is_empty());
    }

    #[test]
    fn no_more_run_at_a_time_than_there_are_threads() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        fan_out(3, &[(); 30], |()| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2));
            now.fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!(most.into_inner(), 3);
    }

    #[test]
    fn turns_are_given_back_also_by_a_panic() {
        let (turns, now, most) = (Turns::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
        let broken =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| turns.take(|| panic!("as asked"))));
        assert!(broken.is_err());
        fan_out(8, &[(); 40], |()| {
            turns.take(|| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(2));
                now.fetch_sub(1, Ordering::SeqCst);
            });
        });
        assert_eq!(most.into_inner(), 2);
    }

    #[test]
    fn one_thread_takes_the_items_in_their_order() {
        let begun = Mutex::new(Vec::new());
        fan_out(1, &[3, 1, 2], |&x| begun.lock().unwrap().push(x));
        assert_eq!(begun.into_inner().unwrap(), [3, 1, 2]);
    }
}
