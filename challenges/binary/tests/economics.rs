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

/// Daily windows, a bootstrap and pooling, with days that are as many as in 60 days of the network's.
fn pooled() -> Value {
    json!({
        "segment_rows": 1_500, "select": "daily", "select_day": 200, "meta_bootstrap": 10, "clones": "on",
    })
}

fn first_is_paid() -> Value {
    json!({
        "segment_rows": 1_500, "select": "daily", "select_day": 200, "meta_bootstrap": 10, "clones": "on",
        "clone_representative": "first",
    })
}

fn pooled_and_hardened() -> Value {
    json!({
        "segment_rows": 1_500, "select": "daily", "select_day": 200, "meta_bootstrap": 10, "clones": "on",
        "clone_representative": "first", "standardise": true, "collapse_clones": true,
    })
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
fn pooling_bounds_exact_copies_only() {
    let late = |honest: &[f32]| [&honest[..2], &honest[..(ROWS - 1) * 2]].concat();
    let attacks: [(&str, Attack); 6] = [
        ("five copies", &|honest| vec![honest.to_vec(); 5]),
        ("numbers x 0.01", &|honest| shrunk(honest, 0.01, 0.0)),
        ("numbers x 0.05 + 0.5", &|honest| shrunk(honest, 0.05, 0.5)),
        ("five noisy copies", &|honest| noisy_copies(honest, 5)),
        ("a pair of opposites", &|honest| vec![honest.to_vec(), honest.iter().map(|x| -x).collect()]),
        ("a copy one row late", &|honest| vec![honest.to_vec(), late(honest)]),
    ];
    let gains = attacks.map(|(name, attack)| {
        let [pooled, hardened] = [pooled(), pooled_and_hardened()].map(|params| gain(&params, attack));
        println!("{name} earn {pooled:.2} times as much where pooled, {hardened:.2} where hardened too");
        (pooled, hardened)
    });
    assert!((gains[0].0 - 1.0).abs() < 0.1, "{gains:?}");
    assert!(gains[1].0 > 3.0 && gains[2].0 > 3.0, "{gains:?}");
    assert!(gains.iter().all(|(_, hardened)| *hardened <= 1.15), "{gains:?}");
}

/// What somebody else who copies the honest miner earns, and what that miner earns then, over what it earns alone.
fn copied(params: &Value, copy: impl Fn(&[f32]) -> Vec<f32>) -> [f64; 2] {
    let (mut alone, mut copier, mut original) = (0.0, 0.0, 0.0);
    for seed in 0..MARKETS {
        let market = random_walk(ROWS, 1e-3, 50 + seed);
        let miners = field(&market);
        let run = |miners: &[Vec<f32>]| {
            score::<Binary>(spec(2, AHEAD as u32, Solver::Exact), params, &market, miners).unwrap()
        };
        alone += earned(&run(&miners), &[ONE]);
        // Hotkeys are in the order of the miners: the copier has the smallest.
        let salience = run(&[vec![copy(&miners[ONE])], miners].concat());
        copier += earned(&salience, &[0]);
        original += earned(&salience, &[ONE + 1]);
    }
    [copier / alone, original / alone]
}

#[test]
fn who_copies_takes_from_who_is_copied_unless_the_first_is_paid() {
    let from_row = |row: usize| move |honest: &[f32]| [&vec![0.0; row * 2], &honest[row * 2..]].concat();
    let noisy = |honest: &[f32]| {
        let mut noise = Noise::new(77);
        honest.iter().map(|&x| (x + 0.05 * noise.normal() as f32).clamp(-1.0, 1.0)).collect()
    };
    for (name, params) in [("default", network()), ("pooled", pooled()), ("first", first_is_paid())] {
        let exact = copied(&params, from_row(2_000));
        let noisy = copied(&params, noisy);
        println!("{name}: copier, original: exact from row 2,000 {exact:.2?}, noisy {noisy:.2?}");
        match name {
            "pooled" => assert!(exact[0] > 0.9 && exact[1] == 0.0, "{exact:?}"),
            "first" => assert!(exact[0] == 0.0 && exact[1] > 0.9, "{exact:?}"),
            _ => assert!(exact[0] < 1.1, "{exact:?}"),
        }
    }
}

/// What ten hotkeys of noise take of the challenge that begin to send so many rows before the end.
fn noise_takes(params: &Value, rows: usize) -> f64 {
    let taken = |seed| {
        let market = random_walk(ROWS, 1e-3, 90 + seed);
        let mut miners = field(&market);
        miners.extend((0..10).map(|i| {
            let mut numbers = miner(&market, 0.0, 40 + i);
            numbers[..(ROWS - rows) * 2].fill(0.0);
            numbers
        }));
        let salience =
            score::<Binary>(spec(2, AHEAD as u32, Solver::Exact), params, &market, &miners).unwrap();
        earned(&salience, &(6..16).collect::<Vec<_>>())
    };
    (0..MARKETS).map(taken).sum::<f64>() / MARKETS as f64
}

#[test]
fn noise_that_comes_late_takes_little() {
    for (name, params) in [("default", network()), ("pooled", pooled()), ("hardened", pooled_and_hardened())]
    {
        let [all, half, late] = [ROWS, ROWS / 2, 3_000].map(|rows| noise_takes(&params, rows));
        println!(
            "{name}: ten of noise take {all:.3}, from the middle {half:.3}, in the last quarter {late:.3}"
        );
        assert!(all < 0.3 && half < 0.3 && late < 0.3, "{name}: {all} {half} {late}");
    }
}

#[test]
fn skill_earns_clearly_more_than_noise() {
    let all = [
        (network(), 0.25),
        (standardised(), 0.25),
        (collapsed(), 0.25),
        // A mean over replicates of a size is never 0, and a day's AUC is of fewer rows: noise is paid more.
        (pooled(), 0.4),
        (pooled_and_hardened(), 0.25),
    ];
    for (params, bar) in all {
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
        assert!(noise <= bar * skilled, "{params}: {noise} {skilled}");
    }
}
