//! What must hold for any miners, on a simulated market.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod planted;

use mantis_dmae::Dmae;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{
    BROKEN, MISSING_PRICES, fact, is_sound, put_broken_numbers, put_into_holes, score, spec, why_zero,
};
use mantis_plugin_api::{Salience, Solver};
use planted::{AHEAD, DIM, FACTORS, World};
use proptest::prelude::*;

const ROWS: usize = 3_000;

fn params() -> Value {
    planted::params(&json!({"chunk_rows": 20, "min_rows": 500, "learning_rate": 3e-3}))
}

fn field(world: &World) -> Vec<Vec<f32>> {
    let skilled = (0..FACTORS).map(|factor| world.knows(factor as u64, factor));
    skilled.chain((0..3).map(|i| world.guesses(100 + i))).collect()
}

fn run(world: &World, miners: &[Vec<f32>]) -> Salience {
    world.run(&params(), miners)
}

fn paid(salience: &Salience) -> usize {
    salience.miners.iter().filter(|miner| miner.salience > 0.0).count()
}

/// What is the same whoever else a miner is called after.
fn told(salience: &Salience, miner: usize) -> (u64, Option<&str>, Vec<(String, u64)>) {
    let facts = salience.miners[miner].facts.iter().filter(|fact| !fact.name.ends_with("_with_miner"));
    let facts = facts.map(|fact| (fact.name.clone(), fact.value.to_bits())).collect();
    (salience.miners[miner].salience.to_bits(), why_zero(salience, miner), facts)
}

#[test]
fn the_order_of_miners_reaches_no_bit() {
    let world = World::moved_by(0.1, ROWS, 1);
    let mut miners = field(&world);
    miners.push(miners[2].clone());
    miners.push(world.copies(3, &miners[1], 700, 0.1));
    let forward = run(&world, &miners);
    assert_eq!(forward, run(&world, &miners));
    miners.reverse();
    let backward = run(&world, &miners);
    assert!(paid(&forward) >= 4, "{:?}", forward.facts);
    for miner in 0..miners.len() {
        assert_eq!(told(&forward, miner), told(&backward, miners.len() - 1 - miner), "{miner}");
    }
}

#[test]
fn what_comes_after_the_last_label_does_not_count() {
    let mut world = World::moved_by(0.1, ROWS, 2);
    let miners = field(&world);
    let before = run(&world, &miners);
    // A row more of the future than any label reaches.
    world.market.sidx.push(1_000_000);
    world.market.prices.push(1e6);
    assert_eq!(before, run(&world, &miners));
    assert!(paid(&before) > 0);
    // Prices within a label's reach do count.
    world.market.prices[ROWS + AHEAD - 1] *= 1.5;
    assert_ne!(before, run(&world, &miners));
}

/// What is sent from a row on reaches nothing before it: the forecast of a row is made of it alone, by weights that were learnt
/// from labels that were known.
#[test]
fn what_was_sent_in_unlabelled_rows_teaches_nothing() {
    let world = World::moved_by(0.1, ROWS, 3);
    let mut miners = field(&world);
    let honest = run(&world, &miners);
    // Who sends, in the last chunk and in that before, what comes true: it is judged by, but never learnt.
    let last = ROWS - 40;
    for row in last..ROWS {
        let true_later = world.market.price(row + AHEAD, 0) / world.market.price(row, 0) - 1.0;
        miners[8][row * DIM..(row + 1) * DIM].fill((40.0 * true_later).clamp(-1.0, 1.0) as f32);
    }
    let told = run(&world, &miners);
    println!("{:?} {:?}", honest.miners[8].salience, told.miners[8].salience);
    assert!(told.miners[8].salience == 0.0 && honest.miners[8].salience == 0.0);
}

