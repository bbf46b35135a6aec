//! The stake-weighted median of weights, and what is clipped at it.

use super::row::{Row, at};

/// The consensus about each of `miners` UIDs: the largest weight that validators with `kappa` of the stake give it at least.
pub(super) fn medians(miners: usize, stake: &[f64], rows: &[Row], kappa: f64) -> Vec<f64> {
    let staked: Vec<(&Row, f64)> =
        rows.iter().zip(stake).filter(|(_, stake)| **stake > 0.0).map(|(row, stake)| (row, *stake)).collect();
    let sum: f64 = staked.iter().map(|(_, stake)| stake).sum();
    let column = |uid: u16| {
        let weights = staked.iter().map(|(row, stake)| (at(row, uid), *stake / sum));
        median(weights.collect(), kappa)
    };
    (0..=u16::MAX).take(miners).map(column).collect()
}

/// The median of weights by stake; the stake sums to 1.
fn median(mut weights: Vec<(f64, f64)>, kappa: f64) -> f64 {
    weights.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let minority = weights.iter().map(|(_, stake)| stake).sum::<f64>() - kappa;
    let mut below = 0.0;
    for equal in weights.chunk_by(|(a, _), (b, _)| a == b) {
        below += equal.iter().map(|(_, stake)| stake).sum::<f64>();
        if minority < below {
            return equal[0].0;
        }
    }
    weights.last().map_or(0.0, |(weight, _)| *weight)
}

/// The rows without what is above the consensus. What nobody agrees to is left out.
pub(super) fn clip(rows: &[Row], consensus: &[f64]) -> Vec<Row> {
    let clipped = |(uid, weight): (&u16, &f64)| {
        let most = consensus.get(usize::from(*uid)).copied().unwrap_or(0.0);
        (*weight <= most || most > 0.0).then_some((*uid, weight.min(most)))
    };
    rows.iter().map(|row| row.iter().filter_map(clipped).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_what_enough_stake_gives_at_least() {
        let weights = vec![(0.5, 0.25), (0.125, 0.25), (0.25, 0.5)];
        let of = |kappa| median(weights.clone(), kappa);
        assert_eq!([0.2, 0.3, 0.7, 0.8, 1.0].map(of), [0.5, 0.25, 0.25, 0.125, 0.125]);
        // Exactly the stake that it takes is enough; none at all is the largest.
        assert_eq!([0.25, 0.75, 0.0].map(of), [0.5, 0.25, 0.5]);
        assert_eq!(median(Vec::new(), 0.5), 0.0);
    }

    #[test]
    fn what_is_above_the_consensus_is_clipped() {
        let row = Row::from([(0, 0.5), (1, 0.25), (2, 0.25), (3, 0.0)]);
        assert_eq!(clip(&[row], &[0.25, 0.5, 0.0]), [Row::from([(0, 0.25), (1, 0.25), (3, 0.0)])]);
    }
}
