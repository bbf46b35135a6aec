//! What attacks earn by the network's rules, and with the parameters that are there against them.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_hitfirst::{Hit, HitFirst, Labels};
use mantis_kit::math;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{Noise, earned, honest_and_attacked, random_walk, score, spec, why_zero};
use mantis_plugin_api::{Challenge, Label, Market, Solver};

const ROWS: usize = 16_000;
/// The network's horizon.
const AHEAD: u32 = 100;
const MARKETS: u64 = 3;
/// The miner that is honest in one world and attacks in another.
const ONE: usize = 5;

/// The network's parameters, with a shorter window of the deviation, so that most rows of a test are labelled, and a penalty
/// as much weaker as a test's rows are fewer than 60 days.
fn network() -> Value {
    json!({ "sigma_rows": 1_000, "c": 5.4 })
}

fn held_out() -> Value {
    json!({ "sigma_rows": 1_000, "c": 5.4, "standardise": true, "min_coverage": 0.1, "held_out_blocks": 10 })
}

fn collapsed() -> Value {
    json!({
        "sigma_rows": 1_000, "c": 5.4, "standardise": true, "min_coverage": 0.1, "held_out_blocks": 10, "collapse_clones": true,
    })
}

/// The network's parameters of July 2026, likewise.
fn pooled() -> Value {
    json!({ "sigma_rows": 1_000, "c": 5.4, "leave_out_blocks": 4, "clones": "on" })
}

/// The same, but the clone that was there first is paid.
fn first_paid() -> Value {
    json!({
        "sigma_rows": 1_000, "c": 5.4, "leave_out_blocks": 4, "clones": "on", "clone_representative": "first",
    })
}

fn labels(market: &Market) -> Labels {
    let challenge = HitFirst::configure(spec(3, AHEAD, Solver::Exact), network().as_object().unwrap());
    challenge.unwrap().label(market).unwrap()
}

/// Log-odds of up and of down, against neither, that know the outcome with some strength; in rows without a label noise.
fn odds(labels: &Labels, skill: f64, seed: u64) -> Vec<[f64; 2]> {
    let mut noise = Noise::new(seed);
    let mut odds: Vec<[f64; 2]> = (0..ROWS).map(|_| [0.4 * noise.normal(), 0.4 * noise.normal()]).collect();
    for (&row, hit) in labels.rows.iter().zip(&labels.hits) {
        let lean = match hit {
            Hit::Up => 1.0,
            Hit::Down => -1.0,
            Hit::Neither => 0.0,
        };
        odds[row][0] += 0.4 * skill * lean;
        odds[row][1] -= 0.4 * skill * lean;
    }
    odds
}

/// What a miner sends for its log-odds.
fn sent(odds: &[[f64; 2]]) -> Vec<f32> {
    let three = |[up, down]: &[f64; 2]| {
        let raised = [math::exp(*up), math::exp(*down), 1.0];
        raised.map(|x| (x / raised.iter().sum::<f64>()) as f32)
    };
    odds.iter().flat_map(three).collect()
}

/// Up or down and never neither, so that log-odds can be as small as wanted: how far it leans to up, scaled.
fn two_way(leans: impl IntoIterator<Item = f64>, scale: f64) -> Vec<f32> {
    let three = |lean: f64| {
        let up = math::sigmoid(scale * lean);
        [up as f32, (1.0 - up) as f32, 0.0]
    };
    leans.into_iter().flat_map(three).collect()
}

fn leans(odds: &[[f64; 2]]) -> impl Iterator<Item = f64> {
    odds.iter().map(|pair| pair[0] - pair[1])
}

fn field(labels: &Labels) -> Vec<Vec<[f64; 2]>> {
    (0..6).map(|i| odds(labels, 0.05 + 0.05 * i as f64, 100 + i)).collect()
}

/// What an attacker sends instead of an honest miner's log-odds, or beside it: the numbers of each hotkey.
type Attack<'a> = &'a dyn Fn(&[[f64; 2]]) -> Vec<Vec<f32>>;

fn run(params: &Value, market: &Market, miners: &[Vec<f32>]) -> mantis_plugin_api::Salience {
    score::<HitFirst>(spec(3, AHEAD, Solver::Exact), params, market, miners).unwrap()
}

/// What attackers in the place of the honest miner earn together, over what it earns, on average over markets.
fn gain(params: &Value, attack: Attack) -> f64 {
    let (mut honest, mut attacked) = (0.0, 0.0);
    for seed in 0..MARKETS {
        let market = random_walk(ROWS, 1e-3, 50 + seed);
        let field = field(&labels(&market));
        let miners: Vec<Vec<f32>> = field.iter().map(|odds| sent(odds)).collect();
        let (one, all) =
            honest_and_attacked(&miners, attack(&field[ONE]), |miners| run(params, &market, miners));
        (honest, attacked) = (honest + one, attacked + all);
    }
    attacked / honest
}

