//! The history, chunk by chunk: it is too large to be held.

use crate::{Labels, Params};
use mantis_plugin_api::{History, PluginError, Shape, f16};

/// Half floats that are read at once.
const READ: usize = 8 << 20;

/// Rows after which the models take a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunk {
    /// Which of all chunks.
    pub(crate) index: usize,
    /// The return that follows each row.
    pub(crate) targets: Vec<f32>,
    /// Whether a miner is there in any of the rows.
    pub(crate) there: Vec<bool>,
    /// Whether it was there in any row so far, these included.
    pub(crate) known: Vec<bool>,
    /// Numbers, miner by miner and row by row.
    numbers: Vec<f32>,
    dim: usize,
}

impl Chunk {
    pub(crate) fn rows(&self) -> usize {
        self.targets.len()
    }

    /// What a miner sent, row by row.
    pub(crate) fn numbers(&self, miner: usize) -> &[f32] {
        let size = self.rows() * self.dim;
        &self.numbers[miner * size..(miner + 1) * size]
    }

    /// What it sent in one row.
    pub(crate) fn row(&self, miner: usize, row: usize) -> &[f32] {
        &self.numbers(miner)[row * self.dim..(row + 1) * self.dim]
    }
}

pub(crate) fn is_there(numbers: &[f32]) -> bool {
    numbers.iter().any(|x| *x != 0.0)
}

/// When a miner was there, in rows that count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Presence {
    /// The first of them.
    pub(crate) first: Option<usize>,
    /// How many.
    pub(crate) rows: usize,
}

/// Reads chunks in their order.
pub(crate) struct Reader<'a> {
    history: &'a dyn History,
    labels: &'a Labels,
    params: &'a Params,
    next: usize,
    /// The last numbers of each miner, and for how many rows it has repeated them.
    last: Vec<f32>,
    unchanged: Vec<usize>,
    known: Vec<bool>,
    /// Of each miner, so far.
    pub(crate) presence: Vec<Presence>,
    halves: Vec<f16>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(history: &'a dyn History, labels: &'a Labels, params: &'a Params) -> Self {
        let Shape { miners, dim, .. } = history.shape();
        Self {
            history,
            labels,
            params,
            next: 0,
            last: vec![0.0; if params.max_unchanged > 0 { miners * dim } else { 0 }],
            unchanged: vec![0; miners],
            known: vec![false; miners],
            presence: vec![Presence::default(); miners],
            halves: Vec::new(),
        }
    }

    /// Reads the next chunk into `chunk`; `false` if there is none.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub(crate) fn next(&mut self, chunk: &mut Chunk) -> Result<bool, PluginError> {
        let Shape { miners, dim, .. } = self.history.shape();
        let from = self.next * self.params.chunk_rows;
        let to = (from + self.params.chunk_rows).min(self.labels.rows.len());
        if from >= to {
            return Ok(false);
        }
        (chunk.index, chunk.dim) = (self.next, dim);
        chunk.targets.clear();
        chunk.targets.extend(&self.labels.targets[from..to]);
        chunk.numbers.resize(miners * (to - from) * dim, 0.0);
        self.read(from..to, &mut chunk.numbers)?;
        chunk.there = (0..miners).map(|miner| self.take_in(miner, from, chunk)).collect();
        self.known.iter_mut().zip(&chunk.there).for_each(|(known, there)| *known |= there);
        chunk.known.clone_from(&self.known);
        self.next += 1;
        Ok(true)
    }

    /// The last numbers of a miner, and for how many rows it has repeated them, if that is counted.
    pub(crate) fn last(&self, miner: usize) -> (&[f32], usize) {
        let dim = self.history.shape().dim;
        (&self.last[miner * dim..(miner + 1) * dim], self.unchanged[miner])
    }

    /// Reads rows as they are stored; of rows between them, some are read and left out.
    fn read(&mut self, rows: std::ops::Range<usize>, out: &mut [f32]) -> Result<(), PluginError> {
        let Shape { miners, dim, .. } = self.history.shape();
        let rows = &self.labels.rows[rows];
        let most = (READ / (miners * dim).max(1)).max(1);
        let mut done = 0;
        while done < rows.len() {
            let start = rows[done];
            let near = rows[done..].partition_point(|row| row - start < most);
            let span = rows[done + near - 1] - start + 1;
            self.halves.resize(miners * span * dim, f16::ZERO);
            self.history.read(0..miners, start..start + span, &mut self.halves)?;
            for miner in 0..miners {
                for (i, row) in rows[done..done + near].iter().enumerate() {
                    let from = (miner * span + row - start) * dim;
                    let to = (miner * rows.len() + done + i) * dim;
                    let halves = &self.halves[from..from + dim];
                    out[to..to + dim].iter_mut().zip(halves).for_each(|(out, half)| *out = half.to_f32());
                }
            }
            done += near;
        }
        Ok(())
    }

    /// Bounds what a miner sent, blanks what does not count, and says whether anything is left.
    fn take_in(&mut self, miner: usize, from: usize, chunk: &mut Chunk) -> bool {
        let dim = chunk.dim;
        let size = chunk.targets.len() * dim;
        let mut any = false;
        for (i, numbers) in chunk.numbers[miner * size..(miner + 1) * size].chunks_exact_mut(dim).enumerate()
        {
            bound(numbers);
            if self.params.max_unchanged > 0 {
                self.blank_unchanged(miner, from + i, numbers);
            }
            if is_there(numbers) {
                any = true;
                let presence = &mut self.presence[miner];
                presence.rows += 1;
                presence.first.get_or_insert(from + i);
            }
        }
        any
    }

    fn blank_unchanged(&mut self, miner: usize, row: usize, numbers: &mut [f32]) {
        let dim = numbers.len();
        let last = &mut self.last[miner * dim..(miner + 1) * dim];
        let repeats = row > 0 && last == numbers;
        last.copy_from_slice(numbers);
        self.unchanged[miner] = if repeats { self.unchanged[miner] + 1 } else { 0 };
        if self.unchanged[miner] >= self.params.max_unchanged {
            numbers.fill(0.0);
        }
    }
}

