//! Miners that say the same.

/// Groups columns whose correlation is at least `threshold`, in order: the first column without a group starts one
/// and takes every later one without a group that is close enough to it. Gives the group of each column.
pub(crate) fn groups(columns: &[Vec<f64>], threshold: f64) -> Vec<usize> {
    let mut group = vec![usize::MAX; columns.len()];
    let mut next = 0;
    for i in 0..columns.len() {
        if group[i] != usize::MAX {
            continue;
        }
        group[i] = next;
        for j in i + 1..columns.len() {
            if group[j] == usize::MAX && correlation(&columns[i], &columns[j]) >= threshold {
                group[j] = next;
            }
        }
        next += 1;
    }
    group
}

/// Pearson's correlation; 0 if a column does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let products = a.iter().zip(b).map(|(x, y)| {
        let (x, y) = (x - mean_a, y - mean_b);
        [x * y, x * x, y * y]
    });
    let [ab, aa, bb] = products.fold([0.0; 3], |sum, p| [sum[0] + p[0], sum[1] + p[1], sum[2] + p[2]]);
    if aa > 0.0 && bb > 0.0 { ab / (aa.sqrt() * bb.sqrt()) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_what_is_close_to_its_first() {
        let a = vec![1.0, 2.0, 3.0, 4.0];
        let b = vec![4.0, 1.0, 3.0, 2.0];
        let near_a = vec![1.0, 2.0, 3.1, 4.0];
        assert_eq!(groups(&[a.clone(), b, near_a, a], 0.98), [0, 1, 0, 0]);
        assert_eq!(groups(&[vec![1.0; 3], vec![1.0; 3]], 0.5), [0, 1], "columns that do not vary");
    }
}
