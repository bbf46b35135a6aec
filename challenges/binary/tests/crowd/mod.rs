//! The miners of the tests.

use mantis_plugin_api::Market;
use mantis_plugin_api::test_kit::Noise;

pub(crate) const AHEAD: usize = 60;

/// Two numbers per row that know the direction with some strength; each seed has its own noise.
pub(crate) fn miner(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let knows = |row: usize| match market.prices.get(row + AHEAD) {
        Some(later) if *later > market.prices[row] => skill,
        Some(_) => -skill,
        None => 0.0,
    };
    (0..market.sidx.len() * 2)
        .map(|i| (0.3 * (knows(i / 2) + noise.normal())).clamp(-1.0, 1.0) as f32)
        .collect()
}
