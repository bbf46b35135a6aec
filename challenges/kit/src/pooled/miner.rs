//! The models of one miner alone, from passes over its numbers.

use super::counts::{Counts, Line};
use super::plan::{Plan, Pooled};
use crate::logistic::{FitError, Stop};
use half::f16;

/// What one miner's numbers alone tell.
pub(super) struct MinerAucs {
    /// Samples with a number.
    pub(super) samples: usize,
    /// Per segment: AUC on its recent rows of the model of the rows before; `None` if there are too few samples.
    pub(super) aucs: Vec<Option<f64>>,
}

impl MinerAucs {
    pub(super) fn new(pooled: &Pooled, plans: &[Plan], numbers: &[f16]) -> Result<Self, FitError> {
        let mut marks: Vec<usize> =
            plans.iter().flat_map(|plan| [plan.fit_end, plan.eval.start, plan.eval.end]).collect();
        marks.sort_unstable();
        marks.dedup();
        let mut known = Known::new(pooled, numbers);
        let mut slopes = vec![None; plans.len()];
        let mut before: Vec<Option<Counts>> = vec![None; plans.len()];
        let mut aucs = vec![None; plans.len()];
        for mark in marks {
            let counts = known.up_to(mark);
            for (i, plan) in plans.iter().enumerate() {
                if plan.fit_end == mark {
                    slopes[i] = slope(pooled, counts)?;
                }
                if plan.eval.start == mark && slopes[i].is_some() {
                    before[i] = Some(counts.clone());
                }
                if plan.eval.end == mark
                    && let (Some(slope), Some(before)) = (slopes[i], before[i].take())
                {
                    // A model of one number is a monotone map of it, so the AUC is the number's own, or its mirror
                    // image.
                    let recent = counts.since(&before);
                    aucs[i] = recent.is_enough(pooled.min_eval).then(|| recent.auc(slope));
                }
            }
        }
        Ok(Self { samples: known.up_to(pooled.rows).samples(), aucs })
    }
}

/// A number with the sign of the slope that the selection's model has; `None` if there are too few samples.
fn slope(pooled: &Pooled, counts: &Counts) -> Result<Option<f64>, FitError> {
    if !counts.is_enough(pooled.min_fit) || counts.distinct() < pooled.min_distinct {
        return Ok(None);
    }
    Ok(Some(match pooled.base_stop {
        Stop::Exact => counts.tendency(),
        stop @ Stop::Network { .. } => counts.fit(pooled.base_c, stop, None)?.slope,
    }))
}

/// The models of one miner that fill values, by number of rows known.
pub(super) struct MinerModels {
    ends: Vec<usize>,
    lines: Vec<Option<Line>>,
}

impl MinerModels {
    /// Fits all that any segment will ask for.
    pub(super) fn new(pooled: &Pooled, plans: &[Plan], numbers: &[f16]) -> Result<Self, FitError> {
        let mut ends: Vec<usize> = plans.iter().flat_map(|plan| [plan.val.start, plan.train_end]).collect();
        ends.retain(|end| *end <= pooled.rows);
        ends.sort_unstable();
        ends.dedup();
        let mut known = Known::new(pooled, numbers);
        let mut last = None;
        let mut fit = |&end: &usize| -> Result<Option<Line>, FitError> {
            let counts = known.up_to(end);
            if !counts.is_enough(pooled.min_fit) {
                return Ok(None);
            }
            last = Some(counts.fit(pooled.base_c, pooled.base_stop, last)?);
            Ok(last)
        };
        let lines = ends.iter().map(&mut fit).collect::<Result<_, _>>()?;
        Ok(Self { ends, lines })
    }

    /// The model that knows the first `rows` rows; `None` if there are too few samples.
    pub(super) fn line(&self, rows: usize) -> Option<Line> {
        self.ends.binary_search(&rows).ok().and_then(|at| self.lines[at])
    }
}

/// The samples of a growing number of rows.
struct Known<'a> {
    pooled: &'a Pooled,
    numbers: &'a [f16],
    rows: usize,
    counts: Counts,
}

impl<'a> Known<'a> {
    fn new(pooled: &'a Pooled, numbers: &'a [f16]) -> Self {
        Self { pooled, numbers, rows: 0, counts: Counts::new() }
    }

    /// The samples of the first `rows` rows, or of more if more were asked for before.
    fn up_to(&mut self, rows: usize) -> &Counts {
        if rows > self.rows {
            let places = self.rows * self.pooled.assets..rows * self.pooled.assets;
            self.counts.add(&self.numbers[places], self.pooled.labels_of(self.rows..rows));
            self.rows = rows;
        }
        &self.counts
    }
}
