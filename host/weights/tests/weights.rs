//! Weights against the network's results, and what must hold for any input.

use mantis_config::Block;
use mantis_weights::{Input, InputError, Neuron, Outcome, SettleRules, Settlement, WeightsRejection, settle};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    input: Value,
    expect: Value,
}

fn weights(input: &Input) -> Vec<Settlement> {
    match settle(input, &SettleRules::default()) {
        Ok(Outcome::Weights(settlements)) => settlements,
        other => panic!("{other:?}"),
    }
}

/// Compares with what the network's validator set; gives how many cases came to weights.
fn compare(cases: &str, rules: &SettleRules) -> usize {
    let cases: Vec<Case> = serde_json::from_str(cases).expect("cases");
    let mut set = 0;
    for case in cases {
        let mut input: Input = serde_json::from_value(case.input).expect("an input");
        input.take_burn();
        let outcome = settle(&input, rules).expect("it makes sense");
        let Some(expected) = case.expect["weights"].as_object() else {
            let Outcome::Rejected(reason) = outcome else { panic!("{outcome:?}") };
            let word = match reason {
                WeightsRejection::Empty => "empty",
                WeightsRejection::Equal | WeightsRejection::NearUniform => "uniform",
                other => panic!("{other}"),
            };
            assert_eq!(case.expect["rejected"], word);
            continue;
        };
        set += 1;
        assert_eq!(outcome.settlements().len(), expected.len());
        for Settlement { uid, weight, .. } in outcome.settlements() {
            let expected = expected[&uid.to_string()].as_f64().expect("a weight");
            assert!((weight - expected).abs() < 1e-6, "uid {uid}: {weight} {expected}");
        }
    }
    set
}

#[test]
fn equal_the_networks() {
    let rules = SettleRules::default();
    assert_eq!(compare(include_str!("fixtures/weights.json"), &rules), 3);
    let july = SettleRules { burn: 0.35, ema: 0.3, ..rules };
    let set = compare(include_str!("fixtures/weights-2026-07.json"), &july);
    assert!(set >= 6, "{set}");
}

fn simple(saliences: &[f64]) -> Input {
    let hotkey = |i: usize| format!("hotkey{i}");
    Input {
        salience: saliences.iter().enumerate().map(|(i, &s)| (hotkey(i), s)).collect(),
        metagraph: (0..saliences.len()).map(|i| Neuron { uid: i as u16, hotkey: hotkey(i) }).collect(),
        burn: 0.0,
        first_block: BTreeMap::new(),
        block: Block(1_000_000),
        previous: None,
    }
}

#[test]
fn refuses_input_that_makes_no_sense() {
    let rules = SettleRules::default();
    let mut input = simple(&[0.1, f64::NAN]);
    assert!(matches!(settle(&input, &rules), Err(InputError::Number { field: "salience", .. })));
    input.salience.insert("hotkey1".into(), -1.0);
    assert!(matches!(settle(&input, &rules), Err(InputError::Number { .. })));
    let mut input = simple(&[0.1, 0.2]);
    input.metagraph[1].uid = 0;
    assert_eq!(settle(&input, &rules), Err(InputError::TwoUids(0)));
    let mut input = simple(&[0.1, 0.2]);
    input.metagraph[1].hotkey = "hotkey0".into();
    assert_eq!(settle(&input, &rules), Err(InputError::TwoHotkeys("hotkey0".into())));
    let mut input = simple(&[0.1, 0.2]);
    input.metagraph[0].uid = 9;
    assert_eq!(settle(&input, &rules), Err(InputError::NoBurnUid(0)));
    let mut input = simple(&[0.1, 0.2]);
    input.previous = Some(BTreeMap::from([("x".into(), f64::INFINITY)]));
    assert!(matches!(settle(&input, &rules), Err(InputError::Number { field: "previous", .. })));
}

#[test]
fn degenerate_results_are_rejected() {
    let rejected = |saliences: &[f64], rules: &SettleRules| match settle(&simple(saliences), rules) {
        Ok(Outcome::Rejected(rejection)) => rejection,
        other => panic!("{other:?}"),
    };
    let no_burn = SettleRules { burn: 0.0, ..SettleRules::default() };
    assert_eq!(rejected(&[0.0, 0.0], &no_burn), WeightsRejection::ZeroSum);
    let mut strangers = simple(&[0.5, 0.2]);
    strangers.salience = BTreeMap::from([("stranger".into(), 1.0)]);
    assert_eq!(settle(&strangers, &no_burn), Ok(Outcome::Rejected(WeightsRejection::Empty)));
    assert_eq!(rejected(&[0.5, 0.5, 0.5], &no_burn), WeightsRejection::Equal);
    assert_eq!(rejected(&[0.5, 0.5001, 0.5], &no_burn), WeightsRejection::NearUniform);
}

#[test]
fn the_young_get_little_and_the_unregistered_nothing() {
    let mut input = simple(&[0.0, 0.2, 0.2, 0.6]);
    input.first_block.insert("hotkey3".into(), input.block - 35_999);
    input.first_block.insert("hotkey2".into(), input.block - 36_000);
    input.salience.insert("stranger".into(), 5.0);
    let settlements = weights(&input);
    assert!(settlements[3].young && !settlements[2].young);
    assert!((settlements[3].weight - 0.7e-4).abs() < 1e-12);
    assert!((settlements[1].weight - 0.7 * 0.9999 / 2.0).abs() < 1e-12);
    assert!((settlements[0].weight - 0.3).abs() < 1e-12);
}

#[test]
fn smoothing_follows_the_hotkey_not_the_uid() {
    let mut input = simple(&[0.0, 0.5, 0.5]);
    input.previous = Some(BTreeMap::from([("hotkey1".into(), 1.0), ("gone".into(), 1.0)]));
    let before = weights(&input);
    input.metagraph[1].uid = 2;
    input.metagraph[2].uid = 1;
    let after = weights(&input);
    assert_eq!(before[1].weight, after[2].weight);
    assert!(before[1].weight > 10.0 * before[2].weight);
}

fn inputs() -> impl Strategy<Value = Input> {
    let neuron = (0.0..1.0f64, any::<bool>(), 0..80_000i64, proptest::option::of(0.0..1.0f64));
    (proptest::collection::vec(neuron, 2..40), any::<bool>()).prop_map(|(neurons, first_time)| {
        let mut input = simple(&neurons.iter().map(|n| if n.1 { n.0 } else { 0.0 }).collect::<Vec<_>>());
        for (i, neuron) in neurons.iter().enumerate() {
            input.first_block.insert(format!("hotkey{i}"), input.block - neuron.2);
        }
        let previous = neurons.iter().enumerate().filter_map(|(i, n)| Some((format!("hotkey{i}"), n.3?)));
        input.previous = (!first_time).then(|| previous.collect());
        input
    })
}

proptest! {
    #[test]
    fn weights_are_a_distribution_with_the_burn_in_it(input in inputs()) {
        if let Outcome::Weights(settlements) = settle(&input, &SettleRules::default()).unwrap() {
            prop_assert!(settlements.iter().all(|settlement| settlement.weight.is_finite() && settlement.weight >= 0.0));
            prop_assert!((settlements.iter().map(|settlement| settlement.weight).sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(settlements[0].burned >= 0.3 - 1e-12);
        }
    }

    #[test]
    fn the_order_of_the_metagraph_does_not_matter(input in inputs()) {
        let mut turned = input.clone();
        turned.metagraph.reverse();
        let (a, b) = (settle(&input, &SettleRules::default()).unwrap(), settle(&turned, &SettleRules::default()).unwrap());
        prop_assert_eq!(a, b);
    }
}
