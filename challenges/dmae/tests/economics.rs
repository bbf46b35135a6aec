//! Whom it pays, on simulated markets of sixty days: six miners who each know a factor, eight who know nothing, and those who
//! want to be paid for what others know.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

mod planted;

use mantis_plugin_api::Salience;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{Noise, earned, fact, why_zero};
use planted::{DIM, FACTORS, World, params};

const ROWS: usize = 17_280;
const GUESSERS: usize = 8;

/// The skilled first, then those who guess.
fn field(world: &World) -> Vec<Vec<f32>> {
    let skilled = (0..FACTORS).map(|factor| world.knows(factor as u64, factor));
    skilled.chain((0..GUESSERS as u64).map(|i| world.guesses(100 + i))).collect()
}

fn run(world: &World, others: Vec<Vec<f32>>, change: &Value) -> Salience {
    world.run(&params(change), &[field(world), others].concat())
}

/// Places of those who come behind the field.
fn behind(count: usize) -> Vec<usize> {
    (FACTORS + GUESSERS..FACTORS + GUESSERS + count).collect()
}

#[test]
fn all_skilled_are_paid_and_noise_next_to_nothing() {
    let mut noise = Vec::new();
    for seed in 1..=6 {
        let world = World::new(ROWS, seed);
        let salience = run(&world, Vec::new(), &json!({}));
        let skilled = &salience.miners[..FACTORS];
        assert!(skilled.iter().all(|miner| miner.salience > 0.0), "{seed}: {skilled:?}");
        noise.push(earned(&salience, &(FACTORS..FACTORS + GUESSERS).collect::<Vec<_>>()));
    }
    let mean = noise.iter().sum::<f64>() / noise.len() as f64;
    println!("noise earns {noise:.4?}");
    assert!(mean <= 0.02, "{noise:?}");
}

#[test]
fn copies_together_earn_what_one_earned() {
    for seed in [1, 2] {
        let world = World::new(ROWS, seed);
        let field = field(&world);
        let alone = run(&world, Vec::new(), &json!({}));
        for (copies, shares) in [(1, "senior"), (4, "equal"), (16, "senior")] {
            let salience = run(&world, vec![field[1].clone(); copies], &json!({"share": shares}));
            let all = [vec![1], behind(copies)].concat();
            let (together, one) = (earned(&salience, &all), earned(&alone, &[1]));
            println!("seed {seed}: {copies} copies by {shares}: {together:.6} of {one:.6}");
            assert!((together / one - 1.0).abs() < 1e-4, "{together} {one}");
            // Those who came at the same time share alike.
            let own = earned(&salience, &[1]);
            assert!((own * (copies + 1) as f64 / together - 1.0).abs() < 1e-9, "{own} {together}");
        }
    }
}

#[test]
fn later_copies_take_next_to_nothing_from_whom_they_copy() {
    for seed in [1, 2, 3] {
        let world = World::new(ROWS, seed);
        let field = field(&world);
        let alone = run(&world, Vec::new(), &json!({}));
        let copies: Vec<Vec<f32>> =
            (0..20).map(|i| world.copies(i, &field[1], 3_000 + 100 * i as usize, 0.1)).collect();
        let salience = run(&world, copies, &json!({}));
        let taken = earned(&salience, &behind(20));
        println!(
            "seed {seed}: 20 noisy copies earn {taken:.4}, where their original earned {:.4}",
            earned(&alone, &[1])
        );
        // It is paid as if they were not there; only what the others are paid changes.
        assert!((salience.miners[1].salience / alone.miners[1].salience - 1.0).abs() < 1e-3);
        assert!(taken <= 0.05 * earned(&alone, &[1]) + 0.01, "{taken}");
        assert_eq!(fact(&salience, 1, "group_size"), Some(21.0));
    }
}

