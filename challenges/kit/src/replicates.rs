//! Logistic regressions of all replicates of a block bootstrap at once.
//!
//! Replicates differ from each other by integer row multiplicities only, so their models share every pass over the
//! rows: decision values and gradients of all replicates are products of small matrices, block of rows by block. All
//! begin at a common model, with a Newton matrix each that is put together from the second derivatives of *cells* (one
//! block of rows, one label) weighted by the mean multiplicity there. That matrix is a few percent off, which costs a
//! few more passes and nothing else: the gradients are exact, and pairs of steps and gradient changes mend the matrix
//! as in L-BFGS. A replicate on which this does not converge is solved by [`logistic::fit`].

use crate::logistic::{self, Design, FitError, Model, Penalty, Problem, Stop};
use crate::math;

/// Rows of one block: the features of 64 columns fill 32 KB, and a block of 120 drawn rows spans about three.
const BLOCK: usize = 64;
/// Replicates whose sums are kept in registers together.
const GROUP: usize = 4;
/// Relative size of the expected error after the last step.
const TOLERANCE: f64 = 1e-8;
const MAX_PASSES: usize = 40;

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

/// The optimum of each replicate; `None` where a replicate has one class only.
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
    let start = common_start(problem)?;
    let mut states: Vec<State> =
        usable.into_iter().map(|b| State::new(problem, b, sums[b], &start)).collect();
    add_curvatures(problem, &start, &mut states);
    for state in &mut states {
        state.factor(&ridge);
    }
    for _ in 0..MAX_PASSES {
        let mut open: Vec<&mut State> =
            states.iter_mut().filter(|state| state.verdict == Verdict::Open).collect();
        if open.is_empty() {
            break;
        }
        gradients(problem, &mut open);
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Open,
    Done,
    /// Does not converge in this way.
    Lost,
}

/// One replicate on its way to its optimum. Parameters end with the intercept.
struct State {
    replicate: usize,
    /// C times the class weight of a negative and of a positive row.
    scale: [f64; 2],
    theta: Vec<f64>,
    gradient: Vec<f64>,
    /// Approximate second derivatives, then their factor L: lower triangle, row-major.
    matrix: Vec<f64>,
    /// The last step, and the gradient before it.
    last: Option<(Vec<f64>, Vec<f64>)>,
    pairs: Vec<Pair>,
    /// Length of the last step in the metric of the matrix.
    size: f64,
    /// Passes in a row that gained little.
    slow: usize,
    verdict: Verdict,
}

/// A step and the change of the gradient over it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    product: f64,
}

impl State {
    fn new(problem: &Replicates<'_>, replicate: usize, sums: [f64; 2], start: &Model) -> Self {
        let total = sums[0] + sums[1];
        let scale = sums.map(|sum| problem.c * if problem.balanced { total / (2.0 * sum) } else { 1.0 });
        let theta: Vec<f64> = start.coef.iter().copied().chain([start.intercept]).collect();
        Self {
            replicate,
            scale,
            gradient: vec![0.0; theta.len()],
            matrix: vec![0.0; theta.len() * theta.len()],
            theta,
            last: None,
            pairs: Vec::new(),
            size: f64::INFINITY,
            slow: 0,
            verdict: Verdict::Open,
        }
    }

    fn factor(&mut self, ridge: &[f64]) {
        let order = ridge.len();
        for (i, ridge) in ridge.iter().enumerate() {
            self.matrix[i * order + i] += ridge;
        }
        if !factor_in_place(&mut self.matrix, order) {
            self.verdict = Verdict::Lost;
        }
    }

