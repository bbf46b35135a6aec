//! The miners' stored predictions, pulled by the plugin.

use crate::PluginError;
use half::f16;
use std::ops::Range;

/// How large a history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows (sampled blocks), the same rows as [`crate::Market`]'s first `scored_rows`.
    pub rows: usize,
    /// Miners (columns), one per hotkey.
    pub miners: usize,
    /// Numbers per miner and row.
    pub dim: usize,
}

/// All that the miners of one challenge sent.
///
/// Pulled rather than handed over: at full size (86,400 rows x 256 miners x 66 half floats) it is 3 GB, so ask for
/// one miner, or for a few rows, at a time. An absent miner is all zeros in a row.
pub trait History {
    /// Rows, miners and numbers per miner.
    fn shape(&self) -> Shape;

    /// The hotkey of each column, sorted as byte strings.
    fn hotkeys(&self) -> &[String];

    /// Copies the block `miners` x `rows` into `out`, miner by miner and row by row:
    /// `out[((miner * rows) + row) * dim + d]`, indices counted from the start of the block.
    ///
    /// # Errors
    /// [`PluginError::Host`] if the block lies outside the [`Shape`], `out` has another length, or the host
    /// cannot read it.
    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError>;

    /// As [`History::read`], in single precision: the only way to read a challenge that is stored so
    /// ([`Storage::F32`](crate::Storage)). Half floats are widened, which is exact. Since contract 1.1.
    ///
    /// # Errors
    /// As [`History::read`].
    fn read_f32(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f32]) -> Result<(), PluginError> {
        let mut halves = vec![f16::ZERO; out.len()];
        self.read(miners, rows, &mut halves)?;
        halves.iter().zip(out).for_each(|(half, out)| *out = half.to_f32());
        Ok(())
    }

    /// All rows of one miner: `rows x dim` half floats, row by row.
    ///
    /// # Errors
    /// As [`History::read`].
    fn miner(&self, miner: usize) -> Result<Vec<f16>, PluginError> {
        let Shape { rows, dim, .. } = self.shape();
        let mut out = vec![f16::ZERO; rows * dim];
        self.read(miner..miner + 1, 0..rows, &mut out)?;
        Ok(out)
    }

    /// All miners in a range of rows: `miners x rows x dim` half floats, miner by miner.
    ///
    /// # Errors
    /// As [`History::read`].
    fn rows(&self, rows: Range<usize>) -> Result<Vec<f16>, PluginError> {
        let Shape { miners, dim, .. } = self.shape();
        let mut out = vec![f16::ZERO; miners * rows.len() * dim];
        self.read(0..miners, rows, &mut out)?;
        Ok(out)
    }
}

/// Whether a miner's numbers of one row count as sent: not all zero (of either sign).
#[must_use]
pub fn is_present(numbers: &[f16]) -> bool {
    numbers.iter().any(|x| x.to_bits() & 0x7fff != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_of_both_signs_are_absent() {
        assert!(!is_present(&[f16::ZERO, f16::NEG_ZERO]));
        assert!(is_present(&[f16::ZERO, f16::from_bits(1)]));
        assert!(is_present(&[f16::NAN]));
    }
}
