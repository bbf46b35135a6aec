//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_kit::math;
use mantis_lbfgs::Lbfgs;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{
    MISSING_PRICES, Noise, clone_gains, earned, fact, is_sound, order_effect, put_into_holes, random_walk,
    score, spec, why_zero,
};
use mantis_plugin_api::{Challenge, Label, Market, Salience, Solver};
use proptest::prelude::*;

const ROWS: usize = 4_000;
const AHEAD: usize = 20;
const DIM: usize = 17;

/// Numbers that lean to the bucket and the excursion that will come, with some strength.
fn miner(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let deviation = 1e-3 * (AHEAD as f64).sqrt();
    let mut numbers = Vec::with_capacity(ROWS * DIM);
    for row in 0..ROWS {
        let z = match market.prices.get(row + AHEAD) {
            Some(later) => (later / market.prices[row] - 1.0) / deviation,
            None => 0.0,
        };
        let bucket = [-2.0, -1.0, 1.0, 2.0].iter().filter(|&&edge| z > edge).count();
        let prior = [-1.5, -0.3, 1.0, -0.3, -1.5];
        let raised: Vec<f64> = (0..5)
            .map(|i| math::exp(1.5 * (if i == bucket { skill } else { 0.0 } + noise.normal()) + prior[i]))
            .collect();
        let sum: f64 = raised.iter().sum();
        numbers.extend(raised.iter().map(|p| (p / sum) as f32));
        for i in 0..12 {
            let level = [0.5, 1.0, 2.0][i % 3];
            numbers.push(math::sigmoid(skill * (z.abs() - level) + noise.normal()) as f32);
        }
    }
    numbers
}

fn params() -> Value {
    json!({
        "min_rows": 1_000, "bucket_sigma_rows": 400, "excursion_sigma_rows": 600, "first_segment": 1_200,
        "segment_rows": 600, "train_rows": 1_800, "overlap_rows": 800, "recent_rows": 1_000,
    })
}

/// The rules of July.
fn july() -> Value {
    let mut params = params();
    params["cohorts"] = json!("on");
    params["cohort_min_rows"] = json!(700);
    params["cohort_min_joint"] = json!(700);
    params["q_penalty"] = json!("L2-bias");
    params
}

fn run(market: &Market, miners: &[Vec<f32>], solver: Solver) -> Salience {
    run_with(&params(), market, miners, solver)
}

fn run_with(params: &Value, market: &Market, miners: &[Vec<f32>], solver: Solver) -> Salience {
    score::<Lbfgs>(spec(DIM, AHEAD as u32, solver), params, market, miners).unwrap()
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| miner(market, 0.3 + 0.15 * i as f64, 100 + i)).collect()
}

#[test]
fn clones_together_earn_little_more_than_one_earned() {
    let market = random_walk(ROWS, 1e-3, 1);
    for solver in [Solver::Exact, Solver::Network] {
        let gains = clone_gains(&field(&market), 5, [2, 5], |miners| run(&market, miners, solver));
        println!("{solver:?}: 2 and 5 clones earn {gains:.3?} of one");
        assert!(gains.iter().all(|gain| *gain <= 1.1), "{gains:?}");
    }
}

#[test]
fn noise_earns_at_most_half_of_skill_and_the_rest_nothing() {
    let market = random_walk(ROWS, 1e-3, 2);
    let mut miners = field(&market);
    miners.extend((0..4).map(|i| miner(&market, 0.0, 7 + i)));
    let constant = [0.1, 0.5, 0.2, 0.1, 0.1].into_iter().chain([0.3; 12]);
    miners.push(constant.cycle().take(ROWS * DIM).collect());
    miners.push(vec![0.0; ROWS * DIM]);
    let salience = run(&market, &miners, Solver::Exact);
    let (noise, skilled) = (earned(&salience, &[6, 7, 8, 9]) / 4.0, earned(&salience, &[5]));
    println!("a noise miner earns {:.3} of a skilled one", noise / skilled);
    assert!(noise <= 0.5 * skilled);
    assert_eq!((earned(&salience, &[10, 11]), why_zero(&salience, 10)), (0.0, Some("no_lift")));
    assert_eq!(why_zero(&salience, 11), Some("absent"));
}

#[test]
fn a_zero_names_its_reason() {
    let market = random_walk(ROWS, 1e-3, 5);
    let mut miners = field(&market);
    miners.push(miners[5].clone());
    // Rarely present.
    miners.push(vec![0.0; ROWS * DIM]);
    let once = 2_000 * DIM..2_050 * DIM;
    miners[7][once.clone()].copy_from_slice(&field(&market)[0][once]);
    // Without excursions, so that each has the classifier's part only.
    for miner in &mut miners[5..] {
        miner.chunks_mut(DIM).for_each(|numbers| numbers[5..].fill(0.0));
    }
    let salience = run(&market, &miners, Solver::Exact);
    assert_eq!((why_zero(&salience, 5), why_zero(&salience, 6)), (None, Some("duplicate")));
    assert_eq!(why_zero(&salience, 7), Some("inactive"));
    let fact = |miner: usize, name: &str| fact(&salience, miner, name);
    assert_eq!((fact(6, "overlap"), fact(6, "overlap_with_miner")), (Some(1.0), Some(5.0)));
    assert!(fact(5, "lift") > Some(0.0) && fact(5, "vote_share") > Some(0.0));
}

