//! Against fits of one replicate at a time.

use super::*;
use crate::bootstrap::{block_draws, multiplicities};
use crate::math;
use crate::rng::NumpyRng;
use proptest::prelude::*;

/// Features that move slowly, as miners' do, and labels that depend on the first.
struct Data {
    columns: Vec<Vec<f64>>,
    y: Vec<bool>,
    weights: Vec<f64>,
}

fn data(rows: usize, width: usize, rare: f64, signal: f64, seed: u64) -> Data {
    let mut rng = NumpyRng::new(seed);
    let mut uniform = || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut columns = Vec::new();
    for _ in 0..width {
        let mut slow = 0.0;
        let column = (0..rows).map(|row| {
            if row % 30 == 0 {
                slow = uniform() - 0.5;
            }
            f64::from((slow + 0.7 * uniform()) as f32)
        });
        columns.push(column.collect::<Vec<f64>>());
    }
    let y = (0..rows)
        .map(|row| uniform() + signal * columns.first().map_or(0.0, |column| column[row]) < rare)
        .collect();
    let weights = (0..rows).map(|row| if row < rows / 2 { 0.5 } else { 1.5 }).collect();
    Data { columns, y, weights }
}

/// Largest relative distance to [`logistic::fit`], and the number of replicates compared.
fn worst(
    data: &Data,
    block: usize,
    starts: &[Vec<usize>],
    balanced: bool,
    c: f64,
    penalty: Penalty,
) -> (f64, usize) {
    let columns: Vec<&[f64]> = data.columns.iter().map(Vec::as_slice).collect();
    let problem = Replicates {
        x: Columns::F64(&columns),
        y: &data.y,
        weights: Some(&data.weights),
        balanced,
        c,
        penalty,
        block,
        starts,
    };
    let ours = fit(&problem).unwrap();
    let halves: Vec<Vec<f32>> =
        data.columns.iter().map(|column| column.iter().map(|&x| x as f32).collect()).collect();
    let halves: Vec<&[f32]> = halves.iter().map(Vec::as_slice).collect();
    assert_eq!(fit(&Replicates { x: Columns::F32(&halves), ..problem }).unwrap(), ours);
    let (mut worst, mut compared) = (0.0, 0);
    for (ours, starts) in ours.iter().zip(starts) {
        let counts = multiplicities(data.y.len(), block, starts);
        let weights: Vec<f64> =
            data.weights.iter().zip(counts).map(|(weight, count)| weight * f64::from(count)).collect();
        let alone = Problem {
            x: Design::from_columns(&columns),
            y: &data.y,
            weights: Some(&weights),
            balanced,
            c,
            penalty,
        };
        let Ok(alone) = logistic::fit(&alone, Stop::Exact, None) else {
            assert_eq!(ours, &None);
            continue;
        };
        let ours = ours.as_ref().unwrap();
        let distance: f64 = ours
            .coef
            .iter()
            .zip(&alone.coef)
            .map(|(a, b)| (a - b) * (a - b))
            .chain([(ours.intercept - alone.intercept) * (ours.intercept - alone.intercept)])
            .sum();
        let norm = math::dot(&alone.coef, &alone.coef) + alone.intercept * alone.intercept;
        worst = f64::max(worst, (distance / norm.max(1e-6)).sqrt());
        compared += 1;
    }
    (worst, compared)
}

fn draws(rows: usize, block: usize) -> Vec<Vec<usize>> {
    (0..20).filter_map(|b| block_draws(rows, block, 42, b)).collect()
}

#[test]
fn equals_single_fits_on_plain_data() {
    for (rows, width, rare) in [(3_000, 9, 0.3), (4_000, 24, 0.05), (1_999, 0, 0.4), (2_500, 1, 0.5)] {
        let data = data(rows, width, rare, 0.3, 7);
        for penalty in [Penalty::L2, Penalty::L2Bias] {
            let (worst, compared) = worst(&data, 120, &draws(rows, 120), true, 0.3, penalty);
            println!("{rows} x {width}: {worst:.1e}");
            assert_eq!(compared, 20);
            assert!(worst < 1e-7, "{rows} x {width} {penalty:?}: {worst}");
        }
    }
}

