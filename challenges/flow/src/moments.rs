//! Mean and deviation.

use mantis_kit::math;

/// Mean and sample deviation (divisor n - 1); `None` of fewer than two numbers.
pub(crate) fn moments(x: &[f64]) -> Option<(f64, f64)> {
    if x.len() < 2 {
        return None;
    }
    let mean = math::sum(x) / x.len() as f64;
    let around: Vec<f64> = x.iter().map(|x| x - mean).collect();
    Some((mean, (math::dot(&around, &around) / (x.len() - 1) as f64).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_divisor_is_one_less_than_the_count() {
        assert_eq!(moments(&[1.0, 3.0]), Some((2.0, 2.0_f64.sqrt())));
        assert_eq!(moments(&[5.0; 9]), Some((5.0, 0.0)));
        assert_eq!((moments(&[]), moments(&[1.0])), (None, None));
    }
}
