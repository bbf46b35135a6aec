//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_binary::Binary;
use mantis_plugin_api::serde_json::json;
use mantis_plugin_api::test_kit::{Noise, earned, random_walk, score, spec};
use mantis_plugin_api::{Market, Salience, Solver};
use proptest::prelude::*;

const ROWS: usize = 5_000;
const AHEAD: usize = 60;

/// Two numbers per row that know the direction with some strength; each seed has its own noise.
fn miner(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let knows = |row: usize| match market.prices.get(row + AHEAD) {
        Some(later) if *later > market.prices[row] => skill,
        Some(_) => -skill,
        None => 0.0,
    };
    (0..ROWS * 2).map(|i| (0.3 * (knows(i / 2) + noise.normal())).clamp(-1.0, 1.0) as f32).collect()
}

fn run(market: &Market, miners: &[Vec<f32>]) -> Salience {
    let params = json!({ "segment_rows": 500 });
    score::<Binary>(spec(2, AHEAD as u32, Solver::Exact), &params, market, miners).unwrap()
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| miner(market, 0.1 + 0.05 * i as f64, 100 + i)).collect()
}

#[test]
fn clones_together_earn_what_one_earned() {
    let market = random_walk(ROWS, 1e-3, 1);
    let alone = earned(&run(&market, &field(&market)), &[5]);
    for clones in [2, 5] {
        let mut miners = field(&market);
        (1..clones).for_each(|_| miners.push(miners[5].clone()));
        let all: Vec<usize> = (5..miners.len()).collect();
        let together = earned(&run(&market, &miners), &all);
        println!("{clones} clones earn {:.3} of one", together / alone);
        assert!(together / alone <= 1.1, "{clones}: {together} of {alone}");
    }
}

/// Noise can pass the AUC gate by luck, and its out-of-sample values are small, so its coefficient can be large: the
/// promise holds on average over markets, not in each.
#[test]
fn noise_earns_at_most_half_of_skill_and_the_rest_nothing() {
    let (mut noise, mut skilled) = (0.0, 0.0);
    for seed in 0..12 {
        let market = random_walk(ROWS, 1e-3, 20 + seed);
        let mut miners = field(&market);
        miners.extend((0..4).map(|i| miner(&market, 0.0, 7 + i)));
        miners.push(vec![0.5; ROWS * 2]);
        miners.push(vec![0.0; ROWS * 2]);
        let salience = run(&market, &miners);
        noise += earned(&salience, &[6, 7, 8, 9]) / 4.0;
        skilled += earned(&salience, &[5]);
        for (miner, code) in [(10, "constant"), (11, "absent")] {
            assert_eq!(salience.miners[miner].salience, 0.0);
            assert_eq!(salience.miners[miner].why_zero.as_ref().map(|why| why.code.as_str()), Some(code));
        }
    }
    println!("a noise miner earns {:.3} of a skilled one", noise / skilled);
    assert!(noise <= 0.5 * skilled);
}

#[test]
fn the_order_of_miners_does_not_matter() {
    let market = random_walk(ROWS, 1e-3, 3);
    let mut miners = field(&market);
    let forward = run(&market, &miners);
    miners.reverse();
    let backward = run(&market, &miners);
    for (a, b) in forward.miners.iter().zip(backward.miners.iter().rev()) {
        assert!((a.salience - b.salience).abs() < 1e-6, "{} {}", a.salience, b.salience);
    }
}

#[test]
fn too_little_to_go_on_pays_nobody_and_says_why() {
    let market = random_walk(400, 1e-3, 4);
    let salience =
        score::<Binary>(spec(2, 60, Solver::Exact), &json!({}), &market, &[vec![0.5; 800]]).unwrap();
    assert!(salience.empty.is_some_and(|reason| reason.contains("340 labelled rows")));
    let market = random_walk(ROWS, 1e-3, 4);
    assert!(run(&market, &[]).empty.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn no_input_gives_a_number_that_is_none(
        seed in any::<u64>(),
        holes in proptest::collection::vec((0..ROWS, 0..6usize), 0..800),
    ) {
        let mut market = random_walk(ROWS, 1e-3, seed);
        let mut miners = [miner(&market, 0.2, seed), miner(&market, 0.3, seed ^ 1)];
        for (row, what) in holes {
            market.prices[row] = [f64::NAN, 0.0, f64::INFINITY, -1.0, 1e-300, 1e300][what];
            miners[row % 2][row] = [f32::NAN, 0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-7, 6e4][what];
        }
        let salience = run(&market, &miners);
        prop_assert!(salience.miners.iter().all(|m| m.salience.is_finite() && m.salience >= 0.0));
    }
}
