//! What attacks earn where evidence is paid, by the network's rules and with the parameters that are there against them.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod hourly;

use hourly::{ASSETS, HOURS, market, mixed, relative, run};
use mantis_plugin_api::Market;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{Noise, fact};

const MARKETS: u64 = 6;
/// Honest miners with skill; as many without come behind them, and then the attackers.
const SKILLED: usize = 8;
/// Hours by which attackers come later.
const LATE: usize = 100;

fn floors() -> Value {
    json!({ "seniority_floor": 1e-9, "null_floor": 1e-9 })
}

fn passes() -> Value {
    json!({ "seniority_floor": 1e-9, "null_floor": 1e-9, "seniority_passes": 20 })
}

fn honest(market: &Market, seed: u64) -> Vec<Vec<f32>> {
    let skill = |i: usize| if i < SKILLED { 0.15 + 0.02 * i as f64 } else { 0.0 };
    (0..2 * SKILLED).map(|i| relative(market, skill(i), 0, 1_000 * seed + i as u64)).collect()
}

/// What some miners earn together of all that is paid and burned, and how many of them pass a gate.
#[derive(Clone, Copy, Debug, Default)]
struct Earned {
    attackers: f64,
    passing: f64,
    skilled: f64,
}

/// Attackers who know the honest miners' positions.
type Attack<'a> = &'a dyn Fn(&Market, &[Vec<f32>], u64) -> Vec<Vec<f32>>;

/// On average over markets.
fn measure(params: &Value, attack: Attack) -> Earned {
    let mut mean = Earned::default();
    for seed in 0..MARKETS {
        let market = market(90 + seed);
        let mut miners = honest(&market, seed);
        let attackers = attack(&market, &miners, seed);
        miners.extend(attackers);
        let salience = run(params, &market, &miners);
        let passes = |miner: usize| {
            ["relative_passed", "market_passed"].iter().any(|name| fact(&salience, miner, name) == Some(1.0))
        };
        let late = 2 * SKILLED..miners.len();
        mean.attackers +=
            salience.miners[late.clone()].iter().map(|m| m.salience).sum::<f64>() / MARKETS as f64;
        mean.passing += late.filter(|&miner| passes(miner)).count() as f64 / MARKETS as f64;
        mean.skilled += salience.miners[..SKILLED].iter().map(|m| m.salience).sum::<f64>() / MARKETS as f64;
    }
    mean
}

/// The other skilled miner, or (`opposite`) the one without skill, whose positions overlap most, or least, with one's.
fn partner(honest: &[Vec<f32>], one: usize, opposite: bool) -> &[f32] {
    let sign = if opposite { -1.0 } else { 1.0 };
    let overlap = |other: &usize| {
        sign * honest[one].iter().zip(&honest[*other]).map(|(x, y)| f64::from(x * y)).sum::<f64>()
    };
    let others = if opposite { SKILLED..2 * SKILLED } else { 0..SKILLED };
    let others = others.filter(|&other| other != one);
    &honest[others.max_by(|a, b| overlap(a).total_cmp(&overlap(b))).unwrap()]
}

/// Each skilled miner's positions with those of a partner, half and half.
fn means(honest: &[Vec<f32>], opposite: bool) -> Vec<Vec<f32>> {
    let mean = |i: usize| mixed(&[(0.5, honest[i].as_slice()), (0.5, partner(honest, i, opposite))], 0);
    (0..SKILLED).map(mean).collect()
}

/// Each skilled miner's positions times a factor.
fn scaled(honest: &[Vec<f32>], factor: f32, late: usize) -> Vec<Vec<f32>> {
    honest[..SKILLED].iter().map(|one| mixed(&[(factor, one)], late)).collect()
}

fn noisy(honest: &[Vec<f32>], seed: u64) -> Vec<Vec<f32>> {
    let noisy = |(i, one): (usize, &Vec<f32>)| {
        let mut noise = Noise::new(5_000 + 100 * seed + i as u64);
        let other: Vec<f32> = (0..HOURS * ASSETS).map(|_| noise.normal() as f32 / 8.0).collect();
        mixed(&[(1.0, one), (1.0, &other)], LATE)
    };
    honest[..SKILLED].iter().enumerate().map(noisy).collect()
}

/// What the network pays attacks, at most; and that what is there against some of them works.
#[test]
fn what_attacks_earn() {
    // Of what is paid and burned: most and least by the network's rules, most with the hardening.
    let attacks: [(&str, [f64; 3], Attack); 9] = [
        ("copies from the first hour", [0.0, 0.05, 0.05], &|_, honest, _| scaled(honest, 1.0, 0)),
        ("copies, 100 hours late", [0.0, 0.06, 0.06], &|_, honest, _| scaled(honest, 1.0, LATE)),
        ("flipped copies", [0.0, 0.05, 0.05], &|_, honest, _| scaled(honest, -1.0, 0)),
        ("halved copies", [0.0, 0.05, 0.05], &|_, honest, _| scaled(honest, 0.5, 0)),
        ("copies with noise, late", [0.0, 0.08, 0.08], &|_, honest, seed| noisy(honest, seed)),
        ("means of two that are alike", [0.0, 0.1, 0.1], &|_, honest, _| means(honest, false)),
        ("means with noise that is opposite", [0.15, 0.3, 0.1], &|_, honest, _| means(honest, true)),
        ("constants", [0.0, 0.01, 0.0], &|_, _, _| {
            (1..=SKILLED).map(|i| vec![i as f32 / 10.0; HOURS * ASSETS]).collect()
        }),
        ("noise", [0.0, 0.05, 0.05], &|market, _, seed| {
            (0..SKILLED as u64).map(|i| relative(market, 0.0, LATE, 9_000 + 100 * seed + i)).collect()
        }),
    ];
    for (name, [least, most, hardened], attack) in attacks {
        let [network, floors, passes] =
            [json!({}), floors(), passes()].map(|params| measure(&params, attack));
        println!("{name}: network {network:.3?}, floors {floors:.3?}, passes too {passes:.3?}");
        assert!((least..=most).contains(&network.attackers), "{name}: {network:?}");
        assert!(passes.attackers <= hardened, "{name}: {passes:?}");
    }
}
