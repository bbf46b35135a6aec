//! The two parts, thinned by rank and blended.

use crate::Params;
use crate::cohorts::Cohorts;
use crate::overlap::{falling, falling_from};

/// A part of the blend, thinned by rank. Its entries are those of miners; of columns where cohorts have one rank.
pub(crate) struct Ranked {
    pub(crate) entries: Vec<f64>,
    /// Those above 0, largest first.
    pub(crate) order: Vec<usize>,
    /// What is left of them after the decay by rank; `None` if the part counts as empty.
    pub(crate) decayed: Option<Vec<f64>>,
}

impl Ranked {
    /// What the columns have, by rank. Equal ones are ranked by representative, then by hotkey.
    pub(crate) fn new(columns: Vec<f64>, cohorts: &Cohorts, params: &Params) -> Self {
        let (entries, order) = if has_one_rank(params) {
            let order = falling(&columns);
            (columns, order)
        } else {
            let miners = cohorts.shared(&columns);
            let order = falling_from(&miners, cohorts.in_order());
            (miners, order)
        };
        Self { decayed: decayed(&entries, &order, params), entries, order }
    }
}

/// Whether a cohort is ranked as one.
pub(crate) fn has_one_rank(params: &Params) -> bool {
    params.cohort_one_rank || params.collapse_clones
}

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
fn decayed(part: &[f64], order: &[usize], params: &Params) -> Option<Vec<f64>> {
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

    fn decayed(part: &[f64], params: &Params) -> Option<Vec<f64>> {
        super::decayed(part, &falling(part), params)
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

    #[test]
    fn ranks_run_through_cohorts_unless_they_have_one() {
        // Miners 0 and 3 are a cohort; 1 and 2 have as much as each of them.
        let cohorts = Cohorts::connected(4, &[[0, 3]]);
        let columns = vec![1.0, 0.5, 0.6];
        let params = Params { decay_ranks: 1.0, ..Params::default() };
        let each = Ranked::new(columns.clone(), &cohorts, &params);
        assert_eq!((&each.entries[..], &each.order[..]), (&[0.5, 0.5, 0.6, 0.5][..], &[2, 0, 3, 1][..]));
        let shares = each.decayed.unwrap();
        assert!((shares[3] / shares[0] - mantis_kit::math::exp(-1.0)).abs() < 1e-12, "{shares:?}");
        let params = Params { cohort_one_rank: true, ..params };
        let one = Ranked::new(columns, &cohorts, &params);
        assert_eq!(one.order, [0, 2, 1]);
        let shares = cohorts.shared(&one.decayed.unwrap());
        assert!(shares[0] == shares[3] && shares[0] > shares[2], "{shares:?}");
    }
}
