//! Features row by row, in single precision.

/// Rows are filled up with zeros to a multiple of this: what any machine handles at once.
const CHUNK: usize = 4;

/// Rows of features in single precision, with their labels and weights.
#[derive(Debug)]
pub(crate) struct Table {
    /// Row by row the features, filled up, then a chunk that begins with the row's weight, negative (or -0) for a negative
    /// label: what a visit needs lies together.
    numbers: Vec<f32>,
    pub(super) width: usize,
    /// The width once filled up.
    pub(super) length: usize,
    /// Squared norm per row.
    pub(super) squares: Vec<f32>,
}

impl Table {
    /// Of columns as long as `positive`, given one by one; `weights` of `None` is 1 for all.
    pub(crate) fn new<C: Iterator<Item = f32>>(
        columns: impl ExactSizeIterator<Item = C>,
        positive: &[bool],
        weights: Option<&[f64]>,
    ) -> Self {
        let (width, rows) = (columns.len(), positive.len());
        let length = width.next_multiple_of(CHUNK);
        let record_length = length + CHUNK;
        let mut numbers = vec![0.0; record_length * rows];
        let mut squares = vec![0.0; rows];
        for (j, column) in columns.enumerate() {
            let records = numbers.chunks_exact_mut(record_length);
            for ((record, square), value) in records.zip(&mut squares).zip(column) {
                record[j] = value;
                *square += f64::from(value) * f64::from(value);
            }
        }
        for (row, (record, &is_positive)) in numbers.chunks_exact_mut(record_length).zip(positive).enumerate()
        {
            let weight = weights.map_or(1.0, |weights| weights[row] as f32);
            record[length] = if is_positive { weight } else { -weight };
        }
        let squares = squares.into_iter().map(|square| square as f32).collect();
        Self { numbers, width, length, squares }
    }

    /// The features of a row, filled up with zeros.
    pub(super) fn row(&self, row: u32) -> &[f32] {
        &self.record(row)[..self.length]
    }

    /// Weight of a row, and whether its label is positive.
    pub(super) fn weight(&self, row: u32) -> (f32, bool) {
        let signed = self.record(row)[self.length];
        (signed.abs(), signed.is_sign_positive())
    }

    /// Has a row fetched from memory: one number of each line of the cache that it lies in.
    pub(super) fn fetch(&self, row: u32) {
        /// Numbers per line.
        const LINE: usize = 16;
        let record = self.record(row);
        record.iter().step_by(LINE).chain(record.last()).for_each(fetch);
    }

    fn record(&self, row: u32) -> &[f32] {
        let length = self.length + CHUNK;
        &self.numbers[row as usize * length..][..length]
    }
}

/// Has a number fetched from memory. It is not needed yet; what is waited for together costs one wait.
pub(super) fn fetch(number: &f32) {
    std::hint::black_box(*number);
}
