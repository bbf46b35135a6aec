//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod world;

use mantis_flow::Flow;
use mantis_plugin_api::serde_json::{self, Value, json};
use mantis_plugin_api::test_kit::{
    BROKEN, MISSING_PRICES, fact, is_sound, order_effect, put_broken_numbers, put_into_holes, score, why_zero,
};
use mantis_plugin_api::{FactRow, Market, Salience};
use proptest::prelude::*;
use world::{KINDS, Kind, NUMBERS, World, flow_spec, world};

fn run(params: &Value, market: &Market, miners: &[Vec<f32>]) -> Salience {
    score::<Flow>(flow_spec(), params, market, miners).unwrap()
}

/// The rules that differ by parameter.
fn rules() -> [(&'static str, Value); 6] {
    [
        ("network", json!({})),
        ("gate", json!({ "gate": true })),
        ("static", json!({ "skin": "static" })),
        ("bets by clock", json!({ "skin": "bets" })),
        ("bets by block", json!({ "skin": "bets", "bet_time": "block", "gate": true })),
        ("next row after a gap", json!({ "gap": "next" })),
    ]
}

fn total(salience: &Salience) -> f64 {
    salience.miners.iter().map(|miner| miner.salience).sum::<f64>() + salience.burn
}

/// The saliences of a market and its miners are pinned: what changes them changes the rules. They were written by code that
/// agreed with the network's to 1e-14 on twelve ledgers.
#[test]
fn saliences_are_those_that_were_pinned() {
    let pinned: Value = serde_json::from_str(include_str!("fixtures/pinned.json")).unwrap();
    let World { market, miners } = world(42, &KINDS, 3);
    let mut found = serde_json::Map::new();
    for (name, params) in rules() {
        let salience = run(&params, &market, &miners);
        let mut numbers: Vec<f64> = salience.miners.iter().map(|miner| miner.salience).collect();
        numbers.push(salience.burn);
        found.insert(name.into(), json!(numbers));
    }
    let found = Value::Object(found);
    let same = rules().iter().all(|(name, _)| {
        let (found, pinned) = (found[name].as_array().unwrap(), pinned[name].as_array().unwrap());
        let near = |(a, b): (&Value, &Value)| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-13;
        found.len() == pinned.len() && found.iter().zip(pinned).all(near)
    });
    assert!(same, "found: {}", serde_json::to_string_pretty(&found).unwrap());
}

#[test]
fn saliences_and_burn_are_all_there_is_and_who_gets_nothing_is_told_why() {
    let World { market, miners } = world(30, &KINDS, 2);
    for (name, params) in rules() {
        let salience = run(&params, &market, &miners);
        assert!((total(&salience) - 1.0).abs() < 1e-12, "{name}: {}", total(&salience));
        assert!(salience.empty.is_none() && is_sound(&salience), "{name}");
        assert!(salience.miners.iter().any(|miner| miner.salience > 0.0), "{name}");
        assert!(
            salience.miners.iter().all(|miner| (miner.salience > 0.0) == miner.why_zero.is_none()),
            "{name}"
        );
    }
}

#[test]
fn the_order_of_miners_does_not_matter_and_nothing_is_drawn_by_chance() {
    let World { market, miners } = world(30, &KINDS, 3);
    for params in [json!({}), json!({ "gate": true })] {
        assert_eq!(run(&params, &market, &miners), run(&params, &market, &miners));
        assert!(order_effect(&miners, |miners| run(&params, &market, miners)) < 1e-12);
    }
}

/// Nothing after the last scored row is looked at.
#[test]
fn the_future_does_not_matter() {
    let World { market, miners } = world(30, &KINDS, 4);
    let kept = market.rows() * 3 / 4;
    let mut future = market.clone();
    future.scored_rows = kept;
    future.submitted.truncate(kept);
    let mut past = future.clone();
    past.sidx.truncate(kept);
    past.prices.truncate(kept);
    past.channels.truncate(2 * kept);
    let miners: Vec<Vec<f32>> = miners.iter().map(|sent| sent[..kept * NUMBERS].to_vec()).collect();
    for (name, params) in rules() {
        assert_eq!(run(&params, &future, &miners), run(&params, &past, &miners), "{name}");
    }
}

/// Each reason for nothing, and the numbers that are told with it.
#[test]
fn says_what_each_miner_did_and_why_it_earns_nothing() {
    let kinds = [
        Kind::Knows(0.7),
        Kind::Knows(-0.9),
        Kind::Knows(0.7),
        Kind::Breaks,
        Kind::Knows(0.7),
        Kind::Knows(0.7),
    ];
    let World { market, mut miners } = world(30, &kinds, 5);
    let rows = market.rows();
    // Column 2 sends nothing; 3 is wrong throughout; 4 began four days ago, 5 half an hour.
    miners[2].fill(0.0);
    miners[3].chunks_mut(7).for_each(|intent| intent[1] = 0.3);
    miners[4][..(rows - 960) * NUMBERS].fill(0.0);
    miners[5][..(rows - 5) * NUMBERS].fill(0.0);
    let salience = run(&json!({}), &market, &miners);
    let codes: Vec<_> = (0..6).map(|miner| why_zero(&salience, miner)).collect();
    let expected =
        [None, Some("no_edge"), Some("absent"), Some("no_trade"), Some("probation"), Some("unresolved")];
    assert_eq!(codes, expected);
    let text = &salience.miners[3].why_zero.as_ref().unwrap().text;
    assert!(text.starts_with("every intent is out of bounds: ") && text.contains(" by size"), "{text}");
    let number = |name| fact(&salience, 0, name).unwrap();
    assert!(number("trades_opened") >= number("trades_resolved") && number("trades_resolved") > 50.0);
    let averages: f64 =
        ["average_a", "average_b", "average_c", "average_d"].iter().map(|name| number(name)).sum();
    assert!(averages > 0.0 && number("score") > 0.0 && number("score") <= averages);
    assert_eq!((number("hours_paid"), fact(&salience, 0, "gate_passed")), (24.0, None));
    assert!((salience.burn - 0.02).abs() < 1e-12);

    let gated = run(&json!({ "gate": true }), &market, &miners);
    assert_eq!(fact(&gated, 1, "gate_passed"), Some(0.0));
    assert!(fact(&gated, 1, "evidence_t").unwrap() < 0.0);
    let strict = run(&json!({ "gate": true, "gate_z_in": 1e6, "dust": 0.0 }), &market, &miners);
    assert_eq!((why_zero(&strict, 0), strict.burn), (Some("no_share"), 1.0));
}

#[test]
fn a_trade_without_a_bet_earns_nothing_and_only_the_part_of_a_bet_matters() {
    let World { mut market, miners } = world(30, &KINDS, 6);
    let params = json!({ "skin": "bets" });
    let before = run(&params, &market, &miners);
    market.facts[0].rows.iter_mut().for_each(|row| row.numbers[2] *= 4.0);
    let larger = run(&params, &market, &miners);
    let pairs = before.miners.iter().zip(&larger.miners);
    assert!(pairs.clone().all(|(a, b)| (a.salience - b.salience).abs() < 1e-12));
    assert!(fact(&before, 0, "trades_without_bet").unwrap() > 0.0);
    assert!(fact(&before, 0, "trades_late_bet").unwrap() > 0.0);
    market.facts[0].rows.retain(|row| row.hotkey != "miner0000");
    let without = run(&params, &market, &miners);
    assert_eq!((without.miners[0].salience, why_zero(&without, 0)), (0.0, Some("no_bet")));
    market.facts[0].rows.clear();
    let none = run(&params, &market, &miners);
    assert_eq!((none.burn, none.empty), (1.0, None));
}

#[test]
fn the_settlement_is_told_where_something_stands_behind_trades() {
    let World { market, miners } = world(30, &KINDS, 7);
    for params in [json!({ "skin": "static" }), json!({ "skin": "bets" })] {
        let salience = run(&params, &market, &miners);
        let sum = |name| (0..miners.len()).filter_map(|miner| fact(&salience, miner, name)).sum::<f64>();
        let (loss, claim, payout) = (sum("period_loss"), sum("period_claim"), sum("period_payout"));
        assert!(
            loss > 0.0 && claim > 0.0 && (payout - loss).abs() < 1e-8,
            "{params}: {loss} {claim} {payout}"
        );
    }
    assert_eq!(fact(&run(&json!({}), &market, &miners), 0, "period_loss"), None);
}

#[test]
fn all_is_burned_until_there_is_a_week() {
    let World { market, miners } = world(9, &KINDS[..3], 8);
    let hours = |rows: usize| (market.sidx[rows - 1] - market.sidx[0]) as f64 / 60.0;
    let rows = (2..market.rows()).find(|&rows| hours(rows) >= 168.0).unwrap();
    assert_eq!(hours(rows), 168.0);
    for (rows, warms_up) in [(rows - 1, true), (rows, false), (1, true)] {
        let mut market = market.clone();
        market.scored_rows = rows;
        let miners: Vec<Vec<f32>> = miners.iter().map(|sent| sent[..rows * NUMBERS].to_vec()).collect();
        let salience = run(&json!({ "probation_hours": 1 }), &market, &miners);
        assert_eq!(why_zero(&salience, 0) == Some("warming_up"), warms_up, "{rows}");
        assert_eq!((salience.burn == 1.0, salience.empty), (warms_up, None), "{rows}");
    }
}

#[test]
fn without_miners_there_is_nothing_to_burn() {
    let World { market, .. } = world(30, &[], 9);
    let salience = run(&json!({}), &market, &[]);
    assert_eq!((salience.burn, salience.empty.is_some()), (0.0, true));
}

/// A vector that is missing in a row changes nothing, for a trade that is open and for one that will be.
#[test]
fn missing_payloads_cost_nothing_but_time() {
    let World { market, miners } = world(30, &[Kind::Knows(0.6), Kind::Knows(0.3)], 10);
    let full = run(&json!({}), &market, &miners);
    let mut gaps = miners.clone();
    let mut intents: Vec<_> = miners[0].chunks(NUMBERS).map(<[f32]>::to_vec).collect();
    intents.push(Vec::new());
    for (row, pair) in intents.windows(2).enumerate() {
        // What is sent in the next row as well can be left out in every second one.
        if row % 2 == 0 && row > 0 && intents[row - 1] == pair[0] {
            gaps[0][row * NUMBERS..(row + 1) * NUMBERS].fill(0.0);
        }
    }
    let sparse = run(&json!({}), &market, &gaps);
    let (before, after) =
        (fact(&full, 0, "trades_opened").unwrap(), fact(&sparse, 0, "trades_opened").unwrap());
    assert!((before - after).abs() <= 0.05 * before, "{before} {after}");
}

#[test]
fn a_missing_price_is_one_however_it_is_stored() {
    let World { market, miners } = world(20, &KINDS, 11);
    let holes = [(100, 30), (900, 1), (2_000, 300)];
    let [nan, zero] = MISSING_PRICES.map(|missing| {
        let mut market = market.clone();
        put_into_holes(&mut market, &holes, missing);
        run(&json!({}), &market, &miners)
    });
    assert_eq!(nan, zero);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn no_number_breaks_it(
        places in prop::collection::vec((0..2_000_usize, 0..BROKEN.len()), 0..200),
        sent in prop::collection::vec((0..13_usize, 0..56_000_usize, prop::num::f32::ANY), 0..400),
        wicks in prop::collection::vec((0..4_000_usize, prop::num::f64::ANY), 0..50),
        bets in prop::collection::vec(prop::collection::vec(prop::num::f64::ANY, 0..5), 0..20),
    ) {
        let World { mut market, mut miners } = world(12, &KINDS, 12);
        // Every row has a number of a miner to be broken with its price.
        let mut heads: Vec<Vec<f32>> = miners.iter().map(|sent| sent[..market.rows()].to_vec()).collect();
        put_broken_numbers(&mut market, &mut heads, &places);
        miners.iter_mut().zip(&heads).for_each(|(sent, head)| sent[..head.len()].copy_from_slice(head));
        sent.iter().for_each(|&(miner, at, x)| miners[miner][at] = x);
        wicks.iter().for_each(|&(at, x)| market.channels[at] = x);
        for list in &mut market.facts {
            for numbers in &bets {
                let moment = numbers.first().copied();
                let row = FactRow { hotkey: "miner0001".into(), block: None, time: moment, numbers: numbers.clone() };
                list.rows.insert(0, row);
            }
        }
        for (_, mut params) in rules() {
            params["probation_hours"] = json!(1);
            let salience = run(&params, &market, &miners);
            prop_assert!(is_sound(&salience));
            prop_assert!((total(&salience) - 1.0).abs() < 1e-9, "{}", total(&salience));
        }
    }
}