/// What a miner without skill earns beside six honest ones, as a part of all, on average over markets.
fn taken(params: &Value, attack: impl Fn(u64) -> Vec<f32>) -> f64 {
    let of_market = |seed| {
        let market = random_walk(ROWS, 1e-3, 50 + seed);
        let mut miners: Vec<Vec<f32>> = field(&labels(&market)).iter().map(|odds| sent(odds)).collect();
        miners.push(attack(seed));
        earned(&run(params, &market, &miners), &[6])
    };
    (0..MARKETS).map(of_market).sum::<f64>() / MARKETS as f64
}

/// What knows nothing: a lean that drifts, forgetting all but a part of itself from row to row; absent before a row.
fn drift(from: usize, kept: f64, scale: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(7 + seed);
    let mut lean = 0.0;
    let mut numbers = two_way(
        (0..ROWS).map(|_| {
            lean = kept * lean + (1.0 - kept * kept).sqrt() * noise.normal();
            lean
        }),
        scale,
    );
    numbers[..from * 3].fill(0.0);
    numbers
}

#[test]
fn what_is_sent_late_or_drifts_takes_much_unless_rows_are_held_out() {
    for (name, bar, from, kept) in [
        ("a drift in the last 3% of rows", 0.3, ROWS * 97 / 100, 0.99),
        ("noise in the last 3% of rows", 0.1, ROWS * 97 / 100, 0.0),
        ("a drift in all rows", 0.1, 0, 0.999),
    ] {
        let [before, pooled, after] = [network(), pooled(), held_out()]
            .map(|params| taken(&params, |seed| drift(from, kept, 0.1, seed)));
        println!("{name} takes {before:.3} of the challenge, pooled {pooled:.3}, held out {after:.3}");
        assert!(before.min(pooled) > bar && after < 0.01, "{name}: {before} {pooled} {after}");
    }
}

#[test]
fn small_log_odds_and_copies_earn_several_times_as_much_unless_it_is_held_out_and_collapsed() {
    let late = |honest: &[[f64; 2]]| [&honest[..1], &honest[..ROWS - 1]].concat();
    let attacks: [(&str, f64, Attack); 10] = [
        ("five copies", 0.99, &|honest| vec![sent(honest); 5]),
        ("five copies with a little noise", 1.1, &|honest| copies_with_noise(honest, 5)),
        ("a pair of opposites", 0.99, &|honest| vec![sent(honest), sent(&opposite(honest))]),
        ("log-odds a tenth as large", 2.0, &|honest| vec![two_way(leans(honest), 0.1)]),
        ("a pair of small opposites", 2.0, &|honest| {
            vec![two_way(leans(honest), 0.01), two_way(leans(honest), -0.01)]
        }),
        ("a pair that differs by little", 2.0, &|honest| around_noise(honest, 2)),
        ("three of which two are the noise of the first", 2.0, &|honest| around_noise(honest, 3)),
        ("six of which five are the noise of the first", 2.0, &|honest| around_noise(honest, 6)),
        ("five small noisy copies", 2.0, &|honest| noisy_copies(honest, 5)),
        ("a copy one row late", 1.3, &|honest| vec![sent(honest), sent(&late(honest))]),
    ];
    for (name, bar, attack) in attacks {
        let [before, pooled, half_way, after] =
            [network(), pooled(), held_out(), collapsed()].map(|params| gain(&params, attack));
        println!(
            "{name}: {before:.2} times as much, pooled {pooled:.2}, held out {half_way:.2}, collapsed too {after:.2}"
        );
        assert!(before.min(pooled) > bar && after <= 1.1, "{name}: {before} {pooled} {after}");
    }
}

fn opposite(honest: &[[f64; 2]]) -> Vec<[f64; 2]> {
    honest.iter().map(|pair| pair.map(|x| -x)).collect()
}

/// Copies that each have noise of an eighth of the size of the original.
fn copies_with_noise(honest: &[[f64; 2]], copies: u64) -> Vec<Vec<f32>> {
    let copy = |seed| {
        let mut noise = Noise::new(900 + seed);
        sent(&honest.iter().map(|pair| pair.map(|x| x + 0.05 * noise.normal())).collect::<Vec<_>>())
    };
    (0..copies).map(copy).collect()
}

/// Small copies that each have noise of half the size of the original.
fn noisy_copies(honest: &[[f64; 2]], copies: u64) -> Vec<Vec<f32>> {
    let copy = |seed| {
        let mut noise = Noise::new(900 + seed);
        two_way(leans(honest).map(|lean| lean + 0.3 * noise.normal()), 0.01)
    };
    (0..copies).map(copy).collect()
}

/// One that says a tenth of what the honest miner says and much noise, and others between which that noise is split.
fn around_noise(honest: &[[f64; 2]], hotkeys: usize) -> Vec<Vec<f32>> {
    let mut noise = Noise::new(900);
    let mut all = vec![Vec::with_capacity(ROWS); hotkeys];
    for pair in honest {
        let mut first = pair.map(|x| 0.1 * x);
        for other in &mut all[1..] {
            let own = [0.4 * noise.normal(), 0.4 * noise.normal()];
            first = [first[0] + own[0], first[1] + own[1]];
            other.push(own);
        }
        all[0].push(first);
    }
    all.iter().map(|odds| sent(odds)).collect()
}

