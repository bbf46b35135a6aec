//! Placeholder.
pub(super) fn minimise(
    mut _f: impl FnMut(&[f64], &mut [f64]) -> f64,
    n: usize,
    _tol: f64,
    _max_iter: usize,
) -> Vec<f64> {
    vec![0.0; n]
}
