//! Means and deviations of series.

use mantis_kit::math;

/// Takes the mean off the values, and gives the root of their sum of squares.
pub(crate) fn centre(values: &mut [f64]) -> f64 {
    let mean = math::sum(values) / values.len().max(1) as f64;
    values.iter_mut().for_each(|x| *x -= mean);
    math::dot(values, values).sqrt()
}

/// Population standard deviation; the values are left around their mean.
pub(crate) fn spread(values: &mut [f64]) -> f64 {
    centre(values) / (values.len().max(1) as f64).sqrt()
}
