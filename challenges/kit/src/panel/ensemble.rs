//! The ensemble of one segment: bootstrapped coefficients over the selected miners' walk-forward values, and its AUC.

use super::column::Column;
use super::counts::{Line, widened};
use super::{Samples, Segment, Settings};
use crate::auc::auc;
use crate::bootstrap::{block_draws, median_of_means};
use crate::logistic::{FitError, Model, Penalty, Stop};
use crate::replicates::{Columns, Replicates, fit};
use mantis_plugin_api::Solver;
use std::ops::Range;

/// The values of the selected miners in the training and in the test rows.
pub(super) struct Design<'a> {
    samples: &'a Samples,
    segment: &'a Segment,
    train: Vec<Vec<f32>>,
    val: Vec<Vec<f32>>,
    /// Per training sample: whether any miner has a value.
    any: Vec<bool>,
}

/// What a segment says about its miners, in their order in the design.
pub(super) struct Outcome {
    /// Training samples with a value.
    pub(super) rows: usize,
    /// Mean coefficient over the replicates.
    pub(super) coef: Vec<f64>,
    /// Median of means of its size.
    pub(super) weight: Vec<f64>,
    /// AUC of the ensemble on the test rows.
    pub(super) auc: f64,
}

impl<'a> Design<'a> {
    pub(super) fn new(samples: &'a Samples, segment: &'a Segment) -> Self {
        let any = vec![false; samples.at(segment.train_end)];
        Self { samples, segment, train: Vec::new(), val: Vec::new(), any }
    }

    /// Adds a miner; `line` gives its model of the rows before a row.
    pub(super) fn push(
        &mut self,
        column: &Column,
        settings: &Settings,
        line: impl Fn(usize) -> Option<Line>,
    ) {
        let mut train = vec![0.0; self.any.len()];
        for sub in settings.sub_segments(self.segment.train_end) {
            if let Some(line) = line(sub.from) {
                let at = self.samples.of(&(sub.from..sub.end));
                decide(&column.values[at.clone()], line, &mut train[at.clone()]);
                let present = column.values[at.clone()].iter().map(|&bits| bits != 0);
                self.any[at].iter_mut().zip(present).for_each(|(any, present)| *any |= present);
            }
        }
        let at = self.val();
        let mut val = vec![0.0; at.len()];
        if let Some(line) = line(self.segment.train_end) {
            decide(&column.values[at], line, &mut val);
        }
        self.train.push(train);
        self.val.push(val);
    }

    /// Fits and tests the ensemble; `None` where there is too little to learn from.
    pub(super) fn solve(mut self, settings: &Settings) -> Result<Option<Outcome>, FitError> {
        let y: Vec<bool> = self.keep(&self.samples.above()[..self.any.len()]);
        for column in &mut self.train {
            let mut any = self.any.iter();
            column.retain(|_| any.next().copied().unwrap_or(false));
        }
        if y.len() < settings.min_samples || !y.contains(&true) || !y.contains(&false) {
            return Ok(None);
        }
        let models = models(&self.train, &y, self.segment.index, settings)?;
        let n = models.len() as f64;
        let mean = |of: &dyn Fn(&Model) -> f64| models.iter().map(of).sum::<f64>() / n;
        let coef: Vec<f64> = (0..self.train.len()).map(|j| mean(&|model| model.coef[j])).collect();
        let sizes: Vec<Vec<f64>> =
            models.iter().map(|model| model.coef.iter().map(|c| c.abs()).collect()).collect();

        let mut decisions = vec![mean(&|model| model.intercept); self.val().len()];
        for (&coef, column) in coef.iter().zip(&self.val) {
            decisions.iter_mut().zip(column).for_each(|(decision, &x)| *decision += coef * f64::from(x));
        }
        let Some(auc) = auc(&decisions, &self.samples.above()[self.val()]) else { return Ok(None) };
        Ok(Some(Outcome { rows: y.len(), coef, weight: median_of_means(&sizes, settings.groups), auc }))
    }

    fn val(&self) -> Range<usize> {
        self.samples.of(&self.segment.val)
    }

    fn keep<T: Copy>(&self, values: &[T]) -> Vec<T> {
        values.iter().zip(&self.any).filter(|(_, any)| **any).map(|(&value, _)| value).collect()
    }
}

/// Decision values of one miner's model; 0 where it sent nothing.
fn decide(values: &[u16], line: Line, out: &mut [f32]) {
    for (&bits, out) in values.iter().zip(out) {
        let decision = line.slope * f64::from(widened(bits)) + line.offset;
        *out = if bits == 0 { 0.0 } else { decision as f32 };
    }
}

/// The models of all replicates; where there can be none, the one of all samples.
fn models(
    columns: &[Vec<f32>],
    y: &[bool],
    segment: usize,
    settings: &Settings,
) -> Result<Vec<Model>, FitError> {
    let seed = settings.seed.wrapping_add(settings.seed_step.wrapping_mul(segment as u64 + 1));
    let draws = (0..settings.replicates).map(|b| block_draws(y.len(), settings.block, seed, b));
    let columns: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
    let fit = |starts: &[Vec<usize>], block: usize| -> Result<Vec<Model>, FitError> {
        let problem = Replicates {
            x: Columns::F32(&columns),
            y,
            weights: None,
            balanced: true,
            c: settings.meta_c,
            penalty: Penalty::L2,
            block,
            starts,
        };
        let models = match settings.solver {
            Solver::Exact => fit(&problem)?,
            Solver::Network => {
                plain(&problem, Stop::Network { tol: settings.tol, max_iter: settings.meta_max_iter })?
            }
        };
        Ok(models.into_iter().flatten().collect())
    };
    if let Some(starts) = draws.collect::<Option<Vec<_>>>() {
        let models = fit(&starts, settings.block)?;
        if !models.is_empty() {
            return Ok(models);
        }
    }
    fit(&[vec![0]], y.len())
}
fn plain(p: &Replicates<'_>, stop: Stop) -> Result<Vec<Option<Model>>, FitError> {
    let Columns::F32(cols) = p.x else { unreachable!() };
    let cols: Vec<Vec<f64>> = cols.iter().map(|c| c.iter().map(|&x| f64::from(x)).collect()).collect();
    let cols: Vec<&[f64]> = cols.iter().map(Vec::as_slice).collect();
    p.starts
        .iter()
        .map(|starts| {
            let weights: Vec<f64> = crate::bootstrap::multiplicities(p.y.len(), p.block, starts)
                .into_iter()
                .map(f64::from)
                .collect();
            let alone = crate::logistic::Problem {
                x: crate::logistic::Design::from_columns(&cols),
                y: p.y,
                weights: Some(&weights),
                balanced: p.balanced,
                c: p.c,
                penalty: p.penalty,
            };
            match crate::logistic::fit(&alone, stop, None) {
                Ok(m) => Ok(Some(m)),
                Err(FitError::OneClass { .. }) => Ok(None),
                Err(e) => Err(e),
            }
        })
        .collect()
}
