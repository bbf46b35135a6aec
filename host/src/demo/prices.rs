//! Simulated prices and funding rates.

use mantis_kit::math;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// Rows between two settlements of funding: 8 hours.
const FUNDING_ROWS: usize = 480;
/// Of so many rows, the last ones are calm: without spells in which nothing breaks out of its range, all breakouts
/// would be one episode.
const SPELL_ROWS: usize = 5_000;
const BUSY_ROWS: usize = 3_000;
/// Volatility in a calm spell, as a part of what it would be.
const CALM: f64 = 0.02;

/// Every price and funding rate of a simulation, row by row.
pub struct Prices {
    rows: usize,
    prices: BTreeMap<String, Vec<f64>>,
    funding: BTreeMap<String, Vec<f64>>,
}

impl Prices {
    /// Random walks with a common factor, slowly changing volatility, calm spells and a little momentum; pairs with the dollar
    /// (`CADUSD`) go their own, calmer ways.
    pub(super) fn new(rows: usize, priced: &[&str], funded: &[&str], seed: u64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut level: f64 = 0.0;
        let volatility: Vec<f64> = (0..rows)
            .map(|row| {
                level = 0.9999 * level + 0.004 * normal(&mut rng);
                let spell = if row % SPELL_ROWS < BUSY_ROWS { 1.0 } else { CALM };
                6e-4 * spell * math::exp(level.clamp(-1.0, 1.0))
            })
            .collect();
        let market: Vec<f64> = volatility.iter().map(|v| v * normal(&mut rng)).collect();
        let mut momentum = 0.0;
        let trend: Vec<f64> = (0..rows)
            .map(|row| {
                momentum += market[row] / 90.0 - if row >= 90 { market[row - 90] / 90.0 } else { 0.0 };
                0.15 * momentum
            })
            .collect();
        let prices = priced.iter().map(|&key| {
            let is_pair = key.len() == 6 && key.ends_with("USD");
            let beta = if is_pair { 0.0 } else { 0.6 + 0.8 * uniform(&mut rng) };
            let own = if is_pair { 0.35 } else { 1.2 };
            let mut log = if is_pair { 0.0 } else { -2.0 + 10.0 * uniform(&mut rng) };
            let path = (0..rows).map(|row| {
                log += beta * (market[row] + trend[row]) + own * volatility[row] * normal(&mut rng);
                math::exp(log)
            });
            (key.to_owned(), path.collect())
        });
        let prices = prices.collect();
        let steps = rows / FUNDING_ROWS + 1;
        let mut level = 0.0;
        let common: Vec<f64> = (0..steps)
            .map(|_| {
                level += 1e-5 * normal(&mut rng);
                level
            })
            .collect();
        let funding = funded.iter().map(|&key| {
            let mut own = 0.0;
            let path: Vec<f64> = (0..steps)
                .map(|step| {
                    own = 0.97 * own + 4e-5 * normal(&mut rng);
                    1e-4 + common[step] + own
                })
                .collect();
            (key.to_owned(), (0..rows).map(|row| path[row / FUNDING_ROWS]).collect())
        });
        let funding = funding.collect();
        Self { rows, prices, funding }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The prices of a key; empty for an unknown one.
    pub(crate) fn of(&self, key: &str) -> &[f64] {
        self.prices.get(key).map_or(&[], Vec::as_slice)
    }

    /// The funding rates of an asset; empty for an unknown one.
    pub(crate) fn funding_of(&self, key: &str) -> &[f64] {
        self.funding.get(key).map_or(&[], Vec::as_slice)
    }
}

/// A standard normal number.
pub(super) fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
    StandardNormal.sample(rng)
}

/// A number from 0 to 1, 1 excluded.
pub(super) fn uniform(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}
