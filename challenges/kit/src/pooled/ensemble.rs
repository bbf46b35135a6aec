//! The ensemble of one segment.

use super::PooledError;
use super::counts::{Line, is_number};
use super::miner::MinerModels;
use super::plan::{Plan, Pooled};
use crate::auc::auc;
use crate::bootstrap::{BlockBootstrap, block_draws, median_of_means};
use crate::logistic::{FitError, Model, Penalty, Stop};
use crate::replicates::{self, Columns, Replicates};
use half::f16;

/// What the ensemble of a segment gives, per selected miner.
pub(super) struct Ensemble {
    /// Median of means of the coefficients' sizes.
    pub(super) importance: Vec<f64>,
    /// Mean coefficients, which predict the segment.
    pub(super) coefficients: Vec<f64>,
    /// AUC on the segment.
    pub(super) auc: f64,
    /// Samples fitted on.
    pub(super) samples: usize,
}

/// An ensemble that is fitted, and not yet asked anything.
pub(super) struct Fitted {
    /// Mean coefficients, per selected miner, and mean intercept.
    pub(super) mean: Model,
    /// The selected miners' models for what is asked; `None` where there are too few samples.
    pub(super) lines: Vec<Option<Line>>,
    /// Sizes of the coefficients, per replicate.
    sizes: Vec<Vec<f64>>,
    samples: usize,
}

#[cfg(test)]
impl Fitted {
    /// One that no samples were needed for.
    pub(super) fn of(mean: Model, lines: Vec<Option<Line>>) -> Self {
        Self { mean, lines, sizes: Vec::new(), samples: 0 }
    }
}

/// Fits on the past and measures on the segment; `None` if there is too little to fit on. `watch` is shown what the
/// ensemble says of each sample of the segment: row, asset, decision value.
pub(super) fn fit<E>(
    pooled: &Pooled,
    plans: &[Plan],
    plan: &Plan,
    selected: &[usize],
    models: &mut [Option<MinerModels>],
    column: &mut impl FnMut(usize, &mut Vec<f16>) -> Result<(), E>,
    watch: &mut impl FnMut(usize, usize, f64),
) -> Result<Option<Ensemble>, PooledError<E>> {
    let mut val = Samples::new(pooled, plan.val.clone());
    let mut asked = Vec::with_capacity(selected.len());
    let ask = |line: Option<Line>, numbers: &[f16]| {
        asked.push(val.values(pooled, numbers, [(line, plan.val.clone())].into_iter()));
    };
    let Some(fitted) = train(pooled, plans, plan, selected, models, column, ask)? else { return Ok(None) };
    let decisions = decisions(&fitted.mean, &asked, val.labels.len());
    for (&at, &decision) in val.at.iter().zip(&decisions) {
        watch(at as usize / pooled.assets, at as usize % pooled.assets, decision);
    }
    let Some(auc) = auc(&decisions, &val.labels) else { return Ok(None) };
    let Fitted { mean, sizes, samples, .. } = fitted;
    let importance = if sizes.len() == 1 { sizes[0].clone() } else { median_of_means(&sizes, pooled.groups) };
    Ok(Some(Ensemble { importance, coefficients: mean.coef, auc, samples }))
}

/// Fits on the past; `None` if there is too little. `ask` is given each selected miner's model for the segment, and its
/// numbers.
pub(super) fn train<E>(
    pooled: &Pooled,
    plans: &[Plan],
    plan: &Plan,
    selected: &[usize],
    models: &mut [Option<MinerModels>],
    column: &mut impl FnMut(usize, &mut Vec<f16>) -> Result<(), E>,
    mut ask: impl FnMut(Option<Line>, &[f16]),
) -> Result<Option<Fitted>, PooledError<E>> {
    let mut train = Samples::new(pooled, 0..plan.train_end);
    let mut past = Vec::with_capacity(selected.len());
    let mut lines = Vec::with_capacity(selected.len());
    let mut numbers = Vec::new();
    for &miner in selected {
        column(miner, &mut numbers).map_err(PooledError::Column)?;
        let own = match &mut models[miner] {
            Some(own) => own,
            own @ None => own.insert(MinerModels::new(pooled, plans, &numbers)?),
        };
        let known = sub_segments(pooled, plan).map(|(known, rows)| (own.line(known), rows));
        past.push(train.values(pooled, &numbers, known));
        let line = own.line(plan.train_end);
        ask(line, &numbers);
        lines.push(line);
    }
    train.keep_covered(&mut past);
    let positive = train.labels.iter().filter(|&&y| y).count();
    let samples = train.labels.len();
    if samples < pooled.min_samples || positive == 0 || positive == samples {
        return Ok(None);
    }
    let models = fit_replicates(pooled, plan, &past, &train.labels)?;
    drop(past);
    let Some(mean) = mean(&models) else { return Ok(None) };
    let sizes: Vec<Vec<f64>> = models.iter().map(|m| m.coef.iter().map(|c| c.abs()).collect()).collect();
    Ok(Some(Fitted { mean, lines, sizes, samples }))
}

