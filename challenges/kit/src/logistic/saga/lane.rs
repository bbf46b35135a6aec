//! One fit on its way.

use super::draws::Draws;
use super::table::{Table, fetch};
use super::{Saga, Sample};
use multiversion::multiversion;

/// Scales below this are worked into the coefficients at once, as above they are after each pass.
const SMALLEST_SCALE: f32 = 1e-9;
/// Visits that are looked up at once, of all fits of a group together: as many as memory serves at once.
const AT_ONCE: usize = 40;
/// Visits of one fit that are known, the present one among them.
const KNOWN: usize = 16;

/// A visit of a row.
#[derive(Debug, Clone, Copy, Default)]
struct Visit {
    /// Place in the sample.
    place: u32,
    /// Row of the table.
    row: u32,
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
    sample: Sample,
    /// Weights of the negative and of the positive class.
    class_weights: [f64; 2],
    draws: Draws,
    /// The present visit, at `now`, and those after it, in a ring: memory is slow, so what they need is looked up early and
    /// together.
    visits: [Visit; KNOWN],
    now: usize,
    /// Visits after the present one that are known.
    ready: usize,
    /// How many are drawn at once.
    reach: usize,
    /// Per place the derivative of the row's loss when it was last visited; NaN if it was not.
    memories: Vec<f32>,
    visited: usize,
    /// Part of a step that a change makes by itself, besides by the mean of the gradients.
    new_part: f64,
    position: u32,
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
    /// One of a group of so many.
    pub(super) fn new(saga: &Saga<'a>, index: usize, group: usize, sample: Sample) -> Self {
        let table = saga.table;
        let places = sample.len();
        let rows = f64::from(places);
        let ridge = (1.0 - saga.l1_ratio) / (saga.c * rows);
        let squares = (0..places).map(|place| table.squares[sample.row(place) as usize]);
        let largest = squares.fold(0.0, f32::max);
        let steepest = f64::from((0.25 * (f64::from(largest) + 1.0) + ridge) as f32);
        let step = (1.0 / (2.0 * steepest + f64::min(2.0 * rows * ridge, steepest))) as f32;
        let zeros = vec![0.0; table.length];
        let mut lane = Self {
            index,
            table,
            tol: saga.tol,
            passes_left: saga.max_iter,
            step,
            decay: (1.0 - f64::from(step) * ridge) as f32,
            l1: (saga.l1_ratio / (saga.c * rows)) as f32,
            class_weights: class_weights(table, &sample, saga.balanced),
            draws: Draws::new(sample.seed),
            sample,
            visits: [Visit::default(); KNOWN],
            now: 0,
            ready: 0,
            reach: (AT_ONCE / group).clamp(1, KNOWN - 1),
            memories: vec![f32::NAN; places as usize],
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
            products: zeros,
            lesson: Lesson::default(),
        };
        lane.visits[0] = lane.draw();
        lane
    }

    pub(super) fn is_over(&self) -> bool {
        self.passes_left == 0
    }

    /// Coefficients, then the intercept.
    pub(super) fn parameters(&self) -> Vec<f64> {
        let coef = self.coef.iter().take(self.table.width);
        coef.chain([&self.intercept]).map(|&value| f64::from(value)).collect()
    }

    /// Looks up the next visits, if none is known.
    pub(super) fn look_ahead(&mut self) {
        if self.ready > 0 {
            return;
        }
        for ahead in 1..=self.reach {
            let visit = self.draw();
            self.table.fetch(visit.row);
            fetch(&self.memories[visit.place as usize]);
            self.visits[(self.now + ahead) % KNOWN] = visit;
        }
        self.ready = self.reach;
    }

    fn draw(&mut self) -> Visit {
        let place = self.draws.next(self.sample.len());
        Visit { place, row: self.sample.row(place) }
    }

    fn visit(&self) -> Visit {
        self.visits[self.now % KNOWN]
    }

    /// Products of coefficients and features; the decision value needs their sum.
    pub(super) fn products(&self) -> &[f32] {
        &self.products
    }

    /// The decision value of the present row, given the sum of the products.
    pub(super) fn decision(&self, sum: f32) -> f64 {
        f64::from(self.scale * sum + self.intercept)
    }

    /// The present row's label: 1 or 0.
    pub(super) fn label(&self) -> f64 {
        let (_, is_positive) = self.table.weight(self.visit().row);
        f64::from(u8::from(is_positive))
    }

    /// Compares the present row with what is remembered of it, given the derivative of its loss in the decision value.
    pub(super) fn compare(&mut self, slope: f64) {
        let Visit { place, row } = self.visit();
        let (weight, is_positive) = self.table.weight(row);
        let weight = (f64::from(weight) * self.class_weights[usize::from(is_positive)]) as f32;
        let gradient = (f64::from(weight) * slope) as f32;
        let memory = std::mem::replace(&mut self.memories[place as usize], gradient);
        if memory.is_nan() {
            self.visited += 1;
            self.new_part = f64::from(self.step) * (1.0 - 1.0 / self.visited as f64);
        }
        let change = if memory.is_nan() { gradient } else { gradient - memory };

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
        let x = self.table.row(self.visit().row);
        self.now = (self.now + 1) % KNOWN;
        self.ready -= 1;
        let next_x = self.table.row(self.visit().row);
        let rows = (x, next_x);
        update(&mut self.coef, &mut self.sums, &mut self.products, rows, self.lesson, due);
        self.position += 1;
        let is_last = self.position == self.sample.len();
        if is_last || self.scale < SMALLEST_SCALE {
            self.settle();
        }
        if is_last {
            self.end_pass();
        }
    }

    /// Works the scale into the coefficients, to which nothing is due.
    fn settle(&mut self) {
        let x = self.table.row(self.visit().row);
        for ((coef, products), x) in self.coef.iter_mut().zip(&mut self.products).zip(x) {
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
#[multiversion(targets("x86_64+avx2"))]
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

/// Weights of the negative and of the positive class of a sample.
fn class_weights(table: &Table, sample: &Sample, balanced: bool) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for place in 0..sample.len() {
        let (weight, is_positive) = table.weight(sample.row(place));
        sums[usize::from(is_positive)] += f64::from(weight);
    }
    let total = sums[0] + sums[1];
    sums.map(|sum| if balanced { total / (2.0 * sum) } else { 1.0 })
}