#[test]
fn a_cohort_is_scored_as_one_and_says_so() {
    let market = random_walk(ROWS, 1e-3, 5);
    let mut miners = field(&market);
    // Its excursions differ, and are not looked at.
    let mut copy = miners[5].clone();
    copy.chunks_mut(DIM).for_each(|numbers| numbers[5..].fill(0.5));
    miners.push(copy);
    for solver in [Solver::Exact, Solver::Network] {
        let salience = run_with(&july(), &market, &miners, solver);
        let alone = run_with(&july(), &market, &miners[..6], solver);
        let fact = |miner: usize, name: &str| fact(&salience, miner, name);
        assert_eq!((fact(5, "cohort"), fact(6, "cohort"), fact(4, "cohort")), (Some(2.0), Some(2.0), None));
        assert_eq!((fact(5, "cohort_with_miner"), fact(6, "cohort_with_miner")), (Some(6.0), Some(5.0)));
        assert!(salience.facts.iter().any(|fact| fact.name == "cohorts" && fact.value == 1.0));
        assert_eq!(fact(6, "lift"), fact(5, "lift"));
        let (both, one) = (earned(&salience, &[5, 6]), earned(&alone, &[5]));
        assert!((both / one - 1.0).abs() < 0.1, "{both} {one}");
        assert!(earned(&salience, &[6]) > 0.4 * both);
    }
}

#[test]
fn the_order_of_miners_does_not_matter() {
    let market = random_walk(ROWS, 1e-3, 3);
    assert!(run(&market, &field(&market), Solver::Exact).empty.is_none());
    let effect = order_effect(&field(&market), |miners| run(&market, miners, Solver::Exact));
    assert!(effect < 1e-6, "{effect}");
}

#[test]
fn too_little_to_go_on_pays_no_miner_and_says_why() {
    let market = random_walk(900, 1e-3, 4);
    let salience = run(&market, &[vec![0.5; 900 * DIM]], Solver::Exact);
    assert!(salience.empty.is_some_and(|reason| reason.starts_with("900 rows with a price")));
    let market = random_walk(ROWS, 1e-3, 4);
    assert!(run(&market, &[], Solver::Exact).empty.is_some());
    let one = run(&market, &field(&market)[..1], Solver::Exact);
    assert!(one.empty.is_some_and(|reason| reason.contains("0 segments")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    /// Also in the windows of the rolling deviations, and on the way of an excursion.
    #[test]
    fn a_missing_price_is_the_same_as_nan_and_as_zero(
        seed in any::<u64>(),
        network in any::<bool>(),
        holes in proptest::collection::vec((0..ROWS, 1..20_usize), 1..60),
    ) {
        let solver = if network { Solver::Network } else { Solver::Exact };
        let [(labels, salience), zero] = MISSING_PRICES.map(|missing| {
            let mut market = random_walk(ROWS, 1e-3, seed);
            let miners = field(&market);
            put_into_holes(&mut market, &holes, missing);
            let spec = spec(DIM, AHEAD as u32, solver);
            let challenge = Lbfgs::configure(spec, params().as_object().unwrap()).unwrap();
            (challenge.label(&market).unwrap(), run(&market, &miners, solver))
        });
        prop_assert!(labels.priced.len() < ROWS && labels.rows.len() > 1_000);
        prop_assert_eq!((labels, salience), zero);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn every_input_gives_finite_saliences_not_below_zero(
        seed in any::<u64>(),
        holes in proptest::collection::vec((0..ROWS, 0..6_usize, 0..DIM), 0..800),
        frozen in 0..ROWS,
        network: bool,
        in_july: bool,
    ) {
        let mut market = random_walk(ROWS, 1e-3, seed);
        let mut miners = [miner(&market, 0.5, seed), miner(&market, 0.8, seed ^ 1), miner(&market, 0.0, seed ^ 2)];
        for (row, what, number) in holes {
            market.prices[row] = [f64::NAN, 0.0, f64::INFINITY, -1.0, 1e-300, 1e300][what];
            miners[row % 3][row * DIM + number] =
                [f32::NAN, 0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-7, 6e4][what];
        }
        let last = market.prices[frozen];
        market.prices[frozen..].fill(last);
        let solver = if network { Solver::Network } else { Solver::Exact };
        let params = if in_july { july() } else { params() };
        let salience = run_with(&params, &market, &miners, solver);
        prop_assert!(is_sound(&salience));
    }
}
