//! Passes over the rows, for all replicates at once.

use super::cell::Cell;
use super::query::Query;
use super::state::State;
use super::tile::{GROUP, Tile, decide};
use super::{BLOCK, Replicates};
use crate::logistic::Model;
use crate::math;

/// Gradients of the loss at each query's `theta`; the values too if `VALUES`.
pub(super) fn gradients<const VALUES: bool>(problem: &Replicates<'_>, queries: &mut [Query<'_>]) {
    let mut theta = vec![[0.0; GROUP]; problem.x.width() + 1];
    gather(problem, queries, |x, queries, group, counts, residual| {
        interleave(&mut theta, group.iter().map(|&i| queries[i].theta));
        decide(&x.columns, &theta, residual);
        for (residual, &i) in residual.iter_mut().zip(group) {
            queries[i].value += x.residuals::<VALUES>(&counts[i], queries[i].scale, residual);
        }
    });
}

/// Products of the second derivatives of the loss at each query's `theta` with its `direction`, in place of gradients.
pub(super) fn curvature_products(problem: &Replicates<'_>, queries: &mut [Query<'_>], directions: &[&[f64]]) {
    let mut theta = vec![[0.0; GROUP]; problem.x.width() + 1];
    let mut decision = [[0.0; BLOCK]; GROUP];
    gather(problem, queries, |x, queries, group, counts, change| {
        interleave(&mut theta, group.iter().map(|&i| queries[i].theta));
        decide(&x.columns, &theta, &mut decision);
        interleave(&mut theta, group.iter().map(|&i| directions[i]));
        decide(&x.columns, &theta, change);
        for ((change, decision), &i) in change.iter_mut().zip(&decision).zip(group) {
            x.bend(&counts[i], queries[i].scale, decision, change);
        }
    });
}

/// Products of the columns with what `weigh` makes of the rows, into each query's gradient.
///
/// `weigh` gets a block of rows, all queries, which of them it is asked for (at most [`GROUP`]), and the multiplicities per
/// query.
fn gather<'q>(
    problem: &Replicates<'_>,
    queries: &mut [Query<'q>],
    mut weigh: impl FnMut(&Tile, &mut [Query<'q>], &[usize], &[[f64; BLOCK]], &mut [[f64; BLOCK]; GROUP]),
) {
    let mut x = Tile::new(problem.x.width());
    for query in &mut *queries {
        query.gradient.fill(0.0);
        query.value = 0.0;
    }
    if queries.is_empty() {
        return;
    }
    let mut residual = [[0.0; BLOCK]; GROUP];
    let mut present = Vec::with_capacity(queries.len());
    let mut counts = vec![[0.0; BLOCK]; queries.len()];
    let mut from = vec![0; queries.len()];
    for first in (0..problem.y.len()).step_by(BLOCK) {
        present.clear();
        for (i, (query, from)) in queries.iter().zip(&mut from).enumerate() {
            if problem.counts(query.replicate, from, first, &mut counts[i]) {
                present.push(i);
            }
        }
        x.load(problem, first);
        for group in present.chunks(GROUP) {
            weigh(&x, queries, group, &counts, &mut residual);
            for (j, pair) in x.columns.as_chunks::<2>().0.iter().enumerate() {
                let sums =
                    math::products(residual.each_ref().map(|r| &r[..]), pair.each_ref().map(|x| &x[..]));
                for (sums, &i) in sums.iter().zip(group) {
                    let gradient = &mut queries[i].gradient[2 * j..];
                    gradient.iter_mut().zip(sums).for_each(|(gradient, sum)| *gradient += sum);
                }
            }
        }
    }
}

/// Parameters of a group of replicates that share a tile, side by side.
fn interleave<'a>(side_by_side: &mut [[f64; GROUP]], group: impl Iterator<Item = &'a [f64]>) {
    for (lane, theta) in group.enumerate() {
        side_by_side.iter_mut().zip(theta).for_each(|(all, value)| all[lane] = *value);
    }
}

/// Adds the second derivatives of the loss at `start` to each state's matrix, cell by cell.
pub(super) fn add_curvatures(problem: &Replicates<'_>, start: &Model, states: &mut [State]) {
    let mut x = Tile::new(problem.x.width());
    let order = problem.x.width() + 1;
    let mut theta = vec![[0.0; GROUP]; order];
    let parameters = start.coef.iter().chain([&start.intercept]);
    theta.iter_mut().zip(parameters).for_each(|(theta, value)| theta[0] = *value);
    let mut decision = [[0.0; BLOCK]; GROUP];
    let mut cell = Cell::new(order);
    let mut counts = vec![None; states.len()];
    let mut from = vec![0; states.len()];
    for first in (0..problem.y.len()).step_by(BLOCK) {
        for ((state, from), counts) in states.iter().zip(&mut from).zip(&mut counts) {
            let mut own = [0.0; BLOCK];
            *counts = problem.counts(state.replicate, from, first, &mut own).then_some(own);
        }
        x.load(problem, first);
        decide(&x.columns, &theta, &mut decision);
        for class in [false, true] {
            if !cell.fill(&x, class, &decision[0]) {
                continue;
            }
            for (state, counts) in states.iter_mut().zip(&counts) {
                if let Some(counts) = counts {
                    let share = cell.share(counts) * state.scale[usize::from(class)];
                    cell.add_to(share, &mut state.matrix);
                }
            }
        }
    }
}

/// Sums the second derivatives of the loss at each state's own `theta`, row by row, into its matrix.
pub(super) fn own_curvatures(problem: &Replicates<'_>, states: &mut [&mut State]) {
    let mut x = Tile::new(problem.x.width());
    let order = problem.x.width() + 1;
    let mut theta = vec![[0.0; GROUP]; order];
    let mut decision = [[0.0; BLOCK]; GROUP];
    let mut cell = Cell::new(order);
    let mut counts = [0.0; BLOCK];
    let mut from = vec![0; states.len()];
    states.iter_mut().for_each(|state| state.matrix.fill(0.0));
    for first in (0..problem.y.len()).step_by(BLOCK) {
        x.load(problem, first);
        for (group, from) in states.chunks_mut(GROUP).zip(from.chunks_mut(GROUP)) {
            interleave(&mut theta, group.iter().map(|state| &state.theta[..]));
            decide(&x.columns, &theta, &mut decision);
            for ((state, from), decision) in group.iter_mut().zip(from).zip(&decision) {
                if problem.counts(state.replicate, from, first, &mut counts) {
                    let scale = |i: usize| state.scale[usize::from(x.y[i])];
                    if cell.fill_weighted(&x, decision, |i| counts[i] * x.weights[i] * scale(i)) {
                        cell.add_to(1.0, &mut state.matrix);
                    }
                }
            }
        }
    }
}
