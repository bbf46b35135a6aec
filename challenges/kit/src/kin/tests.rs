use super::*;
use mantis_plugin_api::test_kit::{MemoryHistory, Noise, fact, why_zero};
use mantis_plugin_api::{History, Salience};
use proptest::prelude::*;

const ROWS: usize = 1_500;
const DIM: usize = 2;

fn on() -> KinParams {
    KinParams { clones: "on".into(), ..KinParams::default() }
}

fn noise(seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    (0..ROWS * DIM).map(|_| (0.3 * noise.normal()) as f32).collect()
}

/// A mixture of two miners' numbers.
fn mix(a: &[f32], b: &[f32], share: f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| (1.0 - share) * a + share * b).collect()
}

fn changed(numbers: &[f32], rows: std::ops::Range<usize>, change: impl Fn(f32) -> f32) -> Vec<f32> {
    let mut numbers = numbers.to_vec();
    numbers[rows.start * DIM..rows.end * DIM].iter_mut().for_each(|x| *x = change(*x));
    numbers
}

fn history(miners: &[Vec<f32>]) -> MemoryHistory {
    let mut history = MemoryHistory::new(ROWS, DIM);
    for (miner, numbers) in miners.iter().enumerate() {
        history.push(&format!("hotkey{miner:03}"), numbers);
    }
    history
}

fn all_rows() -> Vec<usize> {
    (0..ROWS).collect()
}

fn found(params: &KinParams, miners: &[Vec<f32>]) -> Kin {
    find(params, &history(miners), &all_rows()).unwrap()
}

fn group(representative: usize, members: &[usize]) -> CloneGroup {
    CloneGroup { representative, members: members.to_vec() }
}

#[test]
fn what_differs_by_rounding_is_a_clone_and_chains_count() {
    let original = noise(1);
    let near = |by: f32| changed(&original, 0..ROWS, |x| x + by);
    let chain = [original.clone(), noise(2), near(9e-4), near(1.8e-3)];
    let of_chain = found(&on(), &chain).clones;
    assert_eq!(of_chain, [group(0, &[0, 2, 3])]);
    assert!(found(&on(), &[original.clone(), near(2e-3)]).clones.is_empty());
    assert!(found(&on(), &[original.clone(), changed(&original, 0..ROWS, |x| -x)]).clones.is_empty());
}

#[test]
fn a_hundredth_of_the_rows_may_differ() {
    let original = noise(1);
    let with = |rows: usize| {
        let other = changed(&original, 0..rows, |x| x + 0.1);
        !found(&on(), &[original.clone(), other]).clones.is_empty()
    };
    // 1485 of 1500 must be the same.
    assert_eq!([with(0), with(15), with(16)], [true, true, false]);
}

#[test]
fn clones_are_there_together_often_enough_and_have_the_same_means() {
    let original = noise(1);
    let only = |rows: std::ops::Range<usize>| {
        let early = changed(&original, 0..rows.start, |_| 0.0);
        changed(&early, rows.end..ROWS, |_| 0.0)
    };
    let are_clones = |a: Vec<f32>, b: Vec<f32>| !found(&on(), &[a, b]).clones.is_empty();
    assert!(are_clones(only(0..700), only(500..ROWS)));
    assert!(!are_clones(only(0..700), only(501..ROWS)), "199 rows in common");
    assert!(are_clones(original.clone(), only(0..200)) && !are_clones(original.clone(), only(0..199)));
    let drifted = changed(&only(300..ROWS), 300..310, |x| x + 6.5);
    assert!(!are_clones(original.clone(), drifted), "the mean is 0.054 off");
}

#[test]
fn cohorts_correlate_with_each_other_of_either_sign() {
    let (a, b) = (noise(1), noise(2));
    let opposite = changed(&mix(&a, &noise(3), 0.2), 0..ROWS, |x| 0.2 - x);
    // The first is within reach of all others, the third and the fourth are not of each other.
    let kin = found(
        &on(),
        &[mix(&a, &b, 0.2), b.clone(), a.clone(), mix(&a, &b, 0.32), opposite, vec![0.3; ROWS * DIM]],
    );
    assert!(kin.clones.is_empty());
    assert_eq!(kin.cohorts, [vec![0, 3], vec![2, 4]]);
}