    /// One step from the gradient of the loss at `theta`.
    fn advance(&mut self, ridge: &[f64]) {
        for ((gradient, theta), ridge) in self.gradient.iter_mut().zip(&self.theta).zip(ridge) {
            *gradient += ridge * theta;
        }
        if let Some((step, before)) = self.last.take() {
            let change: Vec<f64> =
                self.gradient.iter().zip(&before).map(|(now, before)| now - before).collect();
            let product = math::dot(&step, &change);
            if product > 0.0 {
                self.pairs.push(Pair { step, change, product });
            }
        }
        let step = self.step();
        let decrement = -math::dot(&step, &self.gradient);
        if decrement == 0.0 {
            self.verdict = Verdict::Done;
            return;
        }
        if !(decrement > 0.0 && decrement.is_finite()) {
            self.verdict = Verdict::Lost;
            return;
        }
        let size = decrement.sqrt();
        let gain = if self.size.is_finite() { size / self.size } else { 0.5 };
        self.slow = if gain > 0.5 { self.slow + 1 } else { 0 };
        if gain > 2.0 || self.slow > 3 {
            self.verdict = Verdict::Lost;
            return;
        }
        for (theta, step) in self.theta.iter_mut().zip(&step) {
            *theta += step;
        }
        // The penalty alone makes the matrix at least 1, so the size bounds the distance, and the gain foretells what
        // is left of it after this step.
        let goal = TOLERANCE * math::dot(&self.theta, &self.theta).sqrt().max(1e-3);
        if size * (2.0 * gain).min(1.0) <= goal {
            self.verdict = Verdict::Done;
        }
        self.size = size;
        self.last = Some((step, self.gradient.clone()));
    }

    /// Minus the inverse matrix, mended by the pairs, times the gradient.
    fn step(&self) -> Vec<f64> {
        let mut step: Vec<f64> = self.gradient.iter().map(|gradient| -gradient).collect();
        let mut factors = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let factor = math::dot(&pair.step, &step) / pair.product;
            math::axpy(-factor, &pair.change, &mut step);
            factors.push(factor);
        }
        substitute(&self.matrix, &mut step);
        for (pair, factor) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let correction = math::dot(&pair.change, &step) / pair.product;
            math::axpy(factor - correction, &pair.step, &mut step);
        }
        step
    }
}

/// A model of a part of the rows, each class thinned to what a start needs.
fn common_start(problem: &Replicates<'_>) -> Result<Model, FitError> {
    let width = problem.x.width();
    let rows = problem.y.len();
    let wanted = (25 * (width + 1)).max(rows / 20).max(500);
    let mut taken = Vec::new();
    let mut weights = Vec::new();
    for class in [false, true] {
        let members = problem.y.iter().filter(|&&y| y == class).count();
        let stride = (members / wanted).max(1);
        let of_class = (0..rows).filter(|&row| problem.y[row] == class).step_by(stride);
        for row in of_class {
            taken.push(row);
            weights.push(problem.weight(row) * stride as f64);
        }
    }
    let y: Vec<bool> = taken.iter().map(|&row| problem.y[row]).collect();
    let store: Vec<Vec<f64>> = (0..width).map(|j| problem.x.gather(j, &taken)).collect();
    let columns: Vec<&[f64]> = store.iter().map(Vec::as_slice).collect();
    let part = Problem {
        x: Design::from_columns(&columns),
        y: &y,
        weights: Some(&weights),
        balanced: problem.balanced,
        c: problem.c,
        penalty: problem.penalty,
    };
    match logistic::fit(&part, Stop::Exact, None) {
        // Only rows of weight 0 were taken of a class.
        Err(FitError::Empty | FitError::OneClass { .. }) => {
            Ok(Model { coef: vec![0.0; width], intercept: 0.0 })
        }
        other => other,
    }
}

/// Solves one replicate by itself.
fn fit_alone(problem: &Replicates<'_>, replicate: usize, start: Option<&Model>) -> Result<Model, FitError> {
    let mut taken = Vec::new();
    let mut weights = Vec::new();
    for first in (0..problem.y.len()).step_by(BLOCK) {
        let mut counts = [0.0; BLOCK];
        problem.counts(replicate, first, &mut counts);
        for (row, count) in (first..problem.y.len()).zip(counts) {
            if count > 0.0 {
                taken.push(row);
                weights.push(count * problem.weight(row));
            }
        }
    }
    let y: Vec<bool> = taken.iter().map(|&row| problem.y[row]).collect();
    let store: Vec<Vec<f64>> = (0..problem.x.width()).map(|j| problem.x.gather(j, &taken)).collect();
    let columns: Vec<&[f64]> = store.iter().map(Vec::as_slice).collect();
    let alone = Problem {
        x: Design::from_columns(&columns),
        y: &y,
        weights: Some(&weights),
        balanced: problem.balanced,
        c: problem.c,
        penalty: problem.penalty,
    };
    logistic::fit(&alone, Stop::Exact, start)
}

