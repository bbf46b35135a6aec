//! Miners that rank assets.

use super::Noise;
use crate::Market;

/// The numbers of a miner, one per row and asset, from -1 to 1: noise, and with strength `skill` whether the asset will do
/// better than the mean of all, as `change` measures it from the price now and `ahead` rows later.
#[must_use]
pub fn ranking_miner(
    market: &Market,
    ahead: usize,
    change: impl Fn(f64, f64) -> f64,
    skill: f64,
    seed: u64,
) -> Vec<f32> {
    let (rows, assets) = (market.sidx.len(), market.assets);
    let mut noise = Noise::new(seed);
    let mut numbers = Vec::with_capacity(rows * assets);
    for row in 0..rows {
        let later = (row + ahead < rows).then_some(row + ahead);
        let changes = (0..assets).map(|asset| {
            later.map_or(0.0, |later| change(market.price(row, asset), market.price(later, asset)))
        });
        let changes: Vec<f64> = changes.collect();
        let mean = changes.iter().sum::<f64>() / assets as f64;
        for change in changes {
            let lean = change - mean;
            let knows = if lean == 0.0 { 0.0 } else { lean.signum() };
            numbers.push((0.3 * (skill * knows + noise.normal())).clamp(-1.0, 1.0) as f32);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_kit::MarketBuilder;

    #[test]
    fn skill_shows_in_the_numbers_and_the_end_of_the_market_is_not_known() {
        let market = MarketBuilder::new(2).rows((0..40).map(|row| [1.0, 1.0 + f64::from(row)])).build();
        let sums = |skill, rows: std::ops::Range<usize>| {
            let numbers = ranking_miner(&market, 5, |now, later| later - now, skill, 1);
            let sum = |asset: usize| rows.clone().map(|row| f64::from(numbers[2 * row + asset])).sum::<f64>();
            (sum(0), sum(1))
        };
        let (falls, rises) = sums(100.0, 0..35);
        assert_eq!((falls, rises), (-35.0, 35.0));
        assert_eq!(sums(100.0, 35..40), sums(0.0, 35..40));
        assert_ne!(sums(0.5, 0..35), sums(0.0, 0..35));
    }
}
