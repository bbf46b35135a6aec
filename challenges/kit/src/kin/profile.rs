//! What there is to know of each miner before it is compared with others.

use super::blocks::{self, Block};
use crate::math;
use mantis_plugin_api::{History, PluginError, Shape};

/// One miner by itself.
pub(super) struct Profile {
    /// Rows in which it is there.
    pub(super) present: usize,
    /// The place among the rows of the first of those.
    pub(super) first: Option<usize>,
    /// Means of its numbers over those.
    pub(super) means: Vec<f64>,
    /// Mean of all its numbers in all rows, 0 where it is absent.
    pub(super) mean: f64,
    /// Norm of all its numbers less that mean, from each block on to the last; ends with a 0.
    rest: Vec<f64>,
}

/// A profile in the making.
struct Sums {
    present: usize,
    first: Option<usize>,
    sums: Vec<f64>,
    blocks: Vec<Moments>,
}

/// Some numbers: how many, their mean, and the sum of the squares of what they differ from it.
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Profile {
    /// The length of its numbers less their mean.
    pub(super) fn length(&self) -> f64 {
        self.rest_from(0)
    }

    /// As [`Self::length`], of the rows from a block on.
    pub(super) fn rest_from(&self, block: usize) -> f64 {
        self.rest.get(block).copied().unwrap_or(0.0)
    }
}

/// The profiles of all miners over some rows, ascending.
///
/// # Errors
/// As [`History::read`].
pub(super) fn profiles(history: &dyn History, rows: &[usize]) -> Result<Vec<Profile>, PluginError> {
    let Shape { miners, dim, .. } = history.shape();
    let mut all: Vec<Sums> = (0..miners).map(|_| Sums::new(dim)).collect();
    let mut done = 0;
    blocks::for_each(history, rows, |block| {
        all.iter_mut().enumerate().for_each(|(miner, sums)| sums.take(&block, miner, done));
        done += block.rows();
    })?;
    Ok(all.into_iter().map(|sums| sums.into_profile(rows.len() * dim)).collect())
}

impl Sums {
    fn new(dim: usize) -> Self {
        Self { present: 0, first: None, sums: vec![0.0; dim], blocks: Vec::new() }
    }

    fn take(&mut self, block: &Block, miner: usize, done: usize) {
        let present = block.present(miner);
        self.present += present.iter().filter(|&&is_there| is_there).count();
        let first = || present.iter().position(|&is_there| is_there).map(|place| done + place);
        self.first = self.first.or_else(first);
        let values = block.values(miner);
        for (sum, plane) in self.sums.iter_mut().zip(values.chunks_exact(block.rows())) {
            *sum += math::sum(plane);
        }
        let count = values.len() as f64;
        let mean = math::sum(values) / count;
        let squares = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        self.blocks.push(Moments { count, mean, squares });
    }

    fn into_profile(self, numbers: usize) -> Profile {
        let mean = self.sums.iter().sum::<f64>() / numbers.max(1) as f64;
        // Each block around its own mean first: what is constant has a length of exactly 0.
        let around =
            |block: &Moments| block.squares + block.count * (block.mean - mean) * (block.mean - mean);
        let mut energy = 0.0;
        let mut rest = vec![0.0];
        for block in self.blocks.iter().rev() {
            energy += around(block);
            rest.push(f64::sqrt(energy));
        }
        rest.reverse();
        let present = self.present.max(1) as f64;
        let means = self.sums.iter().map(|sum| sum / present).collect();
        Profile { present: self.present, first: self.first, means, mean, rest }
    }
}
