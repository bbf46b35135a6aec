//! Labels against the median of a row.

/// For each change of a row, whether it is above the median of those that are known; `None` if it is not known.
/// With an even count, the median is the mean of the two in the middle.
#[must_use]
pub fn above_median(changes: &[Option<f64>]) -> Vec<Option<bool>> {
    let mut known: Vec<f64> = changes.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    let middle = known.len() / 2;
    let median = match known.len() {
        0 => return vec![None; changes.len()],
        n if n % 2 == 1 => known[middle],
        _ => (known[middle - 1] + known[middle]) / 2.0,
    };
    changes.iter().map(|change| change.map(|change| change > median)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_above() {
        assert_eq!(
            above_median(&[Some(3.0), None, Some(1.0), Some(2.0)]),
            [Some(true), None, Some(false), Some(false)]
        );
        assert_eq!(above_median(&[Some(1.0), Some(2.0)]), [Some(false), Some(true)]);
        assert_eq!(above_median(&[None]), [None]);
        assert_eq!(above_median(&[Some(1.0); 3]), [Some(false); 3]);
    }
}
