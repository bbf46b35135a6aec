//! Pooled samples: pairs of a row and an asset that have a label.

use std::ops::Range;

/// The samples of all labelled rows, row by row and asset by asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    /// Where each row's samples begin; one more than rows.
    first: Vec<usize>,
    /// Per sample: its place in a miner's history, `row * assets + asset`.
    places: Vec<u32>,
    /// Per sample: whether the asset did better than the row's median.
    above: Vec<bool>,
    /// Rows of the history that were labelled.
    paired: Vec<usize>,
}

impl Samples {
    /// No rows yet.
    #[must_use]
    pub fn new() -> Self {
        Self { first: vec![0], ..Self::default() }
    }

    /// Adds a row that is `row` in the history: what each asset did, NaN where that is not known. The label of an
    /// asset is whether it did better than the median of those known.
    pub fn push(&mut self, row: usize, moves: &[f64]) {
        let mut known: Vec<f64> = moves.iter().copied().filter(|x| !x.is_nan()).collect();
        if let Some(median) = median(&mut known) {
            for (asset, &moved) in moves.iter().enumerate().filter(|(_, moved)| !moved.is_nan()) {
                self.places.push((row * moves.len() + asset) as u32);
                self.above.push(moved > median);
            }
        }
        self.paired.push(row);
        self.first.push(self.places.len());
    }

    /// Adds a row that cannot be labelled.
    pub fn skip(&mut self) {
        self.first.push(self.places.len());
    }

    /// Rows, those without a label included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.first.len() - 1
    }

    /// Rows of the history that were labelled, ascending.
    #[must_use]
    pub fn paired(&self) -> &[usize] {
        &self.paired
    }

    /// Samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.above.len()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.above.is_empty()
    }

    /// Labels of all samples.
    #[must_use]
    pub fn above(&self) -> &[bool] {
        &self.above
    }

    /// Places of all samples in a miner's history.
    #[must_use]
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    /// The first sample from a row on.
    #[must_use]
    pub fn at(&self, row: usize) -> usize {
        self.first[row.min(self.rows())]
    }

    /// The samples of a range of rows.
    #[must_use]
    pub fn of(&self, rows: &Range<usize>) -> Range<usize> {
        self.at(rows.start)..self.at(rows.end)
    }
}

/// The middle value, or the mean of the two middle ones.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[half]),
        _ => Some((values[half - 1] + values[half]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_above_the_median_of_what_is_known() {
        let mut samples = Samples::new();
        samples.push(2, &[3.0, f64::NAN, 1.0, 2.0]);
        samples.skip();
        samples.push(5, &[1.0, 1.0, 4.0, -1.0]);
        samples.push(6, &[f64::NAN; 4]);
        assert_eq!((samples.rows(), samples.len(), samples.paired()), (4, 7, &[2, 5, 6][..]));
        assert_eq!(samples.places(), [8, 10, 11, 20, 21, 22, 23]);
        // 2 is the median of the first row, 1 of the other.
        assert_eq!(samples.above(), [true, false, false, false, false, true, false]);
        assert_eq!((samples.of(&(0..2)), samples.of(&(2..4)), samples.at(99)), (0..3, 3..7, 7));
    }

    #[test]
    fn an_even_row_is_cut_between_its_middle_values() {
        let mut samples = Samples::new();
        samples.push(0, &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(samples.above(), [false, false, true, true]);
    }
}