#[test]
fn who_copies_late_turned_mixed_or_with_delay_is_not_paid_for_it() {
    let world = World::new(ROWS, 1);
    let field = field(&world);
    let alone = run(&world, Vec::new(), &json!({}));
    let six = &field[..FACTORS];
    for (what, copy) in [
        ("late and turned", world.copies(1, &world.turned(&field[2]), 4_000, 0.0)),
        ("late, of all", world.gathers(1, six, 4_000, 0.05)),
        ("delayed by the lag", world.delayed(&field[3], 12)),
    ] {
        let salience = run(&world, vec![copy], &json!({}));
        let kept: Vec<f64> =
            (0..FACTORS).map(|i| salience.miners[i].salience / alone.miners[i].salience).collect();
        println!("{what}: earns {:.4}, and leaves the others {kept:.3?}", earned(&salience, &behind(1)));
        assert!(earned(&salience, &behind(1)) <= 0.02, "{what}");
        assert!(kept.iter().all(|kept| *kept > 0.75), "{what}: {kept:?}");
    }
}

#[test]
fn two_honest_holders_of_one_factor_share_what_it_is_worth() {
    let world = World::new(ROWS, 2);
    let second = vec![world.knows(77, 0)];
    let alone = run(&world, Vec::new(), &json!({}));
    let both = run(&world, second.clone(), &json!({}));
    let together = earned(&both, &[0, FACTORS + GUESSERS]);
    println!("together {together:.4}, the first alone {:.4}", earned(&alone, &[0]));
    assert!((0.8..1.3).contains(&(together / earned(&alone, &[0]))), "{together}");
    assert!(behind(1).iter().chain(&[0]).all(|&miner| both.miners[miner].salience > 0.0));
    // Without groups neither of them is worth much: the other takes its place.
    let left = run(&world, second, &json!({"pay": "alone", "t_min": 0.0}));
    let pair = earned(&left, &[0, FACTORS + GUESSERS]);
    println!("without groups {pair:.4}");
    assert!(pair < 0.7 * together, "{pair} {together}");
}

#[test]
fn without_a_gate_noise_is_paid_more() {
    let world = World::new(ROWS, 4);
    let noise: Vec<usize> = (FACTORS..FACTORS + GUESSERS).collect();
    let gated = earned(&run(&world, Vec::new(), &json!({})), &noise);
    let open = earned(&run(&world, Vec::new(), &json!({"t_min": 0.0, "pay": "alone", "screen": 0})), &noise);
    println!("noise earns {gated:.4} with the gate, {open:.4} without");
    assert!(gated <= open && gated <= 0.02);
}

#[test]
fn nobody_is_paid_for_knowing_nothing_in_another_way() {
    let world = World::new(ROWS, 5);
    let rows = || 0..world.rows;
    let price = |row: usize| world.market.price(row, 0);
    let mut draws = Noise::new(9);
    let constant = vec![0.7; ROWS * DIM];
    let alternating: Vec<f32> = rows().flat_map(|row| [if row % 2 == 0 { 1.0 } else { -1.0 }; DIM]).collect();
    let signs: Vec<f32> = (0..ROWS * DIM).map(|_| draws.uniform().signum() as f32).collect();
    // How the price stands among those of the last day.
    let rank = |row: usize| {
        let from = row.saturating_sub(288);
        let below = (from..row).filter(|&other| price(other) < price(row)).count();
        2.0 * below as f32 / 288.0 - 1.0
    };
    let ranks: Vec<f32> = rows().flat_map(|row| [rank(row); DIM]).collect();
    // The last return that is known.
    let known = |row: usize| 20.0 * (price(row) / price(row.saturating_sub(12)) - 1.0);
    let lagged: Vec<f32> = rows().flat_map(|row| [known(row).clamp(-1.0, 1.0) as f32; DIM]).collect();
    let names = ["constant", "alternating", "signs", "ranks", "the last label"];
    let salience = run(&world, vec![constant, alternating, signs, ranks, lagged], &json!({}));
    for (miner, name) in behind(5).into_iter().zip(names) {
        println!("{name}: {:.4}, {:?}", earned(&salience, &[miner]), why_zero(&salience, miner));
        assert!(earned(&salience, &[miner]) <= 0.005, "{name}");
    }
    assert!((0..FACTORS).all(|miner| salience.miners[miner].salience > 0.0));
}