/// Gradients of the loss at each state's `theta`.
fn gradients(problem: &Replicates<'_>, states: &mut [&mut State]) {
    let mut x = Tile::new(problem.x.width());
    let order = problem.x.width() + 1;
    states.iter_mut().for_each(|state| state.gradient.fill(0.0));
    // Per group of replicates that share a tile: parameters interleaved.
    let mut theta = vec![[0.0; GROUP]; order];
    let mut residual = [[0.0; BLOCK]; GROUP];
    let mut present = Vec::with_capacity(states.len());
    let mut counts = vec![[0.0; BLOCK]; states.len()];
    for first in (0..problem.y.len()).step_by(BLOCK) {
        present.clear();
        for (i, (state, counts)) in states.iter().zip(&mut counts).enumerate() {
            if problem.counts(state.replicate, first, counts) {
                present.push(i);
            }
        }
        x.load(problem, first);
        for group in present.chunks(GROUP) {
            for (lane, &i) in group.iter().enumerate() {
                theta.iter_mut().zip(&states[i].theta).for_each(|(theta, value)| theta[lane] = *value);
            }
            decide(&x.columns, &theta, &mut residual);
            for (residual, &i) in residual.iter_mut().zip(group) {
                x.residuals(&counts[i], states[i].scale, residual);
            }
            for (j, pair) in x.columns.as_chunks::<2>().0.iter().enumerate() {
                let sums = products(residual.each_ref().map(|r| &r[..]), pair.each_ref().map(|x| &x[..]));
                for (sums, &i) in sums.iter().zip(group) {
                    let gradient = &mut states[i].gradient[2 * j..];
                    gradient.iter_mut().zip(sums).for_each(|(gradient, sum)| *gradient += sum);
                }
            }
        }
    }
}

/// Adds the second derivatives of the loss at `start` to each state's matrix, cell by cell.
fn add_curvatures(problem: &Replicates<'_>, start: &Model, states: &mut [State]) {
    let mut x = Tile::new(problem.x.width());
    let order = problem.x.width() + 1;
    let mut theta = vec![[0.0; GROUP]; order];
    let parameters = start.coef.iter().chain([&start.intercept]);
    theta.iter_mut().zip(parameters).for_each(|(theta, value)| theta[0] = *value);
    let mut decision = [[0.0; BLOCK]; GROUP];
    let mut cell = Cell::new(order);
    let mut counts = [0.0; BLOCK];
    for first in (0..problem.y.len()).step_by(BLOCK) {
        x.load(problem, first);
        decide(&x.columns, &theta, &mut decision);
        for class in [false, true] {
            if !cell.fill(&x, class, &decision[0]) {
                continue;
            }
            for state in &mut *states {
                if problem.counts(state.replicate, first, &mut counts) {
                    let share = cell.share(&counts) * state.scale[usize::from(class)];
                    cell.add_to(share, &mut state.matrix);
                }
            }
        }
    }
}

/// One block of rows. A last block is filled up with rows without weight.
struct Tile {
    /// The features, a column of ones, and one of zeros if that makes their number even.
    columns: Vec<[f64; BLOCK]>,
    weights: [f64; BLOCK],
    y: [bool; BLOCK],
}

impl Tile {
    fn new(width: usize) -> Self {
        let mut columns = vec![[0.0; BLOCK]; (width + 1).next_multiple_of(2)];
        columns[width] = [1.0; BLOCK];
        Self { columns, weights: [0.0; BLOCK], y: [false; BLOCK] }
    }

    fn load(&mut self, problem: &Replicates<'_>, first: usize) {
        let rows = first..(first + BLOCK).min(problem.y.len());
        let n = rows.len();
        match problem.x {
            Columns::F64(source) => {
                for (column, source) in self.columns.iter_mut().zip(source) {
                    column[..n].copy_from_slice(&source[rows.clone()]);
                }
            }
            Columns::F32(source) => {
                for (column, source) in self.columns.iter_mut().zip(source) {
                    column
                        .iter_mut()
                        .zip(&source[rows.clone()])
                        .for_each(|(x, source)| *x = f64::from(*source));
                }
            }
        }
        self.y[..n].copy_from_slice(&problem.y[rows.clone()]);
        match problem.weights {
            Some(weights) => self.weights[..n].copy_from_slice(&weights[rows]),
            None => self.weights[..n].fill(1.0),
        }
        self.weights[n..].fill(0.0);
    }

