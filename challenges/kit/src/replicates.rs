//! Logistic regressions of all replicates of a block bootstrap at once.
//!
//! Replicates differ from each other by integer row multiplicities only, so their models share every pass over the
//! rows: decision values and gradients of all replicates are products of small matrices, block of rows by block. All
//! begin at a common model, with a Newton matrix each that is put together from the second derivatives of *cells* (one
//! block of rows, one label) weighted by the mean multiplicity there. That matrix is a few percent off, which costs a
//! few more passes and nothing else: the gradients are exact, and pairs of steps and gradient changes mend the matrix
//! as in L-BFGS. If nearly all rows are told apart with ease, replicates are first solved on the few others, which
//! hold nearly all the curvature. A replicate on which this does not converge is solved by [`logistic::fit`].

mod cell;
mod network;
mod passes;
mod query;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod tile;

use crate::logistic::{self, Design, FitError, Model, Penalty, Problem, Stop};
use passes::{add_curvatures, gradients, own_curvatures};
use state::{State, Verdict};

pub use network::fit_network;

/// Rows of one block: the features of 64 columns fill 32 KB, and a block of 120 drawn rows spans about three.
const BLOCK: usize = 64;
const MAX_PASSES: usize = 40;
/// After so many passes, a replicate that is still slow gets a matrix of its own, summed row by row where it is.
const RENEW_AFTER: usize = 4;
/// What a pass leaves of the error of a replicate that is slow.
const SLOW_GAIN: f64 = 0.25;

/// Feature columns of equal length.
#[derive(Debug, Clone, Copy)]
pub enum Columns<'a> {
    /// In double precision.
    F64(&'a [&'a [f64]]),
    /// In single precision, for features that are so exact only: half the memory. Sums are in double precision.
    F32(&'a [&'a [f32]]),
}

/// What all replicates have in common, and how they were drawn.
#[derive(Debug, Clone, Copy)]
pub struct Replicates<'a> {
    /// Features, finite on every row.
    pub x: Columns<'a>,
    /// Labels.
    pub y: &'a [bool],
    /// Sample weights, finite and not negative; `None` is 1 for all.
    pub weights: Option<&'a [f64]>,
    /// Whether both classes weigh half of the sum of the weights of a replicate's rows.
    pub balanced: bool,
    /// C, positive.
    pub c: f64,
    /// The regulariser.
    pub penalty: Penalty,
    /// Rows per drawn block; 1 for multiplicities of any other kind.
    pub block: usize,
    /// First rows of the blocks of each replicate, ascending, repeats allowed:
    /// [`block_draws`](crate::bootstrap::block_draws). What reaches past the last row is left out.
    pub starts: &'a [Vec<usize>],
}

/// The optimum of each replicate; `None` if a replicate has one class only.
///
/// As [`logistic::fit`] with the multiplicity of each row times its weight, to a relative distance of about 1e-8.
/// Memory: 8 bytes times the square of the number of columns per replicate; nothing per row.
///
/// # Errors
/// As [`logistic::fit`]; features must be finite on rows without weight, too.
pub fn fit(problem: &Replicates<'_>) -> Result<Vec<Option<Model>>, FitError> {
    check(problem)?;
    let sums: Vec<[f64; 2]> = (0..problem.starts.len()).map(|b| class_sums(problem, b)).collect();
    let mut models = vec![None; sums.len()];
    let usable: Vec<usize> = (0..sums.len()).filter(|&b| sums[b].iter().all(|&sum| sum > 0.0)).collect();
    if usable.is_empty() {
        return Ok(models);
    }
    if let Penalty::ElasticNet { .. } = problem.penalty {
        for b in usable {
            models[b] = Some(fit_alone(problem, b, None)?);
        }
        return Ok(models);
    }

    let ridge = ridge(problem);
    let mut start = start::common(problem, start::COARSE, None)?;
    let mut states: Vec<State> =
        usable.into_iter().map(|b| State::new(problem, b, sums[b], &start)).collect();
    if !start::narrow(problem, &start, &mut states, &ridge)? {
        start = start::common(problem, start::FINE, Some(&start))?;
        for state in &mut states {
            state.move_to(&start);
        }
        add_curvatures(problem, &start, &mut states);
        for state in &mut states {
            state.factor(&ridge);
        }
    }
    for pass in 0..MAX_PASSES {
        let mut open: Vec<&mut State> =
            states.iter_mut().filter(|state| state.verdict == Verdict::Open).collect();
        if open.is_empty() {
            break;
        }
        if pass == RENEW_AFTER {
            let mut slow: Vec<&mut State> =
                open.iter_mut().filter(|state| state.gain > SLOW_GAIN).map(|state| &mut **state).collect();
            own_curvatures(problem, &mut slow);
            slow.into_iter().for_each(|state| state.restart(&ridge));
        }
        let mut queries: Vec<_> = open.iter_mut().map(|state| state.query()).collect();
        gradients::<false>(problem, &mut queries);
        for state in open {
            state.advance(&ridge);
        }
    }
    for state in states {
        models[state.replicate] = Some(match state.verdict {
            Verdict::Done => model(&state.theta),
            Verdict::Open | Verdict::Lost => fit_alone(problem, state.replicate, Some(&start))?,
        });
    }
    Ok(models)
}

