//! Cohorts against their definition.

use super::links::links;
use super::profile::{Profile, deviation, is_sent};
use super::*;
use crate::DIM;
use mantis_plugin_api::Silent;
use mantis_plugin_api::test_kit::{MemoryHistory, Noise};
use proptest::prelude::*;

const ROWS: usize = 1_300;

#[test]
fn chains_are_one_cohort_of_the_smallest() {
    let cohorts = Cohorts::connected(7, &[[4, 5], [1, 5], [0, 3], [3, 0], [4, 1]]);
    let members: Vec<&[usize]> = (0..cohorts.columns()).map(|column| cohorts.members(column)).collect();
    assert_eq!(members, [&[0, 3][..], &[1, 4, 5], &[2], &[6]]);
    assert_eq!((0..7).map(|miner| cohorts.column_of(miner)).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 1, 3]);
    assert_eq!((cohorts.count(), cohorts.representative(1)), (2, 1));
    assert_eq!(cohorts.shared(&[1.0, 6.0, 0.5, 0.0]), [0.5, 2.0, 0.5, 0.5, 2.0, 2.0, 0.0]);
    assert_eq!(cohorts.in_order().collect::<Vec<_>>(), [0, 3, 1, 4, 5, 2, 6]);
}

fn params() -> Params {
    Params { cohorts: "on".into(), cohort_min_rows: 300, cohort_min_joint: 300, ..Params::default() }
}

/// What a miner sends: a part of what all know, noise of its own, and rows in which it is absent.
#[derive(Clone, Debug)]
struct Sender {
    common: f64,
    level: f64,
    from: usize,
    absent: f64,
    sign: f64,
}

fn history(senders: &[Sender], seed: u64) -> MemoryHistory {
    let mut common = Noise::new(seed);
    let known: Vec<f64> = (0..ROWS * 5).map(|_| common.normal()).collect();
    let mut history = MemoryHistory::new(ROWS, DIM);
    for (i, sender) in senders.iter().enumerate() {
        let mut noise = Noise::new(seed ^ (i as u64 + 1));
        let mut numbers = vec![0.0; ROWS * DIM];
        for (row, numbers) in numbers.chunks_mut(DIM).enumerate() {
            if row < sender.from || noise.normal() < sender.absent {
                continue;
            }
            for (c, x) in numbers.iter_mut().enumerate() {
                let own = (1.0 - sender.common) * noise.normal();
                let shared = if c < 5 { sender.sign * sender.common * known[row * 5 + c] } else { 0.0 };
                *x = (sender.level + 0.05 * (own + shared)) as f32;
            }
        }
        history.push(&format!("{i:03}"), &numbers);
    }
    history
}

fn found(history: &dyn History, rows: &[usize], params: &Params) -> Vec<[usize; 2]> {
    let profiles: Vec<Profile> = (0..history.shape().miners)
        .map(|miner| Profile::read(miner, history, rows, params).unwrap())
        .filter(|profile| profile.present_rows >= params.cohort_min_rows)
        .collect();
    let mut links = links(&profiles, history, rows, params).unwrap();
    links.iter_mut().for_each(|pair| pair.sort_unstable());
    links.sort_unstable();
    links
}

/// Pair by pair, row by row, nothing given up.
fn defined(history: &dyn History, rows: &[usize], params: &Params) -> Vec<[usize; 2]> {
    let miners = history.shape().miners;
    let profiles: Vec<Profile> =
        (0..miners).map(|miner| Profile::read(miner, history, rows, params).unwrap()).collect();
    let sent: Vec<Vec<f32>> =
        (0..miners).map(|i| history.miner(i).unwrap().iter().map(|x| x.to_f32()).collect()).collect();
    let mut links = Vec::new();
    for i in 0..miners {
        for j in i + 1..miners {
            let (mut joint, mut product, mut energy) = (0, 0.0, [0.0; 2]);
            for &row in rows {
                let numbers = [i, j].map(|miner| &sent[miner][row * DIM..(row + 1) * DIM]);
                if !numbers.iter().all(|numbers| is_sent(numbers)) {
                    continue;
                }
                let mut d = [[0.0; 5]; 2];
                joint += 1;
                for (side, miner) in [i, j].into_iter().enumerate() {
                    energy[side] += f64::from(deviation(numbers[side], &profiles[miner].mean, &mut d[side]));
                }
                product += (0..5).map(|c| d[0][c] * d[1][c]).sum::<f64>();
            }
            let active = [i, j].iter().all(|&m| profiles[m].present_rows >= params.cohort_min_rows);
            let near = profiles[i].distance(&profiles[j]) <= params.cohort_mean;
            let norm = f64::sqrt(energy[0] * energy[1]).max(1e-18);
            if active
                && near
                && joint >= params.cohort_min_joint
                && product.abs() / norm >= params.cohort_corr
            {
                links.push([i, j]);
            }
        }
    }
    links
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn links_are_those_of_the_definition(
        senders in proptest::collection::vec(
            (0.3..1.0_f64, 0.2..0.5_f64, prop_oneof![Just(0), 0..1_200_usize], prop_oneof![Just(-9.0), -2.0..0.3_f64], any::<bool>()),
            2..12,
        ),
        seed in any::<u64>(),
        skip in 1..4_usize,
    ) {
        let senders: Vec<Sender> = senders
            .into_iter()
            .map(|(common, level, from, absent, sign)| {
                Sender { common, level, from, absent, sign: if sign { 1.0 } else { -1.0 } }
            })
            .collect();
        let history = history(&senders, seed);
        // As if some rows had no price.
        let rows: Vec<usize> = (0..ROWS).filter(|row| row % (skip + 1) != 1 || *row > 700).collect();
        let params = params();
        prop_assert_eq!(found(&history, &rows, &params), defined(&history, &rows, &params));
    }
}

#[test]
fn signs_do_not_matter_and_levels_do() {
    let sender = |common, level, sign| Sender { common, level, from: 0, absent: -9.0, sign };
    let rows: Vec<usize> = (0..ROWS).collect();
    // The second says the opposite of the first, the third the same at another level, the last something else.
    let senders =
        [sender(0.9, 0.3, 1.0), sender(0.9, 0.3, -1.0), sender(0.9, 0.5, 1.0), sender(0.3, 0.3, 1.0)];
    let history = history(&senders, 3);
    assert_eq!(found(&history, &rows, &params()), [[0, 1]]);
    let wide = Params { cohort_mean: 0.3, ..params() };
    assert_eq!(found(&history, &rows, &wide), [[0, 1], [0, 2], [1, 2]]);
    let labels = Labels { priced: rows, rows: Vec::new() };
    let of = |params: &Params| Cohorts::find(&history, &labels, params, &Silent).unwrap();
    assert_eq!((of(&params()).columns(), of(&wide).columns(), of(&Params::default()).columns()), (3, 2, 4));
    let longer = Params { cohort_min_rows: ROWS + 1, ..params() };
    assert_eq!(of(&longer).columns(), 4);
}

/// Of a constant miner only the rounding of its mean is left; nothing is where the sum is exact.
#[test]
fn constants_are_a_cohort_by_rounding() {
    let rows: Vec<usize> = (0..20_000).collect();
    let mut history = MemoryHistory::new(rows.len(), DIM);
    for (hotkey, x) in [("a", 0.3), ("b", 0.3), ("c", 0.25), ("d", 0.25)] {
        history.push(hotkey, &vec![x; rows.len() * DIM]);
    }
    assert_eq!(found(&history, &rows, &params()), [[0, 1]]);
}
