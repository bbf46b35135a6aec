//! Who passes, of many that are tested at once.

/// The tests that Benjamini and Hochberg (1995) reject at a false discovery rate, among those that take part.
///
/// The k smallest p pass, k being the largest rank whose p is not above `rate * k / n`, n the number that take part.
pub(crate) fn benjamini_hochberg(p: &[f64], takes_part: &[bool], rate: f64) -> Vec<bool> {
    let mut ranking: Vec<usize> = (0..p.len()).filter(|&i| takes_part[i]).collect();
    ranking.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let count = ranking.len() as f64;
    let holds = |rank: usize| p[ranking[rank]] <= rate * (rank + 1) as f64 / count;
    let passing = (0..ranking.len()).rev().find(|&rank| holds(rank)).map_or(0, |last| last + 1);
    let mut passes = vec![false; p.len()];
    ranking[..passing].iter().for_each(|&i| passes[i] = true);
    passes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_rank_lets_smaller_ones_pass() {
        // Bounds 0.0125, 0.025, 0.0375, 0.05: the second fails its own, and passes with the third.
        let p = [0.9, 0.03, 0.012, 0.037];
        assert_eq!(benjamini_hochberg(&p, &[true; 4], 0.05), [false, true, true, true]);
        assert_eq!(benjamini_hochberg(&[0.9, 0.03, 0.013, 0.04], &[true; 4], 0.05), [false; 4]);
    }

    #[test]
    fn who_does_not_take_part_neither_passes_nor_counts() {
        let p = [0.0, 0.05, 0.0];
        assert_eq!(benjamini_hochberg(&p, &[false, true, false], 0.05), [false, true, false]);
        assert_eq!(benjamini_hochberg(&p, &[false; 3], 0.05), [false; 3]);
        assert!(benjamini_hochberg(&[], &[], 0.05).is_empty());
    }
}
