use super::*;
use crate::rng::NumpyRng;
use proptest::prelude::*;

const ROWS: usize = 3_000;
const LIKE: Likeness = Likeness { correlation: 0.6, lag: 3 };

/// Uniform numbers from -1 to 1.
fn noise(seed: u64) -> Vec<f64> {
    let mut rng = NumpyRng::new(seed);
    (0..ROWS).map(|_| rng.integers(2_000_001) as f64 / 1e6 - 1.0).collect()
}

fn mix(a: &[f64], b: &[f64], share: f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + share * b).collect()
}

fn late(a: &[f64], rows: usize) -> Vec<f64> {
    (0..a.len()).map(|t| if t < rows { 0.0 } else { a[t - rows] }).collect()
}

fn signature(column: &[f64]) -> Signature {
    Signature::new(vec![column.to_vec()])
}

#[test]
fn copies_with_noise_opposites_and_late_ones_are_alike() {
    let original = noise(1);
    let like = |column: &[f64], lag| {
        let likeness = Likeness { lag, ..LIKE };
        let (a, b) = (signature(&original), signature(column));
        assert_eq!(a.is_like(&b, likeness), b.is_like(&a, likeness));
        a.is_like(&b, likeness)
    };
    assert!(like(&mix(&original, &noise(2), 1.0), 0), "a correlation of 0.71");
    assert!(!like(&mix(&original, &noise(2), 2.0), 3), "one of 0.45");
    assert!(like(&original.iter().map(|x| 0.5 - 0.01 * x).collect::<Vec<_>>(), 0));
    assert_eq!([0, 1, 2, 3].map(|lag| like(&late(&original, 2), lag)), [false, false, true, true]);
    assert!(!like(&noise(3), 3));
    assert!(!like(&[1.0; ROWS], 3), "one that does not vary");
    assert!(!like(&[f64::NAN; ROWS], 3));
}

#[test]
fn says_how_late_the_other_one_is() {
    let original = signature(&noise(1));
    let other = signature(&late(&noise(1), 2).iter().map(|x| -x).collect::<Vec<_>>());
    let (correlation, lag) = original.correlation(&other, 5);
    assert!(correlation < -0.99 && lag == 2, "{correlation} {lag}");
    let (correlation, lag) = other.correlation(&original, 5);
    assert!(correlation < -0.99 && lag == -2, "{correlation} {lag}");
}

#[test]
fn some_huge_numbers_and_another_measure_do_not_hide_a_copy() {
    let original = noise(1);
    let huge: Vec<f64> = (0..ROWS).map(|t| if t % 50 == 7 { 1e9 } else { original[t] }).collect();
    let bent: Vec<f64> = original.iter().map(|x| -crate::math::exp(20.0 * x)).collect();
    for copy in [huge, bent] {
        assert!(signature(&original).is_like(&signature(&copy), Likeness { correlation: 0.95, lag: 0 }));
    }
}

#[test]
fn equal_numbers_share_the_middle_of_their_ranks() {
    let ranks = mid_ranks(&[2.0, f64::NAN, -0.0, 2.0, 0.0, 9.0]);
    assert!(ranks[1].is_nan());
    assert_eq!([0, 2, 3, 4, 5].map(|t| ranks[t]), [2.5, 0.5, 2.5, 0.5, 4.0]);
}

#[test]
fn copies_that_take_turns_are_compared_where_both_are_there() {
    let original = noise(1);
    let only = |is_there: &dyn Fn(usize) -> bool| -> Signature {
        signature(&(0..ROWS).map(|t| if is_there(t) { original[t] } else { f64::NAN }).collect::<Vec<_>>())
    };
    let (first, second) = (only(&|t| t < 2_000), only(&|t| t >= 1_200));
    assert!(first.is_like(&second, Likeness { correlation: 0.99, lag: 0 }));
    assert!(first.is_like(&signature(&original), Likeness { correlation: 0.99, lag: 0 }));
    assert!(!only(&|t| t < 1_500).is_like(&only(&|t| t >= 1_450), LIKE), "50 rows are too few");
}

