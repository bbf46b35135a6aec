//! What attacks earn by the network's rules, and with the parameters that are there against them.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod crowd;

use crowd::{AHEAD, miner};
use mantis_binary::Binary;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{Noise, earned, honest_and_attacked, random_walk, score, spec};
use mantis_plugin_api::{Market, Solver};

const ROWS: usize = 12_000;
const MARKETS: u64 = 4;
/// The miner that is honest in one world and attacks in another.
const ONE: usize = 5;

/// What an attacker sends instead of an honest miner's numbers: one list per hotkey.
type Attack<'a> = &'a dyn Fn(&[f32]) -> Vec<Vec<f32>>;

/// The network's parameters, with shorter segments for the fewer rows of a test.
fn network() -> Value {
    json!({ "segment_rows": 1_500 })
}

fn standardised() -> Value {
    json!({ "segment_rows": 1_500, "standardise": true })
}

fn collapsed() -> Value {
    json!({ "segment_rows": 1_500, "standardise": true, "collapse_clones": true })
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| miner(market, 0.1 + 0.05 * i as f64, 100 + i)).collect()
}

/// What the attackers that take the place of the honest miner earn together, over what it earns, on average over markets.
fn gain(params: &Value, attack: impl Fn(&[f32]) -> Vec<Vec<f32>>) -> f64 {
    let (mut honest, mut attacked) = (0.0, 0.0);
    for seed in 0..MARKETS {
        let market = random_walk(ROWS, 1e-3, 50 + seed);
        let miners = field(&market);
        let (one, all) = honest_and_attacked(&miners, attack(&miners[ONE]), |miners| {
            score::<Binary>(spec(2, AHEAD as u32, Solver::Exact), params, &market, miners).unwrap()
        });
        (honest, attacked) = (honest + one, attacked + all);
    }
    attacked / honest
}

fn shrunk(honest: &[f32], scale: f32, offset: f32) -> Vec<Vec<f32>> {
    vec![honest.iter().map(|x| scale * x + offset).collect()]
}

fn noisy_copies(honest: &[f32], copies: u64) -> Vec<Vec<f32>> {
    let copy = |seed| {
        let mut noise = Noise::new(900 + seed);
        honest.iter().map(|&x| (x + 0.15 * noise.normal() as f32).clamp(-1.0, 1.0)).collect()
    };
    (0..copies).map(copy).collect()
}

#[test]
fn small_numbers_earn_several_times_as_much_unless_numbers_are_standardised() {
    for (scale, offset) in [(0.01, 0.0), (0.05, 0.5)] {
        let (before, after) = (
            gain(&network(), |honest| shrunk(honest, scale, offset)),
            gain(&standardised(), |honest| shrunk(honest, scale, offset)),
        );
        println!("numbers x {scale} + {offset} earn {before:.2} times as much, standardised {after:.2}");
        assert!(before > 3.0 && after <= 1.1, "{before} {after}");
    }
}

#[test]
fn noisy_and_opposite_copies_earn_no_more_where_they_are_collapsed() {
    let attacks: [(&str, f64, Attack); 3] = [
        ("five noisy copies", 1.1, &|honest| noisy_copies(honest, 5)),
        ("a pair of opposites", 0.95, &|honest| vec![honest.to_vec(), honest.iter().map(|x| -x).collect()]),
        ("a copy one row late", 1.5, &|honest| {
            vec![honest.to_vec(), [&honest[..2], &honest[..(ROWS - 1) * 2]].concat()]
        }),
    ];
    for (name, bar, attack) in attacks {
        let (before, after) = (gain(&network(), attack), gain(&collapsed(), attack));
        println!("{name} earn {before:.2} times as much, collapsed {after:.2}");
        assert!(before > bar && after <= 1.1, "{name}: {before} {after}");
    }
}

#[test]
fn skill_earns_clearly_more_than_noise() {
    for params in [network(), standardised(), collapsed()] {
        let (mut noise, mut skilled) = (0.0, 0.0);
        for seed in 0..MARKETS {
            let market = random_walk(ROWS, 1e-3, 70 + seed);
            let mut miners = field(&market);
            miners.extend((0..4).map(|i| miner(&market, 0.0, 7 + i)));
            let salience =
                score::<Binary>(spec(2, AHEAD as u32, Solver::Exact), &params, &market, &miners).unwrap();
            noise += earned(&salience, &[6, 7, 8, 9]) / 4.0;
            skilled += earned(&salience, &[3, 4, 5]) / 3.0;
        }
        println!("{params}: a noise miner earns {:.3} of a skilled one", noise / skilled);
        assert!(noise <= 0.25 * skilled, "{params}: {noise} {skilled}");
    }
}
