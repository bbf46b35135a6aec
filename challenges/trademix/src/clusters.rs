//! Miners with the same positions.

use mantis_kit::math;

/// A miner and those who hold what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// Index of the first and most skilled.
    pub(crate) seed: usize,
    /// All indices, the seed's first.
    pub(crate) members: Vec<usize>,
}

/// Joins duplicates, in the order given: each miner that is in no cluster yet starts one, and takes every later one
/// whose positions have a cosine of at least `threshold` to its own.
///
/// `order` are indices into `positions` by falling skill; positions are of equal length.
pub(crate) fn clusters(positions: &[Vec<Vec<f32>>], order: &[usize], threshold: f64) -> Vec<Cluster> {
    let norms: Vec<f64> = positions.iter().map(|own| product(own, own).sqrt()).collect();
    let mut is_taken = vec![false; positions.len()];
    let mut clusters = Vec::new();
    for (place, &seed) in order.iter().enumerate() {
        if is_taken[seed] {
            continue;
        }
        let mut members = vec![seed];
        for &other in &order[place + 1..] {
            let norm = norms[seed] * norms[other];
            if !is_taken[other]
                && norm > 0.0
                && product(&positions[seed], &positions[other]) / norm >= threshold
            {
                is_taken[other] = true;
                members.push(other);
            }
        }
        clusters.push(Cluster { seed, members });
    }
    clusters
}

/// Sum of products over all assets and rows.
fn product(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let of_asset = |(a, b): (&Vec<f32>, &Vec<f32>)| {
        let products: Vec<f64> = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).collect();
        math::sum(&products)
    };
    a.iter().zip(b).map(of_asset).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_skilled_takes_its_duplicates() {
        let positions = [
            vec![vec![1.0, 0.0, 1.0]],
            vec![vec![0.0, 1.0, 0.0]],
            vec![vec![0.5, 0.01, 0.5]],
            vec![vec![0.0; 3]],
        ];
        let found = clusters(&positions, &[2, 1, 0, 3], 0.95);
        assert_eq!(found[0], Cluster { seed: 2, members: vec![2, 0] });
        assert_eq!(found[1], Cluster { seed: 1, members: vec![1] });
        assert_eq!(found.len(), 3, "what never takes a position is nobody's duplicate");
    }
}
