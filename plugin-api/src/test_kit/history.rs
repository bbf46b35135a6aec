//! A history in memory.

use crate::{History, PluginError, Shape};
use half::f16;
use std::ops::Range;

/// A history held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryHistory {
    hotkeys: Vec<String>,
    columns: Vec<Vec<f16>>,
    rows: usize,
    dim: usize,
}

impl MemoryHistory {
    /// A history of `rows` rows with `dim` numbers per miner, and no miner yet.
    #[must_use]
    pub fn new(rows: usize, dim: usize) -> Self {
        Self { rows, dim, ..Self::default() }
    }

    /// Adds a miner: `rows x dim` numbers, row by row. Add miners in the order of their hotkeys.
    ///
    /// # Panics
    /// If `numbers` has another length or the hotkey sorts before the last one.
    pub fn push(&mut self, hotkey: &str, numbers: &[f32]) {
        assert_eq!(numbers.len(), self.rows * self.dim, "numbers of {hotkey}");
        assert!(self.hotkeys.last().is_none_or(|last| last.as_str() < hotkey), "{hotkey} is out of order");
        self.hotkeys.push(hotkey.into());
        self.columns.push(numbers.iter().map(|&x| f16::from_f32(x)).collect());
    }
}

impl History for MemoryHistory {
    fn shape(&self) -> Shape {
        Shape { rows: self.rows, miners: self.columns.len(), dim: self.dim }
    }

    fn hotkeys(&self) -> &[String] {
        &self.hotkeys
    }

    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError> {
        let size = rows.len() * self.dim;
        let outside = miners.end > self.columns.len() || rows.end > self.rows;
        if outside || out.len() != miners.len() * size {
            return Err(PluginError::host(format!(
                "no block {miners:?} x {rows:?} of {} numbers",
                out.len()
            )));
        }
        for (column, target) in self.columns[miners].iter().zip(out.chunks_mut(size.max(1))) {
            target.copy_from_slice(&column[rows.start * self.dim..rows.end * self.dim]);
        }
        Ok(())
    }
}
