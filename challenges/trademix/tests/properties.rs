//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod crowd;

use crowd::{AHEAD, ASSETS, ROWS, market, miner};
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{
    BROKEN, MISSING_PRICES, earned, fact, is_sound, order_effect, put_broken_numbers, put_into_holes, score,
    spec_with_assets,
};
use mantis_plugin_api::{Market, Salience, Solver, Spec};
use mantis_trademix::TradeMix;
use proptest::prelude::*;

fn challenge() -> Spec {
    spec_with_assets(1, ASSETS, AHEAD as u32, Solver::Exact)
}

/// Every luck filter and every meta model.
const OPTIONS: [(&str, &str); 4] = [
    ("shrunk_sharpe", "skillw"),
    ("block_bootstrap", "skillw"),
    ("shrunk_sharpe", "gbdt"),
    ("shrunk_sharpe", "moe"),
];

fn params((luck_filter, meta_model): (&str, &str)) -> Value {
    json!({
        "window_rows": ROWS, "fee": 0.0001, "luck_filter": luck_filter, "meta_model": meta_model,
        "bootstrap_replicates": 200, "gbdt_every": 10,
    })
}

fn run(options: (&str, &str), market: &Market, miners: &[Vec<f32>]) -> Salience {
    score::<TradeMix>(challenge(), &params(options), market, miners).unwrap()
}

fn why(salience: &Salience, miner: usize) -> (&str, &str) {
    let why = salience.miners[miner].why_zero.as_ref().unwrap();
    (&why.code, &why.text)
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| miner(market, 0.1 + 0.05 * i as f64, 100 + i)).collect()
}

#[test]
fn clones_together_earn_what_one_earned() {
    for options in OPTIONS {
        let market = market(1);
        let alone = earned(&run(options, &market, &field(&market)), &[5]);
        assert!(alone > 0.0, "{options:?}");
        for clones in [2, 5] {
            let mut miners = field(&market);
            (1..clones).for_each(|_| miners.push(miners[5].clone()));
            let all: Vec<usize> = (5..miners.len()).collect();
            let salience = run(options, &market, &miners);
            let together = earned(&salience, &all);
            println!("{options:?}: {clones} clones earn {:.4} of one", together / alone);
            assert!((together / alone - 1.0).abs() < 1e-9, "{options:?} {clones}: {together} of {alone}");
            assert!((earned(&salience, &[5]) * f64::from(clones) - together).abs() < 1e-12, "equal parts");
        }
    }
}

#[test]
fn noise_earns_at_most_half_of_skill_and_the_rest_nothing() {
    for options in OPTIONS {
        let market = market(2);
        let mut miners = field(&market);
        miners.extend((0..4).map(|i| miner(&market, 0.0, 7 + i)));
        miners.push(vec![0.5; ROWS * ASSETS]);
        miners.push(vec![0.0; ROWS * ASSETS]);
        let salience = run(options, &market, &miners);
        let noise = earned(&salience, &[6, 7, 8, 9]) / 4.0;
        let skilled = earned(&salience, &[3, 4, 5]) / 3.0;
        println!("{options:?}: noise earns {:.3} of skilled", noise / skilled);
        assert!(skilled > 0.0 && noise <= 0.5 * skilled, "{options:?}: {noise} {skilled}");
        assert_eq!((salience.miners[10].salience, salience.miners[11].salience), (0.0, 0.0), "{options:?}");
        assert_eq!(why(&salience, 11).0, "absent");
        assert!(salience.miners.iter().all(|m| m.salience > 0.0 || m.why_zero.is_some()));
    }
}

/// A filter that lets every miner pass leaves it to the desk to tell noise from skill.
#[test]
fn every_desk_tells_noise_from_skill() {
    for options in OPTIONS {
        let market = market(5);
        let mut miners = field(&market);
        miners.extend((0..6).map(|i| miner(&market, 0.0, 17 + i)));
        let mut params = params(options);
        params["min_skill"] = json!(0.0);
        let salience = score::<TradeMix>(challenge(), &params, &market, &miners).unwrap();
        let (skilled, noise) =
            (earned(&salience, &[3, 4, 5]) / 3.0, earned(&salience, &[6, 7, 8, 9, 10, 11]) / 6.0);
        println!("{options:?}: unfiltered noise earns {:.3} of skilled", noise / skilled);
        assert!(noise <= 0.5 * skilled, "{options:?}: {noise} {skilled}");
    }
}

#[test]
fn the_order_of_miners_does_not_matter_and_nothing_is_drawn_by_chance() {
    for options in OPTIONS {
        let market = market(3);
        let miners = field(&market);
        assert_eq!(run(options, &market, &miners), run(options, &market, &miners), "{options:?}");
        let effect = order_effect(&miners, |miners| run(options, &market, miners));
        assert!(effect < 1e-9, "{options:?}: {effect}");
    }
}

