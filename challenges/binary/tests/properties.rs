//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod crowd;

use crowd::{AHEAD, miner};
use mantis_binary::Binary;
use mantis_plugin_api::serde_json::json;
use mantis_plugin_api::test_kit::{
    BROKEN, MISSING_PRICES, clone_gains, earned, is_sound, order_effect, put_broken_numbers, put_into_holes,
    random_walk, score, spec, why_zero,
};
use mantis_plugin_api::{Challenge, Label, Market, ParamMap, Salience, Solver};
use proptest::prelude::*;

const ROWS: usize = 5_000;

fn run(market: &Market, miners: &[Vec<f32>]) -> Salience {
    let params = json!({ "segment_rows": 500 });
    score::<Binary>(spec(2, AHEAD as u32, Solver::Exact), &params, market, miners).unwrap()
}

/// Daily windows, a bootstrap and pooling, on days short enough for so few rows.
fn run_daily(solver: Solver, market: &Market, miners: &[Vec<f32>]) -> Salience {
    let params = json!({
        "segment_rows": 500, "select": "daily", "select_day": 144, "meta_bootstrap": 4, "clones": "on",
        "meta_bootstrap_max_iter": 20,
    });
    score::<Binary>(spec(2, AHEAD as u32, solver), &params, market, miners).unwrap()
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| miner(market, 0.1 + 0.05 * i as f64, 100 + i)).collect()
}

#[test]
fn clones_together_earn_what_one_earned() {
    let market = random_walk(ROWS, 1e-3, 1);
    let gains = clone_gains(&field(&market), 5, [2, 5], |miners| run(&market, miners));
    println!("2 and 5 clones earn {gains:.3?} of one");
    assert!(gains.iter().all(|gain| *gain <= 1.1), "{gains:?}");
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
            assert_eq!(why_zero(&salience, miner), Some(code));
        }
    }
    println!("a noise miner earns {:.3} of a skilled one", noise / skilled);
    assert!(noise <= 0.5 * skilled);
}

#[test]
fn the_order_of_miners_does_not_matter() {
    let market = random_walk(ROWS, 1e-3, 3);
    let effect = order_effect(&field(&market), |miners| run(&market, miners));
    assert!(effect < 1e-6, "{effect}");
    let effect = order_effect(&field(&market), |miners| run_daily(Solver::Exact, &market, miners));
    assert!(effect < 1e-6, "{effect}");
}

#[test]
fn days_pay_skill_and_say_why_they_pay_nothing_else() {
    let market = random_walk(ROWS, 1e-3, 31);
    let mut miners = field(&market);
    let late = miners[5].iter().enumerate().map(|(i, &x)| if i < (ROWS - 600) * 2 { 0.0 } else { x });
    miners.push(late.collect());
    miners.push(miners[5].clone());
    for solver in [Solver::Exact, Solver::Network] {
        let salience = run_daily(solver, &market, &miners);
        assert!(earned(&salience, &[4, 5]) > earned(&salience, &[0, 1]));
        assert_eq!(why_zero(&salience, 6), Some("too_few_rows"));
        assert_eq!(why_zero(&salience, 7), Some("clone"));
        assert!((earned(&salience, &[0, 1, 2, 3, 4, 5]) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn too_little_to_go_on_pays_no_miner_and_says_why() {
    let market = random_walk(400, 1e-3, 4);
    let salience =
        score::<Binary>(spec(2, 60, Solver::Exact), &json!({}), &market, &[vec![0.5; 800]]).unwrap();
    assert!(salience.empty.is_some_and(|reason| reason.contains("340 labelled rows")));
    let market = random_walk(ROWS, 1e-3, 4);
    assert!(run(&market, &[]).empty.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Also within and beside stretches of one price, where it ends the count of repetitions.
    #[test]
    fn a_missing_price_is_the_same_as_nan_and_as_zero(
        seed in any::<u64>(),
        frozen in proptest::collection::vec((0..ROWS, 1..60_usize), 0..40),
        holes in proptest::collection::vec((0..ROWS, 1..5_usize), 1..200),
    ) {
        let [(labels, salience), zero] = MISSING_PRICES.map(|missing| {
            let mut market = random_walk(ROWS, 1e-3, seed);
            for &(row, rows) in &frozen {
                let price = market.prices[row];
                market.prices[row..(row + rows).min(ROWS)].fill(price);
            }
            let miners = [miner(&market, 0.2, seed), miner(&market, 0.3, seed ^ 1)];
            put_into_holes(&mut market, &holes, missing);
            let challenge = Binary::configure(spec(2, AHEAD as u32, Solver::Exact), &ParamMap::new()).unwrap();
            (challenge.label(&market).unwrap(), run(&market, &miners))
        });
        prop_assert!(labels.rows.len() > 1_000);
        prop_assert_eq!((labels, salience), zero);
    }

    #[test]
    fn every_input_gives_finite_saliences_not_below_zero(
        seed in any::<u64>(),
        broken in proptest::collection::vec((0..ROWS, 0..BROKEN.len()), 0..800),
    ) {
        let mut market = random_walk(ROWS, 1e-3, seed);
        let mut miners = [miner(&market, 0.2, seed), miner(&market, 0.3, seed ^ 1)];
        put_broken_numbers(&mut market, &mut miners, &broken);
        prop_assert!(is_sound(&run(&market, &miners)));
        for solver in [Solver::Exact, Solver::Network] {
            prop_assert!(is_sound(&run_daily(solver, &market, &miners)));
        }
    }
}
