//! The market and the miners of the tests.

use mantis_plugin_api::Market;
use mantis_plugin_api::test_kit::{MarketBuilder, Noise};

pub(crate) const ASSETS: usize = 3;
pub(crate) const ROWS: usize = 6_000;
pub(crate) const AHEAD: usize = 10;

pub(crate) fn market(seed: u64) -> Market {
    let mut noise = Noise::new(seed);
    MarketBuilder::new(ASSETS).walk(ROWS, 100.0, |price| price * (1.0 + 1e-3 * noise.normal())).build()
}

/// A position per asset that knows the direction with some strength; each seed has its own noise.
pub(crate) fn miner(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let knows = |row: usize, asset: usize| match row + AHEAD {
        later if later >= ROWS => 0.0,
        later if market.price(later, asset) > market.price(row, asset) => skill,
        _ => -skill,
    };
    let position =
        |i: usize| (0.4 * (knows(i / ASSETS, i % ASSETS) + noise.normal())).clamp(-1.0, 1.0) as f32;
    (0..ROWS * ASSETS).map(position).collect()
}
