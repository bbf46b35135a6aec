//! Simulated prices and funding rates.

use mantis_kit::math;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows between two settlements of funding: 8 hours.
const FUNDING_ROWS: usize = 480;
/// Of so many rows, the last ones are calm: without spells in which nothing breaks out of its range, all breakouts
/// would be one episode.
const SPELL_ROWS: usize = 5_000;
const BUSY_ROWS: usize = 3_000;
/// Volatility in a calm spell, as a part of what it would be.
const CALM: f64 = 0.02;
/// How far a minute's high and low go beyond its first and its last price, in volatilities.
const WICK: f64 = 0.4;

/// Every price and funding rate of a simulation, row by row. A copy of it shares its numbers.
#[derive(Clone)]
pub struct Prices {
    rows: usize,
    seed: u64,
    common: Arc<Common>,
    prices: BTreeMap<String, Arc<[f64]>>,
    funding: BTreeMap<String, Arc<[f64]>>,
}

/// What all prices have in common, row by row; what all funding rates have, settlement by settlement.
struct Common {
    volatility: Vec<f64>,
    market: Vec<f64>,
    trend: Vec<f64>,
    funding: Vec<f64>,
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
        let mut common = Common { volatility, market, trend, funding: Vec::new() };
        let prices = priced.iter().map(|&key| (key.to_owned(), common.prices(key, &mut rng))).collect();
        let mut level = 0.0;
        common.funding = (0..=rows / FUNDING_ROWS)
            .map(|_| {
                level += 1e-5 * normal(&mut rng);
                level
            })
            .collect();
        let funding = funded.iter().map(|&key| (key.to_owned(), common.funding(rows, &mut rng))).collect();
        Self { rows, seed, common: Arc::new(common), prices, funding }
    }

    /// With the prices and funding rates of these keys too. Those of a key do not depend on when it comes.
    pub(super) fn with(mut self, keys: &[&str]) -> Self {
        for &key in keys {
            let drawn = |what: &str| {
                let digest: [u8; 32] = Sha256::digest(format!("{what} of {key}")).into();
                let (words, _) = digest.as_chunks::<8>();
                Xoshiro256PlusPlus::seed_from_u64(self.seed ^ u64::from_le_bytes(words[0]))
            };
            if !self.prices.contains_key(key) {
                let path = self.common.prices(key, &mut drawn("prices"));
                self.prices.insert(key.to_owned(), path);
            }
            if !self.funding.contains_key(key) {
                let path = self.common.funding(self.rows, &mut drawn("funding"));
                self.funding.insert(key.to_owned(), path);
            }
        }
        self
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The prices of a key; empty for an unknown one.
    pub(crate) fn path(&self, key: &str) -> &[f64] {
        self.prices.get(key).map_or(&[], |path| path)
    }

    /// A channel beside the prices: `BTC_HIGH` and `BTC_LOW` are the highest and lowest price of the minute that ends with
    /// a row. None other is known.
    pub(super) fn channel(&self, name: &str, row: usize) -> Option<f64> {
        let ends = |key| {
            let path = self.path(key);
            Some((*path.get(row.saturating_sub(1))?, *path.get(row)?, WICK * self.common.volatility[row]))
        };
        if let Some(key) = name.strip_suffix("_HIGH") {
            return ends(key).map(|(first, last, beyond)| first.max(last) * math::exp(beyond));
        }
        let (first, last, beyond) = ends(name.strip_suffix("_LOW")?)?;
        Some(first.min(last) * math::exp(-beyond))
    }

    /// The funding rates of an asset; empty for an unknown one.
    pub(crate) fn funding_of(&self, key: &str) -> &[f64] {
        self.funding.get(key).map_or(&[], |path| path)
    }
}

impl Common {
    fn prices(&self, key: &str, rng: &mut Xoshiro256PlusPlus) -> Arc<[f64]> {
        let is_pair = key.len() == 6 && key.ends_with("USD");
        let beta = if is_pair { 0.0 } else { 0.6 + 0.8 * uniform(rng) };
        let own = if is_pair { 0.35 } else { 1.2 };
        let mut log = if is_pair { 0.0 } else { -2.0 + 10.0 * uniform(rng) };
        let row = |row: usize| {
            log += beta * (self.market[row] + self.trend[row]) + own * self.volatility[row] * normal(rng);
            math::exp(log)
        };
        (0..self.market.len()).map(row).collect()
    }

    fn funding(&self, rows: usize, rng: &mut Xoshiro256PlusPlus) -> Arc<[f64]> {
        let mut own = 0.0;
        let step = |common: &f64| {
            own = 0.97 * own + 4e-5 * normal(rng);
            1e-4 + common + own
        };
        let path: Vec<f64> = self.funding.iter().map(step).collect();
        (0..rows).map(|row| path[row / FUNDING_ROWS]).collect()
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