#[test]
fn clones_are_in_no_cohort() {
    let a = noise(1);
    let kin_of = |share: f32, seed: u64| mix(&a, &noise(seed), share);
    let kin = found(&on(), &[a.clone(), a.clone(), kin_of(0.1, 2), kin_of(0.1, 3)]);
    assert_eq!((kin.clones, kin.cohorts), (vec![group(0, &[0, 1])], vec![vec![2, 3]]));
    let kin = found(&on(), &[a.clone(), a.clone(), kin_of(0.1, 2)]);
    assert!(kin.cohorts.is_empty(), "one is left");
}

#[test]
fn the_newest_of_the_given_rows_are_compared() {
    let (a, b) = (noise(1), noise(2));
    let copier: Vec<f32> = [&b[..1_000 * DIM], &a[1_000 * DIM..]].concat();
    let miners = [a, copier];
    assert!(found(&on(), &miners).clones.is_empty());
    assert_eq!(found(&KinParams { clone_scan_rows: 500, ..on() }, &miners).clones.len(), 1);
    let (history, every_third) =
        (history(&miners), (1_000..ROWS).filter(|row| row % 3 != 0).collect::<Vec<_>>());
    assert_eq!(find(&on(), &history, &every_third).unwrap().clones.len(), 1);
    assert_eq!(find(&on(), &history, &[]).unwrap(), Kin::default());
    assert_eq!(find(&on(), &history, &(0..199).collect::<Vec<_>>()).unwrap(), Kin::default());
}

#[test]
fn the_first_can_stand_for_a_group() {
    let a = noise(1);
    let late = |row| changed(&a, 0..row, |_| 0.0);
    let miners = [late(300), late(20), noise(2), late(20)];
    assert_eq!(found(&on(), &miners).clones[0].representative, 0);
    let first = KinParams { clone_representative: "first".into(), ..on() };
    assert_eq!(found(&first, &miners).clones[0].representative, 1);
}

fn pooled(params: &KinParams, miners: &[Vec<f32>], saliences: &[f64]) -> Salience {
    let mut salience = Salience::new(miners.len());
    saliences.iter().enumerate().for_each(|(miner, &value)| salience.set(miner, value));
    pool(params, &history(miners), &all_rows(), &mut salience).unwrap();
    salience
}

