//! What must hold of any fitted logistic regression.

#![allow(clippy::unwrap_used)] // Helpers of tests, which clippy does not know as such.

use linfa::prelude::*;
use mantis_kit::logistic::{Design, FitError, Model, Penalty, Problem, Stop, fit};
use mantis_kit::math;
use mantis_kit::rng::NumpyRng;
use ndarray::{Array1, Array2};
use proptest::prelude::*;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Random rows; labels follow the first columns with noise, and both classes occur.
struct Data {
    columns: Vec<Vec<f64>>,
    y: Vec<bool>,
    weights: Vec<f64>,
}

impl Data {
    fn random(seed: u64, rows: usize, width: usize) -> Self {
        let mut rng = NumpyRng::new(seed);
        let mut uniform = || rng.integers(1 << 20) as f64 / f64::from(1 << 19) - 1.0;
        let columns: Vec<Vec<f64>> =
            (0..width).map(|_| (0..rows).map(|_| 2.0 * uniform()).collect()).collect();
        let signal = |i: usize| columns.iter().take(3).map(|column| column[i]).sum::<f64>();
        let mut y: Vec<bool> = (0..rows).map(|i| signal(i) + 3.0 * uniform() > 0.3).collect();
        (y[0], y[1]) = (true, false);
        let weights = (0..rows).map(|_| 1.5 + uniform()).collect();
        Self { columns, y, weights }
    }

    fn fit(&self, penalty: Penalty, c: f64) -> Model {
        self.fit_with(penalty, c, Some(&self.weights), true)
    }

    fn fit_with(&self, penalty: Penalty, c: f64, weights: Option<&[f64]>, balanced: bool) -> Model {
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        let x = Design::from_columns(&columns);
        fit(&Problem { x, y: &self.y, weights, balanced, c, penalty }, Stop::Exact, None).unwrap()
    }

    /// Objective and gradient of its smooth part as defined, row by row; balanced and weighted.
    fn objective(&self, model: &Model, penalty: Penalty, c: f64) -> (f64, Vec<f64>) {
        let (mut value, mut gradient) = (0.0, vec![0.0; self.columns.len() + 1]);
        let total: f64 = self.weights.iter().sum();
        let up: f64 = self.weights.iter().zip(&self.y).map(|(w, &y)| if y { *w } else { 0.0 }).sum();
        for i in 0..self.y.len() {
            let class = total / (2.0 * if self.y[i] { up } else { total - up });
            let a = c * self.weights[i] * class;
            let z =
                self.columns.iter().zip(&model.coef).map(|(x, w)| x[i] * w).sum::<f64>() + model.intercept;
            value += a * libm_softplus(if self.y[i] { -z } else { z });
            let residual = a * (math::sigmoid(z) - f64::from(self.y[i]));
            for (g, x) in gradient.iter_mut().zip(&self.columns) {
                *g += residual * x[i];
            }
            *gradient.last_mut().unwrap() += residual;
        }
        let (ridge, bias, l1) = parts(penalty);
        for (g, w) in gradient.iter_mut().zip(&model.coef) {
            *g += ridge * w;
            value += 0.5 * ridge * w * w + l1 * w.abs();
        }
        *gradient.last_mut().unwrap() += bias * model.intercept;
        (value + 0.5 * bias * model.intercept * model.intercept, gradient)
    }
}

fn libm_softplus(x: f64) -> f64 {
    x.max(0.0) + math::ln_1p(math::exp(-x.abs()))
}

fn parts(penalty: Penalty) -> (f64, f64, f64) {
    match penalty {
        Penalty::L2 => (1.0, 0.0, 0.0),
        Penalty::L2Bias => (1.0, 1.0, 0.0),
        Penalty::ElasticNet { l1_ratio } => (1.0 - l1_ratio, 0.0, l1_ratio),
    }
}

fn penalty() -> impl Strategy<Value = Penalty> {
    prop_oneof![
        Just(Penalty::L2),
        Just(Penalty::L2Bias),
        (0.05..0.95).prop_map(|l1_ratio| Penalty::ElasticNet { l1_ratio })
    ]
}