#[test]
fn says_what_each_miner_is_worth_and_why_it_is_nothing() {
    let world = World::moved_by(0.1, ROWS, 4);
    let mut miners = field(&world);
    miners.push(world.copies(1, &miners[0], 1_000, 0.05));
    miners.push(vec![0.0; ROWS * DIM]);
    // There, but never where rows are judged.
    let mut gone = world.guesses(55);
    gone[100 * DIM..].fill(0.0);
    miners.push(gone);
    let salience = run(&world, &miners);
    let (copy, absent, gone) = (9, 10, 11);
    assert_eq!((why_zero(&salience, absent), why_zero(&salience, copy)), (Some("absent"), Some("duplicate")));
    assert_eq!(why_zero(&salience, gone), Some("no_contribution"));
    assert_eq!(fact(&salience, gone, "present_rows"), Some(100.0));
    assert_eq!(
        (fact(&salience, copy, "group_size"), fact(&salience, 0, "group_size")),
        (Some(2.0), Some(2.0))
    );
    assert_eq!(fact(&salience, copy, "group_with_miner"), Some(0.0));
    assert_eq!(fact(&salience, 0, "adds").unwrap(), salience.miners[0].salience);
    assert_eq!(fact(&salience, 1, "delta").unwrap(), salience.miners[1].salience);
    assert!(fact(&salience, 1, "t").unwrap() >= 2.0 && fact(&salience, 1, "delta_at_once").unwrap() > 0.0);
    assert!(salience.miners.iter().all(|miner| miner.salience > 0.0 || miner.why_zero.is_some()));
    let said = |name: &str| salience.facts.iter().find(|fact| fact.name == name).unwrap().value;
    assert!(said("baseline_mae") < said("zero_forecast_mae"));
    assert_eq!((said("rows"), said("rows_judged")), (3_000.0, 2_260.0));

    let one = world.run(
        &planted::params(&json!({"chunk_rows": 20, "screen": 1, "learning_rate": 3e-3})),
        &field(&world),
    );
    let pruned =
        one.miners.iter().find_map(|miner| miner.why_zero.as_ref().filter(|why| why.code == "pruned"));
    assert_eq!(pruned.unwrap().text, "rank 2 of which only the first 1 are kept");
    assert!(one.miners.iter().filter(|miner| miner.salience > 0.0).count() <= 1);
}

#[test]
fn nobody_is_paid_without_rows_skill_or_miners() {
    let world = World::moved_by(0.1, ROWS, 5);
    let few = world.run(&planted::params(&json!({"min_rows": 3_001})), &field(&world));
    assert_eq!(few.empty.as_deref(), Some("3000 rows that count, 3001 are needed"));
    assert_eq!(run(&world, &[]).empty.as_deref(), Some("no miner has stored anything"));
    // Nothing is known, and what seems to be costs more than it gives.
    let guesses: Vec<Vec<f32>> = (0..12).map(|i| world.guesses(i)).collect();
    let nothing = world.run(&planted::params(&json!({"learning_rate": 0.05, "chunk_rows": 12})), &guesses);
    let why = nothing.empty.as_deref().unwrap();
    assert!(why.ends_with("no skill in the market, nothing to divide"), "{why}");
    assert_eq!((paid(&nothing), why_zero(&nothing, 3)), (0, Some("no_skill")));
}

#[test]
fn other_seeds_start_elsewhere() {
    let world = World::moved_by(0.1, ROWS, 6);
    let miners = field(&world);
    let mut other = spec(DIM, AHEAD as u32, Solver::Exact);
    other.seed = 7;
    let other = score::<Dmae>(other, &params(), &world.market, &miners).unwrap();
    assert!(paid(&other) > 0 && other != run(&world, &miners));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_missing_price_is_the_same_as_nan_and_as_zero(
        seed in 0..1_000_u64,
        holes in proptest::collection::vec((0..ROWS, 1..40_usize), 1..40),
    ) {
        let [nan, zero] = MISSING_PRICES.map(|missing| {
            let mut world = World::moved_by(0.1, ROWS, seed);
            put_into_holes(&mut world.market, &holes, missing);
            let miners = [world.knows(0, 0), world.knows(1, 1), world.guesses(2)];
            run(&world, &miners)
        });
        prop_assert_eq!(nan, zero);
    }

    #[test]
    fn every_input_gives_finite_saliences_not_below_zero(
        seed in 0..1_000_u64,
        broken in proptest::collection::vec((0..ROWS, 0..BROKEN.len()), 0..600),
        rate in prop_oneof![Just(1e-8), Just(1e-3), Just(0.1)],
        unchanged in 0..3_usize,
    ) {
        let mut world = World::moved_by(0.1, ROWS, seed);
        let mut miners = [world.knows(0, 0), world.knows(1, 1), world.guesses(2)];
        put_broken_numbers(&mut world.market, &mut miners, &broken);
        let params = planted::params(&json!({
            "chunk_rows": 12, "min_rows": 2, "learning_rate": rate, "t_min": 0.0, "max_unchanged": unchanged, "warm_up": 0.0,
        }));
        let salience = world.run(&params, &miners);
        prop_assert!(is_sound(&salience), "{:?}", salience);
    }
}
