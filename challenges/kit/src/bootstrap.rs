//! Block bootstrap of model coefficients (scoring: numerics, block bootstrap).

use crate::rng::NumpyRng;

/// First rows of the blocks of one replicate, sorted; repeats are possible.
///
/// `max(1, rows / block)` integers drawn uniformly from `0..=rows - block` with NumPy's generator seeded
/// `seed + replicate`. `None` (declined) when there are fewer than two blocks of rows, or `block` is 0.
#[must_use]
pub fn block_draws(rows: usize, block: usize, seed: u64, replicate: u64) -> Option<Vec<usize>> {
    if block == 0 || rows / 2 < block {
        return None;
    }
    let high = (rows - block + 1) as u64;
    let mut starts: Vec<usize> = NumpyRng::new(seed.wrapping_add(replicate))
        .integers_vec(high, rows / block)
        .into_iter()
        .map(|start| start as usize)
        .collect();
    starts.sort_unstable();
    Some(starts)
}

/// How often each of `rows` rows occurs in the blocks `[s, s + block)`, s in `starts`. What reaches past the last row
/// is left out.
#[must_use]
pub fn multiplicities(rows: usize, block: usize, starts: &[usize]) -> Vec<u32> {
    let mut counts = vec![0; rows];
    for &start in starts {
        let end = start.saturating_add(block).min(rows);
        for count in counts.get_mut(start..end).unwrap_or_default() {
            *count += 1;
        }
    }
    counts
}

/// Median of means, per coordinate.
///
/// `min(groups, replicates)` groups of `replicates / groups` vectors each, in order, leftovers ignored; mean within a
/// group, median across groups (the mean of the two middle ones if their number is even). Without replicates, without
/// groups, or with vectors of different lengths the result is empty.
#[must_use]
pub fn median_of_means(replicates: &[Vec<f64>], groups: usize) -> Vec<f64> {
    let groups = groups.min(replicates.len());
    let Some(first) = replicates.first().filter(|_| groups > 0) else { return Vec::new() };
    if replicates.iter().any(|replicate| replicate.len() != first.len()) {
        return Vec::new();
    }
    let size = replicates.len() / groups;
    let median_at = |column: usize| {
        let mut means: Vec<f64> = replicates
            .chunks_exact(size)
            .take(groups)
            .map(|group| group.iter().map(|replicate| replicate[column]).sum::<f64>() / size as f64)
            .collect();
        means.sort_by(f64::total_cmp);
        (means[(groups - 1) / 2] + means[groups / 2]) / 2.0
    };
    (0..first.len()).map(median_at).collect()
}

/// Shape of a block bootstrap; the defaults are the network's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockBootstrap {
    /// Number of replicates.
    pub replicates: u64,
    /// Rows per block.
    pub block: usize,
    /// Seed of the first replicate; each further one adds 1.
    pub seed: u64,
}

impl BlockBootstrap {
    /// 20 replicates of blocks of 120 rows.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { replicates: 20, block: 120, seed }
    }
}

/// Fits every replicate of a block bootstrap of `positive.len()` rows.
///
/// `fit` gets how often each row occurs and gives what it wants kept of its model. Replicates with one class only are
/// skipped without a call. `Ok(None)` is "declined": too few rows, one class only, or no replicate left; use one plain
/// fit then. The first error of `fit` ends the bootstrap.
pub fn block_bootstrap<T, E>(
    shape: BlockBootstrap,
    positive: &[bool],
    mut fit: impl FnMut(&[u32]) -> Result<T, E>,
) -> Result<Option<Vec<T>>, E> {
    let rows = positive.len();
    let mut fits = Vec::new();
    for replicate in 0..shape.replicates {
        let Some(starts) = block_draws(rows, shape.block, shape.seed, replicate) else { return Ok(None) };
        let counts = multiplicities(rows, shape.block, &starts);
        let has = |class| positive.iter().zip(&counts).any(|(&y, &count)| count > 0 && y == class);
        if has(true) && has(false) {
            fits.push(fit(&counts)?);
        }
    }
    Ok(Some(fits).filter(|fits| !fits.is_empty()))
}
