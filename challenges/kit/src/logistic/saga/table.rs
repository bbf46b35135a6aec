//! Features row by row, in single precision.

/// Rows are filled up with zeros to a multiple of this: what any machine handles at once.
const CHUNK: usize = 4;
/// Numbers per line of the cache.
const LINE: usize = 16;

/// Rows of features in single precision, with their labels and weights.
#[derive(Debug)]
pub(crate) struct Table {
    /// Row by row the features, filled up, then a chunk that begins with the row's weight, negative (or -0) for a negative
    /// label: what a visit needs lies together.
    numbers: Vec<f32>,
    /// Numbers before the first row.
    skipped: usize,
    record_length: usize,
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
        let record_length = (length + 1).next_multiple_of(LINE);
        let mut numbers = vec![0.0; record_length * rows + LINE];
        // Where a line of the cache begins. It decides how fast a row is read, and nothing else.
        let skipped = numbers.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);

        let mut squares = vec![0.0; rows];
        for (j, column) in columns.enumerate() {
            let records = numbers[skipped..].chunks_exact_mut(record_length);
            for ((record, square), value) in records.zip(&mut squares).zip(column) {
                record[j] = value;
                *square += f64::from(value) * f64::from(value);
            }
        }
        let records = numbers[skipped..].chunks_exact_mut(record_length);
        for (row, (record, &is_positive)) in records.zip(positive).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row] as f32);
            record[length] = if is_positive { weight } else { -weight };
        }
        let squares = squares.into_iter().map(|square| square as f32).collect();
        Self { numbers, skipped, record_length, width, length, squares }
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
        self.record(row).iter().step_by(LINE).for_each(fetch);
    }

    fn record(&self, row: u32) -> &[f32] {
        &self.numbers[self.skipped + row as usize * self.record_length..][..self.record_length]
    }
}

/// Has a number fetched from memory. It is not needed yet; what is waited for together costs one wait.
pub(super) fn fetch(number: &f32) {
    std::hint::black_box(*number);
}
