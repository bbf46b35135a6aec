//! What a book adds to the books of those who came first.

use super::cosines::Cosines;
use super::{EPS, EvidenceParams};
use mantis_kit::math;

/// What became of a book.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Residue {
    /// Seniors whose books were taken out of it.
    pub(crate) seniors: usize,
    /// The senior whose book is most like it, of these.
    pub(crate) nearest: Option<usize>,
    /// How long the book is now, as a part of how long it was; 0 for an empty book.
    pub(crate) left: f64,
}

/// Takes out of each book, one after another, the books of seniors that it is like (scoring: trademix, evidence, seniority).
///
/// `order` lists the books by seniority. A senior's book is what its own seniors left of it; whether two are alike is
/// told by `cosines` of the books as they were.
///
/// Both products of a projection are summed by the same loop: of a copy, with whatever sign or scaled by a power of two,
/// exactly nothing is left.
pub(crate) fn residualise(
    books: &mut [Vec<f64>],
    order: &[usize],
    cosines: &Cosines,
    params: &EvidenceParams,
) -> Vec<Residue> {
    let mut residues = vec![Residue::default(); books.len()];
    let mut squares = vec![0.0; books.len()];
    for (place, &junior) in order.iter().enumerate() {
        let likeness = |senior: usize| cosines.of(senior, junior).abs();
        let counts = |senior: &usize| likeness(*senior) >= params.seniority_cosine && squares[*senior] > EPS;
        let seniors: Vec<usize> = order[..place].iter().copied().filter(counts).collect();
        let mut own = std::mem::take(&mut books[junior]);
        let before = math::dot(&own, &own).sqrt();
        for _ in 0..params.seniority_passes {
            for &senior in &seniors {
                let part = math::dot(&own, &books[senior]) / squares[senior];
                math::axpy(-part, &books[senior], &mut own);
            }
        }
        if math::dot(&own, &own).sqrt() <= params.seniority_floor * before {
            own.fill(0.0);
        }
        squares[junior] = math::dot(&own, &own);
        residues[junior] = Residue {
            seniors: seniors.len(),
            // Of equals the first.
            nearest: seniors.iter().copied().rev().max_by(|&a, &b| likeness(a).total_cmp(&likeness(b))),
            left: if before > 0.0 { squares[junior].sqrt() / before } else { 0.0 },
        };
        books[junior] = own;
    }
    residues
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn residues(books: &mut [Vec<f64>], order: &[usize], params: &EvidenceParams) -> Vec<Residue> {
        let cosines = Cosines::new(books);
        residualise(books, order, &cosines, params)
    }

    fn grid(numbers: &[i32]) -> Vec<f64> {
        numbers.iter().map(|&n| f64::from(n) / 64.0).collect()
    }

    #[test]
    fn only_like_books_of_seniors_are_taken_out() {
        let start = [vec![1.0, 1.0, 0.0], vec![1.0, 0.0, 0.0], vec![0.0, 0.1, 1.0]];
        let mut books = start.clone();
        let found = residues(&mut books, &[1, 0, 2], &EvidenceParams::default());
        assert_eq!(books, [vec![0.0, 1.0, 0.0], start[1].clone(), start[2].clone()]);
        assert_eq!((found[0].seniors, found[0].nearest), (1, Some(1)));
        assert!((found[0].left - 0.5_f64.sqrt()).abs() < 1e-15);
        // The third is like the first by 0.07 only.
        assert_eq!(found[2], Residue { seniors: 0, nearest: None, left: 1.0 });
    }

    #[test]
    fn a_floor_leaves_nothing_of_a_combination() {
        let a = grid(&(0..400).map(|t| t * 37 % 101 - 50).collect::<Vec<_>>());
        let b = grid(&(0..400).map(|t| t * 37 % 101 - 50 + t * 53 % 97 - 48).collect::<Vec<_>>());
        let mixed = mean(&a, &b);
        for (floor, is_empty) in [(0.0, false), (1e-9, true)] {
            let params = EvidenceParams { seniority_floor: floor, ..EvidenceParams::default() };
            let mut books = [a.clone(), b.clone(), mixed.clone()];
            let left = residues(&mut books, &[0, 1, 2], &params)[2].left;
            assert!(left < 1e-14 && (left == 0.0) == is_empty, "{floor}: {left}");
            assert_eq!(books[2].iter().all(|&x| x == 0.0), is_empty, "{floor}");
        }
    }

    #[test]
    fn passes_leave_nothing_of_a_combination_of_books_that_overlap() {
        // Their cosine is -0.1: too little for the second to lose the first.
        let books = [vec![1.0, 0.0], vec![-0.1, 0.99_f64.sqrt()]];
        let mixed = mean(&books[0], &books[1]);
        let left = |passes: usize| {
            let params = EvidenceParams { seniority_passes: passes, ..EvidenceParams::default() };
            let mut books = [books[0].clone(), books[1].clone(), mixed.clone()];
            residues(&mut books, &[0, 1, 2], &params)[2].left
        };
        assert!((0.05..0.1).contains(&left(1)) && left(3) < 1e-4 && left(8) < 1e-14);
    }

    fn mean(a: &[f64], b: &[f64]) -> Vec<f64> {
        a.iter().zip(b).map(|(a, b)| (a + b) / 2.0).collect()
    }

    proptest! {
        #[test]
        fn of_copies_of_any_sign_and_of_halves_nothing_is_left(
            numbers in prop::collection::vec((-64..=64_i32, -64..=64_i32, -64..=64_i32), 9..80),
            factor in prop::sample::select(vec![1.0, -1.0, 0.5, -0.25]),
        ) {
            let mut books = vec![
                grid(&numbers.iter().map(|n| n.0).collect::<Vec<_>>()),
                grid(&numbers.iter().map(|n| n.0 + n.1).collect::<Vec<_>>()),
                grid(&numbers.iter().map(|n| n.1 + n.2).collect::<Vec<_>>()),
            ];
            books.push(books[2].iter().map(|x| factor * x).collect());
            prop_assume!(books[2].iter().any(|&x| x != 0.0));
            residues(&mut books, &[0, 1, 2, 3], &EvidenceParams::default());
            prop_assume!(math::dot(&books[2], &books[2]) > EPS);
            prop_assert!(books[3].iter().all(|&x| x == 0.0));
        }
    }
}
