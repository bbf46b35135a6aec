//! Some of the rows that are judged, spread evenly: what was sent in them, and what that contributed.

use crate::chunk::Chunk;
use crate::model::Model;
use crate::{HIDDEN, Units};
use mantis_kit::math;

/// Rows at most.
const ROWS: usize = 1_500;

/// What one miner sent in the rows of the sample, and what the model as it is in the end makes of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    /// Rows in which it is there, ascending.
    pub(crate) rows: Vec<usize>,
    /// Its numbers in those, row by row.
    pub(crate) numbers: Vec<f32>,
    /// Its contribution to the forecast of every row, to first order.
    pub(crate) contributions: Vec<f64>,
}

/// The sample.
pub(crate) struct Sample {
    /// Miner by miner.
    pub(crate) sent: Vec<Sent>,
    /// One row of so many is taken.
    every: usize,
    /// Rows that were seen, and taken.
    seen: usize,
    taken: usize,
}

impl Sample {
    /// A sample of so many rows.
    pub(crate) fn new(miners: usize, rows: usize) -> Self {
        Self { sent: vec![Sent::default(); miners], every: rows.div_ceil(ROWS).max(1), seen: 0, taken: 0 }
    }

    /// Takes in a chunk (scoring: dmae, groups).
    pub(crate) fn observe(&mut self, chunk: &Chunk, model: &Model) {
        let z1 = model.first_layer(chunk);
        let own: Vec<usize> =
            (0..z1.len()).filter(|row| (self.seen + row).is_multiple_of(self.every)).collect();
        let slope = |&row: &usize| model.head.slope(&z1[row], &model.head.pass(&z1[row]), 1.0);
        let slopes: Vec<Units> = own.iter().map(slope).collect();
        let mut part = vec![[0.0; HIDDEN]; chunk.rows()];
        for (miner, sent) in self.sent.iter_mut().enumerate() {
            if chunk.there[miner] {
                model.part(chunk, miner, &mut part);
                sent.take(chunk, miner, &own, self.taken);
                let product = |(slope, &row): (&Units, &usize)| {
                    slope.iter().zip(&part[row]).fold(0.0, |sum: f32, (slope, part)| sum + slope * part)
                };
                sent.contributions.extend(slopes.iter().zip(&own).map(product).map(f64::from));
            }
            sent.contributions.resize(self.taken + own.len(), 0.0);
        }
        self.seen += z1.len();
        self.taken += own.len();
    }

    /// Variance of each miner's contributions; 0 where the model makes nothing of what it sends.
    pub(crate) fn spreads(&self) -> Vec<f64> {
        let variance = |sent: &Sent| {
            let n = sent.contributions.len().max(1) as f64;
            let mean = math::sum(&sent.contributions) / n;
            sent.contributions.iter().map(|u| (u - mean) * (u - mean)).sum::<f64>() / n
        };
        self.sent.iter().map(variance).collect()
    }
}

impl Sent {
    /// Takes rows of a chunk, of which the first is row `first` of the sample.
    fn take(&mut self, chunk: &Chunk, miner: usize, rows: &[usize], first: usize) {
        for (i, &row) in rows.iter().enumerate() {
            let numbers = chunk.row(miner, row);
            if numbers.iter().any(|x| *x != 0.0) {
                self.rows.push(first + i);
                self.numbers.extend(numbers);
            }
        }
    }
}
