//! One number of a record, and means over rows.

use serde::Serialize;

/// A number, how sure it is, and what it is to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// The number.
    pub value: f64,
    /// Its 95 % interval; `None` where rows are too few.
    pub ci95: Option<[f64; 2]>,
    /// The same of a forecast without skill: one that says how often what came true was seen to come true before.
    pub baseline: Option<f64>,
    /// The 95 % interval of baseline less value, for what is better the smaller it is; of value less baseline otherwise.
    /// Above zero, the forecast is better.
    pub gain_ci95: Option<[f64; 2]>,
}

impl Measure {
    pub(super) fn new(
        value: Option<f64>,
        ci95: Option<[f64; 2]>,
        baseline: Option<f64>,
        gain_ci95: Option<[f64; 2]>,
    ) -> Option<Self> {
        value.map(|value| Self { value, ci95, baseline, gain_ci95 })
    }
}

/// Sums by row: means of them are found for any weights of rows.
#[derive(Clone, Debug)]
pub(super) struct PerRow {
    sums: Vec<f64>,
    counts: Vec<f64>,
}

impl PerRow {
    pub(super) fn new(rows: usize) -> Self {
        Self { sums: vec![0.0; rows], counts: vec![0.0; rows] }
    }

    pub(super) fn add(&mut self, row: usize, x: f64) {
        if let (Some(sum), Some(count)) = (self.sums.get_mut(row), self.counts.get_mut(row)) {
            *sum += x;
            *count += 1.0;
        }
    }

    pub(super) fn mean(&self, weights: &[f64]) -> Option<f64> {
        let sum = |of: &[f64]| of.iter().zip(weights).map(|(x, weight)| x * weight).sum::<f64>();
        let count = sum(&self.counts);
        (count > 0.0).then(|| sum(&self.sums) / count)
    }
}
