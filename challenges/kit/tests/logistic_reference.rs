//! Logistic regression and AUC against the reference problems.

#![allow(clippy::unwrap_used)] // Helpers of tests, which clippy does not know as such.

use mantis_kit::auc::auc;
use mantis_kit::logistic::{Design, Model, Penalty, Problem, Stop, fit};
use serde::Deserialize;

#[derive(Deserialize)]
#[allow(non_snake_case)]
struct Case {
    name: String,
    regulariser: String,
    C: f64,
    l1_ratio: f64,
    balanced: bool,
    tol: f64,
    max_iter: usize,
    X: Vec<Vec<f64>>,
    y: Vec<u8>,
    sample_weight: Option<Vec<f64>>,
    exact: Vec<f64>,
    network: Vec<f64>,
    auc: f64,
}

impl Case {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("fixtures/logistic.json")).unwrap()
    }

    fn labels(&self) -> Vec<bool> {
        self.y.iter().map(|&y| y == 1).collect()
    }

    fn column(&self, j: usize) -> Vec<f64> {
        self.X.iter().map(|row| row[j]).collect()
    }

    fn penalty(&self) -> Penalty {
        match self.regulariser.as_str() {
            "L2" => Penalty::L2,
            "L2-bias" => Penalty::L2Bias,
            "elastic-net" => Penalty::ElasticNet { l1_ratio: self.l1_ratio },
            other => panic!("unknown regulariser {other}"),
        }
    }

    fn fit(&self, stop: Stop, start: Option<&Model>) -> Model {
        let columns: Vec<Vec<f64>> = (0..self.X[0].len()).map(|j| self.column(j)).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let problem = Problem {
            x: Design::from_columns(&columns),
            y: &self.labels(),
            weights: self.sample_weight.as_deref(),
            balanced: self.balanced,
            c: self.C,
            penalty: self.penalty(),
        };
        fit(&problem, stop, start).unwrap()
    }
}

fn distance(model: &Model, expected: &[f64]) -> f64 {
    let ours = model.coef.iter().chain([&model.intercept]);
    assert_eq!(ours.clone().count(), expected.len());
    ours.zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn exact_is_the_optimum() {
    for case in Case::all() {
        let model = case.fit(Stop::Exact, None);
        let off = distance(&model, &case.exact);
        println!("{}: {off:e}", case.name);
        // The L2-bias reference is itself solved to a gradient of 1e-7 only; see the gradients in the properties.
        let bar = if case.regulariser == "L2-bias" { 5e-8 } else { 1e-8 };
        assert!(off < bar, "{}: off by {off:e}", case.name);

        let far = Model { coef: vec![3.0; model.coef.len()], intercept: -2.0 };
        let off = distance(&case.fit(Stop::Exact, Some(&far)), &case.exact);
        assert!(off < bar, "{} from a far start: off by {off:e}", case.name);
    }
}

#[test]
fn network_stops_where_the_network_does() {
    for case in Case::all() {
        let model = case.fit(Stop::Network { tol: case.tol, max_iter: case.max_iter }, None);
        let bar = match case.penalty() {
            Penalty::L2 => 1e-9,
            Penalty::L2Bias => 1e-12,
            Penalty::ElasticNet { .. } => {
                assert_eq!(model, case.fit(Stop::Exact, None), "{}", case.name);
                continue;
            }
        };
        let off = distance(&model, &case.network);
        println!("{}: {off:e}", case.name);
        assert!(off < bar, "{}: off by {off:e}", case.name);
    }
}

#[test]
fn auc_of_a_column_with_ties() {
    for case in Case::all() {
        let rounded: Vec<f64> = case.column(0).iter().map(|x| (x * 10.0).round_ties_even() / 10.0).collect();
        let ours = auc(&rounded, &case.labels()).unwrap();
        assert!((ours - case.auc).abs() < 1e-14, "{}: {ours} but {}", case.name, case.auc);
    }
}
