//! How sure it is that one model loses more than another.

use mantis_kit::math;

/// A mean, and how many of its standard errors it is away from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) mean: f64,
    pub(crate) t: f64,
}

/// Of what absolute errors are above others, row by row; `lags` is how far rows depend on each other
/// (scoring: dmae, evidence).
pub(crate) fn evidence(errors: &[f32], others: &[f32], lags: usize) -> Evidence {
    let mut d: Vec<f64> = errors.iter().zip(others).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
    let n = d.len();
    if n == 0 {
        return Evidence::default();
    }
    let mean = math::sum(&d) / n as f64;
    d.iter_mut().for_each(|d| *d -= mean);
    let covariance = |lag: usize| math::dot(&d[lag..], &d[..n - lag]) / n as f64;
    let variance = (1..=lags.min(n - 1))
        .fold(covariance(0), |sum, lag| sum + 2.0 * (1.0 - lag as f64 / (lags + 1) as f64) * covariance(lag));
    let error = (variance.max(0.0) / n as f64).sqrt();
    Evidence { mean, t: if error > 0.0 { mean / error } else { 0.0 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_difference_is_no_evidence() {
        assert_eq!(evidence(&[3.0; 9], &[1.0; 9], 2), Evidence { mean: 2.0, t: 0.0 });
        assert_eq!(evidence(&[], &[], 2), Evidence::default());
    }

    #[test]
    fn the_error_is_that_of_newey_and_west() {
        // Deviations -1, 1, 3, -3: covariances 5, -7/4, -3/2 at lags 0 to 2, of which the second counts half.
        let found = evidence(&[1.0, 3.0, 5.0, -1.0], &[0.0; 4], 1);
        assert_eq!(found.mean, 2.0);
        let variance: f64 = 5.0 + 2.0 * 0.5 * ((-1.0 + 3.0 - 9.0) / 4.0);
        assert!((found.t - 2.0 / (variance / 4.0).sqrt()).abs() < 1e-12, "{found:?}");
        // What repeats itself is less evidence than it seems.
        let repeated: Vec<f32> = (0..200).map(|i| [1.0, 0.5, -0.7][i / 10 % 3]).collect();
        assert!(evidence(&repeated, &[0.0; 200], 9).t < 0.5 * evidence(&repeated, &[0.0; 200], 0).t);
    }
}
