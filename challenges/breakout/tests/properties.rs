//! What must hold for any miners, on a simulated market with many breakouts.

use mantis_breakout::Breakout;
use mantis_plugin_api::serde_json::json;
use mantis_plugin_api::test_kit::MemoryHistory;
use mantis_plugin_api::{Challenge, Label, Market, Salience, Score, Silent, Solver, Spec};
use proptest::prelude::*;

const ASSETS: usize = 4;
const ROWS: usize = 6_000;

/// A small deterministic generator of numbers from -1 to 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 / (1u64 << 30) as f64) - 1.0
    }
}

fn challenge(collapse_clones: bool) -> Breakout {
    let spec = Spec {
        name: "B".into(),
        ticker: "B".into(),
        dim: 2,
        assets: (0..ASSETS).map(|i| format!("A{i}")).collect(),
        blocks_ahead: 0,
        sample_every: 5,
        seed: 42,
        solver: Solver::Exact,
    };
    let params = json!({
        "range_lookback_blocks": 200, "min_range_rows": 20, "max_pending_blocks": 300, "episode_gap_rows": 10,
        "collapse_clones": collapse_clones,
    });
    Breakout::configure(spec, params.as_object().unwrap()).unwrap()
}

fn market(seed: u64) -> Market {
    let mut noise = Noise(seed);
    let mut prices = vec![100.0; ASSETS];
    let mut all = Vec::new();
    for _ in 0..ROWS {
        prices.iter_mut().for_each(|price| *price *= 1.0 + 0.01 * noise.next());
        all.extend(&prices);
    }
    Market {
        sidx: (0..ROWS as i64).collect(),
        prices: all,
        assets: ASSETS,
        submitted: vec![true; ROWS],
        scored_rows: ROWS,
        carried: vec![],
    }
}

/// Answers that know the outcome with some strength; each seed has its own noise.
fn answers(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise(seed);
    let mut numbers: Vec<f32> = (0..ROWS * ASSETS * 2).map(|_| (0.5 + 0.25 * noise.next()) as f32).collect();
    for event in challenge(false).label(market).unwrap().events {
        let at = event.sidx as usize * ASSETS * 2 + event.asset * 2;
        numbers[at] += (if event.continued { skill } else { -skill }) as f32;
    }
    numbers
}

fn score(market: &Market, miners: &[Vec<f32>], collapse_clones: bool) -> Salience {
    let mut history = MemoryHistory::new(ROWS, ASSETS * 2);
    for (i, numbers) in miners.iter().enumerate() {
        history.push(&format!("miner{i:03}"), numbers);
    }
    let challenge = challenge(collapse_clones);
    let labels = challenge.label(market).unwrap();
    assert!(labels.events.len() > 100, "{} events", labels.events.len());
    challenge.score(&history, &labels, &Silent).unwrap()
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| answers(market, 0.05 + 0.02 * i as f64, 100 + i)).collect()
}

#[test]
fn clones_share_when_they_are_collapsed() {
    let market = market(1);
    let alone = score(&market, &field(&market), true).miners[5].salience;
    for clones in [2, 5] {
        let mut miners = field(&market);
        (1..clones).for_each(|_| miners.push(miners[5].clone()));
        let together = |collapse: bool| {
            let salience = score(&market, &miners, collapse);
            salience.miners[5].salience + salience.miners[6..].iter().map(|m| m.salience).sum::<f64>()
        };
        println!(
            "{clones} clones earn {:.3} of one, {:.3} collapsed",
            together(false) / alone,
            together(true) / alone
        );
        assert!(together(true) / alone <= 1.1);
    }
}

#[test]
fn noise_earns_at_most_half_of_skill_and_constants_nothing() {
    let market = market(2);
    let mut miners = field(&market);
    miners.push(answers(&market, 0.0, 7));
    miners.push(vec![0.5; ROWS * ASSETS * 2]);
    miners.push(vec![0.0; ROWS * ASSETS * 2]);
    let salience = score(&market, &miners, false);
    let of = |i: usize| salience.miners[i].salience;
    println!("noise earns {:.3} of skilled", of(6) / of(5));
    assert!(of(6) <= 0.5 * of(5));
    assert_eq!((of(7), of(8)), (0.0, 0.0));
    assert_eq!(salience.miners[7].why_zero.as_ref().unwrap().code, "constant");
    assert_eq!(salience.miners[8].why_zero.as_ref().unwrap().code, "absent");
}

#[test]
fn the_order_of_miners_does_not_matter() {
    let market = market(3);
    let mut miners = field(&market);
    let forward = score(&market, &miners, false);
    miners.reverse();
    let backward = score(&market, &miners, false);
    for (a, b) in forward.miners.iter().zip(backward.miners.iter().rev()) {
        assert!((a.salience - b.salience).abs() < 1e-9);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn no_input_gives_a_number_that_is_none(seed in any::<u64>(), holes in proptest::collection::vec((0..ROWS * ASSETS, 0..5u8), 0..400)) {
        let mut market = market(4);
        let mut numbers = answers(&market, 0.1, seed);
        for (at, what) in holes {
            market.prices[at] = [f64::NAN, 0.0, f64::INFINITY, -1.0, 1e-300][usize::from(what)];
            numbers[at] = [f32::NAN, 0.0, f32::INFINITY, -1.0, 1e-7][usize::from(what)];
        }
        let miners = [numbers, answers(&market, 0.1, seed ^ 1)];
        let mut history = MemoryHistory::new(ROWS, ASSETS * 2);
        history.push("a", &miners[0]);
        history.push("b", &miners[1]);
        let challenge = challenge(false);
        let labels = challenge.label(&market).unwrap();
        let salience = challenge.score(&history, &labels, &Silent).unwrap();
        prop_assert!(salience.miners.iter().all(|m| m.salience.is_finite() && m.salience >= 0.0));
    }
}
