//! A history in memory.

use crate::{History, PluginError, Shape, Storage};
use half::f16;
use std::ops::Range;

/// A history held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryHistory {
    hotkeys: Vec<String>,
    columns: Vec<Vec<f32>>,
    rows: usize,
    dim: usize,
    storage: Storage,
}

impl MemoryHistory {
    /// A history of `rows` rows with `dim` numbers per miner, and no miner yet.
    #[must_use]
    pub fn new(rows: usize, dim: usize) -> Self {
        Self { rows, dim, ..Self::default() }
    }

    /// The same, its numbers stored in another precision than in half; before the first miner.
    #[must_use]
    pub fn stored(self, storage: Storage) -> Self {
        Self { storage, ..self }
    }

    /// Adds a miner: `rows x dim` numbers, row by row. Add miners in the order of their hotkeys.
    ///
    /// # Panics
    /// If `numbers` has another length or the hotkey sorts before the last one.
    pub fn push(&mut self, hotkey: &str, numbers: &[f32]) {
        assert_eq!(numbers.len(), self.rows * self.dim, "numbers of {hotkey}");
        assert!(self.hotkeys.last().is_none_or(|last| last.as_str() < hotkey), "{hotkey} is out of order");
        self.hotkeys.push(hotkey.into());
        let stored = |&x: &f32| match self.storage {
            Storage::F16 => f16::from_f32(x).to_f32(),
            Storage::F32 => x,
        };
        self.columns.push(numbers.iter().map(stored).collect());
    }

    /// Copies a block, number by number.
    fn copy<T>(
        &self,
        miners: Range<usize>,
        rows: Range<usize>,
        out: &mut [T],
        convert: impl Fn(f32) -> T,
    ) -> Result<(), PluginError> {
        let size = rows.len() * self.dim;
        let outside = miners.end > self.columns.len() || rows.end > self.rows;
        if outside || out.len() != miners.len() * size {
            return Err(PluginError::host(format!(
                "no block {miners:?} x {rows:?} of {} numbers",
                out.len()
            )));
        }
        for (column, target) in self.columns[miners].iter().zip(out.chunks_mut(size.max(1))) {
            let numbers = &column[rows.start * self.dim..rows.end * self.dim];
            target.iter_mut().zip(numbers).for_each(|(to, &from)| *to = convert(from));
        }
        Ok(())
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
        match self.storage {
            // Exact: every number was a half float.
            Storage::F16 => self.copy(miners, rows, out, f16::from_f32),
            Storage::F32 => Err(PluginError::host(STORED_F32)),
        }
    }

    fn read_f32(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f32]) -> Result<(), PluginError> {
        self.copy(miners, rows, out, |x| x)
    }
}

const STORED_F32: &str = "the history is stored in single precision: read it with `read_f32`";
