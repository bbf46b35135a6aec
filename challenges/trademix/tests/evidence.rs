//! What must hold for any miners where evidence is paid, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod hourly;

use hourly::{ASSETS, HOURS, market, mixed, relative, run};
use mantis_plugin_api::serde_json::json;
use mantis_plugin_api::test_kit::{
    BROKEN, MISSING_PRICES, fact, is_sound, order_effect, put_broken_numbers, put_into_holes,
    spec_with_assets, why_zero,
};
use mantis_plugin_api::{Challenge, Market, Salience, Solver};
use mantis_trademix::TradeMix;
use proptest::prelude::*;

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..8).map(|i| relative(market, if i < 4 { 0.3 } else { 0.0 }, 0, 40 + i)).collect()
}

/// What all earn, and what nobody does.
fn total(salience: &Salience) -> f64 {
    salience.miners.iter().map(|miner| miner.salience).sum::<f64>() + salience.burn
}

#[test]
fn skill_is_paid_and_what_nobody_earns_is_burned() {
    let market = market(1);
    let salience = run(&json!({}), &market, &field(&market));
    let skilled: f64 = salience.miners[..4].iter().map(|miner| miner.salience).sum();
    assert!(skilled > 0.55 && salience.burn > 0.2, "{skilled} {}", salience.burn);
    // Four at the cap of a fifth of three quarters; nobody knows the market.
    assert!(salience.miners[..4].iter().all(|miner| miner.salience <= 0.15 + 1e-12), "{salience:?}");
    assert!((total(&salience) - 1.0).abs() < 1e-12);
    assert!(salience.miners.iter().all(|miner| (miner.salience > 0.0) != miner.why_zero.is_some()));
}

#[test]
fn of_a_copy_nothing_is_left_whatever_its_sign_and_half_of_it() {
    let market = market(1);
    let mut miners = field(&market);
    for factor in [1.0, -1.0, 0.5] {
        miners.push(mixed(&[(factor, &miners[0])], 0));
    }
    let salience = run(&json!({}), &market, &miners);
    for copy in 8..11 {
        let of = |name| fact(&salience, copy, name).unwrap();
        assert_eq!((of("relative_t"), of("relative_p"), of("left_by_seniors")), (0.0, 1.0, 0.0), "{copy}");
        assert_eq!(of("like_senior_with_miner"), 0.0);
        assert_eq!(of("relative_share"), 0.0);
    }
    assert!(fact(&salience, 0, "relative_share").unwrap() > 0.1);
}

#[test]
fn says_why_a_miner_earns_nothing() {
    let market = market(1);
    let mut miners = field(&market);
    miners.push(vec![0.0; HOURS * ASSETS]);
    miners.push(relative(&market, 0.3, HOURS - 503, 77));
    miners.push(miners[0].clone());
    let salience = run(&json!({ "max_rows": HOURS }), &market, &miners);
    assert_eq!(why_zero(&salience, 8), Some("absent"));
    assert_eq!(why_zero(&salience, 9), Some("probation"));
    let why = |miner: usize| salience.miners[miner].why_zero.as_ref().unwrap();
    let text = "on probation: first position 503 hours ago, positions in 99.8% of the newest 504; 504 hours and \
                90.0% are needed";
    assert_eq!(why(9).text, text);
    assert_eq!(why(10).code, "evidence");
    assert!(why(10).text.contains("it says what miner0000 and others before it said"), "{}", why(10).text);
    // A fee that eats all: the evidence stays.
    let salience = run(&json!({ "fee": 1.0 }), &market, &miners);
    assert_eq!((why_zero(&salience, 0), salience.burn), (Some("no_profit"), 1.0));
    assert!(salience.empty.is_none());
}

#[test]
fn burns_all_while_it_warms_up_and_is_empty_without_miners() {
    let market = market(2);
    let salience = run(&json!({ "max_rows": 287 }), &market, &field(&market));
    assert_eq!((salience.burn, &salience.empty), (1.0, &None));
    let why = salience.miners[3].why_zero.as_ref().unwrap();
    assert_eq!(why.text, "warming up: 287 hours with a price of every asset, 288 are needed");
    assert!(run(&json!({ "max_rows": 288 }), &market, &field(&market)).facts.len() > 2);
    let nobody = run(&json!({}), &market, &[]);
    assert!(nobody.empty.is_some() && nobody.burn == 0.0);
}

#[test]
fn horizons_need_a_weight_each() {
    let params = json!({ "horizons": [12, 24] });
    let spec = spec_with_assets(1, ASSETS, 60, Solver::Exact);
    let error = TradeMix::configure(spec, params.as_object().unwrap()).err().unwrap().to_string();
    let says = "parameter `blend`: a list of 3; allowed: a list of 2, one number for each of `horizons`";
    assert_eq!(error, says);
}

#[test]
fn seniority_is_by_the_first_hour_and_only_then_by_hotkey() {
    let market = market(3);
    let mut miners = field(&market);
    // Names are of no use to who comes an hour later.
    miners.insert(0, mixed(&[(1.0, &miners[0])], 1));
    let salience = run(&json!({}), &market, &miners);
    assert_eq!(fact(&salience, 0, "like_senior_with_miner"), Some(1.0));
    assert!(fact(&salience, 1, "relative_share") > Some(0.1));
    // Miners of different first hours: their order does not matter.
    let late: Vec<Vec<f32>> = (0..6).map(|i| relative(&market, 0.3, 1 + 7 * i as usize, 60 + i)).collect();
    let effect = order_effect(&late, |miners| run(&json!({}), &market, miners));
    assert!(effect < 1e-9, "{effect}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_missing_price_is_the_same_as_nan_and_as_zero(
        seed in any::<u64>(),
        holes in proptest::collection::vec((0..HOURS * ASSETS, 1..2 * ASSETS), 1..100),
    ) {
        let [nan, zero] = MISSING_PRICES.map(|missing| {
            let mut market = market(seed);
            let miners = field(&market);
            put_into_holes(&mut market, &holes, missing);
            run(&json!({}), &market, &miners)
        });
        prop_assert!((total(&nan) - 1.0).abs() < 1e-7);
        prop_assert_eq!(nan, zero);
    }

    #[test]
    fn every_input_gives_finite_saliences_not_below_zero(
        seed in any::<u64>(),
        broken in proptest::collection::vec((0..HOURS * ASSETS, 0..BROKEN.len()), 0..800),
        harden in any::<bool>(),
    ) {
        let mut market = market(seed);
        let mut miners = [relative(&market, 0.5, 0, seed), relative(&market, 0.6, 3, seed ^ 1)];
        put_broken_numbers(&mut market, &mut miners, &broken);
        let floor = if harden { 1e-9 } else { 0.0 };
        let params = json!({
            "seniority_floor": floor, "null_floor": floor, "min_hours": 200, "fdr": 1.0, "probation_coverage": 0.0,
        });
        let salience = run(&params, &market, &miners);
        prop_assert!(is_sound(&salience) && salience.burn.is_finite() && salience.burn >= 0.0);
        prop_assert!((total(&salience) - 1.0).abs() < 1e-7, "{}", total(&salience));
    }
}
