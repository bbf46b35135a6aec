//! Area under the ROC curve.

/// Probability that a positive scores above a negative, a tie counting half (mid-rank).
///
/// `scores` and `positive` run over the same rows; were their lengths to differ, the shorter decides. The counts are
/// integers, so the result is the exact ratio, rounded once. `None` when one class is missing or a score is NaN.
#[must_use]
pub fn auc(scores: &[f64], positive: &[bool]) -> Option<f64> {
    let mut ups = Vec::new();
    let mut downs = Vec::new();
    for (&score, &up) in scores.iter().zip(positive) {
        if score.is_nan() {
            return None;
        }
        if up { ups.push(order_key(score)) } else { downs.push(order_key(score)) }
    }
    if ups.is_empty() || downs.is_empty() {
        return None;
    }
    ups.sort_unstable();
    downs.sort_unstable();

    // Twice the number of pairs won, so that ties stay integers.
    let mut won = 0_u64;
    let (mut below, mut not_above) = (0, 0);
    for &score in &ups {
        while below < downs.len() && downs[below] < score {
            below += 1;
        }
        not_above = not_above.max(below);
        while not_above < downs.len() && downs[not_above] == score {
            not_above += 1;
        }
        won += (below + not_above) as u64;
    }
    Some(won as f64 / (2.0 * ups.len() as f64 * downs.len() as f64))
}

/// An integer in the order of the value; +0 and -0 are the same.
fn order_key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All pairs, compared one by one.
    fn naive(scores: &[f64], positive: &[bool]) -> Option<f64> {
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in (0..scores.len()).filter(|&i| positive[i]) {
            for j in (0..scores.len()).filter(|&j| !positive[j]) {
                pairs += 1.0;
                won += if scores[i] > scores[j] { 1.0 } else { 0.5 * f64::from(scores[i] == scores[j]) };
            }
        }
        (pairs > 0.0).then_some(won / pairs)
    }

    #[test]
    fn zeros_of_either_sign_tie() {
        assert_eq!(auc(&[0.0, -0.0], &[true, false]), Some(0.5));
    }

    #[test]
    fn one_class_or_nan_has_no_auc() {
        assert_eq!(auc(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(auc(&[], &[]), None);
        assert_eq!(auc(&[f64::NAN, 2.0], &[true, false]), None);
        assert_eq!(auc(&[f64::INFINITY, f64::NEG_INFINITY], &[true, false]), Some(1.0));
    }

    proptest! {
        #[test]
        fn equals_counting_pairs(rows in prop::collection::vec((-6..6_i32, any::<bool>()), 0..60)) {
            let scores: Vec<f64> = rows.iter().map(|r| f64::from(r.0) / 4.0).collect();
            let positive: Vec<bool> = rows.iter().map(|r| r.1).collect();
            prop_assert_eq!(auc(&scores, &positive), naive(&scores, &positive));
        }

        #[test]
        fn keeps_under_monotone_maps_and_mirrors_under_negation(
            rows in prop::collection::vec((-3.0..3.0_f64, any::<bool>()), 2..60),
        ) {
            let positive: Vec<bool> = rows.iter().map(|r| r.1).collect();
            let map = |f: &dyn Fn(f64) -> f64| rows.iter().map(|r| f((r.0 * 8.0).round())).collect::<Vec<_>>();
            let plain = auc(&map(&|x| x), &positive);
            prop_assert_eq!(plain, auc(&map(&|x| x * x * x + 2.0 * x), &positive));
            if let (Some(plain), Some(mirrored)) = (plain, auc(&map(&|x| -x), &positive)) {
                prop_assert!((plain + mirrored - 1.0).abs() < 1e-15);
            }
        }
    }
}