/// Clips numbers to [-1, 1]; a row with one that is not finite counts as absent (scoring: dmae, numbers).
pub(crate) fn bound(numbers: &mut [f32]) {
    if numbers.iter().all(|x| x.is_finite()) {
        numbers.iter_mut().for_each(|x| *x = x.clamp(-1.0, 1.0));
    } else {
        numbers.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::MemoryHistory;

    /// Twelve rows of two miners with two numbers; every second row counts.
    fn read(params: &Params, first: &[f32; 24]) -> (Vec<Chunk>, Vec<Presence>) {
        let mut history = MemoryHistory::new(12, 2);
        history.push("a", first);
        history.push("b", &std::array::from_fn::<f32, 24, _>(|i| if i < 12 { 0.0 } else { 0.5 }));
        let (rows, targets) = (vec![0, 2, 4, 6, 10], vec![0.0, 1.0, 2.0, 3.0, 5.0]);
        let labels = Labels { rows, targets, ..Labels::default() };
        let mut reader = Reader::new(&history, &labels, params);
        let (mut chunks, mut chunk) = (Vec::new(), Chunk::default());
        while reader.next(&mut chunk).unwrap() {
            chunks.push(chunk.clone());
        }
        (chunks, reader.presence)
    }

    #[test]
    fn chunks_hold_the_rows_that_count() {
        let params = Params { chunk_rows: 2, ..Params::default() };
        let (chunks, presence) = read(&params, &std::array::from_fn(|i| i as f32 / 32.0));
        let targets: Vec<&[f32]> = chunks.iter().map(|chunk| chunk.targets.as_slice()).collect();
        assert_eq!(targets, [&[0.0, 1.0][..], &[2.0, 3.0], &[5.0]]);
        assert_eq!(chunks[1].numbers(0), [8.0, 9.0, 12.0, 13.0].map(|x| x / 32.0));
        assert_eq!(
            (chunks[1].numbers(1), chunks[2].numbers(1)),
            (&[0.0, 0.0, 0.5, 0.5][..], &[0.5, 0.5][..])
        );
        assert_eq!(chunks[0].there, [true, false]);
        assert_eq!((&chunks[0].known, &chunks[2].known), (&vec![true, false], &vec![true, true]));
        let found: Vec<_> = presence.iter().map(|presence| (presence.first, presence.rows)).collect();
        assert_eq!(found, [(Some(0), 5), (Some(3), 2)]);
    }

    #[test]
    fn what_is_no_number_is_absent_and_the_rest_is_bounded() {
        let mut numbers = [0.25; 24];
        (numbers[0], numbers[5], numbers[8], numbers[9]) = (f32::NAN, f32::INFINITY, -7.0, 1.5);
        let params = Params { chunk_rows: 3, ..Params::default() };
        let chunks = read(&params, &numbers).0;
        assert_eq!(chunks[0].numbers(0), [0.0, 0.0, 0.0, 0.0, -1.0, 1.0]);
    }

    #[test]
    fn what_never_changes_is_absent_after_a_while() {
        let params = Params { chunk_rows: 2, max_unchanged: 2, ..Params::default() };
        let mut numbers = [0.25; 24];
        numbers[20] = 0.75;
        let (chunks, presence) = read(&params, &numbers);
        // Rows 0 and 1 count, 2 and 3 repeat too often, 4 is new.
        assert_eq!(chunks[0].numbers(0), [0.25; 4]);
        assert_eq!(chunks[1].numbers(0), [0.0; 4]);
        assert_eq!((chunks[2].numbers(0), presence[0].rows), (&[0.75, 0.25][..], 3));
    }
}
