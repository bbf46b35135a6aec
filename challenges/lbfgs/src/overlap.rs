//! How much of a miner's choices a better miner has made already.

use crate::Params;
use crate::predictions::MinerPredictions;

/// The better miner that is most alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Overlap {
    /// Share of the newest rows with the same choice.
    pub(crate) share: f64,
    pub(crate) with: usize,
}

/// Per miner of positive importance, its largest overlap with any miner that ranks higher, in a stable order of falling
/// importance (scoring: lbfgs, uniqueness). `None` for the first, and for miners without importance.
pub(crate) fn overlaps(
    importance: &[f64],
    miners: &[MinerPredictions],
    params: &Params,
) -> Vec<Option<Overlap>> {
    let ranked = falling(importance);
    let mut overlaps = vec![None; importance.len()];
    for (rank, &miner) in ranked.iter().enumerate() {
        for &better in &ranked[..rank] {
            let share = equal_share(newest(&miners[miner], params), newest(&miners[better], params));
            if overlaps[miner].is_none_or(|overlap: Overlap| share > overlap.share) {
                overlaps[miner] = Some(Overlap { share, with: better });
            }
        }
    }
    overlaps
}

/// Indices of the positive values, largest first, equal ones in order.
pub(crate) fn falling(values: &[f64]) -> Vec<usize> {
    falling_from(values, 0..values.len())
}

/// Indices of the positive values, largest first, equal ones in the order of `indices`.
pub(crate) fn falling_from(values: &[f64], indices: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut order: Vec<usize> = indices.filter(|&i| values[i] > 0.0).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order
}

fn newest<'a>(miner: &'a MinerPredictions, params: &Params) -> &'a [u8] {
    &miner.choice[miner.choice.len().saturating_sub(params.overlap_rows)..]
}

fn equal_share(a: &[u8], b: &[u8]) -> f64 {
    let equal = |(a, b): (&[u8], &[u8])| -> usize {
        a.iter().zip(b).map(|(a, b)| u8::from(a == b)).sum::<u8>().into()
    };
    // Short chunks, so that the count fits the elements' type and the loop becomes vector code.
    let count: usize = a.chunks(128).zip(b.chunks(128)).map(equal).sum();
    count as f64 / a.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_equal_choices() {
        let a: Vec<u8> = (0..1_000).map(|i| (i % 5) as u8).collect();
        let b: Vec<u8> = (0..1_000).map(|i| if i < 700 { (i % 5) as u8 } else { 9 }).collect();
        assert_eq!((equal_share(&a, &a), equal_share(&a, &b), equal_share(&[], &[])), (1.0, 0.7, 0.0));
    }

    #[test]
    fn falls_stably_and_drops_zeros() {
        assert_eq!(falling(&[0.5, 0.0, 1.0, 0.5, 2.0]), [4, 2, 0, 3]);
    }
}
