//! Work that is shared among threads.

use std::sync::Mutex;
use std::thread;

/// Does `work` for every item, on as many threads as there are processors. Items know nothing of each other, so which thread
/// takes which makes no difference; where no thread can be started, this one does all.
pub(crate) fn for_each<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync) {
    let helpers = thread::available_parallelism().map_or(1, usize::from).min(items.len()).saturating_sub(1);
    for_each_on(helpers, items, work);
}

fn for_each_on<T: Send>(helpers: usize, items: &mut [T], work: impl Fn(&mut T) + Sync) {
    let queue = Mutex::new(items.iter_mut());
    let take = || queue.lock().ok()?.next();
    let drain = || {
        while let Some(item) = take() {
            work(item);
        }
    };
    thread::scope(|scope| {
        for _ in 0..helpers {
            // What it would have done is left in the queue.
            let _ = thread::Builder::new().spawn_scoped(scope, drain);
        }
        drain();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_on_any_number_of_threads() {
        for helpers in [0, 1, 7] {
            let mut items: Vec<usize> = (0..100).collect();
            for_each_on(helpers, &mut items, |item| *item += 1_000);
            assert!(items.iter().enumerate().all(|(i, item)| *item == i + 1_000), "{helpers}");
        }
    }
}