fn off(a: &Model, b: &Model) -> f64 {
    let pairs = a.coef.iter().zip(&b.coef).chain([(&a.intercept, &b.intercept)]);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_optimality_conditions_hold(
        seed: u64, rows in 5..300_usize, width in 0..12_usize, penalty in penalty(),
        c in prop::sample::select(vec![0.01, 0.5, 20.0]), clone: bool,
    ) {
        let mut data = Data::random(seed, rows, width);
        if let (true, Some(first)) = (clone, data.columns.first().cloned()) {
            data.columns.push(first);
        }
        let model = data.fit(penalty, c);
        let (value, gradient) = data.objective(&model, penalty, c);
        let l1 = parts(penalty).2;
        let scale = 1e-10 * (1.0 + c * rows as f64);
        let width = data.columns.len();
        for (g, w) in gradient[..width].iter().zip(&model.coef) {
            let excess = if *w == 0.0 { (g.abs() - l1).max(0.0) } else { (g + l1 * w.signum()).abs() };
            prop_assert!(excess < scale, "gradient {g}, coefficient {w}");
        }
        prop_assert!(gradient[width].abs() < scale);

        let mut rng = NumpyRng::new(seed ^ 1);
        for size in [1e-3, 0.1, 1.0] {
            let mut moved = model.clone();
            for w in moved.coef.iter_mut().chain([&mut moved.intercept]) {
                *w += size * (rng.integers(2001) as f64 / 1000.0 - 1.0);
            }
            prop_assert!(data.objective(&moved, penalty, c).0 >= value);
        }
    }

    #[test]
    fn whole_weights_are_repeated_rows_and_zero_is_absence(
        seed: u64, rows in 8..120_usize, penalty in penalty(), balanced: bool,
    ) {
        let mut data = Data::random(seed, rows, 3);
        let mut rng = NumpyRng::new(seed);
        let counts: Vec<u64> = (0..rows).map(|i| if i < 2 { 1 } else { rng.integers(4) }).collect();
        let chosen: Vec<usize> = (0..rows).flat_map(|i| (0..counts[i]).map(move |_| i)).collect();
        let repeated = Data {
            columns: data.columns.iter().map(|x| chosen.iter().map(|&i| x[i]).collect()).collect(),
            y: chosen.iter().map(|&i| data.y[i]).collect(),
            weights: vec![1.0; chosen.len()],
        };
        // The numbers in an absent row must not matter.
        for i in (0..rows).filter(|&i| counts[i] == 0) {
            data.columns[1][i] = f64::NAN;
        }
        let weights: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
        let weighted = data.fit_with(penalty, 0.7, Some(&weights), balanced);
        let plain = repeated.fit_with(penalty, 0.7, None, balanced);
        prop_assert!(off(&weighted, &plain) < 1e-9, "{weighted:?} {plain:?}");
    }

    #[test]
    fn clones_share_equally(seed: u64, rows in 10..200_usize, bias: bool) {
        let mut data = Data::random(seed, rows, 3);
        data.columns.push(data.columns[0].clone());
        let model = data.fit(if bias { Penalty::L2Bias } else { Penalty::L2 }, 2.0);
        prop_assert!((model.coef[0] - model.coef[3]).abs() < 1e-10);
    }

    #[test]
    fn a_heavy_l1_part_leaves_nothing(seed: u64, rows in 5..100_usize, width in 1..6_usize) {
        let model = Data::random(seed, rows, width).fit(Penalty::ElasticNet { l1_ratio: 0.5 }, 1e-6);
        prop_assert!(model.coef.iter().all(|&w| w == 0.0), "{model:?}");
        // Balanced classes without features: even odds.
        prop_assert!(model.intercept.abs() < 1e-9);
    }
}

