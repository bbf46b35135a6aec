//! Work on several things at the same time.

use rayon::ThreadPoolBuilder;
use std::sync::OnceLock;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
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
    fn one_thread_takes_the_items_in_their_order() {
        let begun = Mutex::new(Vec::new());
        fan_out(1, &[3, 1, 2], |&x| begun.lock().unwrap().push(x));
        assert_eq!(begun.into_inner().unwrap(), [3, 1, 2]);
    }
}
