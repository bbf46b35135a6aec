//! SAGA for elastic nets, in single precision and with the draws of the network's scorer (scoring: numerics, `network`).
//!
//! It rarely ends at the optimum: it stops where a pass changes little, or after so many passes, so the draws, the
//! precision and the order of sums belong to the result. Several fits over the same rows take their steps in turn: a
//! step of one waits for memory and for its sum, and meanwhile the others have theirs.

mod draws;
mod lane;
mod table;

use crate::math;
use lane::Lane;
pub(crate) use table::Table;

/// Fits that take their steps in turn.
const GROUP: usize = 10;
/// Decision values up to here have a derivative of another form.
const FAR_BELOW: f64 = -37.0;
/// Sums that are had at once.
const CHAINS: usize = 5;

/// Elastic nets over the rows of one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saga<'a> {
    pub(crate) table: &'a Table,
    pub(crate) balanced: bool,
    pub(crate) c: f64,
    pub(crate) l1_ratio: f64,
    /// Ends where a pass changes no coefficient by more, relative to the largest.
    pub(crate) tol: f64,
    /// Passes at most.
    pub(crate) max_iter: usize,
}

/// What one fit is of: blocks of the table's rows, one after the other. A row that was drawn twice is there twice.
#[derive(Debug)]
pub(crate) struct Sample {
    /// First row of each block; all its rows are in the table.
    pub(crate) starts: Vec<u32>,
    /// Rows per block, at least 1.
    pub(crate) block: u32,
    /// Seed of the order in which they are visited.
    pub(crate) seed: u32,
}

impl Sample {
    /// Number of rows.
    fn len(&self) -> u32 {
        self.starts.len() as u32 * self.block
    }

    /// Row of the table at a place.
    fn row(&self, place: u32) -> u32 {
        self.starts[(place / self.block) as usize] + place % self.block
    }
}

impl Saga<'_> {
    /// Coefficients, then the intercept, of each fit; `None` where they are not finite, which features beyond the range
    /// of single precision can do. Each sample has rows of both classes.
    pub(crate) fn fit(&self, samples: Vec<Sample>) -> Vec<Option<Vec<f64>>> {
        let mut fitted = vec![None; samples.len()];
        let mut samples = samples.into_iter().enumerate();
        while samples.len() > 0 {
            let size = samples.len().min(GROUP);
            let group = samples.by_ref().take(size);
            let mut open: Vec<Lane<'_>> =
                group.map(|(index, sample)| Lane::new(self, index, size, sample)).collect();
            while !open.is_empty() {
                if step(&mut open) {
                    for lane in open.extract_if(.., |lane| lane.is_over()) {
                        let parameters = lane.parameters();
                        fitted[lane.index] =
                            Some(parameters).filter(|parameters| parameters.iter().all(|w| w.is_finite()));
                    }
                }
            }
        }
        fitted
    }
}

/// One step of each of up to [`GROUP`] fits. Whether any is over.
fn step(lanes: &mut [Lane<'_>]) -> bool {
    // Together, so that the waits for the rows overlap.
    lanes.iter_mut().for_each(Lane::look_ahead);
    if let [lane] = lanes {
        let sum = lane.products().iter().fold(0.0, |sum, product| sum + product);
        lane.compare(slope(lane.decision(sum), lane.label()));
    } else {
        let mut decisions = [0.0; GROUP];
        let mut labels = [0.0; GROUP];
        for (lanes, decisions) in lanes.chunks(CHAINS).zip(decisions.chunks_mut(CHAINS)) {
            for ((lane, decision), sum) in lanes.iter().zip(decisions).zip(sums(lanes)) {
                *decision = lane.decision(sum);
            }
        }
        lanes.iter().zip(&mut labels).for_each(|(lane, label)| *label = lane.label());
        turn_to_slopes(&mut decisions, &labels);
        lanes.iter_mut().zip(decisions).for_each(|(lane, slope)| lane.compare(slope));
    }
    lanes.iter_mut().for_each(Lane::learn);
    lanes.iter().any(Lane::is_over)
}

/// Turns decision values into [`slope`]s: step by step for all, so that it becomes vector code.
fn turn_to_slopes(decisions: &mut [f64; GROUP], labels: &[f64; GROUP]) {
    let mut powers = decisions.map(exponent);
    math::exp_slice(&mut powers);
    for ((z, t), y) in decisions.iter_mut().zip(powers).zip(labels) {
        *z = slope_of(*z, t, *y);
    }
}

/// Derivative of the loss in the decision value, without branches.
fn slope(z: f64, y: f64) -> f64 {
    slope_of(z, math::exp(exponent(z)), y)
}

fn exponent(z: f64) -> f64 {
    if z <= FAR_BELOW { z } else { -z }
}

/// The slope, given the exponential of the [`exponent`].
fn slope_of(z: f64, t: f64, y: f64) -> f64 {
    let near = ((1.0 - y) - y * t) / (1.0 + t);
    if z <= FAR_BELOW { t - y } else { near }
}

/// Sums of the products of up to [`CHAINS`] fits, of which there is at least one, in the order of the features: the sum
/// of one cannot be hastened, but those of the others can be had meanwhile.
fn sums(lanes: &[Lane<'_>]) -> [f32; CHAINS] {
    let products: [&[f32]; CHAINS] = std::array::from_fn(|i| lanes[i % lanes.len()].products());
    let width = products.iter().map(|products| products.len()).min().unwrap_or(0);
    let [a, b, c, d, e] = products.map(|products| &products[..width]);
    let mut sums = [0.0; CHAINS];
    for j in 0..width {
        sums[0] += a[j];
        sums[1] += b[j];
        sums[2] += c[j];
        sums[3] += d[j];
        sums[4] += e[j];
    }
    sums
}
