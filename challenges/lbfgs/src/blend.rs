//! The two parts, thinned by rank and blended.

use crate::Params;
use crate::overlap::falling;

/// Keeps the `keep` largest positive entries and scales them to sum 1; nothing positive stays as it is.
pub(crate) fn keep_top(values: &mut [f64], keep: usize) {
    let order = falling(values);
    order.iter().skip(keep).for_each(|&i| values[i] = 0.0);
    let sum: f64 = values.iter().sum();
    if sum > 0.0 {
        values.iter_mut().for_each(|value| *value /= sum);
    }
}

/// A part's entries times their factor of rank, scaled to sum 1, small ones dropped (scoring: lbfgs, blend). `None` if the
/// part counts as empty: nothing positive, or all alike.
pub(crate) fn decayed(part: &[f64], params: &Params) -> Option<Vec<f64>> {
    let order = falling(part);
    let (&largest, &smallest) = (order.first()?, order.last()?);
    let mean = order.iter().map(|&i| part[i]).sum::<f64>() / order.len() as f64;
    if (part[largest] - part[smallest]) / mean < params.min_spread {
        return None;
    }
    let mut shares = vec![0.0; part.len()];
    for (rank, &i) in order.iter().enumerate() {
        shares[i] = part[i] * rank_factor(rank, params);
    }
    let sum: f64 = shares.iter().sum();
    let kept = |share: f64| if share > params.min_share { share } else { 0.0 };
    shares.iter_mut().for_each(|share| *share = kept(*share / sum));
    Some(shares)
}

/// The factor of a rank, the first being 0.
pub(crate) fn rank_factor(rank: usize, params: &Params) -> f64 {
    mantis_kit::math::exp(-(rank as f64) / params.decay_ranks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_of_equals() {
        let mut values = [1.0, 3.0, 1.0, 0.0];
        keep_top(&mut values, 2);
        assert_eq!(values, [0.25, 0.75, 0.0, 0.0]);
        keep_top(&mut [0.0; 3], 2);
    }

    #[test]
    fn decays_by_rank_and_drops_dust() {
        let params = Params { decay_ranks: 1.0, ..Params::default() };
        let shares = decayed(&[1.0, 0.0, 2.0, 1e-9], &params).unwrap();
        let (first, second) = (2.0, mantis_kit::math::exp(-1.0));
        assert!((shares[2] - first / (first + second)).abs() < 1e-9, "{shares:?}");
        assert_eq!((shares[1], shares[3]), (0.0, 0.0));
    }

    #[test]
    fn alike_or_empty_parts_do_not_count() {
        let params = Params::default();
        assert_eq!(decayed(&[0.0, 0.0], &params), None);
        assert_eq!(decayed(&[0.5, 0.0, 0.501], &params), None);
        assert_eq!(decayed(&[1.0], &params), None);
        assert!(decayed(&[0.5, 0.51], &params).is_some());
    }
}
