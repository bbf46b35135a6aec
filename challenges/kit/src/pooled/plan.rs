//! What is walked over, and the rows that each segment uses.

use crate::bootstrap::BlockBootstrap;
use crate::logistic::Stop;
use crate::segments::{Segment, walk};
use std::ops::Range;

/// Labels of all rows and assets, and the constants of the walk.
#[derive(Clone, Debug)]
pub struct Pooled {
    /// Rows that can have a label; the walk is over these.
    pub rows: usize,
    /// Assets per row.
    pub assets: usize,
    /// `rows x assets`, row by row: whether the asset did better than the median; `None` if that is not known.
    pub labels: Vec<Option<bool>>,
    /// Rows of a segment, and of those before it that miners are selected on.
    pub segment_rows: usize,
    /// Rows between what a model knows and what it is asked.
    pub embargo_rows: usize,
    /// Rows before a segment's first asked row that are not trained on, because their labels reach into it.
    pub cut_rows: usize,
    /// Samples that selection, ensemble and segment need, each of both classes.
    pub min_samples: usize,
    /// A miner's samples that its own model needs.
    pub min_fit: usize,
    /// A miner's samples that its AUC needs.
    pub min_eval: usize,
    /// Distinct numbers that the model for the selection needs.
    pub min_distinct: usize,
    /// Miners that are kept, by AUC.
    pub top_k: usize,
    /// Inverse penalty of the models of single miners.
    pub base_c: f64,
    /// How far their fits go.
    pub base_stop: Stop,
    /// Inverse penalty of the ensemble.
    pub meta_c: f64,
    /// How far its fit goes.
    pub meta_stop: Stop,
    /// Replicates, samples of a block, and the seed of the whole.
    pub bootstrap: BlockBootstrap,
    /// The seed of segment s, counted from 0, is that of the bootstrap plus s + 1 times this.
    pub seed_step: u64,
    /// Groups of the median of means.
    pub groups: usize,
    /// Half-life of a segment's weight, in segments.
    pub half_life: f64,
}

/// The rows that one segment uses.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) index: usize,
    /// The selection's models know these rows ...
    pub(super) fit_end: usize,
    /// ... and are measured on these.
    pub(super) eval: Range<usize>,
    /// The ensemble knows these rows ...
    pub(super) train_end: usize,
    /// ... and is measured on these.
    pub(super) val: Range<usize>,
}

impl Pooled {
    /// The rows of every segment, oldest first.
    pub(super) fn plans(&self) -> Vec<Plan> {
        self.plans_of(self.rows)
    }

    /// The rows of every segment of a walk over so many rows.
    pub(super) fn plans_of(&self, rows: usize) -> Vec<Plan> {
        let plan = |(index, segment): (usize, Segment)| {
            let train_end = segment.from.saturating_sub(self.cut_rows);
            let eval = train_end.saturating_sub(self.segment_rows)..train_end;
            let fit_end = eval.start.saturating_sub(self.embargo_rows);
            Plan { index, fit_end, eval, train_end, val: segment.from..segment.end }
        };
        walk(rows, self.segment_rows, self.embargo_rows).enumerate().map(plan).collect()
    }

    /// The labels of a range of rows.
    pub(super) fn labels_of(&self, rows: Range<usize>) -> &[Option<bool>] {
        &self.labels[rows.start * self.assets..rows.end * self.assets]
    }

    /// Whether there are enough samples of both classes.
    fn is_enough(&self, rows: Range<usize>) -> bool {
        let labels = self.labels_of(rows).iter().flatten();
        let (samples, positive) = labels.fold((0, 0), |(n, p), &label| (n + 1, p + usize::from(label)));
        samples >= self.min_samples && positive > 0 && positive < samples
    }

    /// Whether a segment has enough samples to select miners for it.
    pub(super) fn selects(&self, plan: &Plan) -> bool {
        self.trains(plan) && self.is_enough(plan.val.clone())
    }

    /// Whether there are enough before it.
    pub(super) fn trains(&self, plan: &Plan) -> bool {
        plan.train_end > 0 && self.is_enough(0..plan.fit_end) && self.is_enough(plan.eval.clone())
    }
}