#[test]
fn parts_count_the_same_and_lags_do_not_reach_from_one_to_the_next() {
    let (a, b) = (noise(1), noise(2));
    let scaled: Vec<f64> = b.iter().map(|x| 1e-3 * x).collect();
    let one = Signature::new(vec![a.clone(), b.clone()]);
    assert!(one.is_like(&Signature::new(vec![a.clone(), scaled]), LIKE));
    let (half, _) = one.correlation(&Signature::new(vec![a, noise(3)]), 0);
    assert!((half - 0.5).abs() < 0.05, "{half}");
    assert!(!one.is_like(&Signature::new(vec![b, noise(4)]), LIKE));
}

#[test]
fn the_first_in_order_leads() {
    let (a, b) = (noise(1), noise(2));
    let all =
        [&a, &b, &mix(&a, &noise(3), 0.5), &vec![0.0; ROWS], &mix(&b, &noise(4), 0.5), &vec![0.0; ROWS]];
    let signatures: Vec<Signature> = all.iter().map(|column| signature(column)).collect();
    let found = groups(&signatures, &[2, 4, 0, 3, 1, 5], LIKE);
    let members: Vec<&[usize]> = found.iter().map(|group| group.members.as_slice()).collect();
    assert_eq!(members, [&[2, 0][..], &[4, 1], &[3], &[5]]);
    assert!(found.iter().all(|group| group.leader == group.members[0]));
    assert!(groups(&[], &[], LIKE).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn stopping_early_and_gaps_change_no_answer(
        seed in 0..1_000_u64,
        share in 0.0..2.0_f64,
        gaps in prop::collection::vec((0..ROWS, 1..200_usize), 0..20),
        lag in 0..4_usize,
        correlation in 0.05..0.95_f64,
    ) {
        let a = noise(seed);
        let mut b = mix(&late(&a, lag), &noise(seed + 1), share);
        for (from, rows) in gaps {
            b[from..(from + rows).min(ROWS)].fill(f64::NAN);
        }
        let (a, b) = (signature(&a), signature(&b));
        let (found, _) = a.correlation(&b, 3);
        prop_assert!((-1.0 - 1e-6..=1.0 + 1e-6).contains(&found));
        prop_assume!((found.abs() - correlation).abs() > 1e-9);
        let likeness = Likeness { correlation, lag: 3 };
        prop_assert_eq!(a.is_like(&b, likeness), found.abs() >= correlation);
        prop_assert_eq!(b.is_like(&a, likeness), found.abs() >= correlation);
    }
}

/// Over the rows in which both are there, straight from the definition.
fn plain_correlation(a: &Signature, b: &Signature, lag: usize) -> f64 {
    let (a, b) = (&a.parts[0], &b.parts[0]);
    let mut sums = [0.0; 3];
    for t in 0..ROWS - lag {
        if !a.absent.contains(&t) && !b.absent.contains(&(t + lag)) {
            let (x, y) = (f64::from(a.values[t]), f64::from(b.values[t + lag]));
            sums = [sums[0] + x * y, sums[1] + x * x, sums[2] + y * y];
        }
    }
    sums[0] / (sums[1] * sums[2]).sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn is_the_correlation_over_common_rows(
        seed in 0..1_000_u64,
        gaps in prop::collection::vec((0..ROWS, 1..200_usize, any::<bool>()), 0..10),
        lag in 0..4_usize,
    ) {
        let (mut a, mut b) = (noise(seed), mix(&late(&noise(seed), lag), &noise(seed + 1), 1.0));
        for (from, rows, first) in gaps {
            let column = if first { &mut a } else { &mut b };
            column[from..(from + rows).min(ROWS)].fill(f64::NAN);
        }
        let (a, b) = (signature(&a), signature(&b));
        prop_assert!((a.correlation_at(&b, lag, 0.0) - plain_correlation(&a, &b, lag)).abs() < 1e-9);
        let common = (0..ROWS - lag)
            .filter(|t| !a.parts[0].absent.contains(t) && !b.parts[0].absent.contains(&(t + lag)));
        prop_assert_eq!(a.parts[0].common(&b.parts[0], lag), common.count() as f64);
    }
}
