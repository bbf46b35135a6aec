//! A market of one row an hour, and miners that trade it, for tests of pay by evidence.

use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MarketBuilder, Noise, score, spec_with_assets};
use mantis_plugin_api::{Market, Salience, Solver};
use mantis_trademix::TradeMix;

pub(crate) const ASSETS: usize = 4;
pub(crate) const HOURS: usize = 1_500;
/// Hours that a miner holds a position, and how far ahead it sees.
const HOLD: usize = 12;
const SEES: usize = 24;

/// Prices that have a common part and parts of their own.
pub(crate) fn market(seed: u64) -> Market {
    let mut noise = Noise::new(seed);
    let mut prices = [100.0; ASSETS];
    let mut rows = Vec::with_capacity(HOURS);
    for _ in 0..HOURS {
        let common = 4e-3 * noise.normal();
        prices.iter_mut().for_each(|price| *price *= 1.0 + common + 5e-3 * noise.normal());
        rows.push(prices);
    }
    let market = MarketBuilder::new(ASSETS).rows(&rows).build();
    Market { sidx: market.sidx.iter().map(|sidx| 60 * sidx).collect(), ..market }
}

/// Positions, in eighths, that know how each asset will do against the others with some strength; the first `late` hours
/// are empty. Each seed has its own noise.
pub(crate) fn relative(market: &Market, skill: f64, late: usize, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let mut held = [0.0; ASSETS];
    let mut positions = Vec::with_capacity(HOURS * ASSETS);
    for hour in 0..HOURS {
        if hour % HOLD == 0 {
            let later = (hour + SEES).min(HOURS - 1);
            let gains = (0..ASSETS).map(|asset| market.price(later, asset) / market.price(hour, asset) - 1.0);
            let gains: Vec<f64> = gains.collect();
            let mean = gains.iter().sum::<f64>() / ASSETS as f64;
            for (held, gain) in held.iter_mut().zip(gains) {
                *held = (skill * (gain - mean) / 0.03 + 0.5 * noise.normal()).clamp(-1.0, 1.0) as f32;
                *held = (8.0 * *held).round() / 8.0;
            }
        }
        positions.extend(held.map(|x| if hour < late { 0.0 } else { x }));
    }
    positions
}

/// What a book with others' positions holds: a sum of theirs, each times its part, empty for the first `late` hours.
pub(crate) fn mixed(books: &[(f32, &[f32])], late: usize) -> Vec<f32> {
    let sum = |i: usize| books.iter().map(|(part, book)| part * book[i]).sum::<f32>();
    (0..HOURS * ASSETS).map(|i| if i < late * ASSETS { 0.0 } else { sum(i) }).collect()
}

/// Scores with the network's parameters, but for some.
pub(crate) fn run(others: &Value, market: &Market, miners: &[Vec<f32>]) -> Salience {
    let mut params = json!({ "mechanism": "evidence", "fee": 0.001 });
    others.as_object().unwrap().iter().for_each(|(key, value)| params[key] = value.clone());
    let spec = spec_with_assets(1, ASSETS, 60, Solver::Exact);
    score::<TradeMix>(spec, &params, market, miners).unwrap()
}
