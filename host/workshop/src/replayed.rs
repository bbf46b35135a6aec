//! What is tested of answers when all of them are there.

use crate::child::{Child, ChildError};
use crate::evaluation::LagTest;
use crate::feed::Feed;
use crate::metrics::Measures;
use crate::walk::{Answers, Path, walk};
use mantis_plugin_api::Targets;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Rows that are answered once more.
pub const REPLAYED: usize = 64;

/// Some of the rows that were asked about. They follow from all answers, so that no strategy knows them before.
#[must_use]
pub fn drawn(answers: &Answers) -> BTreeSet<usize> {
    let mut hasher = Sha256::new();
    for (row, numbers) in answers.rows.iter().zip(&answers.numbers) {
        hasher.update((*row as u64).to_le_bytes());
        numbers.iter().for_each(|x| hasher.update(x.to_le_bytes()));
    }
    let mut generator = ChaCha8Rng::from_seed(hasher.finalize().into());
    let mut drawn = BTreeSet::new();
    while drawn.len() < REPLAYED.min(answers.rows.len()) {
        let place = ((u128::from(generator.next_u64()) * answers.rows.len() as u128) >> 64) as usize;
        drawn.extend(answers.rows.get(place).copied());
    }
    drawn
}

/// Has a fresh strategy answer once more, told nothing after the last of the drawn rows; gives how many of those it answers
/// otherwise, in any bit.
///
/// # Errors
/// If it does not answer as it should.
pub fn differing(
    child: &mut Child,
    feed: &Feed<'_>,
    path: Path,
    answers: &Answers,
    drawn: &BTreeSet<usize>,
) -> Result<usize, ChildError> {
    let Some(last) = drawn.last() else { return Ok(0) };
    let again = walk(child, feed, path.before(last + 1), 0, &mut |_| {})?;
    Ok(differences(answers, &again, |row| drawn.contains(&row)))
}

/// How many rows of both are answered otherwise, in any bit.
pub(crate) fn differences(one: &Answers, other: &Answers, counts: impl Fn(usize) -> bool) -> usize {
    let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let rows = one.rows.iter().zip(&one.numbers).zip(other.rows.iter().zip(&other.numbers));
    rows.filter(|((row, a), (same, b))| counts(**row) && (row != same || bits(a) != bits(b))).count()
}

/// What a strategy's measures are worth that are these with prices of a row before.
#[must_use]
pub fn lag_test(measures: &Measures, lagged: &Measures, chance: f64) -> LagTest {
    let (value, drop) = match (measures.headline(), lagged.headline()) {
        (Some(now), Some(lagged)) => (Some(lagged), Some(now - lagged)),
        (_, lagged) => (lagged, None),
    };
    let noise = measures.headline_ci95().map_or(0.0, |[low, high]| (high - low) / 2.0);
    let edge = measures.headline().map_or(0.0, |now| now - chance);
    let is_suspect = drop.is_some_and(|drop| drop > noise && drop > edge / 2.0);
    LagTest { value, drop, verdict: if is_suspect { "rests_on_newest_row" } else { "passed" } }
}

/// How many labels of a market that ends early can be compared with those of the whole, and how many differ: they are
/// others, or are missing though they were said to be known.
#[must_use]
pub fn compare_labels(whole: &Targets, cut: &Targets, rows: usize) -> (usize, usize) {
    let of = |targets: &Targets| {
        let width = targets.values.len() / targets.rows.len().max(1);
        let values = targets.values.chunks(width.max(1)).map(<[_]>::to_vec);
        targets.rows.iter().copied().zip(values).collect::<BTreeMap<usize, Vec<Option<u16>>>>()
    };
    if cut.rows.is_empty() {
        // Too little for a label, which no strategy was told then.
        return (0, 0);
    }
    let (all, early) = (of(whole), of(cut));
    let known = whole.rows.iter().zip(&whole.known).filter(|(_, known)| **known < rows);
    let (mut checked, mut differing) = (0, 0);
    // What a plugin leaves out of the longer market, as its oldest rows, cannot be compared.
    let oldest = whole.rows.first().copied().unwrap_or(0).max(cut.rows.first().copied().unwrap_or(0));
    for (row, _) in known.filter(|(row, _)| **row >= oldest) {
        checked += 1;
        differing += usize::from(early.get(row) != all.get(row));
    }
    (checked, differing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::Reading;

    fn answers(last: f32) -> Answers {
        Answers {
            rows: (10..1010).collect(),
            numbers: (0..1000).map(|i| vec![(i % 7) as f32, last]).collect(),
        }
    }

    #[test]
    fn the_rows_follow_from_all_answers() {
        let first = drawn(&answers(1.0));
        assert_eq!((first.len(), &first), (REPLAYED, &drawn(&answers(1.0))));
        assert_ne!(first, drawn(&answers(2.0)));
        let few = Answers { rows: vec![3, 4], numbers: vec![vec![], vec![1.0]] };
        assert_eq!(drawn(&few), BTreeSet::from([3, 4]));
        assert!(drawn(&Answers::default()).is_empty());
    }

    #[test]
    fn a_difference_of_a_bit_is_one() {
        let mut other = answers(1.0);
        other.numbers[5][0] = -0.0;
        other.numbers[7][0] = -0.0;
        assert_eq!(differences(&answers(1.0), &other, |row| row < 16), 1);
    }

    #[test]
    fn labels_are_compared_where_they_are_known() {
        let mut whole = Targets::new(Reading::Event);
        (0..10).for_each(|row| whole.push(row, row + 2, [Some(0)]));
        let mut cut = Targets::new(Reading::Event);
        (0..4).for_each(|row| cut.push(row, row + 2, [Some(0)]));
        assert_eq!(compare_labels(&whole, &cut, 6), (4, 0));
        assert_eq!(compare_labels(&whole, &cut, 7), (5, 1), "row 4 is said to be known");
        cut.values[3] = Some(1);
        assert_eq!(compare_labels(&whole, &cut, 6), (4, 1));
    }
}