#[test]
fn the_pay_of_clones_goes_to_one_and_that_of_cohorts_to_all() {
    let (a, b) = (noise(1), noise(2));
    let miners = [a.clone(), b.clone(), a, mix(&b, &noise(3), 0.1), noise(4)];
    let salience = pooled(&on(), &miners, &[0.0, 0.0, 0.2, 0.4, 0.2]);
    let paid: Vec<f64> = salience.miners.iter().map(|miner| miner.salience).collect();
    let expected = [0.25, 0.25, 0.0, 0.25, 0.25];
    assert!(paid.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{paid:?}");
    assert_eq!([0, 1, 2].map(|miner| why_zero(&salience, miner)), [None, None, Some("clone")]);
    let text = &salience.miners[2].why_zero.as_ref().unwrap().text;
    assert_eq!(text, "sends the same as hotkey000, which is paid for all 2 hotkeys that do");
    assert_eq!([0, 2].map(|miner| fact(&salience, miner, "clone_with_miner")), [Some(2.0), Some(0.0)]);
    assert_eq!((fact(&salience, 2, "clone_group"), fact(&salience, 1, "cohort")), (Some(2.0), Some(2.0)));
    assert_eq!([1, 3].map(|miner| fact(&salience, miner, "cohort_with_miner")), [Some(3.0), Some(1.0)]);
    assert!(salience.miners[4].facts.is_empty());
}

#[test]
fn nothing_changes_where_it_is_off_or_nobody_earns() {
    let miners = [noise(1), noise(1)];
    let off = pooled(&KinParams::default(), &miners, &[0.3, 0.1]);
    assert_eq!((off.miners[1].salience, off.miners[1].facts.len()), (0.1, 0));
    assert!(pooled(&on(), &miners, &[0.0, 0.0]).miners[0].facts.is_empty());
}

/// Whether two miners are clones, and their correlation, straight from the definition.
fn compared(params: &KinParams, history: &MemoryHistory, a: usize, b: usize) -> (bool, f64) {
    let [x, y] = [a, b].map(|miner| {
        let numbers = history.miner(miner).unwrap();
        numbers.chunks(DIM).map(|row| row.iter().map(|x| x.to_f64()).collect()).collect::<Vec<Vec<f64>>>()
    });
    let there = |row: &Vec<f64>| row.iter().any(|&x| x != 0.0);
    let count = |x: &[Vec<f64>]| x.iter().filter(|row| there(row)).count();
    let mean = |x: &[Vec<f64>], d: usize| x.iter().map(|row| row[d]).sum::<f64>() / count(x) as f64;
    let common = || x.iter().zip(&y).filter(|(x, y)| there(x) && there(y));
    let same =
        |(x, y): &(&Vec<f64>, &Vec<f64>)| x.iter().zip(*y).all(|(x, y)| (x - y).abs() < f64::from(1e-3_f32));
    let joint = common().count();
    let are_clones = count(&x).min(count(&y)) >= params.clone_min_rows
        && joint >= params.clone_min_joint
        && (0..DIM).all(|d| (mean(&x, d) - mean(&y, d)).abs() <= params.clone_mean)
        && common().filter(same).count() as f64 >= (params.clone_match * joint as f64).ceil();
    let centred = |x: &[Vec<f64>]| {
        let mean = x.iter().flatten().sum::<f64>() / (ROWS * DIM) as f64;
        x.iter().flatten().map(|x| x - mean).collect::<Vec<f64>>()
    };
    let (x, y) = (centred(&x), centred(&y));
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    (are_clones, dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Blocks and stopping early change no answer.
    #[test]
    fn pairs_are_what_the_definition_says(
        seed in 0..1_000_u64,
        share in 0.0..0.6_f32,
        shift in prop::sample::select(vec![0.0_f32, 5e-4, 9.9e-4, 1e-3, 0.045, 0.055]),
        different in 0..40_usize,
        gaps in prop::collection::vec((0..ROWS, 1..400_usize, any::<bool>()), 0..6),
    ) {
        let mut miners = [noise(seed), mix(&noise(seed), &noise(seed + 1), if seed % 2 == 0 { share } else { 0.0 })];
        miners[1] = changed(&miners[1], 0..ROWS, |x| x + shift);
        miners[1] = changed(&miners[1], 700..700 + different, |x| x - 0.01);
        for (from, rows, first) in gaps {
            let numbers = &mut miners[usize::from(first)];
            *numbers = changed(numbers, from..(from + rows).min(ROWS), |_| 0.0);
        }
        let history = history(&miners);
        let (are_clones, correlation) = compared(&on(), &history, 0, 1);
        prop_assume!((correlation.abs() - 0.92).abs() > 1e-9);
        let kin = find(&on(), &history, &all_rows()).unwrap();
        prop_assert_eq!(!kin.clones.is_empty(), are_clones);
        if !are_clones {
            prop_assert_eq!(!kin.cohorts.is_empty(), correlation.abs() > 0.92);
        }
    }

    #[test]
    fn every_input_gives_groups_without_overlap(
        seed in any::<u64>(),
        broken in prop::collection::vec((0..4_usize, 0..ROWS * DIM, 0..5_usize), 0..200),
    ) {
        let mut miners = [noise(1), noise(1), noise(seed), vec![0.25; ROWS * DIM]];
        for (miner, at, which) in broken {
            miners[miner][at] = [f32::NAN, f32::INFINITY, -6e4, 1e-7, 0.0][which];
        }
        let kin = found(&KinParams { cohort_corr: 0.0, clone_match: 0.5, ..on() }, &miners);
        let mut seen: Vec<usize> = kin.clones.iter().flat_map(|group| group.members.clone()).collect();
        seen.extend(kin.cohorts.iter().flatten());
        seen.sort_unstable();
        prop_assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", seen);
        prop_assert!(kin.clones.iter().all(|group| group.members.contains(&group.representative)));
    }
}
