//! How far rows of weights are apart.

use super::row::{Row, scale};

/// A row scaled to sum 1; `None` where it gives nothing.
#[must_use]
pub fn normalised(row: &Row) -> Option<Row> {
    let mut row = row.clone();
    scale(&mut row);
    (row.values().sum::<f64>() > 0.0).then_some(row)
}

/// How far two rows are apart, each scaled to sum 1 first: the sum of the differences, 0 for the same to 2 for rows that have no
/// miner in common. `None` where one of them gives nothing.
#[must_use]
pub fn distance(one: &Row, other: &Row) -> Option<f64> {
    let (one, other) = (normalised(one)?, normalised(other)?);
    let differences = one.iter().map(|(uid, weight)| (weight - other.get(uid).copied().unwrap_or(0.0)).abs());
    let absent = other.iter().filter(|(uid, _)| !one.contains_key(uid)).map(|(_, weight)| *weight);
    Some(differences.sum::<f64>() + absent.sum::<f64>())
}

/// The part of a row, scaled to sum 1, that is above the consensus, 0 to 1; 0 for one that gives nothing.
#[must_use]
pub fn clipped_part(row: &Row, consensus: &[f64]) -> f64 {
    let Some(row) = normalised(row) else { return 0.0 };
    let above = |(uid, weight): (&u16, &f64)| {
        (weight - consensus.get(usize::from(*uid)).copied().unwrap_or(0.0)).max(0.0)
    };
    row.iter().map(above).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_apart_from_nothing_to_two() {
        let row = |pairs: &[(u16, f64)]| Row::from_iter(pairs.iter().copied());
        let one = row(&[(1, 1.0), (2, 3.0)]);
        assert_eq!(distance(&one, &row(&[(1, 10.0), (2, 30.0), (3, 0.0)])), Some(0.0));
        assert_eq!(distance(&one, &row(&[(3, 0.5)])), Some(2.0));
        assert_eq!(distance(&one, &row(&[(1, 1.0), (3, 1.0)])), Some(1.5));
        assert_eq!(distance(&one, &row(&[(1, 0.0)])), None);
        assert_eq!(distance(&row(&[]), &one), None);
    }

    #[test]
    fn what_is_above_the_consensus_is_the_clipped_part() {
        let row = Row::from([(0, 2.0), (1, 1.0), (2, 1.0)]);
        assert_eq!(clipped_part(&row, &[0.25, 0.5]), 0.5);
        assert_eq!(clipped_part(&Row::new(), &[0.25]), 0.0);
    }
}
