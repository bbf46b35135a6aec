//! All models of one miner, from one pass over its numbers.

use super::{Plan, Pooled};
use crate::logistic::{FitError, Model, Penalty};
use crate::univariate::Histogram;
use half::f16;
use std::collections::BTreeMap;

/// What one miner's numbers alone say.
pub(super) struct MinerModels {
    /// Samples with a number.
    pub(super) samples: usize,
    /// Per segment: AUC on its recent rows of the model of the rows before; `None` where there are too few samples.
    pub(super) aucs: Vec<Option<f64>>,
    /// By number of rows known: slope and intercept; none where there are too few samples.
    models: BTreeMap<usize, (f64, f64)>,
}

impl MinerModels {
    /// Fits all that any segment will ask for.
    pub(super) fn new(pooled: &Pooled, plans: &[Plan], numbers: &[f16]) -> Result<Self, FitError> {
        // Row counts at which something is fitted: for the selection, or to fill values.
        let fit_ends: Vec<usize> = plans.iter().map(|plan| plan.fit_end).filter(|&end| end > 0).collect();
        let fill_ends: Vec<usize> = plans.iter().flat_map(|plan| [plan.val.start, plan.train_end]).collect();
        let mut ends: Vec<usize> = fit_ends.iter().chain(&fill_ends).copied().collect();
        ends.sort_unstable();
        ends.dedup();

        let mut known = Histogram::new();
        let mut counts = Counts::default();
        let mut fitted: BTreeMap<usize, Option<Model>> = BTreeMap::new();
        let mut distinct: BTreeMap<usize, usize> = BTreeMap::new();
        let mut row = 0;
        for end in ends {
            counts += add(pooled, numbers, row..end, &mut known);
            row = end;
            distinct.insert(end, known.distinct());
            fitted.insert(end, fit(pooled, &known, counts)?);
        }
        let samples = (counts + add(pooled, numbers, row..pooled.rows, &mut known)).samples;
        let mut aucs = Vec::with_capacity(plans.len());
        let mut recent = Histogram::new();
        for plan in plans {
            recent.clear();
            let counts = add(pooled, numbers, plan.eval.clone(), &mut recent);
            let is_varied = distinct.get(&plan.fit_end).is_some_and(|&n| n >= pooled.min_distinct);
            let model = fitted.get(&plan.fit_end).and_then(Option::as_ref).filter(|_| is_varied);
            let auc = recent.auc().filter(|_| counts.samples >= pooled.min_eval);
            // A model of one number is a monotone map of it, so the AUC is the number's own, or its mirror image.
            aucs.push(model.zip(auc).map(|(model, auc)| match model.coef[0] {
                slope if slope > 0.0 => auc,
                slope if slope < 0.0 => 1.0 - auc,
                _ => 0.5,
            }));
        }
        let models = fitted.into_iter().filter_map(|(end, model)| Some((end, model?)));
        let models = models.map(|(end, model)| (end, (model.coef[0], model.intercept))).collect();
        Ok(Self { samples, aucs, models })
    }

    /// Slope and intercept of the model that knows the first `rows` rows.
    pub(super) fn model(&self, rows: usize) -> Option<(f64, f64)> {
        self.models.get(&rows).copied()
    }
}

#[derive(Clone, Copy, Default)]
struct Counts {
    samples: usize,
    positive: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.positive += other.positive;
    }
}

impl std::ops::Add for Counts {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

/// Adds the samples of some rows that have a label and a number.
fn add(pooled: &Pooled, numbers: &[f16], rows: std::ops::Range<usize>, histogram: &mut Histogram) -> Counts {
    let mut counts = Counts::default();
    if rows.is_empty() {
        return counts;
    }
    let numbers = &numbers[rows.start * pooled.assets..rows.end * pooled.assets];
    for (number, label) in numbers.iter().zip(pooled.labels_of(rows)) {
        if let Some(positive) = *label
            && is_number(*number)
            && histogram.add(*number, positive, 1.0)
        {
            counts += Counts { samples: 1, positive: usize::from(positive) };
        }
    }
    counts
}

fn fit(pooled: &Pooled, known: &Histogram, counts: Counts) -> Result<Option<Model>, FitError> {
    let Counts { samples, positive } = counts;
    if samples < pooled.min_fit || positive == 0 || positive == samples {
        return Ok(None);
    }
    known.fit(pooled.base_c, false, Penalty::L2, pooled.base_stop).map(Some)
}

/// Whether the miner said anything: neither zero nor broken.
pub(super) fn is_number(number: f16) -> bool {
    number.to_bits() & 0x7fff != 0 && number.is_finite()
}