/// What somebody who copies the honest miner earns, and what that one earns then, both over what it earns alone, on average
/// over markets. The copier's hotkey is the smaller one.
fn copied(params: &Value, copy: impl Fn(&[f32]) -> Vec<f32>) -> [f64; 2] {
    let (mut alone, mut both) = (0.0, [0.0; 2]);
    for seed in 0..MARKETS {
        let market = random_walk(ROWS, 1e-3, 50 + seed);
        let miners: Vec<Vec<f32>> = field(&labels(&market)).iter().map(|odds| sent(odds)).collect();
        alone += earned(&run(params, &market, &miners), &[ONE]);
        let with_copier = [vec![copy(&miners[ONE])], miners].concat();
        let salience = run(params, &market, &with_copier);
        both[0] += earned(&salience, &[0]);
        both[1] += earned(&salience, &[ONE + 1]);
    }
    both.map(|earned| earned / alone)
}

#[test]
fn a_late_copier_with_the_smaller_hotkey_takes_all_where_copies_are_pooled_unless_the_first_is_paid() {
    let late = |honest: &[f32]| [&vec![0.0; 2_000 * 3], &honest[2_000 * 3..]].concat();
    let [apart, pooled, first] = [network(), pooled(), first_paid()].map(|params| copied(&params, late));
    println!("a copier and the copied one earn {apart:.2?}, pooled {pooled:.2?}, the first paid {first:.2?}");
    assert!(apart[0] < 0.5 && apart[1] > 0.8, "{apart:?}");
    assert!(pooled[0] > 1.0 && pooled[1] == 0.0 && first == [0.0, pooled[0]], "{pooled:?} {first:?}");
}

#[test]
fn a_noisy_copy_earns_as_much_as_the_copied_one_in_a_cohort() {
    let noisy = |honest: &[f32]| -> Vec<f32> {
        let mut noise = Noise::new(900);
        honest.iter().map(|x| x + 0.02 * noise.normal() as f32).collect()
    };
    let [apart, pooled] = [network(), pooled()].map(|params| copied(&params, noisy));
    println!("a noisy copy and the copied one earn {apart:.2?}, pooled {pooled:.2?}");
    assert!(apart[0] < 0.5 * apart[1] && (pooled[0] - pooled[1]).abs() < 1e-9, "{apart:?} {pooled:?}");
}

#[test]
fn a_constant_earns_as_much_as_skill_where_all_stay_near_the_same_probabilities() {
    let near = |leans: &mut dyn Iterator<Item = f64>| -> Vec<f32> {
        leans.flat_map(|lean| [0.45 + 0.02 * lean, 0.45 - 0.02 * lean, 0.1].map(|x| x as f32)).collect()
    };
    let market = random_walk(ROWS, 1e-3, 50);
    let mut miners: Vec<Vec<f32>> =
        field(&labels(&market)).iter().map(|odds| near(&mut leans(odds))).collect();
    miners.push(near(&mut std::iter::repeat_n(0.0, ROWS)));
    let [apart, pooled] = [network(), pooled()].map(|params| earned(&run(&params, &market, &miners), &[6]));
    println!("a constant earns {apart:.3}, pooled {pooled:.3}");
    assert!(apart == 0.0 && (pooled - 1.0 / 7.0).abs() < 1e-9, "{apart} {pooled}");
}

#[test]
fn a_zero_says_that_it_is_for_coverage_or_for_no_gain() {
    let market = random_walk(ROWS, 1e-3, 50);
    let mut miners: Vec<Vec<f32>> = field(&labels(&market)).iter().map(|odds| sent(odds)).collect();
    miners.push(drift(ROWS * 97 / 100, 0.99, 0.1, 1));
    miners.push(drift(0, 0.999, 0.1, 1));
    let salience = run(&held_out(), &market, &miners);
    assert_eq!((why_zero(&salience, 6), why_zero(&salience, 7)), (Some("coverage"), Some("no_gain")));
    let (late, drifts) = (miners[6].clone(), miners[7].clone());
    let reason = |miner| run(&held_out(), &market, &[miner]).empty.unwrap();
    assert_eq!(reason(late), "no miner sent something in 10% of the rows");
    assert_eq!(reason(drifts), "no miner gains anything on the rows held out");
}

#[test]
fn skill_earns_clearly_more_than_noise() {
    for params in [network(), pooled(), held_out(), collapsed()] {
        let (mut noise, mut skilled) = (0.0, 0.0);
        for seed in 0..MARKETS {
            let market = random_walk(ROWS, 1e-3, 70 + seed);
            let labels = labels(&market);
            let mut miners = field(&labels);
            miners.extend((0..4).map(|i| odds(&labels, 0.0, 7 + i)));
            let salience = run(&params, &market, &miners.iter().map(|odds| sent(odds)).collect::<Vec<_>>());
            noise += earned(&salience, &[6, 7, 8, 9]) / 4.0;
            skilled += earned(&salience, &[3, 4, 5]) / 3.0;
        }
        println!("{params}: a noise miner earns {:.3} of a skilled one", noise / skilled);
        assert!(noise <= 0.25 * skilled, "{params}: {noise} {skilled}");
    }
}
