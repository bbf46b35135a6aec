//! The desk's options against a second implementation of them, `second/desk.py`: on random ledgers, which both make
//! from the same generator, they pay the same.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_plugin_api::serde_json::{Value, from_str};
use mantis_plugin_api::test_kit::{MarketBuilder, Noise, score, spec_with_assets};
use mantis_plugin_api::{Market, Solver};
use mantis_trademix::TradeMix;

const ASSETS: usize = 3;
const AHEAD: usize = 10;

/// As `ledger` there.
fn ledger(seed: u64, rows: usize, miners: usize) -> (Market, Vec<Vec<f32>>) {
    let mut noise = Noise::new(seed);
    let step = |price: f64| price * (1.0 + 1e-3 * noise.normal());
    let mut market = MarketBuilder::new(ASSETS).walk(rows, 100.0, step).build();
    let positions = |miner: usize| {
        let (mut noise, skill) =
            (Noise::new(1_000 * seed + miner as u64), 0.5 * miner as f64 / miners as f64);
        let position = |i: usize| {
            let (row, asset) = (i / ASSETS, i % ASSETS);
            let knows = match row + AHEAD {
                later if later >= rows => 0.0,
                later if market.price(later, asset) > market.price(row, asset) => skill,
                _ => -skill,
            };
            (0.4 * (knows + noise.normal())).clamp(-1.0, 1.0) as f32
        };
        (0..rows * ASSETS).map(position).collect()
    };
    let mut all: Vec<Vec<f32>> = (0..miners).map(positions).collect();
    all[0] = all[miners - 1].clone();
    for row in (5..rows).step_by(7 * AHEAD) {
        market.prices[row * ASSETS + 1] = f64::NAN;
    }
    (market, all)
}

#[test]
fn options_pay_what_their_formulas_say() {
    let cases: Vec<Value> = from_str(include_str!("second/desk.json")).unwrap();
    for case in &cases {
        let number = |key: &str| case[key].as_u64().unwrap();
        let (market, miners) = ledger(number("seed"), number("rows") as usize, number("miners") as usize);
        let spec = spec_with_assets(1, ASSETS, AHEAD as u32, Solver::Exact);
        let salience = score::<TradeMix>(spec, &case["params"], &market, &miners).unwrap();
        let expected = case["saliences"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap());
        let apart = salience.miners.iter().zip(expected).map(|(found, x)| (found.salience - x).abs());
        let apart: f64 = apart.sum();
        println!("{}, seed {}: {apart:.1e} apart", case["params"]["meta_model"], case["seed"]);
        assert!(apart < 1e-9, "{apart}: {case} {:?}", salience.miners);
    }
    assert!(cases.len() >= 8);
}
