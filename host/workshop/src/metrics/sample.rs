//! Answers and what came true, side by side.

use crate::stored::Stored;
use mantis_plugin_api::{Reading, Targets};
use std::ops::Range;

/// One subject in one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    /// Place of the row in the sample.
    pub(super) row: usize,
    /// What came true.
    pub(super) value: u16,
    /// Where its numbers begin.
    pub(super) at: usize,
}

/// Rows that have a label and an answer, in order.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What the values are.
    pub reading: Reading,
    /// Rows of the market.
    pub rows: Vec<usize>,
    pub(super) pairs: Vec<Pair>,
    /// Numbers of a pair that are read.
    pub(super) width: usize,
    pub(super) numbers: Vec<f64>,
}

impl Sample {
    /// The rows within a range that have both; `dim` numbers belong to each subject.
    #[must_use]
    pub fn new(targets: &Targets, stored: &Stored, dim: usize, within: &Range<usize>) -> Self {
        let width = match targets.reading {
            Reading::Event | Reading::Ranks => 1,
            Reading::Classes { classes } => usize::from(classes),
        };
        let reading = targets.reading;
        let mut sample = Self { reading, rows: Vec::new(), pairs: Vec::new(), width, numbers: Vec::new() };
        let subjects = (stored.width / dim.max(1)).max(1);
        for (row, values) in targets.rows.iter().zip(targets.values.chunks_exact(subjects)) {
            let Some(numbers) = stored.rows.get(row).filter(|_| within.contains(row)) else { continue };
            let before = sample.pairs.len();
            for (value, numbers) in values.iter().zip(numbers.chunks_exact(dim)) {
                if let Some(value) = value {
                    let at = sample.numbers.len();
                    sample.pairs.push(Pair { row: sample.rows.len(), value: *value, at });
                    sample.numbers.extend(numbers.iter().take(width).map(|x| f64::from(*x)));
                }
            }
            if sample.pairs.len() > before {
                sample.rows.push(*row);
            }
        }
        sample
    }

    /// The part of it within a range of rows.
    #[must_use]
    pub fn within(&self, range: &Range<usize>) -> Self {
        let places = self.rows.partition_point(|row| *row < range.start)
            ..self.rows.partition_point(|row| *row < range.end);
        let pairs = self.pairs.iter().filter(|pair| places.contains(&pair.row));
        Self {
            reading: self.reading,
            rows: self.rows[places.clone()].to_vec(),
            pairs: pairs.map(|pair| Pair { row: pair.row - places.start, ..*pair }).collect(),
            width: self.width,
            numbers: self.numbers.clone(),
        }
    }

    /// Rows times their labelled subjects.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The numbers of a pair.
    pub(super) fn of(&self, pair: &Pair) -> &[f64] {
        &self.numbers[pair.at..pair.at + self.width]
    }

    /// The first number of a pair.
    pub(super) fn score(&self, pair: &Pair) -> f64 {
        self.numbers[pair.at]
    }
}
