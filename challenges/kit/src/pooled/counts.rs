//! Labels counted per value of a half float: what fits and AUCs of one miner need of its samples.

use crate::logistic::{FitError, Model, Penalty, Rows, Stop, solve};
use half::f16;
use std::borrow::Cow;

/// Number of half floats.
const CODES: usize = 1 << 16;

/// How often each half float, in the order of value, occurs with a negative and with a positive label.
///
/// 512 KiB, but what miners send fills a few parts of it only, which stay in the nearest caches.
#[derive(Clone)]
pub(super) struct Counts {
    cells: Vec<[u32; 2]>,
    totals: [u64; 2],
}

/// A fitted model of one miner: decision value `slope * x + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) offset: f64,
}

impl Line {
    /// The decision value of a number, 0 of what is none. In single precision, half the memory: the rounding moves no
    /// salience by 1e-6.
    #[inline]
    pub(super) fn value(self, number: f16) -> f32 {
        let decision = self.slope * f64::from(widened(number.to_bits())) + self.offset;
        if is_number(number) { decision as f32 } else { 0.0 }
    }
}

impl Counts {
    pub(super) fn new() -> Self {
        Self { cells: vec![[0; 2]; CODES], totals: [0; 2] }
    }

    /// Takes in the samples that have a number and a label.
    pub(super) fn add(&mut self, numbers: &[f16], labels: &[Option<bool>]) {
        for (&number, &label) in numbers.iter().zip(labels) {
            if let Some(positive) = label
                && is_number(number)
            {
                self.cells[usize::from(code_of(number.to_bits()))][usize::from(positive)] += 1;
                self.totals[usize::from(positive)] += 1;
            }
        }
    }

    /// What was added since `before`, a copy of then.
    pub(super) fn since(&self, before: &Self) -> Self {
        let cells = self.cells.iter().zip(&before.cells);
        Self {
            cells: cells.map(|(now, then)| [now[0] - then[0], now[1] - then[1]]).collect(),
            totals: [self.totals[0] - before.totals[0], self.totals[1] - before.totals[1]],
        }
    }

    /// Samples.
    pub(super) fn samples(&self) -> usize {
        (self.totals[0] + self.totals[1]) as usize
    }

    /// Whether there are so many samples, with both labels.
    pub(super) fn is_enough(&self, least: usize) -> bool {
        self.samples() >= least && self.totals.iter().all(|&n| n > 0)
    }

    pub(super) fn distinct(&self) -> usize {
        self.cells.iter().filter(|cell| **cell != [0; 2]).count()
    }

    /// AUC of decision values whose slope has the sign of `slope`: the ratio of whole numbers, rounded once. Both
    /// labels must occur.
    pub(super) fn auc(&self, slope: f64) -> f64 {
        let [negative, positive] = self.totals;
        let pairs = 2 * u128::from(negative) * u128::from(positive);
        if slope == 0.0 || pairs == 0 {
            return 0.5;
        }
        let (mut won, mut below) = (0_u128, 0);
        for [down, up] in &self.cells {
            let (down, up) = (u64::from(*down), u64::from(*up));
            won += u128::from(up) * u128::from(2 * below + down);
            below += down;
        }
        let won = if slope > 0.0 { won } else { pairs - won };
        won as f64 / pairs as f64
    }

    /// A number with the sign of the slope of [`Self::fit`] at its optimum: that of the difference between the mean
    /// values of the labels, which is the loss's descent along the slope if the offset alone is fitted. Exact.
    pub(super) fn tendency(&self) -> f64 {
        let [negative, positive] = self.totals.map(i128::from);
        let term = |(code, [down, up]): (usize, &[u32; 2])| {
            // A whole number: half floats are multiples of 2^-24.
            let value = f64::from(widened(bits_of(code as u16))) * f64::from(1 << 24);
            (i128::from(*up) * negative - i128::from(*down) * positive) * value as i128
        };
        let filled = self.cells.iter().enumerate().filter(|(_, cell)| **cell != [0; 2]);
        filled.map(term).sum::<i128>().signum() as f64
    }

    /// The logistic regression (`L2`, no weights) of the label on the value. `start` is where the exact fit begins.
    pub(super) fn fit(&self, c: f64, stop: Stop, start: Option<Line>) -> Result<Line, FitError> {
        let filled = || self.cells.iter().enumerate().filter(|(_, cell)| **cell != [0; 2]);
        let values: Vec<f64> = filled().map(|(code, _)| f64::from(widened(bits_of(code as u16)))).collect();
        let positive: Vec<f64> = filled().map(|(_, cell)| f64::from(cell[1])).collect();
        let negative: Vec<f64> = filled().map(|(_, cell)| f64::from(cell[0])).collect();
        let total = (self.totals[0] + self.totals[1]) as f64;
        let classes = self.totals.map(|total| total as usize);
        let rows = Rows::with_sums(vec![Cow::Owned(values)], [positive, negative], classes);
        let start = start.map(|line| Model { coef: vec![line.slope], intercept: line.offset });
        let model = solve(rows, total, c, Penalty::L2, stop, start.as_ref())?;
        Ok(Line { slope: model.coef[0], offset: model.intercept })
    }
}

