//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_hitfirst::{Hit, HitFirst, Labels};
use mantis_plugin_api::serde_json::json;
use mantis_plugin_api::test_kit::{
    BROKEN, MISSING_PRICES, Noise, clone_gains, fact, is_sound, order_effect, put_broken_numbers,
    put_into_holes, random_walk, score, spec, why_zero,
};
use mantis_plugin_api::{Challenge, Label, Market, Salience, Solver};
use proptest::prelude::*;

const ROWS: usize = 4_000;
const AHEAD: u32 = 30;

fn labels(market: &Market) -> Labels {
    let challenge =
        HitFirst::configure(spec(3, AHEAD, Solver::Exact), params().as_object().unwrap()).unwrap();
    challenge.label(market).unwrap()
}

fn params() -> mantis_plugin_api::serde_json::Value {
    json!({ "min_rows": 1000, "sigma_rows": 500 })
}

/// Three probabilities per row that know the outcome with some strength; each seed has its own noise.
fn miner(labels: &Labels, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let mut odds: Vec<f64> = (0..ROWS * 3).map(|_| 0.5 * noise.normal()).collect();
    for (&row, hit) in labels.rows.iter().zip(&labels.hits) {
        match hit {
            Hit::Up => odds[row * 3] += skill,
            Hit::Down => odds[row * 3 + 1] += skill,
            Hit::Neither => odds[row * 3 + 2] += skill,
        }
    }
    odds.iter().map(|&x| (0.3 + 0.1 * x).clamp(0.01, 0.99) as f32).collect()
}

fn run(market: &Market, miners: &[Vec<f32>]) -> Salience {
    score::<HitFirst>(spec(3, AHEAD, Solver::Exact), &params(), market, miners).unwrap()
}

fn field(labels: &Labels) -> Vec<Vec<f32>> {
    (0..6).map(|i| miner(labels, 0.1 + 0.1 * i as f64, 100 + i)).collect()
}

#[test]
fn clones_together_earn_about_what_one_earned() {
    let market = random_walk(ROWS, 1e-3, 1);
    let gains = clone_gains(&field(&labels(&market)), 5, [2, 5], |miners| run(&market, miners));
    println!("2 and 5 clones earn {gains:.3?} of one");
    assert!(gains.iter().all(|gain| *gain <= 1.1), "{gains:?}");
}

#[test]
fn noise_earns_at_most_half_of_skill_and_the_rest_nothing() {
    let market = random_walk(ROWS, 1e-3, 2);
    let labels = labels(&market);
    let mut miners = field(&labels);
    miners.extend((0..4).map(|i| miner(&labels, 0.0, 7 + i)));
    miners.push(vec![0.25; ROWS * 3]);
    miners.push(vec![0.0; ROWS * 3]);
    let salience = run(&market, &miners);
    let noise = (6..10).map(|m| salience.miners[m].salience).fold(0.0, f64::max);
    println!("noise earns at most {:.3} of skilled", noise / salience.miners[5].salience);
    assert!(noise <= 0.5 * salience.miners[5].salience);
    for (miner, code) in [(10, "no_weight"), (11, "absent")] {
        assert_eq!(salience.miners[miner].salience, 0.0);
        assert_eq!(why_zero(&salience, miner), Some(code));
    }
}

#[test]
fn the_order_of_miners_does_not_matter() {
    let market = random_walk(ROWS, 1e-3, 3);
    let effect = order_effect(&field(&labels(&market)), |miners| run(&market, miners));
    assert!(effect < 1e-9, "{effect}");
}

#[test]
fn too_little_to_go_on_pays_no_miner_and_says_why() {
    let market = random_walk(900, 1e-3, 4);
    let salience = run(&market, &[vec![0.5; 2700]]);
    assert!(salience.empty.is_some_and(|reason| reason.contains("900 rows with a price")));
    assert!(run(&random_walk(ROWS, 1e-3, 4), &[]).empty.is_some());
}

#[test]
fn copies_are_one_in_all_rows_and_not_in_those_with_a_label_alone() {
    let market = random_walk(ROWS, 1e-3, 5);
    let labels = labels(&market);
    let mut miners = field(&labels);
    let mut copy = miners[5].clone();
    miners.push(copy.clone());
    // 499 rows have no deviation yet, the last 30 no horizon.
    copy[..300].iter_mut().for_each(|x| *x = 0.5 - 0.5 * *x);
    miners.push(copy);
    let params = json!({ "min_rows": 1000, "sigma_rows": 500, "leave_out_blocks": 4, "clones": "on" });
    let run = |miners: &[Vec<f32>]| {
        score::<HitFirst>(spec(3, AHEAD, Solver::Network), &params, &market, miners).unwrap()
    };
    let salience = run(&miners);
    assert_eq!([5, 6, 7].map(|miner| why_zero(&salience, miner)), [None, Some("clone"), None]);
    assert_eq!([5, 7].map(|miner| fact(&salience, miner, "clone_group")), [Some(2.0), None]);
    let sum: f64 = salience.miners.iter().map(|miner| miner.salience).sum();
    assert!((sum - 1.0).abs() < 1e-12 && salience.miners[7].salience > 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Also in the windows of the rolling deviation.
    #[test]
    fn a_missing_price_is_the_same_as_nan_and_as_zero(
        seed in any::<u64>(),
        network in any::<bool>(),
        holes in proptest::collection::vec((0..ROWS, 1..20_usize), 1..60),
    ) {
        let solver = if network { Solver::Network } else { Solver::Exact };
        let [(found, salience), zero] = MISSING_PRICES.map(|missing| {
            let mut market = random_walk(ROWS, 1e-3, seed);
            let miners = field(&labels(&market));
            put_into_holes(&mut market, &holes, missing);
            let salience = score::<HitFirst>(spec(3, AHEAD, solver), &params(), &market, &miners).unwrap();
            (labels(&market), salience)
        });
        prop_assert!(found.priced.len() < ROWS && found.rows.len() > 1_000);
        prop_assert_eq!((found, salience), zero);
    }

    #[test]
    fn every_input_gives_finite_saliences_not_below_zero(
        seed in any::<u64>(),
        network in any::<bool>(),
        pooled in any::<bool>(),
        broken in proptest::collection::vec((0..ROWS, 0..BROKEN.len()), 0..800),
    ) {
        let mut market = random_walk(ROWS, 1e-3, seed);
        let labels = labels(&market);
        let mut miners = [miner(&labels, 0.2, seed), miner(&labels, 0.3, seed ^ 1)];
        put_broken_numbers(&mut market, &mut miners, &broken);
        let solver = if network { Solver::Network } else { Solver::Exact };
        let mut params = params();
        if pooled {
            params["leave_out_blocks"] = 4.into();
            params["clones"] = "on".into();
        }
        let salience = score::<HitFirst>(spec(3, AHEAD, solver), &params, &market, &miners).unwrap();
        prop_assert!(is_sound(&salience));
    }
}