/// What a fitted ensemble says of so many samples, of which its miners have these values.
pub(super) fn decisions(mean: &Model, values: &[Vec<f32>], samples: usize) -> Vec<f64> {
    let mut decisions = vec![mean.intercept; samples];
    for (column, coefficient) in values.iter().zip(&mean.coef) {
        decisions.iter_mut().zip(column).for_each(|(z, &x)| *z += coefficient * f64::from(x));
    }
    decisions
}

/// Rows known to a model, and the rows before the segment that it fills.
fn sub_segments<'a>(
    pooled: &'a Pooled,
    plan: &'a Plan,
) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + 'a {
    let starts = (0..plan.train_end).step_by(pooled.segment_rows);
    let filled = starts.map(|start| {
        let from = start + pooled.embargo_rows;
        (from, from..(start + pooled.segment_rows).min(plan.train_end))
    });
    filled.filter(|(_, rows)| !rows.is_empty())
}

/// All models of the bootstrap, or the one plain model if it declines.
fn fit_replicates(pooled: &Pooled, plan: &Plan, x: &[Vec<f32>], y: &[bool]) -> Result<Vec<Model>, FitError> {
    let step = pooled.seed_step.wrapping_mul(plan.index as u64 + 1);
    let seed = pooled.bootstrap.seed.wrapping_add(step);
    let bootstrap = BlockBootstrap { seed, ..pooled.bootstrap };
    let draws = (0..bootstrap.replicates).map(|b| block_draws(y.len(), bootstrap.block, bootstrap.seed, b));
    if let Some(starts) = draws.collect::<Option<Vec<_>>>() {
        let models = fit_together(pooled, bootstrap.block, &starts, x, y)?;
        if !models.is_empty() {
            return Ok(models);
        }
    }
    // One block of all rows, once.
    fit_together(pooled, y.len(), &[vec![0]], x, y)
}

/// The models of all replicates that have both classes.
fn fit_together(
    pooled: &Pooled,
    block: usize,
    starts: &[Vec<usize>],
    x: &[Vec<f32>],
    y: &[bool],
) -> Result<Vec<Model>, FitError> {
    let columns: Vec<&[f32]> = x.iter().map(Vec::as_slice).collect();
    let problem = Replicates {
        x: Columns::F32(&columns),
        y,
        weights: None,
        balanced: true,
        c: pooled.meta_c,
        penalty: Penalty::L2,
        block,
        starts,
    };
    let models = match pooled.meta_stop {
        Stop::Exact => replicates::fit(&problem)?,
        Stop::Network { tol, max_iter, .. } => replicates::fit_network(&problem, tol, max_iter)?,
    };
    Ok(models.into_iter().flatten().collect())
}

fn mean(models: &[Model]) -> Option<Model> {
    let n = models.len() as f64;
    let width = models.first()?.coef.len();
    let coef = (0..width).map(|d| models.iter().map(|m| m.coef[d]).sum::<f64>() / n).collect();
    Some(Model { coef, intercept: models.iter().map(|m| m.intercept).sum::<f64>() / n })
}

/// The labelled samples of a range of rows, in row-major order.
struct Samples {
    /// Position among all (row, asset) pairs.
    at: Vec<u32>,
    labels: Vec<bool>,
    /// Whether any selected miner has a value.
    covered: Vec<bool>,
}

impl Samples {
    fn new(pooled: &Pooled, rows: std::ops::Range<usize>) -> Self {
        let first = rows.start * pooled.assets;
        let labelled =
            pooled.labels_of(rows).iter().enumerate().filter_map(|(i, label)| Some((i, (*label)?)));
        let (at, labels): (Vec<u32>, Vec<bool>) = labelled.map(|(i, y)| ((first + i) as u32, y)).unzip();
        Self { covered: vec![false; at.len()], at, labels }
    }

    /// One miner's values: in each range of rows, those of its model on its numbers; 0 elsewhere.
    fn values(
        &mut self,
        pooled: &Pooled,
        numbers: &[f16],
        fills: impl Iterator<Item = (Option<Line>, std::ops::Range<usize>)>,
    ) -> Vec<f32> {
        let mut values = vec![0.0; self.at.len()];
        for (line, rows) in fills {
            let Some(line) = line else { continue };
            let place = |row: usize| self.at.partition_point(|&at| (at as usize) < row * pooled.assets);
            let range = place(rows.start)..place(rows.end);
            let samples = self.at[range.clone()].iter().zip(&mut self.covered[range.clone()]);
            for (value, (&at, covered)) in values[range].iter_mut().zip(samples) {
                let number = numbers[at as usize];
                *value = line.value(number);
                *covered |= is_number(number);
            }
        }
        values
    }

    /// Drops the samples that no miner has a value for.
    fn keep_covered(&mut self, columns: &mut [Vec<f32>]) {
        if self.covered.iter().all(|&covered| covered) {
            return;
        }
        let covered = std::mem::take(&mut self.covered);
        for column in columns {
            let mut keep = covered.iter();
            column.retain(|_| *keep.next().unwrap_or(&false));
        }
        let mut keep = covered.iter();
        self.labels.retain(|_| *keep.next().unwrap_or(&false));
    }
}
