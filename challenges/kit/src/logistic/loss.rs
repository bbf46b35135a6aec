//! The loss of single rows: value, first and second derivative in the decision value. All without branches.

use crate::math;
use multiversion::multiversion;

const SIGN: u64 = 1 << 63;

/// Per row: derivative of the loss in the decision value, second derivative, loss. All slices are of one length.
pub(super) struct Derivatives<'a> {
    pub(super) residual: &'a mut [f64],
    pub(super) curvature: &'a mut [f64],
    pub(super) loss: &'a mut [f64],
}

/// Of rows with one label each: `signed` is their weight, negated if the label is negative. Losses if `VALUES` only.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn of_labels<const VALUES: bool>(decision: &[f64], signed: &[f64], into: Derivatives<'_>) {
    let n = decision.len();
    let signed = &signed[..n];
    let (residual, curvature, loss) =
        (&mut into.residual[..n], &mut into.curvature[..n], &mut into.loss[..n]);
    for i in 0..n {
        let weight = signed[i].abs();
        let margin = f64::from_bits(decision[i].to_bits() ^ (signed[i].to_bits() & SIGN));
        let t = math::exp_of_negative(-margin.abs());
        // Probabilities of the likelier and the unlikelier label; neither is had by subtraction from 1.
        let likely = 1.0 / (1.0 + t);
        let unlikely = t * likely;
        let is_right = margin > 0.0;
        let wrong = if is_right { unlikely } else { likely };
        residual[i] = -(signed[i] * wrong);
        curvature[i] = weight * likely * unlikely;
        if VALUES {
            let missed = if is_right { 0.0 } else { -margin };
            loss[i] = weight * math::ln_1p_unit(t) + weight * missed;
        }
    }
}

/// As [`of_labels`], where all decision values are 0.
pub(super) fn of_labels_at_zero(signed: &[f64], into: Derivatives<'_>) {
    let n = signed.len();
    let (residual, curvature, loss) =
        (&mut into.residual[..n], &mut into.curvature[..n], &mut into.loss[..n]);
    for i in 0..n {
        let weight = signed[i].abs();
        residual[i] = -(signed[i] * 0.5);
        curvature[i] = weight * 0.25;
        loss[i] = weight * std::f64::consts::LN_2;
    }
}

/// Of rows that stand for others: what those with a positive and with a negative label weigh.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn of_sums(decision: &[f64], positive: &[f64], negative: &[f64], into: Derivatives<'_>) {
    let n = decision.len();
    let (positive, negative) = (&positive[..n], &negative[..n]);
    let (residual, curvature, loss) =
        (&mut into.residual[..n], &mut into.curvature[..n], &mut into.loss[..n]);
    for i in 0..n {
        let z = decision[i];
        let t = math::exp_of_negative(-z.abs());
        let likely = 1.0 / (1.0 + t);
        let unlikely = t * likely;
        let up = z > 0.0;
        let p = if up { likely } else { unlikely };
        let q = if up { unlikely } else { likely };
        let above = if up { z } else { 0.0 };
        let below = if up { 0.0 } else { -z };
        let weight = positive[i] + negative[i];
        residual[i] = negative[i] * p - positive[i] * q;
        curvature[i] = weight * likely * unlikely;
        loss[i] = weight * math::ln_1p_unit(t) + (negative[i] * above + positive[i] * below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Residuals, curvatures and losses of one row per pair of a decision value and a label.
    fn columns(rows: &[(f64, bool)], of: impl Fn(&[f64], &[f64], &[f64], Derivatives<'_>)) -> [Vec<f64>; 3] {
        let decision: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let weights = |label: bool| -> Vec<f64> {
            rows.iter().map(|row| if row.1 == label { 0.1 + row.0.abs() } else { 0.0 }).collect()
        };
        let mut columns = [(); 3].map(|()| vec![f64::NAN; rows.len()]);
        let [residual, curvature, loss] = &mut columns;
        of(&decision, &weights(true), &weights(false), Derivatives { residual, curvature, loss });
        columns
    }

    fn signed(positive: &[f64], negative: &[f64]) -> Vec<f64> {
        positive.iter().zip(negative).map(|(p, n)| if *p > 0.0 { *p } else { -n }).collect()
    }

    #[test]
    fn one_label_is_a_sum_of_one() {
        let places = [0.0, -0.0, 1e-9, 0.3, -0.3, 2.0, -7.5, 40.0, -40.0, 690.0, -700.0];
        let rows: Vec<(f64, bool)> = places.iter().flat_map(|&z| [(z, true), (z, false)]).collect();
        let expected = columns(&rows, of_sums);
        let found = columns(&rows, |z, p, n, into| of_labels::<true>(z, &signed(p, n), into));
        assert_eq!(found, expected);
        let [residual, curvature, _] =
            columns(&rows, |z, p, n, into| of_labels::<false>(z, &signed(p, n), into));
        assert_eq!([&residual, &curvature], [&expected[0], &expected[1]]);
    }

    #[test]
    fn zero_is_a_place_like_others() {
        let rows = [(0.0, true), (0.0, false)];
        let found = columns(&rows, |_, p, n, into| of_labels_at_zero(&signed(p, n), into));
        assert_eq!(found, columns(&rows, of_sums));
    }
}
