//! What the desk loses without each of its miners.

use crate::Params;
use crate::desk::{self, Field, Fold};
use crate::window::Window;
use std::cell::RefCell;
use std::ops::Range;

/// What the desk held, one by one: asset, row of the window, holding.
pub(crate) type Held = Vec<(usize, usize, f64)>;

/// What a desk of some seeds, positions by asset and row, can mix.
pub(crate) fn field<'a>(
    seeds: Vec<&'a [Vec<f32>]>,
    window: &'a Window,
    step: usize,
    params: &'a Params,
) -> Field<'a> {
    let median = medians(&seeds, window.rows.len());
    Field { median, seeds, returns: &window.returns, step, params }
}

/// Profit that is lost without each seed, summed over folds and assets, not below 0 (scoring: trademix, attribution).
///
/// Leaving a seed out replaces all its columns by the row-wise median over all columns of all seeds. `held` takes in what
/// the desk with all of them held, if that is wanted.
pub(crate) fn attribution(
    field: &Field,
    mut held: Option<&mut Held>,
    mut progress: impl FnMut(f64),
) -> Vec<f64> {
    let mut lost = vec![0.0; field.seeds.len()];
    let losses = desk::model(&field.params.meta_model);
    let folds = folds(field.median.len(), field.params);
    for (done, test) in folds.iter().enumerate() {
        let mut fold = Fold::new(field, test.clone());
        fold.held = held.as_ref().map(|_| RefCell::default());
        // A fold that has too little to learn from counts nothing.
        if fold.rows.len() >= field.params.min_train_rows {
            for asset in 0..field.returns.len() {
                lost.iter_mut().zip(losses(field, &fold, asset)).for_each(|(sum, loss)| *sum += loss);
            }
        }
        if let (Some(held), Some(found)) = (&mut held, fold.held) {
            held.extend(found.into_inner());
        }
        progress((done + 1) as f64 / folds.len() as f64);
    }
    lost.into_iter().map(|lost| lost.max(0.0)).collect()
}

/// Test rows of each fold; it is trained on all rows before them.
fn folds(rows: usize, params: &Params) -> Vec<Range<usize>> {
    let first = params.min_fold_rows.max(rows / 4);
    let size = params.min_fold_rows.max(rows.saturating_sub(first) / params.folds);
    let starts = (first..).step_by(size).take_while(|start| start + size <= rows);
    let folds: Vec<_> = starts.map(|start| start..start + size).collect();
    if folds.is_empty() { std::iter::once(rows / 2..rows).collect() } else { folds }
}

/// Row-wise median over all columns of all seeds; with an even count, the mean of the two in the middle.
pub(crate) fn medians(seeds: &[&[Vec<f32>]], rows: usize) -> Vec<f64> {
    let columns: Vec<&Vec<f32>> = seeds.iter().flat_map(|seed| seed.iter()).collect();
    let mut values = vec![0.0f32; columns.len()];
    let middle = values.len() / 2;
    let median = |t: usize| {
        values.iter_mut().zip(&columns).for_each(|(value, column)| *value = column[t]);
        let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
        if columns.len() % 2 == 1 {
            return f64::from(upper);
        }
        let lower = below.iter().copied().max_by(f32::total_cmp).unwrap_or(upper);
        f64::midpoint(f64::from(lower), f64::from(upper))
    };
    (0..rows).map(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_as_the_network_cuts_them() {
        let params = Params::default();
        let cut = folds(43_200, &params);
        assert_eq!(cut.len(), 5);
        assert_eq!(cut[0], 10_800..17_280);
        assert_eq!(cut[4].end, 43_200);
        assert_eq!(folds(500, &params), [125..245, 245..365, 365..485]);
        assert_eq!(folds(200, &params), [Range { start: 100, end: 200 }]);
    }

    #[test]
    fn medians_of_even_and_odd_counts() {
        let a = vec![vec![1.0, 5.0]];
        let b = vec![vec![3.0, 1.0]];
        let c = vec![vec![2.0, 9.0]];
        assert_eq!(medians(&[&a, &b], 2), [2.0, 3.0]);
        assert_eq!(medians(&[&a, &b, &c], 2), [2.0, 5.0]);
    }
}
