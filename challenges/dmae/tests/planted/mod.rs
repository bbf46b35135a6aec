//! A market that is moved by hidden factors, and miners that know them, or do not.
//!
//! Every row is one of the grid here, as if the others had been left out, and the horizon is twelve rows. Six factors add up.

#![allow(dead_code)] // each file of tests takes what it needs

use mantis_dmae::Dmae;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MarketBuilder, Noise, score, spec};
use mantis_plugin_api::{Market, Salience, Solver};

pub(crate) const FACTORS: usize = 6;
pub(crate) const AHEAD: usize = 12;
pub(crate) const DIM: usize = 16;

pub(crate) struct World {
    pub(crate) market: Market,
    /// The factors in each row.
    factors: Vec<[f64; FACTORS]>,
    pub(crate) rows: usize,
    pub(crate) seed: u64,
}

impl World {
    /// One in which a forecast that knows all is worth about a seventh of the mean absolute return.
    pub(crate) fn new(rows: usize, seed: u64) -> Self {
        Self::moved_by(0.03, rows, seed)
    }

    /// One that is moved by the factors more or less.
    pub(crate) fn moved_by(factor: f64, rows: usize, seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let (mut now, mut level) = ([0.0; FACTORS], 100.0);
        let (mut factors, mut prices) = (Vec::new(), Vec::new());
        for _ in 0..rows + AHEAD {
            for now in &mut now {
                *now = 0.98 * *now + 0.2 * noise.normal();
            }
            factors.push(now);
            prices.push([level]);
            level *= 1.0 + 0.0025 * (factor * now.iter().sum::<f64>() + 0.35 * noise.normal());
        }
        let market = MarketBuilder::new(1).rows(prices).future(AHEAD).build();
        Self { market, factors, rows, seed }
    }

    /// One that sends `what(row)` of about size 1, spread over its numbers in its own way, and noise.
    pub(crate) fn sends(&self, miner: u64, noise: f64, what: impl Fn(usize) -> f64) -> Vec<f32> {
        let mut draws = Noise::new(self.seed * 7_919 + miner);
        let lean: Vec<f64> = (0..DIM).map(|_| 0.3 * draws.normal()).collect();
        let mut out = Vec::with_capacity(self.rows * DIM);
        for row in 0..self.rows {
            let what = what(row);
            out.extend(
                lean.iter().map(|lean| (lean * what + noise * draws.normal()).clamp(-1.0, 1.0) as f32),
            );
        }
        out
    }

    /// One that knows a factor.
    pub(crate) fn knows(&self, miner: u64, factor: usize) -> Vec<f32> {
        self.sends(miner, 0.15, |row| self.factors[row][factor])
    }

    /// One that knows a factor too late.
    pub(crate) fn knows_late(&self, miner: u64, factor: usize, late: usize) -> Vec<f32> {
        self.sends(miner, 0.15, |row| self.factors[row.saturating_sub(late)][factor])
    }

    /// One that knows nothing.
    pub(crate) fn guesses(&self, miner: u64) -> Vec<f32> {
        self.sends(miner, 0.3, |_| 0.0)
    }

    /// What a miner sent, from a row on, with noise.
    pub(crate) fn copies(&self, miner: u64, of: &[f32], from: usize, noise: f64) -> Vec<f32> {
        let mut draws = Noise::new(self.seed * 104_729 + miner);
        let number = |(i, x): (usize, &f32)| {
            if i / DIM < from {
                return 0.0;
            }
            (f64::from(*x) + noise * draws.normal()).clamp(-1.0, 1.0) as f32
        };
        of.iter().enumerate().map(number).collect()
    }

    /// What a miner sent some rows before.
    pub(crate) fn delayed(&self, of: &[f32], rows: usize) -> Vec<f32> {
        let zeros = vec![0.0; rows * DIM];
        zeros.iter().chain(&of[..of.len() - rows * DIM]).copied().collect()
    }

    /// One that sends a mixture of what others sent, each by numbers that it gives to another place, from a row on.
    pub(crate) fn gathers(&self, miner: u64, of: &[Vec<f32>], from: usize, noise: f64) -> Vec<f32> {
        let mut draws = Noise::new(self.seed * 1_299_709 + miner);
        let number = |i: usize| {
            let (row, d) = (i / DIM, i % DIM);
            if row < from {
                return 0.0;
            }
            let other = &of[d % of.len()];
            let pair =
                [2 * (d / of.len()), 2 * (d / of.len()) + 1].map(|place| other[row * DIM + place % DIM]);
            (f64::from(pair[0] + 0.5 * pair[1]) + noise * draws.normal()).clamp(-1.0, 1.0) as f32
        };
        (0..self.rows * DIM).map(number).collect()
    }

    /// What a miner sent, its numbers turned round and some of them the other way.
    pub(crate) fn turned(&self, of: &[f32]) -> Vec<f32> {
        let turn = |numbers: &[f32]| {
            (0..DIM)
                .map(|d| if d % 3 == 0 { -numbers[DIM - 1 - d] } else { numbers[DIM - 1 - d] })
                .collect::<Vec<f32>>()
        };
        of.chunks_exact(DIM).flat_map(turn).collect()
    }

    pub(crate) fn run(&self, params: &Value, miners: &[Vec<f32>]) -> Salience {
        score::<Dmae>(spec(DIM, AHEAD as u32, Solver::Exact), params, &self.market, miners).unwrap()
    }
}

/// Parameters for a world whose every row is one of the grid.
pub(crate) fn params(change: &Value) -> Value {
    let mut params = json!({"stride": 1, "max_rows": 1_000_000});
    params.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    params
}