#[test]
fn agrees_with_linfa() {
    let mut rng = NumpyRng::new(0);
    let mut draw = |from: u64, to: u64| from + rng.integers(to - from);
    let mut compared = 0;
    for seed in 0..CASES {
        let (rows, width) = (draw(30, 150) as usize, draw(1, 5) as usize);
        let c = draw(5, 500) as f64 / 100.0;
        let data = Data::random(seed, rows, width);
        let Some(theirs) = linfa(&data, c) else { continue };
        let ours = data.fit_with(Penalty::L2, c, None, false);
        assert!(off(&ours, &theirs) < 1e-6, "{seed}: {ours:?} {theirs:?}");
        compared += 1;
    }
    assert!(compared > CASES * 9 / 10, "linfa converged on {compared} of {CASES} only");
}

/// Problems that linfa fits too.
const CASES: u64 = 256;

/// The model of another implementation, if it converges. Its line search has no bound: so tight a tolerance makes
/// it give up sometimes, and search on for ever now and then, which its thread is left to do.
fn linfa(data: &Data, c: f64) -> Option<Model> {
    let x = Array2::from_shape_fn((data.y.len(), data.columns.len()), |(i, j)| data.columns[j][i]);
    let y: Array1<bool> = data.y.iter().copied().collect();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let fitted = linfa_logistic::LogisticRegression::default()
            .alpha(1.0 / c)
            .gradient_tolerance(1e-9)
            .max_iterations(1000)
            .fit(&Dataset::new(x, y));
        // It is not waited for any more if it took too long.
        let _ = sender.send(fitted.ok());
    });
    let fitted = receiver.recv_timeout(Duration::from_secs(10)).ok().flatten()?;
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let coef = fitted.params().iter().map(|w| sign * w).collect();
    Some(Model { coef, intercept: sign * fitted.intercept() })
}

#[test]
fn separable_and_wildly_scaled_data_are_fitted() {
    let x: Vec<f64> = (0..100).map(|i| f64::from(i) * 1000.0 - 49_500.0).collect();
    let tiny: Vec<f64> = x.iter().map(|x| x * 1e-9).collect();
    let data =
        Data { y: x.iter().map(|&x| x > 0.0).collect(), columns: vec![x, tiny], weights: vec![1.0; 100] };
    for penalty in [Penalty::L2, Penalty::L2Bias, Penalty::ElasticNet { l1_ratio: 0.5 }] {
        let model = data.fit(penalty, 1e4);
        let (_, gradient) = data.objective(&model, penalty, 1e4);
        assert!(model.coef[0] > 0.0 && model.intercept.is_finite(), "{model:?}");
        let l1 = parts(penalty).2;
        assert!((gradient[0] + l1).abs() < 1e-4, "{penalty:?}: {model:?} {gradient:?}");
    }
}

#[test]
fn bad_problems_are_named() {
    let x = [1.0, f64::NAN, 3.0];
    let columns: [&[f64]; 1] = [&x];
    let base = Problem {
        x: Design::from_columns(&columns),
        y: &[true, false, false],
        weights: None,
        balanced: false,
        c: 1.0,
        penalty: Penalty::L2,
    };
    let error = |problem: Problem<'_>| fit(&problem, Stop::Exact, None).unwrap_err();
    assert_eq!(error(base), FitError::NonFinite { column: 0 });
    assert_eq!(
        error(Problem { weights: Some(&[1.0, 0.0, 0.0]), ..base }),
        FitError::OneClass { positive: true }
    );
    assert_eq!(error(Problem { weights: Some(&[0.0; 3]), ..base }), FitError::Empty);
    let bad_weight = error(Problem { weights: Some(&[1.0, -1.0, 1.0]), ..base });
    assert_eq!(bad_weight, FitError::BadWeight { row: 1, weight: -1.0 });
    assert!(matches!(error(Problem { y: &[true], ..base }), FitError::Shape { found: 3, expected: 1, .. }));
    let fine = Problem { weights: Some(&[1.0, 0.0, 1.0]), ..base };
    assert!(matches!(error(Problem { c: 0.0, ..fine }), FitError::BadParameter { name: "c", .. }));
    let penalty = Penalty::ElasticNet { l1_ratio: 1.5 };
    assert!(matches!(error(Problem { penalty, ..fine }), FitError::BadParameter { name: "l1_ratio", .. }));
}