/// Solves one replicate by itself.
fn fit_alone(problem: &Replicates<'_>, replicate: usize, start: Option<&Model>) -> Result<Model, FitError> {
    let (taken, weights) = drawn(problem, replicate).unzip();
    fit_part(problem, &WeightedRows { rows: taken, weights }, problem.balanced, problem.c, start)
}

/// The rows of a replicate, and their multiplicity times their weight.
fn drawn<'a>(problem: &'a Replicates<'_>, replicate: usize) -> impl Iterator<Item = (usize, f64)> + 'a {
    let mut from = 0;
    (0..problem.y.len()).step_by(BLOCK).flat_map(move |first| {
        let mut counts = [0.0; BLOCK];
        problem.counts(replicate, &mut from, first, &mut counts);
        (first..problem.y.len())
            .zip(counts)
            .filter(|(_, count)| *count > 0.0)
            .map(|(row, count)| (row, count * problem.weight(row)))
    })
}

/// Some of the rows, with weights of their own.
struct WeightedRows {
    rows: Vec<usize>,
    weights: Vec<f64>,
}

/// Solves a part of the rows.
fn fit_part(
    problem: &Replicates<'_>,
    part: &WeightedRows,
    balanced: bool,
    c: f64,
    start: Option<&Model>,
) -> Result<Model, FitError> {
    let y: Vec<bool> = part.rows.iter().map(|&row| problem.y[row]).collect();
    let store: Vec<Vec<f64>> = (0..problem.x.width()).map(|j| problem.x.gather(j, &part.rows)).collect();
    let columns: Vec<&[f64]> = store.iter().map(Vec::as_slice).collect();
    let part = Problem {
        x: Design::from_columns(&columns),
        y: &y,
        weights: Some(&part.weights),
        balanced,
        c,
        penalty: problem.penalty,
    };
    logistic::fit(&part, Stop::Exact, start)
}

impl Columns<'_> {
    fn width(&self) -> usize {
        match self {
            Self::F64(columns) => columns.len(),
            Self::F32(columns) => columns.len(),
        }
    }

    fn gather(&self, column: usize, rows: &[usize]) -> Vec<f64> {
        match self {
            Self::F64(columns) => rows.iter().map(|&row| columns[column][row]).collect(),
            Self::F32(columns) => rows.iter().map(|&row| f64::from(columns[column][row])).collect(),
        }
    }
}

