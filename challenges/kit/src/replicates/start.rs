//! The models that replicates begin at.

use super::passes::own_curvatures;
use super::state::State;
use super::{Columns, Replicates, WeightedRows, drawn, fit_part};
use crate::logistic::{FitError, Model};

/// Rows with a margin above this hold next to no curvature: their other label has a probability below 1e-5.
const NARROW: f64 = 12.0;
/// A first look takes one row in so many, a start of all replicates one in so many.
pub(super) const COARSE: usize = 80;
pub(super) const FINE: usize = 10;
/// Part of the rows below that margin from which looking at them first is no gain.
const MANY: f64 = 0.25;
/// Part of the rows, those of least margin, that a start is fitted on in full.
const LEAST: usize = 20;

/// A model of a part of the rows, `1 / part` of them or as many as a start needs.
pub(super) fn common(problem: &Replicates<'_>, part: usize, from: Option<&Model>) -> Result<Model, FitError> {
    let width = problem.x.width();
    match fit_part(problem, &thinned(problem, part), problem.balanced, problem.c, from) {
        // Only rows of weight 0 were taken of a class.
        Err(FitError::Empty | FitError::OneClass { .. }) => {
            Ok(Model { coef: vec![0.0; width], intercept: 0.0 })
        }
        other => other,
    }
}

/// One in so many rows of each class, which weigh for the others.
fn thinned(problem: &Replicates<'_>, part: usize) -> WeightedRows {
    let rows = problem.y.len();
    let wanted = (25 * (problem.x.width() + 1)).max(rows / part / 2).max(500);
    let mut part = WeightedRows { rows: Vec::new(), weights: Vec::new() };
    for class in [false, true] {
        let members = problem.y.iter().filter(|&&y| y == class).count();
        let stride = (members / wanted).max(1);
        // Taken at uneven distances: rows may have a period, such as the number of assets.
        let offset = |group: u64| (group.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % stride as u64;
        let is_taken = |i: usize| (i % stride) as u64 == offset((i / stride) as u64);
        let of_class = (0..rows).filter(|&row| problem.y[row] == class).enumerate();
        for (_, row) in of_class.filter(|(i, _)| is_taken(*i)) {
            part.rows.push(row);
            part.weights.push(problem.weight(row) * stride as f64);
        }
    }
    part
}

/// If nearly all rows are told apart with ease: moves each state to its optimum over the few that are not, and
/// gives it its matrix there. Whether it did.
pub(super) fn narrow(
    problem: &Replicates<'_>,
    start: &Model,
    states: &mut [State],
    ridge: &[f64],
) -> Result<bool, FitError> {
    let rows = problem.y.len();
    let is_narrow = |margin: &f64| *margin < NARROW;
    let few = |margins: &[f64]| (margins.iter().filter(|m| is_narrow(m)).count() as f64) < MANY * rows as f64;
    let mut margins = margins(problem, start);
    if !few(&margins) {
        return Ok(false);
    }
    // The start knows a few of the rows that matter only; a model of all of these decides which they are.
    let Some(start) = refined(problem, start, &margins)? else { return Ok(false) };
    margins = self::margins(problem, &start);
    if !few(&margins) {
        return Ok(false);
    }
    let kept: Vec<usize> = (0..rows).filter(|&row| is_narrow(&margins[row])).collect();
    drop(margins);
    let part = Gathered::new(problem, &kept, states);
    part.with(problem, |part| {
        for (replicate, state) in states.iter_mut().enumerate() {
            // The class weights are those of all rows.
            let weighted = drawn(part, replicate)
                .map(|(row, weight)| (row, weight * state.scale[usize::from(part.y[row])]));
            let (rows, weights) = weighted.unzip();
            match fit_part(part, &WeightedRows { rows, weights }, false, 1.0, Some(&start)) {
                Ok(model) => state.move_to(&model),
                Err(FitError::Empty | FitError::OneClass { .. }) => state.move_to(&start),
                Err(other) => return Err(other),
            }
        }
        let mut all: Vec<&mut State> = states.iter_mut().collect();
        let replicates: Vec<usize> = all.iter().map(|state| state.replicate).collect();
        all.iter_mut().enumerate().for_each(|(i, state)| state.replicate = i);
        own_curvatures(part, &mut all);
        for (state, replicate) in all.into_iter().zip(replicates) {
            state.replicate = replicate;
            state.factor(ridge);
        }
        Ok(true)
    })
}

/// A model of the rows of least margin, the thinned rest weighing for all of it.
fn refined(problem: &Replicates<'_>, start: &Model, margins: &[f64]) -> Result<Option<Model>, FitError> {
    let mut sorted = margins.to_vec();
    let (_, &mut least, _) = sorted.select_nth_unstable_by(margins.len() / LEAST, f64::total_cmp);
    let rest = thinned(problem, COARSE);
    let rest = rest.rows.into_iter().zip(rest.weights).filter(|&(row, _)| margins[row] >= least);
    let close = (0..margins.len()).filter(|&row| margins[row] < least);
    let (rows, weights) = close.map(|row| (row, problem.weight(row))).chain(rest).unzip();
    let part = WeightedRows { rows, weights };
    match fit_part(problem, &part, problem.balanced, problem.c, Some(start)) {
        Err(FitError::Empty | FitError::OneClass { .. }) => Ok(None),
        other => other.map(Some),
    }
}

/// Decision values, negated if the label is negative.
fn margins(problem: &Replicates<'_>, model: &Model) -> Vec<f64> {
    let mut margins = vec![model.intercept; problem.y.len()];
    for (j, coef) in model.coef.iter().enumerate() {
        match problem.x {
            Columns::F64(columns) => {
                margins.iter_mut().zip(columns[j]).for_each(|(margin, x)| *margin += coef * x);
            }
            Columns::F32(columns) => {
                margins.iter_mut().zip(columns[j]).for_each(|(margin, x)| *margin += coef * f64::from(*x));
            }
        }
    }
    margins.iter_mut().zip(problem.y).for_each(|(margin, &y)| *margin = if y { *margin } else { -*margin });
    margins
}

/// Some of the rows, copied, and how often each is drawn in each state's replicate.
struct Gathered {
    columns: Vec<Vec<f64>>,
    y: Vec<bool>,
    weights: Vec<f64>,
    starts: Vec<Vec<usize>>,
}

impl Gathered {
    fn new(problem: &Replicates<'_>, rows: &[usize], states: &[State]) -> Self {
        let draws = |state: &State| {
            let mut starts = Vec::new();
            for (i, &row) in rows.iter().enumerate() {
                starts.extend(std::iter::repeat_n(i, problem.count(state.replicate, row)));
            }
            starts
        };
        Self {
            columns: (0..problem.x.width()).map(|j| problem.x.gather(j, rows)).collect(),
            y: rows.iter().map(|&row| problem.y[row]).collect(),
            weights: rows.iter().map(|&row| problem.weight(row)).collect(),
            starts: states.iter().map(draws).collect(),
        }
    }

    /// As a problem of its own, whose replicates are the states in their order.
    fn with<T>(&self, problem: &Replicates<'_>, then: impl FnOnce(&Replicates<'_>) -> T) -> T {
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        then(&Replicates {
            x: Columns::F64(&columns),
            y: &self.y,
            weights: Some(&self.weights),
            block: 1,
            starts: &self.starts,
            ..*problem
        })
    }
}