    /// Turns decision values into derivatives of the loss.
    fn residuals(&self, counts: &[f64; BLOCK], scale: [f64; 2], values: &mut [f64; BLOCK]) {
        for i in 0..BLOCK {
            let z = values[i];
            let t = math::exp(-z.abs());
            let likely = 1.0 / (1.0 + t);
            let unlikely = t * likely;
            // Probability of the other label, never had by subtraction from 1.
            let wrong = if (z > 0.0) == self.y[i] { unlikely } else { likely };
            let signed = if self.y[i] { -scale[1] } else { scale[0] };
            values[i] = signed * (counts[i] * self.weights[i]) * wrong;
        }
    }
}

/// Second derivatives of the rows of one label in one block.
struct Cell {
    /// The rows, gathered, and filled up with zeros to an even number.
    columns: Vec<[f64; BLOCK]>,
    scaled: [[f64; BLOCK]; GROUP],
    rows: Vec<usize>,
    curvature: [f64; BLOCK],
    total: f64,
    gram: Vec<f64>,
    order: usize,
}

impl Cell {
    fn new(order: usize) -> Self {
        Self {
            columns: vec![[0.0; BLOCK]; order.next_multiple_of(2)],
            scaled: [[0.0; BLOCK]; GROUP],
            rows: Vec::with_capacity(BLOCK),
            curvature: [0.0; BLOCK],
            total: 0.0,
            gram: vec![0.0; order * order],
            order,
        }
    }

    /// Whether there is any row.
    fn fill(&mut self, x: &Tile, class: bool, decision: &[f64; BLOCK]) -> bool {
        self.rows.clear();
        self.rows.extend((0..BLOCK).filter(|&i| x.weights[i] > 0.0 && x.y[i] == class));
        let n = self.rows.len().next_multiple_of(2);
        self.curvature = [0.0; BLOCK];
        for (curvature, &i) in self.curvature.iter_mut().zip(&self.rows) {
            let t = math::exp(-decision[i].abs());
            let likely = 1.0 / (1.0 + t);
            *curvature = x.weights[i] * (t * likely) * likely;
        }
        self.total = math::sum(&self.curvature);
        if self.total <= 0.0 {
            return false;
        }
        for (column, source) in self.columns.iter_mut().zip(&x.columns) {
            column[..n].fill(0.0);
            column.iter_mut().zip(&self.rows).for_each(|(x, &i)| *x = source[i]);
        }
        for top in (0..self.order).step_by(GROUP) {
            let tall = GROUP.min(self.order - top);
            for (scaled, column) in self.scaled.iter_mut().zip(&self.columns[top..top + tall]) {
                for i in 0..n {
                    scaled[i] = column[i] * self.curvature[i];
                }
            }
            let scaled = self.scaled.each_ref().map(|scaled| &scaled[..n]);
            for (j, pair) in self.columns.as_chunks::<2>().0.iter().enumerate().take((top + tall).div_ceil(2))
            {
                let sums = products(scaled, pair.each_ref().map(|x| &x[..n]));
                for (i, sums) in (top..top + tall).zip(sums) {
                    let row = &mut self.gram[i * self.order..][..self.order];
                    row[2 * j..].iter_mut().zip(sums).for_each(|(gram, sum)| *gram = sum);
                }
            }
        }
        true
    }

    /// Mean multiplicity of the rows, weighted by their curvature.
    fn share(&self, counts: &[f64; BLOCK]) -> f64 {
        let sum: f64 =
            self.rows.iter().zip(&self.curvature).map(|(&i, curvature)| counts[i] * curvature).sum();
        sum / self.total
    }

    fn add_to(&self, share: f64, matrix: &mut [f64]) {
        if share == 0.0 {
            return;
        }
        let rows = matrix.chunks_exact_mut(self.order).zip(self.gram.chunks_exact(self.order));
        for (i, (matrix, gram)) in rows.enumerate() {
            math::axpy(share, &gram[..=i], &mut matrix[..=i]);
        }
    }
}

