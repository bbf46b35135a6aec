//! Drawing competitors.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;

/// So many of the names, by a seed: the same for the same names, whatever the machine. All, if there are no more.
pub(super) fn draw(mut names: Vec<String>, count: usize, seed: u64) -> BTreeSet<String> {
    names.sort_unstable();
    names.dedup();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    for place in 0..count.min(names.len()) {
        let left = (names.len() - place) as u128;
        // 64 bits spread over so few are even to 1 in 2^50.
        let offset = (u128::from(rng.next_u64()) * left) >> 64;
        names.swap(place, place + offset as usize);
    }
    names.truncate(count);
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("5{i:02}")).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_whatever_the_order() {
        let mut backwards = names(24);
        backwards.reverse();
        let drawn = draw(names(24), 8, 7);
        assert_eq!(drawn, draw(backwards, 8, 7));
        assert_eq!(drawn.len(), 8);
        assert_ne!(drawn, draw(names(24), 8, 8));
        assert_eq!(draw(names(3), 8, 7).len(), 3);
        // Written down, so that another generator is noticed.
        assert_eq!(draw(names(24), 3, 1).into_iter().collect::<Vec<_>>(), DRAWN);
    }

    const DRAWN: [&str; 3] = ["500", "504", "514"];

    #[test]
    fn everybody_is_drawn_as_often() {
        let mut drawn = [0; 10];
        for seed in 0..2000 {
            for name in draw(names(10), 3, seed) {
                drawn[name[1..].parse::<usize>().unwrap()] += 1;
            }
        }
        assert!(drawn.iter().all(|count| (520..680).contains(count)), "{drawn:?}");
    }
}
