//! What attacks earn by the network's rules, and with the parameters that are there against them.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod crowd;

use crowd::{AHEAD, ASSETS, ROWS, market, miner};
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{Noise, earned, honest_and_attacked, score, spec_with_assets};
use mantis_plugin_api::{Market, Salience, Solver};
use mantis_trademix::TradeMix;

const MARKETS: u64 = 5;
/// The miner that is honest in one world and attacks in another.
const ONE: usize = 15;

/// The network's parameters, but for a window and a fee that suit a test's few rows and miners that change their mind in
/// each of them.
fn network() -> Value {
    json!({ "window_rows": ROWS, "fee": 0.0001 })
}

fn collapsed() -> Value {
    json!({ "window_rows": ROWS, "fee": 0.0001, "collapse_clones": true })
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..16).map(|i| miner(market, 0.15 + 0.01 * i as f64, 100 + i)).collect()
}

fn run(params: &Value, market: &Market, miners: &[Vec<f32>]) -> Salience {
    let spec = spec_with_assets(1, ASSETS, AHEAD as u32, Solver::Exact);
    score::<TradeMix>(spec, params, market, miners).unwrap()
}

/// What an attacker sends instead of an honest miner's positions: those of each hotkey.
type Attack<'a> = &'a dyn Fn(&[f32]) -> Vec<Vec<f32>>;

/// What attackers in the place of the honest miner earn together, over what it earns, on average over markets.
fn gain(params: &Value, attack: Attack) -> f64 {
    let (mut honest, mut attacked) = (0.0, 0.0);
    for seed in 0..MARKETS {
        let market = market(50 + seed);
        let miners = field(&market);
        let (one, all) =
            honest_and_attacked(&miners, attack(&miners[ONE]), |miners| run(params, &market, miners));
        (honest, attacked) = (honest + one, attacked + all);
    }
    attacked / honest
}

fn noisy(honest: &[f32], size: f64, offset: f32, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(900 + seed);
    honest.iter().map(|&x| (x + offset + (size * noise.normal()) as f32).clamp(-1.0, 1.0)).collect()
}

/// The positions of some rows before; the first ones are kept.
fn late(honest: &[f32], rows: usize) -> Vec<f32> {
    [&honest[..rows * ASSETS], &honest[..(ROWS - rows) * ASSETS]].concat()
}

#[test]
fn late_copies_earn_several_times_as_much_unless_they_are_collapsed() {
    let attacks: [(&str, f64, Attack); 3] = [
        ("a copy one row late, beside the original", 1.4, &|honest| vec![honest.to_vec(), late(honest, 1)]),
        ("five copies, each a row later", 1.8, &|honest| (0..5).map(|rows| late(honest, rows)).collect()),
        ("five noisy copies, each a row later", 1.6, &|honest| {
            (0..5).map(|copy| noisy(&late(honest, copy), 0.2, 0.0, copy as u64)).collect()
        }),
    ];
    for (name, bar, attack) in attacks {
        let (before, after) = (gain(&network(), attack), gain(&collapsed(), attack));
        println!("{name}: {before:.2} times as much, collapsed {after:.2}");
        assert!(before > bar && after <= 1.1, "{name}: {before} {after}");
    }
}

/// The desk misses none of several that are nearly the same, whoever sent them.
#[test]
fn noisy_copies_of_the_same_row_lose_what_one_earns_and_no_more_than_that_is_given_back() {
    let attacks: [(&str, Attack); 3] = [
        ("two copies with noise of half their size", &|honest| {
            (0..2).map(|copy| noisy(honest, 0.2, 0.0, copy)).collect()
        }),
        ("five copies with noise of half their size", &|honest| {
            (0..5).map(|copy| noisy(honest, 0.2, 0.0, copy)).collect()
        }),
        ("three copies around different means", &|honest| {
            [-0.3, 0.0, 0.3].map(|offset| noisy(honest, 0.0, offset, 0)).into()
        }),
    ];
    for (name, attack) in attacks {
        let (before, after) = (gain(&network(), attack), gain(&collapsed(), attack));
        println!("{name}: {before:.2} times as much, collapsed {after:.2}");
        assert!(before < 0.5 && (0.5..=1.1).contains(&after), "{name}: {before} {after}");
    }
}

/// What is not closed: miners that know the same, each with noise of its own, are as little alike as honest ones are.
#[test]
fn miners_that_only_know_the_same_are_not_taken_for_copies() {
    let gains = [network(), collapsed()].map(|params| {
        let (mut one, mut five) = (0.0, 0.0);
        for seed in 0..MARKETS {
            let market = market(50 + seed);
            let mut miners = field(&market);
            one += earned(&run(&params, &market, &miners), &[ONE]);
            miners.extend((0..4).map(|i| miner(&market, 0.3, 300 + i)));
            five += earned(&run(&params, &market, &miners), &[15, 16, 17, 18, 19]);
        }
        five / one
    });
    println!("five of independent noise: {:.2} times as much, collapsed {:.2}", gains[0], gains[1]);
    assert!((gains[0] - gains[1]).abs() < 1e-9, "{gains:?}");
}

#[test]
fn skill_earns_clearly_more_than_noise() {
    for params in [network(), collapsed()] {
        let (mut noise, mut skilled) = (0.0, 0.0);
        for seed in 0..MARKETS {
            let market = market(70 + seed);
            let mut miners = field(&market);
            miners.extend((0..4).map(|i| miner(&market, 0.0, 7 + i)));
            let salience = run(&params, &market, &miners);
            noise += earned(&salience, &[16, 17, 18, 19]) / 4.0;
            skilled += earned(&salience, &[13, 14, 15]) / 3.0;
        }
        println!("{params}: a noise miner earns {:.3} of a skilled one", noise / skilled);
        assert!(noise <= 0.25 * skilled, "{params}: {noise} {skilled}");
    }
}
