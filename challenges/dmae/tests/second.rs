//! The plugin, in single precision, against a second implementation of its text in double precision, `second/mlp.py`: on
//! simulated markets, which both make from the same generator, they find the same.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_dmae::Dmae;
use mantis_plugin_api::serde_json::{Value, from_str};
use mantis_plugin_api::test_kit::{MarketBuilder, Noise, fact, score, spec};
use mantis_plugin_api::{Market, Salience, Solver};

/// Largest difference, in terms of the largest of what is compared: losses and pay, and t, in which small losses are divided
/// by small errors.
const BAR: f64 = 1e-4;
const BAR_OF_T: f64 = 2e-3;

/// As `ledger` there.
fn ledger(seed: u64, rows: usize, miners: usize, dim: usize) -> (Market, Vec<Vec<f32>>) {
    let mut noise = Noise::new(seed);
    let (mut factors, mut level) = ([0.0; 3], 100.0);
    let (mut prices, mut known) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        prices.push([level]);
        for factor in &mut factors {
            *factor = 0.98 * *factor + 0.2 * noise.normal();
        }
        known.push(factors);
        level *= 1.0 + 4e-4 * (factors[0] + factors[1] + factors[2]) + 1e-3 * noise.normal();
    }
    prices[rows / 7] = [f64::NAN];
    let frozen = prices[rows / 3];
    prices[rows / 3..rows / 3 + 25].fill(frozen);
    let numbers = |miner: usize| -> Vec<f32> {
        let mut noise = Noise::new(1_000 * seed + miner as u64);
        let lean: Vec<f64> = (0..dim).map(|_| 0.9 * noise.uniform()).collect();
        let factor = [Some(0), Some(1), Some(2), Some(0)].get(miner).copied().flatten();
        let number = |i: usize| {
            let x = 0.4 * noise.normal();
            let x = factor.map_or(x, |k: usize| lean[i % dim] * known[i / dim][k] + 0.3 * x);
            x.clamp(-1.0, 1.0) as f32
        };
        (0..rows * dim).map(number).collect()
    };
    let mut all: Vec<Vec<f32>> = (0..miners).map(numbers).collect();
    all[3][..rows / 3 * dim].fill(0.0);
    all[4] = all[1].clone();
    all[5] = all[1].clone();
    all[5][..rows / 2 * dim].fill(0.0);
    for row in (0..rows).filter(|row| row * 10 / rows % 2 == 1) {
        all[6][row * dim..(row + 1) * dim].fill(0.0);
    }
    all[7].fill(0.0);
    for (i, number) in
        (0..rows * dim).map(|i| (i, all[if i % dim < dim / 2 { 0 } else { 2 }][i])).collect::<Vec<_>>()
    {
        all[8][i] = if i / dim < rows / 3 { 0.0 } else { number };
    }
    (MarketBuilder::new(1).rows(prices).build(), all)
}

/// The largest difference between numbers of miners and what they should be, over the largest of these. Where there is none,
/// there must be none.
fn apart(expected: &Value, found: impl Fn(usize) -> Option<f64>) -> f64 {
    let expected = expected.as_array().unwrap();
    let largest = expected.iter().filter_map(Value::as_f64).fold(0.0, |most: f64, x| most.max(x.abs()));
    let difference = |(miner, x): (usize, &Value)| match (x.as_f64(), found(miner)) {
        (None, None) => 0.0,
        (Some(x), Some(found)) => (x - found).abs() / largest,
        other => panic!("miner {miner}: {other:?}"),
    };
    expected.iter().enumerate().map(difference).fold(0.0, f64::max)
}

#[test]
fn what_is_found_is_what_the_text_says() {
    let cases: Vec<Value> = from_str(include_str!("second/mlp.json")).unwrap();
    for case in &cases {
        let number = |key: &str| case[key].as_u64().unwrap() as usize;
        let (rows, miners, dim) = (number("rows"), number("miners"), number("dim"));
        let (market, sent) = ledger(number("seed") as u64, rows, miners, dim);
        let spec = spec(dim, number("ahead") as u32, Solver::Exact);
        let salience = score::<Dmae>(spec, &case["params"], &market, &sent).unwrap();
        let found = &case["found"];
        let said = |name: &str| salience.facts.iter().find(|fact| fact.name == name).unwrap().value;
        assert_eq!(Some(said("rows")), found["rows"].as_f64());
        for (name, key) in [("baseline_mae", "baseline_mae"), ("zero_forecast_mae", "zero_mae")] {
            assert!((said(name) / found[key].as_f64().unwrap() - 1.0).abs() < 1e-6, "{name}");
        }
        let by = |name: &'static str| {
            let salience: &Salience = &salience;
            move |miner: usize| fact(salience, miner, name)
        };
        let adds = |miner: usize| by("adds")(miner).or_else(|| by("delta")(miner));
        let at_once = |miner: usize| Some(by("delta_at_once")(miner).unwrap_or(0.0));
        let differences = [
            apart(&found["delta_at_once"], at_once),
            apart(&found["delta"], by("delta")),
            apart(&found["adds"], adds),
            apart(&found["saliences"], |miner| Some(salience.miners[miner].salience)),
        ];
        let t = apart(&found["t"], by("t"));
        println!("seed {}: {differences:?} apart, t {t}", case["seed"]);
        assert!(t < BAR_OF_T, "{t}: {}", case["params"]);
        assert!(differences.iter().all(|apart| *apart < BAR), "{differences:?}: {}", case["params"]);
    }
    assert!(cases.len() >= 4);
}
