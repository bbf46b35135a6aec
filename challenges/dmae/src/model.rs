//! One network: trained on all miners, or without some.

use crate::adam::{Powers, Rates, adam};
use crate::chunk::Chunk;
use crate::head::Head;
use crate::kernels::{Weights, fade, gather, learn, products};
use crate::{HIDDEN, Units};

/// A network on its way.
pub(crate) struct Model {
    pub(crate) head: Head,
    head_moments: [Head; 2],
    /// Weights of the numbers, miner by miner, and the moments of their gradients.
    w: Vec<Units>,
    m: Vec<Units>,
    v: Vec<Units>,
    dim: usize,
    /// Whether it is trained without a miner.
    left_out: Vec<bool>,
    /// The group of each miner.
    teams: Vec<usize>,
    /// Of the head's steps, and of each miner's, which begin when it is first there.
    powers: Powers,
    own_powers: Vec<Powers>,
    /// Absolute errors in the rows that were evaluated.
    pub(crate) errors: Vec<f32>,
    /// If they are wanted, forecasts of these rows.
    pub(crate) outputs: Option<Vec<f32>>,
}

impl Model {
    /// Before the first step; without the miners `left_out`. Miners of the same team share a step.
    pub(crate) fn new(dim: usize, teams: &[usize], left_out: &[usize], head: &Head) -> Self {
        let miners = teams.len();
        let zeros = || vec![[0.0; HIDDEN]; miners * dim];
        let mut flags = vec![false; miners];
        left_out.iter().for_each(|&miner| flags[miner] = true);
        Self {
            head: head.clone(),
            head_moments: [Head::ZERO; 2],
            w: zeros(),
            m: zeros(),
            v: zeros(),
            dim,
            left_out: flags,
            teams: teams.to_vec(),
            powers: Powers::default(),
            own_powers: vec![Powers::default(); miners],
            errors: Vec::new(),
            outputs: None,
        }
    }

    /// Bytes that one holds.
    pub(crate) fn bytes(miners: usize, dim: usize) -> usize {
        3 * size_of::<Units>() * miners * dim
    }

    /// The weights of a miner's numbers.
    pub(crate) fn weights(&self, miner: usize) -> &[Units] {
        &self.w[miner * self.dim..(miner + 1) * self.dim]
    }

    /// What a miner brings to the first layer, row by row.
    pub(crate) fn part(&self, chunk: &Chunk, miner: usize, out: &mut [Units]) {
        products(chunk.numbers(miner), self.weights(miner), out);
    }

    /// What comes to the first layer, row by row (scoring: dmae, forecast).
    pub(crate) fn first_layer(&self, chunk: &Chunk) -> Vec<Units> {
        let mut part = vec![[0.0; HIDDEN]; chunk.rows()];
        let mut sums = vec![[0.0; HIDDEN]; chunk.rows()];
        for miner in self.miners(&chunk.there) {
            self.part(chunk, miner, &mut part);
            gather(&part, &mut sums);
        }
        sums.iter().map(|sum| self.head.first(sum)).collect()
    }

    /// Forecasts a chunk's rows, and keeps the errors.
    pub(crate) fn evaluate(&mut self, chunk: &Chunk) {
        let z1 = self.first_layer(chunk);
        for (z1, y) in z1.iter().zip(&chunk.targets) {
            let output = self.head.pass(z1).output;
            self.errors.push((output - y).abs());
            if let Some(outputs) = &mut self.outputs {
                outputs.push(output);
            }
        }
    }

    /// One step on a chunk (scoring: dmae, learning).
    pub(crate) fn learn(&mut self, chunk: &Chunk, learning_rate: f64) {
        let mut slopes = self.first_layer(chunk);
        let mut gradients = Head::ZERO;
        let one = 1.0 / chunk.rows() as f32;
        for (z1, y) in slopes.iter_mut().zip(&chunk.targets) {
            let passed = self.head.pass(z1);
            let factor = sign(passed.output - y) * one;
            let slope = self.head.slope(z1, &passed, factor);
            self.head.add_gradients(&passed, &slope, factor, &mut gradients);
            *z1 = slope;
        }
        let rates = Rates::new(learning_rate, &mut self.powers);
        let [m, v] = &mut self.head_moments;
        for (((w, m), v), gradient) in self.head.0.iter_mut().zip(&mut m.0).zip(&mut v.0).zip(&gradients.0) {
            adam(w, m, v, gradient, rates);
        }
        let shares = self.shares(chunk);
        for miner in self.miners(&chunk.known) {
            let share = f64::from(shares[self.teams[miner]].max(1));
            let rates = Rates::new(learning_rate / share, &mut self.own_powers[miner]);
            let own = miner * self.dim..(miner + 1) * self.dim;
            let (w, m, v) = (&mut self.w[own.clone()], &mut self.m[own.clone()], &mut self.v[own]);
            let weights = Weights { w, m, v };
            if chunk.there[miner] {
                learn(chunk.numbers(miner), &slopes, weights, rates);
            } else {
                fade(weights, rates);
            }
        }
    }

    /// Per team, how many of its miners that are not left out are there.
    fn shares(&self, chunk: &Chunk) -> Vec<u32> {
        let mut shares = vec![0; self.teams.iter().max().map_or(0, |last| last + 1)];
        self.miners(&chunk.there).into_iter().for_each(|miner| shares[self.teams[miner]] += 1);
        shares
    }

    /// Those of some miners that are not left out.
    fn miners(&self, which: &[bool]) -> Vec<usize> {
        let is_in = |miner: &usize| which[*miner] && !self.left_out[*miner];
        (0..which.len()).filter(is_in).collect()
    }
}

#[cfg(test)]
impl Model {
    /// Gives every number a weight.
    pub(crate) fn fill_weights(&mut self, draw: impl FnMut() -> f32) {
        self.w.as_flattened_mut().fill_with(draw);
    }
}

fn sign(x: f32) -> f32 {
    f32::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}
