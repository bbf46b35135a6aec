//! The miners' numbers, some rows at a time.

use half::slice::HalfFloatSliceExt;
use mantis_plugin_api::{History, PluginError, Shape, f16};
use std::ops::Range;

/// Rows of the history that are read at a time: the three numbers of 256 miners then fill 1.5 MB.
const BLOCK: usize = 256;

/// The numbers of all miners in some rows.
pub(super) struct Block {
    rows: usize,
    dim: usize,
    /// `[miner][number][row]`; 0 where the miner is absent.
    values: Vec<f64>,
    /// `[miner][row]`.
    present: Vec<bool>,
}

impl Block {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// All numbers of a miner, those of a kind together.
    pub(super) fn values(&self, miner: usize) -> &[f64] {
        let size = self.dim * self.rows;
        &self.values[miner * size..][..size]
    }

    /// Whether a miner is there, row by row.
    pub(super) fn present(&self, miner: usize) -> &[bool] {
        &self.present[miner * self.rows..][..self.rows]
    }

    /// Takes the mean of each miner off all its numbers, those of rows without it too.
    pub(super) fn centre(&mut self, mean: impl Fn(usize) -> f64) {
        for (miner, values) in self.values.chunks_mut((self.dim * self.rows).max(1)).enumerate() {
            let mean = mean(miner);
            values.iter_mut().for_each(|value| *value -= mean);
        }
    }
}

/// Hands the given rows of the history, ascending, to `visit`, block by block. A row with a number that is not finite counts
/// as one in which the miner is absent.
///
/// # Errors
/// As [`History::read`].
pub(super) fn for_each(
    history: &dyn History,
    rows: &[usize],
    mut visit: impl FnMut(Block),
) -> Result<(), PluginError> {
    let Shape { miners, dim, .. } = history.shape();
    let mut read = Vec::new();
    let mut rest = rows;
    while let Some(&first) = rest.first() {
        let window = first..first.saturating_add(BLOCK);
        let (block, later) = rest.split_at(rest.iter().take_while(|row| window.contains(row)).count());
        let end = block.iter().fold(first, |last, &row| last.max(row)) + 1;
        read.resize(miners * (end - first) * dim, f16::ZERO);
        history.read(0..miners, first..end, &mut read)?;
        visit(decode(&read, block, first..end, dim));
        rest = later;
    }
    Ok(())
}

/// Takes `rows` out of what was read of a range of them.
fn decode(read: &[f16], rows: &[usize], range: Range<usize>, dim: usize) -> Block {
    let per_miner = (range.len() * dim).max(1);
    let miners = read.len() / per_miner;
    let mut values = vec![0.0; miners * dim * rows.len()];
    let mut present = vec![false; miners * rows.len()];
    let mut wide = vec![0.0; per_miner];
    for (miner, read) in read.chunks_exact(per_miner).enumerate() {
        read.convert_to_f64_slice(&mut wide);
        let planes = &mut values[miner * dim * rows.len()..][..dim * rows.len()];
        let present = &mut present[miner * rows.len()..][..rows.len()];
        for (place, (row, present)) in rows.iter().zip(present).enumerate() {
            let numbers = &wide[(row - range.start) * dim..][..dim];
            *present = numbers.iter().any(|&x| x != 0.0) && numbers.iter().all(|x| x.is_finite());
            if *present {
                numbers.iter().enumerate().for_each(|(d, &x)| planes[d * rows.len() + place] = x);
            }
        }
    }
    Block { rows: rows.len(), dim, values, present }
}
