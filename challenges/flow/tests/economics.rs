//! What flow pays those who know nothing, beginners, and copies: with the gate and without.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod world;

use mantis_flow::Flow;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{clone_gains, earned, score};
use mantis_plugin_api::{Market, Salience};
use world::{EVERY, Kind, NUMBERS, World, flow_spec, world};

const MARKETS: u64 = 8;
const SKILLED: usize = 8;
/// Rows of a day.
const DAY: usize = 1_440 / EVERY as usize;

fn run(params: &Value, market: &Market, miners: &[Vec<f32>]) -> Salience {
    score::<Flow>(flow_spec(), params, market, miners).unwrap()
}

/// Without the gate and with it.
fn rules() -> [(&'static str, Value); 2] {
    [("gate off", json!({})), ("gate on", json!({ "gate": true }))]
}

/// Eight weeks of miners who are right about direction in three of four trades, and of so many who know nothing.
fn field(random: usize, seed: u64) -> World {
    let kinds = [vec![Kind::Knows(0.5); SKILLED], vec![Kind::Knows(0.0); random]].concat();
    world(56, &kinds, 100 + seed)
}

/// What newcomers earn together, over what a skilled miner does, on average over markets.
fn newcomers(worlds: &[World], params: &Value, newcomers: impl Fn(usize) -> Vec<Vec<f32>>) -> f64 {
    let (mut new, mut skilled) = (0.0, 0.0);
    for World { market, miners } in worlds {
        let miners = [miners.as_slice(), &newcomers(market.rows())].concat();
        let salience = run(params, market, &miners);
        new += earned(&salience, &(SKILLED..miners.len()).collect::<Vec<_>>());
        skilled += earned(&salience, &(0..SKILLED).collect::<Vec<_>>()) / SKILLED as f64;
    }
    new / skilled
}

/// One trade of the first regime with its targets `target` and twice that away, sent in the last so many rows.
fn one_trade(rows: usize, last: usize, side: f32, stop: f32, target: f32) -> Vec<f32> {
    let mut numbers = vec![0.0; rows * NUMBERS];
    let intent = [side, 0.25, stop, target, 2.0 * target, 24.0, 1.0];
    numbers.chunks_mut(NUMBERS).skip(rows - last).for_each(|sent| sent[..7].copy_from_slice(&intent));
    numbers
}

/// Pairs of hotkeys, each with one trade up and the same one down, a pair a quarter of a day after the other.
fn pairs(rows: usize, pairs: usize, stop: f32, target: f32) -> Vec<Vec<f32>> {
    let both = |pair| [1.0, -1.0].map(|side| one_trade(rows, 12 * DAY - pair * DAY / 4, side, stop, target));
    (0..pairs).flat_map(both).collect()
}

#[test]
fn who_knows_nothing_earns_less_than_who_does_but_not_nothing() {
    for (name, params) in rules() {
        let (mut random, mut skilled) = (0.0, 0.0);
        for seed in 0..MARKETS {
            let World { market, miners } = field(SKILLED, seed);
            let salience = run(&params, &market, &miners);
            skilled += earned(&salience, &(0..SKILLED).collect::<Vec<_>>());
            random += earned(&salience, &(SKILLED..2 * SKILLED).collect::<Vec<_>>());
        }
        println!("{name}: a random trader earns {:.3} of a skilled one", random / skilled);
        assert!((0.1..0.5).contains(&(random / skilled)), "{name}: {random} {skilled}");
    }
}

/// What one hotkey loses, it does not owe: of a trade up and the same down, the one that wins is paid.
#[test]
fn hotkeys_that_trade_both_ways_once_are_paid_unless_there_is_a_gate() {
    let worlds: Vec<World> = (0..MARKETS).map(|seed| field(0, seed)).collect();
    for (what, stop, target, bar) in [("a usual stop", 0.012, 0.012, 0.3), ("a tight stop", 4e-4, 0.02, 1.0)]
    {
        let [off, on] = rules().map(|(name, params)| {
            let gains =
                [1, 5].map(|count| newcomers(&worlds, &params, |rows| pairs(rows, count, stop, target)));
            println!("{name}, {what}: a pair earns {:.3} of a skilled miner, five {:.3}", gains[0], gains[1]);
            gains
        });
        // All before the gate share the dust, 0.02 of the pay, whatever they are.
        assert!(off[1] > bar && on[1] <= 0.2, "{what}: {off:?} {on:?}");
    }
}

#[test]
fn copies_earn_as_if_each_were_one_more_miner() {
    for (name, params) in rules() {
        let mut mean = [0.0; 2];
        for seed in 0..MARKETS {
            let World { market, miners } = field(0, seed);
            let gains = clone_gains(&miners, 0, [2, 5], |miners| run(&params, &market, miners));
            mean.iter_mut().zip(gains).for_each(|(mean, gain)| *mean += gain / MARKETS as f64);
        }
        println!("{name}: two copies earn {:.2} of what one does, five {:.2}", mean[0], mean[1]);
        assert!(mean[0] > 1.5 && mean[1] > 2.5, "{name}: {mean:?}");
    }
}
