//! Linear systems with a symmetric positive definite matrix.

use crate::math;

/// Solves `a x = b` for a row-major symmetric `a` of order `b.len()`.
///
/// If rounding or saturation has left `a` without a factor, the diagonal is raised by as little as helps. `None`
/// only if `a` holds a value that is not finite.
pub(super) fn solve(a: &[f64], b: &[f64]) -> Option<Vec<f64>> {
    let order = b.len();
    let largest = (0..order).map(|i| a[i * order + i]).fold(f64::MIN_POSITIVE, f64::max);
    let mut damping = 0.0;
    let mut next = 1e-15;
    while damping <= 1.0 {
        if let Some(factor) = factor(a, order, damping * largest) {
            return Some(substitute(&factor, b));
        }
        damping = next;
        next *= 100.0;
    }
    None
}

/// Lower triangular L with L L' = a + damping.
fn factor(a: &[f64], order: usize, damping: f64) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; order * order];
    for i in 0..order {
        let (done, rest) = lower.split_at_mut(i * order);
        let row = &mut rest[..order];
        for j in 0..i {
            let other = &done[j * order..][..=j];
            row[j] = (a[i * order + j] - math::dot(&row[..j], &other[..j])) / other[j];
        }
        let raised = a[i * order + i] + damping;
        let pivot = raised - math::dot(&row[..i], &row[..i]);
        if !(pivot > raised * 1e-15 && pivot.is_finite()) {
            return None;
        }
        row[i] = pivot.sqrt();
    }
    Some(lower)
}

fn substitute(lower: &[f64], b: &[f64]) -> Vec<f64> {
    let order = b.len();
    let mut x = b.to_vec();
    for i in 0..order {
        let row = &lower[i * order..][..=i];
        x[i] = (x[i] - math::dot(&row[..i], &x[..i])) / row[i];
    }
    for i in (0..order).rev() {
        let row = &lower[i * order..][..=i];
        x[i] /= row[i];
        let value = x[i];
        math::axpy(-value, &row[..i], &mut x[..i]);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_survives_a_singular_matrix() {
        let x = solve(&[4.0, 2.0, 2.0, 3.0], &[8.0, 7.0]).unwrap();
        assert!((x[0] - 1.25).abs() < 1e-15 && (x[1] - 1.5).abs() < 1e-15, "{x:?}");
        let x = solve(&[1.0, 1.0, 1.0, 1.0], &[2.0, 2.0]).unwrap();
        assert!((x[0] + x[1] - 2.0).abs() < 1e-9, "{x:?}");
        assert_eq!(solve(&[f64::NAN], &[1.0]), None);
    }
}
