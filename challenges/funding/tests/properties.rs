//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_funding::Funding;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{
    BROKEN, MarketBuilder, Noise, clone_gains, earned, is_sound, order_effect, put_broken_numbers,
    ranking_miner, score, spec_with_assets, why_zero,
};
use mantis_plugin_api::{Market, Salience, Solver, Spec};
use proptest::prelude::*;

const ASSETS: usize = 6;
const ROWS: usize = 2_400;
const AHEAD: usize = 20;

fn challenge(solver: Solver) -> Spec {
    spec_with_assets(1, ASSETS, AHEAD as u32, solver)
}

fn params() -> Value {
    json!({ "segment_rows": 400, "embargo_rows": 20 })
}

fn market(seed: u64) -> Market {
    let mut noise = Noise::new(seed);
    MarketBuilder::new(ASSETS).walk(ROWS, 1e-4, |rate| rate + 1e-6 * noise.normal()).build()
}

fn miner(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    ranking_miner(market, AHEAD, |now, later| later - now, skill, seed)
}

fn run(market: &Market, miners: &[Vec<f32>]) -> Salience {
    score::<Funding>(challenge(Solver::Exact), &params(), market, miners).unwrap()
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| miner(market, 0.1 + 0.06 * i as f64, 100 + i)).collect()
}

/// With enough seats for all: if the seats are few, clones also crowd others out of them.
#[test]
fn clones_together_earn_what_one_earned() {
    let market = market(1);
    let gains = clone_gains(&field(&market), 5, [2, 5], |miners| run(&market, miners));
    println!("2 and 5 clones earn {gains:.3?} of one");
    assert!(gains.iter().all(|gain| *gain <= 1.1), "{gains:?}");
}

#[test]
fn noise_earns_at_most_half_of_skill_and_the_rest_nothing() {
    let market = market(2);
    let mut miners = field(&market);
    miners.truncate(5);
    miners.push(miner(&market, 0.5, 200));
    miners.extend((0..2).map(|i| miner(&market, 0.0, 7 + i)));
    miners.push(vec![0.5; ROWS * ASSETS]);
    miners.push(vec![0.0; ROWS * ASSETS]);
    let salience = run(&market, &miners);
    let noise = earned(&salience, &[6, 7]) / 2.0;
    println!("noise earns {:.3} of skilled", noise / earned(&salience, &[5]));
    assert!(noise <= 0.5 * earned(&salience, &[5]));
    assert!(earned(&salience, &[8]) < 1e-6, "constant: {}", earned(&salience, &[8]));
    assert_eq!(salience.miners[9].salience, 0.0);
    assert_eq!(why_zero(&salience, 9), Some("absent"));
}

#[test]
fn the_order_of_miners_does_not_matter() {
    let market = market(3);
    let effect = order_effect(&field(&market), |miners| run(&market, miners));
    assert!(effect < 1e-6, "{effect}");
}

#[test]
fn too_little_to_go_on_pays_no_miner_and_says_why() {
    let mut short = market(4);
    short.scored_rows = 300;
    short.submitted.truncate(300);
    let salience = run(&short, &[vec![0.5; 300 * ASSETS]]);
    assert!(salience.empty.is_some_and(|reason| reason.contains("500 are needed")));
    assert!(run(&market(4), &[]).empty.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn every_input_gives_finite_saliences_not_below_zero(
        seed in any::<u64>(),
        network in any::<bool>(),
        broken in proptest::collection::vec((0..ROWS * ASSETS, 0..BROKEN.len()), 0..2_000),
    ) {
        let mut market = market(seed);
        let mut miners = [miner(&market, 0.3, seed), miner(&market, 0.4, seed ^ 1)];
        put_broken_numbers(&mut market, &mut miners, &broken);
        let solver = if network { Solver::Network } else { Solver::Exact };
        let salience = score::<Funding>(challenge(solver), &params(), &market, &miners).unwrap();
        prop_assert!(is_sound(&salience));
    }
}
