//! Features row by row, in single precision.

/// Rows are filled up to a multiple of this: what any machine handles at once.
const CHUNK: usize = 4;

/// Rows of features in single precision, with their labels and weights.
#[derive(Debug)]
pub(crate) struct Table {
    /// Row by row, each filled up with zeros.
    features: Vec<f32>,
    pub(super) width: usize,
    /// The width once filled up.
    pub(super) stride: usize,
    /// Squared norm per row.
    pub(super) squares: Vec<f32>,
    /// Weight per row, negative (or -0) for a negative label: one look-up instead of two.
    signed_weights: Vec<f32>,
}

impl Table {
    /// Of columns as long as `positive`, given one by one; `weights` of `None` is 1 for all.
    pub(crate) fn new<C: Iterator<Item = f32>>(
        columns: impl ExactSizeIterator<Item = C>,
        positive: &[bool],
        weights: Option<&[f64]>,
    ) -> Self {
        let (width, rows) = (columns.len(), positive.len());
        let stride = width.next_multiple_of(CHUNK);
        let mut features = vec![0.0; stride * rows];
        let mut squares = vec![0.0; rows];
        for (j, column) in columns.enumerate() {
            for (row, value) in column.take(rows).enumerate() {
                features[row * stride + j] = value;
                squares[row] += f64::from(value) * f64::from(value);
            }
        }
        let signed = |(row, &is_positive): (usize, &bool)| {
            let weight = weights.map_or(1.0, |weights| weights[row] as f32);
            if is_positive { weight } else { -weight }
        };
        let signed_weights = positive.iter().enumerate().map(signed).collect();
        let squares = squares.into_iter().map(|square| square as f32).collect();
        Self { features, width, stride, squares, signed_weights }
    }

    /// The features of a row, filled up with zeros.
    pub(super) fn row(&self, row: u32) -> &[f32] {
        &self.features[row as usize * self.stride..][..self.stride]
    }

    /// Weight of a row, and whether its label is positive.
    pub(super) fn weight(&self, row: u32) -> (f32, bool) {
        let signed = self.signed_weights[row as usize];
        (signed.abs(), signed.is_sign_positive())
    }
}
