//! One fit on its way.

use super::draws::Draws;
use super::table::Table;
use super::{Saga, Sample};
use crate::math;

/// Scales below this are worked into the coefficients at once, as above they are after each pass.
const SMALLEST_SCALE: f32 = 1e-9;
/// Decision values up to here have a derivative of another form.
const FAR_BELOW: f64 = -37.0;

/// A drawn row.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    row: u32,
    /// Sample weight times class weight.
    weight: f32,
    /// The derivative of its loss when it was last visited.
    memory: f32,
    is_positive: bool,
    was_visited: bool,
}

/// One fit: coefficients up to a scale, what is remembered of the gradient, and where the pass is.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    /// Which of all fits.
    pub(super) index: usize,
    table: &'a Table,
    tol: f64,
    passes_left: usize,
    /// Length of a step.
    step: f32,
    /// Factor of the coefficients per step, by the squared part of the penalty.
    decay: f32,
    /// Factor of the absolute part of the penalty.
    l1: f32,
    drawn: Vec<Drawn>,
    draws: Draws,
    /// The drawn rows of the present step and of the next two, and which row of the table the next is: memory is slow,
    /// so all are looked up early.
    present: usize,
    next: usize,
    after_next: usize,
    next_row: u32,
    visited: usize,
    /// Part of a step that a change makes by itself, besides by the mean of the gradients.
    new_part: f64,
    position: usize,
    coef: Vec<f32>,
    coef_before: Vec<f32>,
    /// Sums of gradients.
    sums: Vec<f32>,
    scale: f32,
    intercept: f32,
    intercept_sum: f32,
    /// How far coefficients have been due to move along the sums of gradients and towards 0 since the pass began: after the
    /// present step, and after that before. Differences of these are taken, with their rounding.
    due: [Due; 2],
    /// Features of the present row, and of the next.
    x: Vec<f32>,
    next_x: Vec<f32>,
    /// Products of the coefficients with the features of the present row.
    products: Vec<f32>,
    lesson: Lesson,
}

#[derive(Debug, Clone, Copy, Default)]
struct Due {
    gradient: f32,
    l1: f32,
}

/// What the present row teaches.
#[derive(Debug, Clone, Copy, Default)]
struct Lesson {
    /// Change of the derivative of its loss.
    change: f32,
    /// How far the coefficients go along that at once.
    factor: f32,
}

