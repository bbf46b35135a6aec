//! The forecast without skill: how often each class was seen to come true before.

use super::rows::{Pair, Rows};

/// For each pair, the parts of the classes among the outcomes of its subject that were known in its row, each class counted
/// once more than it was seen (Laplace).
pub(super) fn known_parts(rows: &Rows, classes: usize) -> Vec<Vec<f64>> {
    let known_in = |pair: &Pair| rows.windows.get(pair.row).map_or(i64::MAX, |window| window.1);
    let said_in = |pair: &Pair| rows.windows.get(pair.row).map_or(i64::MIN, |window| window.0);
    let mut by_known: Vec<&Pair> = rows.pairs.iter().collect();
    by_known.sort_by_key(|pair| known_in(pair));
    let mut by_known = by_known.into_iter().peekable();
    let mut seen = vec![vec![1.0; classes]; rows.subjects];
    let mut parts = Vec::with_capacity(rows.pairs.len());
    for pair in &rows.pairs {
        while let Some(known) = by_known.next_if(|known| known_in(known) <= said_in(pair)) {
            if let Some(count) = seen.get_mut(known.subject).and_then(|seen| seen.get_mut(known.came)) {
                *count += 1.0;
            }
        }
        let counts = seen.get(pair.subject).cloned().unwrap_or_else(|| vec![1.0; classes]);
        let all: f64 = counts.iter().sum();
        parts.push(counts.iter().map(|count| count / all).collect());
    }
    parts
}