impl Replicates<'_> {
    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// Weights of the negative and of the positive class, whose rows sum to `sums`.
    fn class_weights(&self, sums: [f64; 2]) -> [f64; 2] {
        let total = sums[0] + sums[1];
        sums.map(|sum| if self.balanced { total / (2.0 * sum) } else { 1.0 })
    }

    /// Number of drawn rows of a replicate that have a weight, per class; each counts as often as it was drawn.
    fn classes(&self, replicate: usize) -> [usize; 2] {
        let mut classes = [0; 2];
        for &start in &self.starts[replicate] {
            let end = start.saturating_add(self.block).min(self.y.len());
            for row in (start..end).filter(|&row| self.weight(row) > 0.0) {
                classes[usize::from(self.y[row])] += 1;
            }
        }
        classes
    }

    /// Multiplicity of a row in a replicate.
    fn count(&self, replicate: usize, row: usize) -> usize {
        let starts = &self.starts[replicate];
        let from = starts.partition_point(|&start| start.saturating_add(self.block) <= row);
        starts[from..].partition_point(|&start| start <= row)
    }

    /// Multiplicities in a replicate of the rows from `first`; whether any is not 0. `from` is where the search of the
    /// blocks begins, and where that of later rows may.
    fn counts(&self, replicate: usize, from: &mut usize, first: usize, counts: &mut [f64; BLOCK]) -> bool {
        let end = (first + BLOCK).min(self.y.len());
        let starts = &self.starts[replicate];
        while starts.get(*from).is_some_and(|start| start.saturating_add(self.block) <= first) {
            *from += 1;
        }
        let mut reaching = starts[*from..].iter().take_while(|&&start| start < end).peekable();
        if reaching.peek().is_none() {
            return false;
        }
        counts.fill(0.0);
        for &start in reaching {
            let inside = start.max(first)..start.saturating_add(self.block).min(end);
            counts[inside.start - first..inside.end - first].iter_mut().for_each(|count| *count += 1.0);
        }
        true
    }
}

/// Sums of the weights of the negative and of the positive rows of a replicate.
fn class_sums(problem: &Replicates<'_>, replicate: usize) -> [f64; 2] {
    let mut sums = [0.0; 2];
    let mut counts = [0.0; BLOCK];
    let mut from = 0;
    for first in (0..problem.y.len()).step_by(BLOCK) {
        if problem.counts(replicate, &mut from, first, &mut counts) {
            for (row, count) in (first..problem.y.len()).zip(counts) {
                sums[usize::from(problem.y[row])] += count * problem.weight(row);
            }
        }
    }
    sums
}

fn ridge(problem: &Replicates<'_>) -> Vec<f64> {
    let mut ridge = vec![1.0; problem.x.width()];
    ridge.push(if problem.penalty == Penalty::L2Bias { 1.0 } else { 0.0 });
    ridge
}

fn model(theta: &[f64]) -> Model {
    let (intercept, coef) = theta.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
    Model { coef: coef.to_vec(), intercept }
}

fn check(problem: &Replicates<'_>) -> Result<(), FitError> {
    let expected = problem.y.len();
    let shape = |what: String, found: usize| {
        if found == expected { Ok(()) } else { Err(FitError::Shape { what, found, expected }) }
    };
    for index in 0..problem.x.width() {
        let (found, finite) = match problem.x {
            Columns::F64(columns) => (columns[index].len(), columns[index].iter().all(|x| x.is_finite())),
            Columns::F32(columns) => (columns[index].len(), columns[index].iter().all(|x| x.is_finite())),
        };
        shape(format!("column {index}"), found)?;
        if !finite {
            return Err(FitError::NonFinite { column: index });
        }
    }
    if let Some(weights) = problem.weights {
        shape("weights".to_owned(), weights.len())?;
        if let Some(row) = weights.iter().position(|&weight| !(weight >= 0.0 && weight.is_finite())) {
            return Err(FitError::BadWeight { row, weight: weights[row] });
        }
    }
    if problem.block == 0 {
        return Err(FitError::BadParameter { name: "block", value: 0.0, allowed: "at least 1" });
    }
    if let Some(starts) = problem.starts.iter().find(|starts| !starts.is_sorted()) {
        let value = starts.windows(2).find(|pair| pair[0] > pair[1]).map_or(0, |pair| pair[1]);
        return Err(FitError::BadParameter { name: "starts", value: value as f64, allowed: "ascending" });
    }
    if !(problem.c > 0.0 && problem.c.is_finite()) {
        return Err(FitError::BadParameter { name: "c", value: problem.c, allowed: "positive and finite" });
    }
    Ok(())
}
