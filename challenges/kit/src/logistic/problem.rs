//! What is fitted, and the way to the solver.

use std::borrow::Cow;

use super::newton::{self, Penalised};
use super::{Design, FitError, Model, Rows, Stop, lbfgs, trust_region};
use crate::math;

/// The regulariser R(w, b).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Penalty {
    /// `1/2 |w|^2`, intercept free.
    L2,
    /// `1/2 (|w|^2 + b^2)`: the "liblinear" form.
    L2Bias,
    /// `(1 - r)/2 |w|^2 + r |w|_1`, intercept free.
    ElasticNet {
        /// r, in 0..=1.
        l1_ratio: f64,
    },
}

/// A weighted logistic regression.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Features; as many rows as labels.
    pub x: Design<'a>,
    /// Labels.
    pub y: &'a [bool],
    /// Sample weights, finite and not negative; `None` is 1 for all. A row of weight 0 is as good as absent, and
    /// its features are not looked at.
    pub weights: Option<&'a [f64]>,
    /// Whether both classes weigh half of the sum of the sample weights.
    pub balanced: bool,
    /// C, positive.
    pub c: f64,
    /// The regulariser.
    pub penalty: Penalty,
}

/// Fits the regression.
///
/// `start` is where [`Stop::Exact`] begins; it changes the time, not the result beyond rounding. A start of another
/// width or with values that are not finite is ignored, and so is any in network mode, which begins at 0.
///
/// If some weights are 0, the other rows are copied (8 bytes per feature and row); else nothing is.
///
/// # Errors
///
/// See [`FitError`]. Data that are merely hard (collinear, separable, of one value) are not an error.
pub fn fit(problem: &Problem<'_>, stop: Stop, start: Option<&Model>) -> Result<Model, FitError> {
    check_shape(problem)?;
    let weight_of = |row: usize| problem.weights.map_or(1.0, |weights| weights[row]);
    let mut kept = Vec::with_capacity(problem.y.len());
    for row in 0..problem.y.len() {
        let weight = weight_of(row);
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(FitError::BadWeight { row, weight });
        }
        if weight > 0.0 {
            kept.push(row);
        }
    }

    let all = kept.len() == problem.y.len();
    let mut columns = Vec::with_capacity(problem.x.width());
    for (index, &column) in problem.x.columns.iter().enumerate() {
        let column: Cow<'_, [f64]> =
            if all { Cow::Borrowed(column) } else { kept.iter().map(|&row| column[row]).collect() };
        if !column.iter().fold(true, |finite, value| finite & value.is_finite()) {
            return Err(FitError::NonFinite { column: index });
        }
        columns.push(column);
    }

    let class = |up: bool| -> Vec<f64> {
        kept.iter().map(|&row| if problem.y[row] == up { weight_of(row) } else { 0.0 }).collect()
    };
    let (mut positive, mut negative) = (class(true), class(false));
    let total = class_weights(
        problem.balanced,
        math::sum(&positive),
        math::sum(&negative),
        &mut positive,
        &mut negative,
    )?;
    solve(Rows::new(columns, positive, negative), total, problem.c, problem.penalty, stop, start)
}

/// Whether there are labels of both classes.
#[must_use]
pub fn has_both_classes(y: &[bool]) -> bool {
    y.contains(&true) && y.contains(&false)
}

/// Multiplies each class by its class weight; gives the sum of all weights after that. The sums are those of the
/// weights as given.
pub(crate) fn class_weights(
    balanced: bool,
    positive_sum: f64,
    negative_sum: f64,
    positive: &mut [f64],
    negative: &mut [f64],
) -> Result<f64, FitError> {
    let total = positive_sum + negative_sum;
    match (positive_sum > 0.0, negative_sum > 0.0) {
        (false, false) => return Err(FitError::Empty),
        (true, false) => return Err(FitError::OneClass { positive: true }),
        (false, true) => return Err(FitError::OneClass { positive: false }),
        (true, true) => {}
    }
    if balanced {
        for (weights, sum) in [(positive, positive_sum), (negative, negative_sum)] {
            let class_weight = total / (2.0 * sum);
            weights.iter_mut().for_each(|weight| *weight *= class_weight);
        }
    }
    Ok(total)
}

/// Solves for rows whose weights hold all but C; `total` is their sum.
pub(crate) fn solve(
    mut rows: Rows<'_>,
    total: f64,
    c: f64,
    penalty: Penalty,
    stop: Stop,
    start: Option<&Model>,
) -> Result<Model, FitError> {
    check_parameters(c, penalty)?;
    let width = rows.width();
    let parameters = match (penalty, stop) {
        (Penalty::L2, Stop::Network { tol, max_iter }) => {
            rows.scale_weights(1.0 / total);
            let ridge = penalties(width, 1.0 / (c * total), 0.0);
            lbfgs::minimise(
                |theta, gradient| rows.penalised(theta, &ridge, gradient),
                width + 1,
                tol,
                max_iter,
            )
        }
        (Penalty::L2Bias, Stop::Network { tol, max_iter }) => {
            rows.scale_weights(c);
            trust_region::minimise(&mut rows, tol, max_iter)
        }
        (_, Stop::Exact) | (Penalty::ElasticNet { .. }, Stop::Network { .. }) => {
            rows.scale_weights(c);
            optimum(rows, penalty, start)
        }
    };
    Ok(Model::from_parameters(parameters))
}

/// Solves to the optimum for weights that hold C.
fn optimum(rows: Rows<'_>, penalty: Penalty, start: Option<&Model>) -> Vec<f64> {
    let width = rows.width();
    let (ridge, bias, l1) = match penalty {
        Penalty::L2 => (1.0, 0.0, 0.0),
        Penalty::L2Bias => (1.0, 1.0, 0.0),
        Penalty::ElasticNet { l1_ratio } => (1.0 - l1_ratio, 0.0, l1_ratio),
    };
    let usable = |model: &&Model| {
        model.coef.len() == width && model.intercept.is_finite() && model.coef.iter().all(|w| w.is_finite())
    };
    let start = match start.filter(usable) {
        Some(model) => model.coef.iter().copied().chain([model.intercept]).collect(),
        None => vec![0.0; width + 1],
    };
    let mut problem = Penalised { rows, ridge: penalties(width, ridge, bias), l1: penalties(width, l1, 0.0) };
    newton::minimise(&mut problem, start)
}

fn penalties(width: usize, feature: f64, bias: f64) -> Vec<f64> {
    let mut penalties = vec![feature; width];
    penalties.push(bias);
    penalties
}

fn check_shape(problem: &Problem<'_>) -> Result<(), FitError> {
    let expected = problem.y.len();
    let weights = problem.weights.iter().map(|weights| ("weights".to_owned(), weights.len()));
    let columns =
        problem.x.columns.iter().enumerate().map(|(i, column)| (format!("column {i}"), column.len()));
    match columns.chain(weights).find(|(_, found)| *found != expected) {
        Some((what, found)) => Err(FitError::Shape { what, found, expected }),
        None => Ok(()),
    }
}

fn check_parameters(c: f64, penalty: Penalty) -> Result<(), FitError> {
    if !(c > 0.0 && c.is_finite()) {
        return Err(FitError::BadParameter { name: "c", value: c, allowed: "positive and finite" });
    }
    match penalty {
        Penalty::ElasticNet { l1_ratio } if !(0.0..=1.0).contains(&l1_ratio) => {
            Err(FitError::BadParameter { name: "l1_ratio", value: l1_ratio, allowed: "in 0..=1" })
        }
        _ => Ok(()),
    }
}