#[test]
fn says_what_each_miner_is_worth_and_why_it_is_nothing() {
    let market = market(1);
    let mut miners = field(&market);
    miners.push(miners[5].clone());
    miners.push(miner(&market, -0.4, 55));
    let mut params = params(OPTIONS[0]);
    params["top_k"] = json!(1);
    let salience = score::<TradeMix>(challenge(), &params, &market, &miners).unwrap();
    let paid = salience.miners.iter().position(|m| m.salience > 0.0).unwrap();
    assert_eq!((fact(&salience, paid, "rank"), salience.miners[paid].salience), (Some(1.0), 1.0));
    assert_eq!(fact(&salience, 6, "cluster_size"), Some(2.0));
    assert_eq!(fact(&salience, 6, "cluster_seed"), Some(5.0));
    assert_eq!(fact(&salience, 6, "attribution"), fact(&salience, 5, "attribution"));
    assert_eq!(why(&salience, 6), ("pruned", why(&salience, 6).1));
    assert!(fact(&salience, 7, "skill").unwrap() < 0.1 && fact(&salience, 7, "sharpe").unwrap() < 0.0);
    let skills: f64 = ["skill_a0", "skill_a1", "skill_a2"].iter().filter_map(|n| fact(&salience, 7, n)).sum();
    assert!((skills / 3.0 - fact(&salience, 7, "skill").unwrap()).abs() < 1e-12);
    assert_eq!(why(&salience, 7).0, "luck");
    assert!(why(&salience, 7).1.ends_with("0.65 is needed"), "{}", why(&salience, 7).1);

    // One position for all assets and miners: the median of all is each one's own, and the desk misses none of them.
    let one = |row: usize| miners[0][row * ASSETS];
    let same: Vec<f32> = (0..ROWS * ASSETS).map(|i| one(i / ASSETS)).collect();
    let mut params = self::params(OPTIONS[0]);
    params["min_skill"] = json!(0.0);
    let unpaid = score::<TradeMix>(challenge(), &params, &market, &[same.clone(), same]).unwrap();
    assert_eq!(unpaid.empty.as_deref(), Some("the desk loses nothing without any of its miners"));
    assert_eq!(why(&unpaid, 0).0, "no_attribution");
    let text = "duplicate of miner0000, without whose positions the desk loses nothing";
    assert_eq!(why(&unpaid, 1), ("duplicate", text));
}

#[test]
fn no_miner_is_paid_while_it_warms_up() {
    let market = market(4);
    let params = json!({ "window_rows": ROWS + 1 });
    let salience = score::<TradeMix>(challenge(), &params, &market, &field(&market)).unwrap();
    assert_eq!(salience.empty.as_deref(), Some("warming up: 6000 rows with a price, 6001 are needed"));
    assert!(run(OPTIONS[0], &market, &[]).empty.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    /// One asset's, or a whole row's.
    #[test]
    fn a_missing_price_is_the_same_as_nan_and_as_zero(
        seed in any::<u64>(),
        holes in proptest::collection::vec((0..ROWS * ASSETS, 1..2 * ASSETS), 1..300),
    ) {
        // A missing return leaves a miner's skill unknown: without a least one, all pass the filter.
        let mut params = params(OPTIONS[0]);
        params["min_skill"] = json!(0.0);
        params["window_rows"] = json!(ROWS - 600);
        let [nan, zero] = MISSING_PRICES.map(|missing| {
            let mut market = market(seed);
            let miners = field(&market);
            put_into_holes(&mut market, &holes, missing);
            score::<TradeMix>(challenge(), &params, &market, &miners).unwrap()
        });
        prop_assert!(nan.empty.is_none(), "{:?}", nan.empty);
        prop_assert_eq!(nan, zero);
    }

    #[test]
    fn every_input_gives_finite_saliences_not_below_zero(
        seed in any::<u64>(),
        broken in proptest::collection::vec((0..ROWS * ASSETS, 0..BROKEN.len()), 0..2_000),
    ) {
        let mut market = market(seed);
        let mut miners = [miner(&market, 0.5, seed), miner(&market, 0.6, seed ^ 1)];
        put_broken_numbers(&mut market, &mut miners, &broken);
        market.prices[(ROWS - 1) * ASSETS] = 1.0;
        for options in OPTIONS {
            let mut params = params(options);
            params["window_rows"] = json!(ROWS - 1);
            // All pass the filter: the desk sees what is there.
            params["min_skill"] = json!(0.0);
            let salience = score::<TradeMix>(challenge(), &params, &market, &miners).unwrap();
            prop_assert!(is_sound(&salience));
        }
    }
}
