//! Miners with the same positions.

use mantis_kit::clones::{self, Likeness};
use mantis_kit::math;

/// Rows whose products are summed before it is asked whether the rest can still matter.
const BLOCK: usize = 1_024;

/// A miner and those who hold what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// Index of the first and most skilled.
    pub(crate) seed: usize,
    /// All indices, the seed's first.
    pub(crate) members: Vec<usize>,
}

/// Joins duplicates, in the order given: each miner that is in no cluster yet starts one, and takes every later one
/// whose positions have a cosine of at least `threshold` to its own (scoring: trademix, dedup), or are like its own by
/// `likeness`, if that is given.
///
/// `order` are indices into `positions` by falling skill; positions are by asset and row, and of equal length.
pub(crate) fn clusters(
    positions: &[&[Vec<f32>]],
    order: &[usize],
    threshold: f64,
    likeness: Option<Likeness>,
) -> Vec<Cluster> {
    let signatures: Vec<Signature> = positions.iter().map(|own| Signature::new(own)).collect();
    let ranks: Vec<clones::Signature> =
        if likeness.is_some() { positions.iter().map(|own| ranks(own)).collect() } else { Vec::new() };
    let is_duplicate = |a: usize, b: usize| {
        signatures[a].is_near(&signatures[b], threshold)
            || likeness.is_some_and(|likeness| ranks[a].is_like(&ranks[b], likeness))
    };
    let mut is_taken = vec![false; positions.len()];
    let mut clusters = Vec::new();
    for (place, &seed) in order.iter().enumerate() {
        if is_taken[seed] {
            continue;
        }
        let mut members = vec![seed];
        for &other in &order[place + 1..] {
            if !is_taken[other] && is_duplicate(seed, other) {
                is_taken[other] = true;
                members.push(other);
            }
        }
        clusters.push(Cluster { seed, members });
    }
    clusters
}

/// Positions to be compared by rank: a row without any position is absent.
fn ranks(positions: &[Vec<f32>]) -> clones::Signature {
    let is_there = |t: usize| positions.iter().any(|of_asset| of_asset[t] != 0.0);
    let column = |of_asset: &Vec<f32>| {
        let rows = of_asset.iter().enumerate();
        rows.map(|(t, &x)| if is_there(t) { f64::from(x) } else { f64::NAN }).collect()
    };
    clones::Signature::new(positions.iter().map(column).collect())
}

/// All positions of a miner, seen as one vector in blocks.
struct Signature<'a> {
    positions: &'a [Vec<f32>],
    norm: f64,
    /// Norm of the blocks from the n-th on.
    rest: Vec<f64>,
}

impl<'a> Signature<'a> {
    fn new(positions: &'a [Vec<f32>]) -> Self {
        let squares: Vec<f64> = blocks(positions, positions).map(|(a, b)| product(a, b)).collect();
        let mut total = 0.0;
        let mut rest: Vec<f64> = Vec::with_capacity(squares.len());
        for square in squares.iter().rev() {
            total += square;
            rest.push(total.sqrt());
        }
        rest.reverse();
        Self { positions, norm: math::sum(&squares).sqrt(), rest }
    }

    /// Whether the cosine reaches the threshold.
    fn is_near(&self, other: &Self, threshold: f64) -> bool {
        let norm = self.norm * other.norm;
        if norm <= 0.0 {
            return false;
        }
        let mut sum = 0.0;
        for (n, (a, b)) in blocks(self.positions, other.positions).enumerate() {
            // What is left adds at most the product of its norms. The margin is far above rounding, so that stopping
            // here never changes the answer.
            if sum + self.rest[n] * other.rest[n] < (threshold - 1e-9) * norm {
                return false;
            }
            sum += product(a, b);
        }
        sum / norm >= threshold
    }
}

/// The same rows of two miners, block by block and asset by asset.
fn blocks<'a>(a: &'a [Vec<f32>], b: &'a [Vec<f32>]) -> impl Iterator<Item = (&'a [f32], &'a [f32])> {
    a.iter().zip(b).flat_map(|(a, b)| a.chunks(BLOCK).zip(b.chunks(BLOCK)))
}

/// Sum of products in fixed lanes.
fn product(a: &[f32], b: &[f32]) -> f64 {
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for i in 0..8 {
            lanes[i] += f64::from(a[i]) * f64::from(b[i]);
        }
    }
    math::sum(&lanes) + a_rest.iter().zip(b_rest).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_most_skilled_takes_its_duplicates() {
        let positions = [
            vec![vec![1.0, 0.0, 1.0]],
            vec![vec![0.0, 1.0, 0.0]],
            vec![vec![0.5, 0.01, 0.5]],
            vec![vec![0.0; 3]],
        ];
        let positions: Vec<&[Vec<f32>]> = positions.iter().map(Vec::as_slice).collect();
        let found = clusters(&positions, &[2, 1, 0, 3], 0.95, None);
        assert_eq!(found[0], Cluster { seed: 2, members: vec![2, 0] });
        assert_eq!(found[1], Cluster { seed: 1, members: vec![1] });
        assert_eq!(found.len(), 3, "what never takes a position is not a duplicate");
    }

    proptest! {
        #[test]
        fn stopping_early_changes_no_answer(
            pairs in proptest::collection::vec((-1.0..1.0f32, -1.0..1.0f32), 1..4_000),
            near in 0.0..1.0f32,
            threshold in 0.0..=1.0f64,
        ) {
            let a = vec![pairs.iter().map(|p| p.0).collect::<Vec<_>>()];
            let b = vec![pairs.iter().map(|p| near * p.0 + (1.0 - near) * p.1).collect::<Vec<_>>()];
            let cosine = product(&a[0], &b[0])
                / (product(&a[0], &a[0]).sqrt() * product(&b[0], &b[0]).sqrt());
            prop_assume!((cosine - threshold).abs() > 1e-12);
            let is_near = Signature::new(&a).is_near(&Signature::new(&b), threshold);
            prop_assert_eq!(is_near, cosine >= threshold);
        }
    }
}