/// Decision values of a block of rows under four models at a time.
fn decide(columns: &[[f64; BLOCK]], theta: &[[f64; GROUP]], decision: &mut [[f64; BLOCK]; GROUP]) {
    for row in (0..BLOCK).step_by(4) {
        let mut sums = [[0.0; 4]; GROUP];
        for (column, theta) in columns.iter().zip(theta) {
            let x = [column[row], column[row + 1], column[row + 2], column[row + 3]];
            for (sums, theta) in sums.iter_mut().zip(theta) {
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum += theta * x;
                }
            }
        }
        for (decision, sums) in decision.iter_mut().zip(sums) {
            decision[row..row + 4].copy_from_slice(&sums);
        }
    }
}

/// Products of four by two columns of equal, even length, each summed in two fixed lanes.
fn products(tall: [&[f64]; GROUP], wide: [&[f64]; 2]) -> [[f64; 2]; GROUP] {
    let [a, b, c, d] = tall.map(|column| column.as_chunks::<2>().0);
    let [x, y] = wide.map(|column| column.as_chunks::<2>().0);
    let n = a.len();
    let (b, c, d, x, y) = (&b[..n], &c[..n], &d[..n], &x[..n], &y[..n]);
    let mut sums = [[[0.0; 2]; 2]; GROUP];
    for i in 0..n {
        let tall = [a[i], b[i], c[i], d[i]];
        let wide = [x[i], y[i]];
        for (sums, tall) in sums.iter_mut().zip(tall) {
            for (sum, wide) in sums.iter_mut().zip(wide) {
                sum[0] += tall[0] * wide[0];
                sum[1] += tall[1] * wide[1];
            }
        }
    }
    sums.map(|sums| sums.map(|[even, odd]| even + odd))
}

/// Cholesky's factor of a lower triangle, in place. Whether there is one.
fn factor_in_place(matrix: &mut [f64], order: usize) -> bool {
    for i in 0..order {
        let (done, rest) = matrix.split_at_mut(i * order);
        let row = &mut rest[..order];
        for j in 0..i {
            let other = &done[j * order..][..=j];
            row[j] = (row[j] - math::dot(&row[..j], &other[..j])) / other[j];
        }
        let pivot = row[i] - math::dot(&row[..i], &row[..i]);
        if !(pivot > row[i] * 1e-14 && pivot.is_finite()) {
            return false;
        }
        row[i] = pivot.sqrt();
    }
    true
}

/// Solves `L L' x = b` in place of b.
fn substitute(lower: &[f64], b: &mut [f64]) {
    let order = b.len();
    for i in 0..order {
        let row = &lower[i * order..][..=i];
        b[i] = (b[i] - math::dot(&row[..i], &b[..i])) / row[i];
    }
    for i in (0..order).rev() {
        let row = &lower[i * order..][..=i];
        b[i] /= row[i];
        let value = b[i];
        math::axpy(-value, &row[..i], &mut b[..i]);
    }
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

    /// Multiplicities in a replicate of the rows from `first`; whether any is not 0.
    fn counts(&self, replicate: usize, first: usize, counts: &mut [f64; BLOCK]) -> bool {
        counts.fill(0.0);
        let end = (first + BLOCK).min(self.y.len());
        let starts = &self.starts[replicate];
        let from = starts.partition_point(|&start| start.saturating_add(self.block) <= first);
        let mut any = false;
        for &start in starts[from..].iter().take_while(|&&start| start < end) {
            let inside = start.max(first)..start.saturating_add(self.block).min(end);
            counts[inside.start - first..inside.end - first].iter_mut().for_each(|count| *count += 1.0);
            any = true;
        }
        any
    }
}

/// Sums of the weights of the negative and of the positive rows of a replicate.
fn class_sums(problem: &Replicates<'_>, replicate: usize) -> [f64; 2] {
    let mut sums = [0.0; 2];
    let mut counts = [0.0; BLOCK];
    for first in (0..problem.y.len()).step_by(BLOCK) {
        if problem.counts(replicate, first, &mut counts) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::{block_draws, multiplicities};
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
}