/// Whether the miner said anything: neither zero nor broken.
#[inline]
pub(super) fn is_number(number: f16) -> bool {
    // Not zero, and the exponent not that of infinities and NaN.
    (1..0x7c00).contains(&(number.to_bits() & 0x7fff))
}

/// The value of a finite half float's bits. Branch-free integer code, so that loops over it become vector code.
#[inline]
fn widened(bits: u16) -> f32 {
    let bits = u32::from(bits);
    // Exponent and fraction in place, then the exponent's bias mended by a power of two; subnormals come out right.
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((254 - 15) << 23);
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

/// A code in the order of the value.
fn code_of(bits: u16) -> u16 {
    if bits >> 15 == 1 { !bits } else { bits | 0x8000 }
}

fn bits_of(code: u16) -> u16 {
    if code >> 15 == 1 { code & 0x7fff } else { !code }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc::auc;
    use crate::logistic::{Design, Problem, fit};
    use half::f16;
    use proptest::prelude::*;

    #[test]
    fn broken_numbers_are_none() {
        for number in [f16::NAN, f16::INFINITY, f16::NEG_INFINITY, f16::ZERO, f16::NEG_ZERO] {
            assert!(!is_number(number));
        }
    }

    #[test]
    fn widens_every_finite_half_float() {
        for bits in (0..=u16::MAX).filter(|&bits| f16::from_bits(bits).is_finite()) {
            assert_eq!(widened(bits).to_bits(), f16::from_bits(bits).to_f32().to_bits());
            assert_eq!(bits_of(code_of(bits)), bits);
            assert_eq!(is_number(f16::from_bits(bits)), f16::from_bits(bits) != f16::ZERO);
        }
    }

    proptest! {
        #[test]
        fn equals_the_samples(
            rows in prop::collection::vec((-40..40_i32, any::<Option<bool>>()), 8..200), cut in 0..8_usize,
        ) {
            let numbers: Vec<f16> = rows.iter().map(|row| f16::from_f64(f64::from(row.0) / 16.0)).collect();
            let labels: Vec<Option<bool>> = rows.iter().map(|row| row.1).collect();
            let mut counts = Counts::new();
            counts.add(&numbers[..cut], &labels[..cut]);
            let before = counts.clone();
            counts.add(&numbers[cut..], &labels[cut..]);
            for (counts, from) in [(counts.since(&before), cut), (counts, 0)] {
                let present = numbers.iter().zip(&labels).skip(from).filter(|(number, _)| is_number(**number));
                let (x, y): (Vec<f64>, Vec<bool>) = present.filter_map(|(x, y)| Some((x.to_f64(), (*y)?))).unzip();
                let both = y.contains(&true) && y.contains(&false);
                prop_assert_eq!(counts.samples(), y.len());
                prop_assert_eq!(counts.is_enough(y.len()), both);
                prop_assert!(!counts.is_enough(y.len() + 1));
                prop_assert_eq!(counts.auc(0.0), 0.5);
                if !both {
                    continue;
                }
                let columns = [x.as_slice()];
                let problem = Problem {
                    x: Design::from_columns(&columns), y: &y, weights: None, balanced: false, c: 0.5,
                    penalty: Penalty::L2,
                };
                for stop in [Stop::Exact, Stop::Network { tol: 1e-4, max_iter: 200, seed: 0 }] {
                    let line = counts.fit(0.5, stop, Some(Line { slope: 1.0, offset: -0.5 })).unwrap();
                    let rowwise = fit(&problem, stop, None).unwrap();
                    let off = (line.slope - rowwise.coef[0]).abs() + (line.offset - rowwise.intercept).abs();
                    prop_assert!(off < 1e-9, "{off}");
                    let decisions: Vec<f64> = x.iter().map(|x| x * line.slope + line.offset).collect();
                    if line.slope.abs() > 1e-9 {
                        prop_assert_eq!(Some(counts.auc(line.slope)), auc(&decisions, &y));
                    }
                    if stop == Stop::Exact && line.slope.abs() > 1e-9 {
                        prop_assert_eq!(counts.tendency(), line.slope.signum());
                    }
                }
            }
        }
    }
}
