//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{Noise, earned, score, spec};
use mantis_plugin_api::{Market, Salience, Solver, Spec};
use mantis_trademix::TradeMix;
use proptest::prelude::*;

const ASSETS: usize = 3;
const ROWS: usize = 6_000;
const AHEAD: usize = 10;

fn challenge() -> Spec {
    Spec { assets: (0..ASSETS).map(|i| format!("A{i}")).collect(), ..spec(1, AHEAD as u32, Solver::Exact) }
}

fn params() -> Value {
    json!({ "window_rows": ROWS, "fee": 0.0001 })
}

fn market(seed: u64) -> Market {
    let mut noise = Noise::new(seed);
    let mut level = [100.0; ASSETS];
    let mut prices = Vec::new();
    for _ in 0..ROWS {
        level.iter_mut().for_each(|x| *x *= 1.0 + 1e-3 * noise.normal());
        prices.extend(level);
    }
    Market {
        sidx: (0..ROWS as i64).collect(),
        prices,
        assets: ASSETS,
        submitted: vec![true; ROWS],
        scored_rows: ROWS,
        carried: vec![],
    }
}

/// A position per asset that knows the direction with some strength; each seed has its own noise.
fn miner(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
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

fn run(market: &Market, miners: &[Vec<f32>]) -> Salience {
    score::<TradeMix>(challenge(), &params(), market, miners).unwrap()
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| miner(market, 0.1 + 0.05 * i as f64, 100 + i)).collect()
}

#[test]
fn clones_together_earn_what_one_earned() {
    let market = market(1);
    let alone = earned(&run(&market, &field(&market)), &[5]);
    assert!(alone > 0.0);
    for clones in [2, 5] {
        let mut miners = field(&market);
        (1..clones).for_each(|_| miners.push(miners[5].clone()));
        let all: Vec<usize> = (5..miners.len()).collect();
        let together = earned(&run(&market, &miners), &all);
        println!("{clones} clones earn {:.3} of one", together / alone);
        assert!(together / alone <= 1.1, "{clones}: {together} of {alone}");
    }
}

#[test]
fn noise_earns_at_most_half_of_skill_and_the_rest_nothing() {
    let market = market(2);
    let mut miners = field(&market);
    miners.extend((0..4).map(|i| miner(&market, 0.0, 7 + i)));
    miners.push(vec![0.5; ROWS * ASSETS]);
    miners.push(vec![0.0; ROWS * ASSETS]);
    let salience = run(&market, &miners);
    let noise = earned(&salience, &[6, 7, 8, 9]) / 4.0;
    println!("noise earns {:.3} of skilled", noise / earned(&salience, &[5]));
    assert!(noise <= 0.5 * earned(&salience, &[5]));
    assert_eq!((salience.miners[10].salience, salience.miners[11].salience), (0.0, 0.0));
    assert_eq!(salience.miners[11].why_zero.as_ref().map(|why| why.code.as_str()), Some("absent"));
    assert!(salience.miners.iter().all(|m| m.salience > 0.0 || m.why_zero.is_some()));
}

#[test]
fn the_order_of_miners_does_not_matter() {
    let market = market(3);
    let mut miners = field(&market);
    let forward = run(&market, &miners);
    miners.reverse();
    let backward = run(&market, &miners);
    for (a, b) in forward.miners.iter().zip(backward.miners.iter().rev()) {
        assert!((a.salience - b.salience).abs() < 1e-9, "{} {}", a.salience, b.salience);
    }
}

#[test]
fn nobody_is_paid_while_it_warms_up() {
    let market = market(4);
    let params = json!({ "window_rows": ROWS + 1 });
    let salience = score::<TradeMix>(challenge(), &params, &market, &field(&market)).unwrap();
    assert_eq!(salience.empty.as_deref(), Some("warming up: 6000 rows with a price, 6001 are needed"));
    assert!(run(&market, &[]).empty.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn no_input_gives_a_number_that_is_none(
        seed in any::<u64>(),
        holes in proptest::collection::vec((0..ROWS * ASSETS, 0..6usize), 0..2_000),
    ) {
        let mut market = market(seed);
        let mut miners = [miner(&market, 0.5, seed), miner(&market, 0.6, seed ^ 1)];
        for (at, what) in holes {
            market.prices[at] = [f64::NAN, 0.0, f64::INFINITY, -1.0, 1e-300, 1e300][what];
            miners[at % 2][at] = [f32::NAN, 0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-7, 6e4][what];
        }
        market.prices[(ROWS - 1) * ASSETS] = 1.0;
        let params = json!({ "window_rows": ROWS - 1 });
        let salience = score::<TradeMix>(challenge(), &params, &market, &miners).unwrap();
        prop_assert!(salience.miners.iter().all(|m| m.salience.is_finite() && m.salience >= 0.0));
    }
}