impl<'a> Lane<'a> {
    pub(super) fn new(saga: &Saga<'a>, index: usize, sample: Sample) -> Self {
        let table = saga.table;
        let rows = sample.rows.len() as f64;
        let ridge = (1.0 - saga.l1_ratio) / (saga.c * rows);
        let largest = sample.rows.iter().map(|&row| table.squares[row as usize]).fold(0.0, f32::max);
        let steepest = f64::from((0.25 * (f64::from(largest) + 1.0) + ridge) as f32);
        let step = (1.0 / (2.0 * steepest + f64::min(2.0 * rows * ridge, steepest))) as f32;
        let drawn = drawn(table, &sample.rows, saga.balanced);
        let mut draws = Draws::new(sample.seed);
        let [present, next, after_next] = [(); 3].map(|()| draws.next(drawn.len() as u32));
        let zeros = vec![0.0; table.stride];
        Self {
            index,
            table,
            tol: saga.tol,
            passes_left: saga.max_iter,
            step,
            decay: (1.0 - f64::from(step) * ridge) as f32,
            l1: (saga.l1_ratio / (saga.c * rows)) as f32,
            draws,
            present,
            next,
            after_next,
            next_row: drawn[next].row,
            visited: 0,
            new_part: 0.0,
            position: 0,
            coef: zeros.clone(),
            coef_before: zeros.clone(),
            sums: zeros.clone(),
            scale: 1.0,
            intercept: 0.0,
            intercept_sum: 0.0,
            due: [Due::default(); 2],
            x: table.row(drawn[present].row).to_vec(),
            next_x: zeros.clone(),
            products: zeros,
            lesson: Lesson::default(),
            drawn,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.passes_left == 0
    }

    /// Coefficients, then the intercept.
    pub(super) fn parameters(&self) -> Vec<f64> {
        let coef = self.coef.iter().take(self.table.width);
        coef.chain([&self.intercept]).map(|&value| f64::from(value)).collect()
    }

    /// Looks up the features of the next row, and which row comes after it.
    pub(super) fn look_ahead(&mut self) {
        self.next_x.copy_from_slice(self.table.row(self.next_row));
        self.next_row = self.drawn[self.after_next].row;
    }

    /// Products of coefficients and features; the decision value needs their sum.
    pub(super) fn products(&self) -> &[f32] {
        &self.products
    }

    /// Compares the present row's label with what the model makes of it, given the sum of the products.
    pub(super) fn compare(&mut self, sum: f32) {
        let drawn = &mut self.drawn[self.present];
        if !drawn.was_visited {
            drawn.was_visited = true;
            self.visited += 1;
            self.new_part = f64::from(self.step) * (1.0 - 1.0 / self.visited as f64);
        }
        let decision = f64::from(self.scale * sum + self.intercept);
        let gradient = (f64::from(drawn.weight) * derivative(decision, drawn.is_positive)) as f32;
        let change = gradient - drawn.memory;
        drawn.memory = gradient;

        self.scale *= self.decay;
        let factor = (self.new_part / f64::from(self.scale)) as f32;
        self.lesson = Lesson { change, factor };
        self.intercept_sum += change;
        let mean_part = f64::from(self.step) * f64::from(self.intercept_sum) / self.visited as f64;
        let moved = f64::from(self.intercept) - (mean_part + f64::from(change) * self.new_part);
        self.intercept = moved as f32;

        let [last, _] = self.due;
        let next = Due {
            gradient: last.gradient + self.step / (self.scale * self.visited as f32),
            l1: last.l1 + self.step * self.l1 / self.scale,
        };
        self.due = [next, last];
    }

    /// Learns what [`Self::compare`] found and goes to the next row, after the end of the pass if it was the last of it.
    pub(super) fn learn(&mut self) {
        let [now, before] = self.due;
        let due = Due { gradient: now.gradient - before.gradient, l1: now.l1 - before.l1 };
        let rows = (&self.x[..], &self.next_x[..]);
        update(&mut self.coef, &mut self.sums, &mut self.products, rows, self.lesson, due);
        std::mem::swap(&mut self.x, &mut self.next_x);
        self.present = self.next;
        self.next = self.after_next;
        self.after_next = self.draws.next(self.drawn.len() as u32);

        self.position += 1;
        let is_last = self.position == self.drawn.len();
        if is_last || self.scale < SMALLEST_SCALE {
            self.settle();
        }
        if is_last {
            self.end_pass();
        }
    }

    /// Works the scale into the coefficients, to which nothing is due.
    fn settle(&mut self) {
        for ((coef, products), x) in self.coef.iter_mut().zip(&mut self.products).zip(&self.x) {
            *coef *= self.scale;
            *products = *coef * x;
        }
        self.scale = 1.0;
        self.due = [Due::default(); 2];
    }

    fn end_pass(&mut self) {
        self.position = 0;
        let (mut largest, mut change) = (0.0_f32, 0.0_f32);
        for (coef, before) in self.coef.iter().zip(&self.coef_before) {
            largest = largest.max(coef.abs());
            change = change.max((coef - before).abs());
        }
        self.coef_before.copy_from_slice(&self.coef);
        let is_still = if largest == 0.0 { change == 0.0 } else { f64::from(change / largest) <= self.tol };
        self.passes_left = if is_still { 0 } else { self.passes_left - 1 };
    }
}

/// The inner loop: the lesson of the present row, then what is due before the next, then the products with that one.
///
/// In whole slices, so that it becomes vector code; all are of one length.
#[inline(never)]
fn update(
    coef: &mut [f32],
    sums: &mut [f32],
    products: &mut [f32],
    (x, next_x): (&[f32], &[f32]),
    Lesson { change, factor }: Lesson,
    due: Due,
) {
    let n = coef.len();
    let (sums, products, x, next_x) = (&mut sums[..n], &mut products[..n], &x[..n], &next_x[..n]);
    for j in 0..n {
        let gradient = x[j] * change;
        let sum = sums[j] + gradient;
        let moved = (coef[j] - gradient * factor) - due.gradient * sum;
        // Towards 0 by so much, and not beyond. Not `clamp`, which asks after NaN.
        let below = if moved < due.l1 { moved } else { due.l1 };
        let taken = if below > -due.l1 { below } else { -due.l1 };
        let shrunk = moved - taken;
        sums[j] = sum;
        coef[j] = shrunk;
        products[j] = shrunk * next_x[j];
    }
}

/// Drawn rows with the weights that they have in the fit.
fn drawn(table: &Table, rows: &[u32], balanced: bool) -> Vec<Drawn> {
    let mut class_sums = [0.0; 2];
    for &row in rows {
        let row = row as usize;
        class_sums[usize::from(table.positive[row])] += f64::from(table.weights[row]);
    }
    let total = class_sums[0] + class_sums[1];
    let class_weights = class_sums.map(|sum| if balanced { total / (2.0 * sum) } else { 1.0 });
    let one = |&row: &u32| {
        let is_positive = table.positive[row as usize];
        let class_weight = class_weights[usize::from(is_positive)];
        let weight = (f64::from(table.weights[row as usize]) * class_weight) as f32;
        Drawn { row, weight, memory: 0.0, is_positive, was_visited: false }
    };
    rows.iter().map(one).collect()
}

/// Derivative of the loss in the decision value.
fn derivative(decision: f64, is_positive: bool) -> f64 {
    let y = if is_positive { 1.0 } else { 0.0 };
    if decision <= FAR_BELOW {
        return math::exp(decision) - y;
    }
    let t = math::exp(-decision);
    ((1.0 - y) - y * t) / (1.0 + t)
}
