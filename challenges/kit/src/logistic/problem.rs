//! What is fitted, and the way to the solver.

use std::borrow::Cow;

use super::newton::{self, Penalised};
use super::{Design, FitError, Model, Rows, Saga, Sample, Stop, Table, lbfgs, trust_region};
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
    let kept = kept(problem.weights)?;
    let mut columns = Vec::with_capacity(problem.x.width());
    for (index, &column) in problem.x.columns.iter().enumerate() {
        let column = pick(column, kept.as_deref());
        if !column.iter().fold(true, |finite, value| finite & value.is_finite()) {
            return Err(FitError::NonFinite { column: index });
        }
        columns.push(column);
    }
    let y = pick(problem.y, kept.as_deref());
    let weights = match problem.weights {
        Some(weights) => pick(weights, kept.as_deref()),
        None => Cow::Owned(vec![1.0; y.len()]),
    };

    if let (Penalty::ElasticNet { l1_ratio }, Stop::Network { tol, max_iter, seed }) = (problem.penalty, stop)
    {
        check_parameters(problem.c, problem.penalty)?;
        check_classes(y.contains(&true), y.contains(&false))?;
        let columns = columns.iter().map(|column| column.iter().map(|&x| x as f32));
        let table = Table::new(columns, &y, Some(&weights));
        let sample = Sample { starts: vec![0], block: y.len() as u32, seed };
        let saga = Saga { table: &table, balanced: problem.balanced, c: problem.c, l1_ratio, tol, max_iter };
        if let Some(parameters) = saga.fit(vec![sample]).pop().flatten() {
            return Ok(Model::from_parameters(parameters));
        }
    }

    let mut signed = vec![0.0; y.len()];
    let mut sum = |class: bool| {
        let rows = signed.iter_mut().zip(weights.iter().zip(&*y));
        rows.for_each(|(signed, (&weight, &y))| *signed = if y == class { weight } else { 0.0 });
        math::sum(&signed)
    };
    let sums = [sum(false), sum(true)];
    let [negative, positive] = class_weights(problem.balanced, sums)?;
    let rows = signed.iter_mut().zip(weights.iter().zip(&*y));
    rows.for_each(|(signed, (weight, &y))| {
        *signed = if y { weight * positive } else { -(weight * negative) }
    });
    let total = sums[0] + sums[1];
    solve(Rows::with_labels(columns, signed), total, problem.c, problem.penalty, stop, start)
}

/// The rows that have a weight; `None` if all have.
fn kept(weights: Option<&[f64]>) -> Result<Option<Vec<usize>>, FitError> {
    let Some(weights) = weights else { return Ok(None) };
    let is_plain = |weight: f64| (weight > 0.0) & weight.is_finite();
    if weights.iter().fold(true, |plain, &weight| plain & is_plain(weight)) {
        return Ok(None);
    }
    if let Some(row) = weights.iter().position(|&weight| !(weight >= 0.0 && weight.is_finite())) {
        return Err(FitError::BadWeight { row, weight: weights[row] });
    }
    Ok(Some((0..weights.len()).filter(|&row| weights[row] > 0.0).collect()))
}

/// Those of the rows that are kept.
fn pick<'a, T: Copy>(values: &'a [T], kept: Option<&[usize]>) -> Cow<'a, [T]> {
    match kept {
        Some(kept) => kept.iter().map(|&row| values[row]).collect(),
        None => Cow::Borrowed(values),
    }
}

/// Whether there are labels of both classes.
#[must_use]
pub fn has_both_classes(y: &[bool]) -> bool {
    y.contains(&true) && y.contains(&false)
}

/// Weights of the negative and of the positive class, whose rows sum to `sums`.
pub(crate) fn class_weights(balanced: bool, sums: [f64; 2]) -> Result<[f64; 2], FitError> {
    let [negative, positive] = sums;
    check_classes(positive > 0.0, negative > 0.0)?;
    let total = positive + negative;
    Ok(sums.map(|sum| if balanced { total / (2.0 * sum) } else { 1.0 }))
}

fn check_classes(has_positive: bool, has_negative: bool) -> Result<(), FitError> {
    match (has_positive, has_negative) {
        (false, false) => Err(FitError::Empty),
        (true, false) => Err(FitError::OneClass { positive: true }),
        (false, true) => Err(FitError::OneClass { positive: false }),
        (true, true) => Ok(()),
    }
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
        (Penalty::L2, Stop::Network { tol, max_iter, .. }) => {
            rows.scale_weights(1.0 / total);
            let ridge = penalties(width, 1.0 / (c * total), 0.0);
            lbfgs::minimise(
                |theta, gradient| rows.penalised(theta, &ridge, gradient),
                width + 1,
                tol,
                max_iter,
            )
        }
        (Penalty::L2Bias, Stop::Network { tol, max_iter, .. }) => {
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
