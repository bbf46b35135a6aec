//! What the host does with a challenge, and what came of it.

use super::MemoryHistory;
use crate::{
    Challenge, Market, ParamMap, PluginError, Salience, Silent, Solver, Spec, Storage, WhyZero, serde_json,
};

/// A single-asset challenge `T` with the network's spacing of rows.
#[must_use]
pub fn spec(dim: usize, rows_ahead: u32, solver: Solver) -> Spec {
    Spec {
        name: "TEST".into(),
        ticker: "T".into(),
        dim,
        assets: Vec::new(),
        blocks_ahead: rows_ahead * 5,
        sample_every: 5,
        seed: 42,
        solver,
        storage: Storage::F16,
        channels: Vec::new(),
        facts: Vec::new(),
        targets: false,
        fit: false,
    }
}

/// As [`spec`], with so many assets: `A0`, `A1` ...
#[must_use]
pub fn spec_with_assets(dim: usize, assets: usize, rows_ahead: u32, solver: Solver) -> Spec {
    Spec { assets: (0..assets).map(|i| format!("A{i}")).collect(), ..spec(dim, rows_ahead, solver) }
}

/// Configures, labels and scores; miners are named in their order.
///
/// # Errors
/// What the challenge says.
///
/// # Panics
/// If a miner's numbers do not fit the market.
pub fn score<C: Challenge>(
    spec: Spec,
    params: &serde_json::Value,
    market: &Market,
    miners: &[Vec<f32>],
) -> Result<Salience, PluginError> {
    let mut history = MemoryHistory::new(market.scored_rows, spec.storage_dim()).stored(spec.storage);
    for (i, numbers) in miners.iter().enumerate() {
        history.push(&format!("miner{i:04}"), numbers);
    }
    let challenge = C::configure(spec, params.as_object().unwrap_or(&ParamMap::new()))?;
    let labels = challenge.label(market)?;
    challenge.score(&history, &labels, &Silent)
}

/// What some miners earn together, as a part of what all earn.
#[must_use]
pub fn earned(salience: &Salience, miners: &[usize]) -> f64 {
    let sum: f64 = salience.miners.iter().map(|miner| miner.salience).sum();
    let part: f64 = miners.iter().map(|&miner| salience.miners[miner].salience).sum();
    if sum > 0.0 { part / sum } else { 0.0 }
}

/// The number of this name behind a miner's salience, if there is one.
#[must_use]
pub fn fact(salience: &Salience, miner: usize, name: &str) -> Option<f64> {
    salience.miners[miner].facts.iter().find(|fact| fact.name == name).map(|fact| fact.value)
}

/// The code of the reason for which a miner earns nothing, if one was given.
#[must_use]
pub fn why_zero(salience: &Salience, miner: usize) -> Option<&str> {
    let why: Option<&WhyZero> = salience.miners[miner].why_zero.as_ref();
    why.map(|why| why.code.as_str())
}

/// Whether all saliences and facts are finite, and no salience is below zero.
#[must_use]
pub fn is_sound(salience: &Salience) -> bool {
    salience.miners.iter().all(|miner| {
        miner.salience.is_finite()
            && miner.salience >= 0.0
            && miner.facts.iter().all(|fact| fact.value.is_finite())
    })
}

/// What a miner and its copies earn together, over what it earns alone, for each number of them (itself included): 1 if
/// copies earn nothing more. `run` scores miners, of which `field` are the honest ones; copies come behind them.
#[must_use]
pub fn clone_gains<const N: usize>(
    field: &[Vec<f32>],
    miner: usize,
    clones: [usize; N],
    run: impl Fn(&[Vec<f32>]) -> Salience,
) -> [f64; N] {
    let alone = earned(&run(field), &[miner]);
    clones.map(|clones| {
        let mut miners = field.to_vec();
        miners.extend((1..clones).map(|_| field[miner].clone()));
        let all: Vec<usize> = std::iter::once(miner).chain(field.len()..miners.len()).collect();
        earned(&run(&miners), &all) / alone
    })
}

/// What the last of some miners earns, and what attackers earn together that come in its place.
#[must_use]
pub fn honest_and_attacked(
    field: &[Vec<f32>],
    attackers: Vec<Vec<f32>>,
    run: impl Fn(&[Vec<f32>]) -> Salience,
) -> (f64, f64) {
    let one = field.len() - 1;
    let attacked = [&field[..one], &attackers].concat();
    let attackers: Vec<usize> = (one..attacked.len()).collect();
    (earned(&run(field), &[one]), earned(&run(&attacked), &attackers))
}

/// The largest difference that the reverse order of miners makes to the salience of one of them.
#[must_use]
pub fn order_effect(miners: &[Vec<f32>], run: impl Fn(&[Vec<f32>]) -> Salience) -> f64 {
    let reversed: Vec<Vec<f32>> = miners.iter().rev().cloned().collect();
    let (forward, backward) = (run(miners), run(&reversed));
    let pairs = forward.miners.iter().zip(backward.miners.iter().rev());
    pairs.map(|(a, b)| (a.salience - b.salience).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each miner earns the sum of what it sends, but the first one nothing.
    fn run(miners: &[Vec<f32>]) -> Salience {
        let mut salience = Salience::new(miners.len());
        for (miner, sent) in miners.iter().enumerate().skip(1) {
            salience.set(miner, sent.iter().map(|&x| f64::from(x)).sum());
        }
        salience.zero(0, WhyZero::constant());
        salience.note(0, "sent", 5.0);
        salience
    }

    #[test]
    fn attackers_come_in_the_place_of_the_last() {
        let field = [vec![9.0], vec![1.0], vec![3.0]];
        let (honest, attacked) = honest_and_attacked(&field, vec![vec![2.0], vec![5.0]], run);
        assert_eq!((honest, attacked), (0.75, 0.875));
    }

    #[test]
    fn clones_gain_what_they_earn_over_one() {
        // A quarter alone, two of five with one copy, four of seven with three.
        assert_eq!(
            clone_gains(&[vec![5.0], vec![1.0], vec![3.0]], 1, [1, 2, 4], run),
            [1.0, 1.6, 16.0 / 7.0]
        );
    }

    #[test]
    fn the_first_place_has_an_effect() {
        assert_eq!(order_effect(&[vec![5.0], vec![1.0], vec![3.0]], run), 5.0);
        assert_eq!(order_effect(&[vec![2.0]], run), 0.0);
    }

    #[test]
    fn what_came_of_it_is_found_by_name() {
        let salience = run(&[vec![1.0], vec![1.0]]);
        assert_eq!((why_zero(&salience, 0), why_zero(&salience, 1)), (Some("constant"), None));
        assert_eq!((fact(&salience, 0, "sent"), fact(&salience, 0, "said")), (Some(5.0), None));
        assert_eq!(earned(&salience, &[1]), 1.0);
    }
}