#[test]
fn rows_told_apart_with_ease_are_looked_at_last() {
    let mut data = data(9_000, 5, 0.4, 0.0, 5);
    data.columns.iter_mut().flatten().for_each(|x| *x *= 64.0);
    // Many rows far from the border between the labels, and labels that are wrong near it.
    let sum = |row: usize| data.columns.iter().map(|column| column[row]).sum::<f64>();
    data.y = (0..9_000).map(|row| sum(row) + 0.5 * (row % 7) as f64 > 113.0).collect();
    let starts = draws(9_000, 120);
    let columns: Vec<&[f64]> = data.columns.iter().map(Vec::as_slice).collect();
    let problem = Replicates {
        x: Columns::F64(&columns),
        y: &data.y,
        weights: Some(&data.weights),
        balanced: true,
        c: 0.5,
        penalty: Penalty::L2,
        block: 120,
        starts: &starts,
    };
    let start = start::common(&problem, start::COARSE, None).unwrap();
    let mut states: Vec<State> =
        (0..20).map(|b| State::new(&problem, b, class_sums(&problem, b), &start)).collect();
    assert!(start::narrow(&problem, &start, &mut states, &ridge(&problem)).unwrap());
    for penalty in [Penalty::L2, Penalty::L2Bias] {
        let (worst, compared) = worst(&data, 120, &starts, true, 0.5, penalty);
        println!("{worst:.1e}");
        assert!(compared == 20 && worst < 1e-6, "{worst}");
    }
}

#[test]
fn stops_where_each_would_stop_alone() {
    for (rows, width, rare, signal) in [(2_000, 7, 0.4, 0.3), (1_300, 0, 0.2, 0.0), (900, 12, 0.5, 5.0)] {
        let data = data(rows, width, rare, signal, 11);
        let columns: Vec<&[f64]> = data.columns.iter().map(Vec::as_slice).collect();
        let starts = draws(rows, 120);
        let problem = Replicates {
            x: Columns::F64(&columns),
            y: &data.y,
            weights: Some(&data.weights),
            balanced: true,
            c: 0.5,
            penalty: Penalty::L2,
            block: 120,
            starts: &starts,
        };
        for (tol, max_iter) in [(1e-4, 100), (1e-9, 100), (1e-9, 3)] {
            for penalty in [Penalty::L2, Penalty::L2Bias] {
                let ours = fit_network(&Replicates { penalty, ..problem }, tol, max_iter).unwrap();
                for (ours, starts) in ours.iter().zip(&starts) {
                    let alone =
                        repeated(&data, starts, 120, penalty, Stop::Network { tol, max_iter, seed: 0 });
                    let ours = ours.as_ref().unwrap();
                    let off =
                        ours.coef.iter().zip(&alone.coef).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    assert!(off < 1e-8 && (ours.intercept - alone.intercept).abs() < 1e-8, "{off}");
                }
            }
        }
        let penalty = Penalty::ElasticNet { l1_ratio: 0.5 };
        assert!(fit_network(&Replicates { penalty, ..problem }, 1e-4, 9).is_err());
    }
}

/// The fit of one replicate, whose rows are written out as often as they were drawn.
fn repeated(data: &Data, starts: &[usize], block: usize, penalty: Penalty, stop: Stop) -> Model {
    let rows: Vec<usize> = starts.iter().flat_map(|&start| start..start + block).collect();
    let pick = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row]).collect() };
    let columns: Vec<Vec<f64>> = data.columns.iter().map(|column| pick(column)).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let y: Vec<bool> = rows.iter().map(|&row| data.y[row]).collect();
    let problem = Problem {
        x: Design::from_columns(&columns),
        y: &y,
        weights: Some(&pick(&data.weights)),
        balanced: true,
        c: 0.5,
        penalty,
    };
    logistic::fit(&problem, stop, None).unwrap()
}

#[test]
fn elastic_nets_take_the_steps_that_each_would_take_alone() {
    let penalty = Penalty::ElasticNet { l1_ratio: 0.5 };
    for (rows, width, replicates) in [(700, 6, 13), (500, 1, 2)] {
        let data = data(rows, width, 0.4, 2.0, 5);
        let columns: Vec<&[f64]> = data.columns.iter().map(Vec::as_slice).collect();
        let mut starts: Vec<Vec<usize>> =
            (0..replicates).map(|b| block_draws(rows, 120, 42, b).unwrap()).collect();
        // One without rows, which has no model but a seed.
        starts[1].clear();
        let problem = Replicates {
            x: Columns::F64(&columns),
            y: &data.y,
            weights: Some(&data.weights),
            balanced: true,
            c: 0.5,
            penalty,
            block: 120,
            starts: &starts,
        };
        for (tol, max_iter) in [(1e-3, 200), (0.0, 5)] {
            let ours = fit_saga(&problem, tol, max_iter, 42).unwrap();
            for (b, (ours, starts)) in ours.iter().zip(&starts).enumerate() {
                let stop = Stop::Network { tol, max_iter, seed: 42 + b as u32 };
                let alone = (!starts.is_empty()).then(|| repeated(&data, starts, 120, penalty, stop));
                assert_eq!(ours, &alone, "{b}");
            }
        }
        assert!(fit_saga(&Replicates { penalty: Penalty::L2, ..problem }, 1e-4, 9, 0).is_err());
    }
}

#[test]
fn features_beyond_single_precision_are_solved_in_double() {
    let mut data = data(400, 2, 0.5, 0.0, 5);
    data.columns[0][7] = 1e39;
    let columns: Vec<&[f64]> = data.columns.iter().map(Vec::as_slice).collect();
    let starts = [vec![0, 120]];
    let problem = Replicates {
        x: Columns::F64(&columns),
        y: &data.y,
        weights: None,
        balanced: true,
        c: 1.0,
        penalty: Penalty::ElasticNet { l1_ratio: 0.5 },
        block: 120,
        starts: &starts,
    };
    let model = fit_saga(&problem, 1e-4, 9, 42).unwrap().pop().flatten().unwrap();
    assert!(model.intercept.is_finite() && model.coef.iter().all(|w| w.is_finite()), "{model:?}");
}

#[test]
fn hard_data_fall_back_and_still_agree() {
    // Clones, a constant, a separable label, and fewer rows than parameters.
    let mut clones = data(900, 6, 0.4, 2.0, 3);
    clones.columns[3] = clones.columns[0].clone();
    clones.columns[4] = vec![0.25; 900];
    clones.y = clones.columns[0].iter().map(|&x| x > 0.4).collect();
    let few = data(260, 300, 0.3, 1.0, 4);
    for data in [clones, few] {
        for (c, penalty) in [(0.1, Penalty::L2Bias), (100.0, Penalty::L2)] {
            let (worst, compared) = worst(&data, 120, &draws(data.y.len(), 120), true, c, penalty);
            println!("{worst:.1e}");
            assert!(compared > 0 && worst < 1e-6, "{worst}");
        }
    }
}

#[test]
fn one_class_gives_none() {
    let mut data = data(600, 2, 0.5, 0.0, 1);
    data.y = (0..600).map(|row| row >= 300).collect();
    let starts = vec![vec![0, 0, 100], vec![0, 400], vec![480, 480], vec![]];
    let columns: Vec<&[f64]> = data.columns.iter().map(Vec::as_slice).collect();
    let problem = Replicates {
        x: Columns::F64(&columns),
        y: &data.y,
        weights: None,
        balanced: true,
        c: 1.0,
        penalty: Penalty::L2,
        block: 120,
        starts: &starts,
    };
    let found: Vec<bool> = fit(&problem).unwrap().iter().map(Option::is_some).collect();
    assert_eq!(found, [false, true, false, false]);
    let short = [&data.columns[0][..599]];
    assert!(fit(&Replicates { x: Columns::F64(&short), ..problem }).is_err());
    assert!(fit(&Replicates { c: f64::NAN, ..problem }).is_err());
    assert!(fit(&Replicates { block: 0, ..problem }).is_err());
    let unsorted = [vec![5, 3]];
    assert!(fit(&Replicates { starts: &unsorted, ..problem }).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn equals_single_fits(
        rows in 20..700_usize, width in 0..12_usize, rare in 0.02..0.6_f64, signal in -2.0..2.0_f64,
        seed in 0..1000_u64, balanced: bool, bias: bool, block in 1..130_usize, c in 0.01..30.0_f64,
    ) {
        let data = data(rows, width, rare, signal, seed);
        let penalty = if bias { Penalty::L2Bias } else { Penalty::L2 };
        let (worst, _) = worst(&data, block, &draws(rows, block), balanced, c, penalty);
        prop_assert!(worst < 1e-6, "{}", worst);
    }
}
