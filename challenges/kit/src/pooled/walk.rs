//! The walk over segments: who is selected, and what each ensemble is worth.

use super::miner::{MinerAucs, MinerModels};
use super::{MinerOutcome, PooledError, PooledOutcome, SegmentOutcome, ensemble};
use crate::bootstrap::BlockBootstrap;
use crate::logistic::Stop;
use crate::segments::{Segment, walk};
use half::f16;
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
    /// Walks over all rows. `column` puts a miner's numbers, `rows x assets` row by row, in the place of what it finds; it
    /// is asked for every miner once, and again for those that are selected. `progress` is told the finished part, 0 to 1.
    ///
    /// # Errors
    /// [`PooledError`], from `column` or a fit that is impossible.
    pub fn run<E>(
        &self,
        miners: usize,
        mut column: impl FnMut(usize, &mut Vec<f16>) -> Result<(), E>,
        mut progress: impl FnMut(f64),
    ) -> Result<PooledOutcome, PooledError<E>> {
        let plans = self.plans();
        let mut outcome =
            PooledOutcome { miners: vec![MinerOutcome::default(); miners], segments: Vec::new() };
        // Segments that select no miner need nothing.
        let selecting: Vec<Plan> = plans.iter().filter(|plan| self.selects(plan)).cloned().collect();
        let mut alone = Vec::with_capacity(miners);
        let mut numbers = Vec::new();
        for (miner, about) in outcome.miners.iter_mut().enumerate() {
            column(miner, &mut numbers).map_err(PooledError::Column)?;
            let own = MinerAucs::new(self, &selecting, &numbers)?;
            about.samples = own.samples;
            alone.push(own);
            progress(0.4 * (miner + 1) as f64 / miners as f64);
        }
        drop(numbers);
        let mut models: Vec<Option<MinerModels>> = (0..miners).map(|_| None).collect();
        let last = plans.last().map_or(0, |plan| plan.index);
        let total: usize = selecting.iter().map(|plan| plan.train_end).sum();
        let (mut done, mut weight_sum) = (0, 0.0);
        let mut importance = vec![0.0; miners];
        for (i, plan) in selecting.iter().enumerate() {
            let selected = self.select(i, &alone, &mut outcome.miners);
            let fitted = ensemble::fit(self, &plans, plan, &selected, &mut models, &mut column)?;
            if let Some(fitted) = fitted {
                let weight = crate::math::exp2(-((last - plan.index) as f64) / self.half_life);
                weight_sum += weight;
                let worth = ((fitted.auc - 0.5) / 0.5).max(0.0);
                for (i, &miner) in selected.iter().enumerate() {
                    importance[miner] += weight * worth * fitted.importance[i];
                    let about = &mut outcome.miners[miner];
                    about.coefficient = Some(fitted.coefficients[i]);
                    about.ensemble_auc =
                        Some(about.ensemble_auc.map_or(fitted.auc, |auc| auc.max(fitted.auc)));
                }
                let (index, samples, auc) = (plan.index, fitted.samples, fitted.auc);
                outcome.segments.push(SegmentOutcome { index, samples, auc });
            }
            done += plan.train_end;
            progress(0.4 + 0.6 * done as f64 / total.max(1) as f64);
        }
        for (about, importance) in outcome.miners.iter_mut().zip(importance) {
            about.importance = if weight_sum > 0.0 { importance / weight_sum } else { 0.0 };
        }
        Ok(outcome)
    }

    fn plans(&self) -> Vec<Plan> {
        let plan = |(index, segment): (usize, Segment)| {
            let train_end = segment.from.saturating_sub(self.cut_rows);
            let eval = train_end.saturating_sub(self.segment_rows)..train_end;
            let fit_end = eval.start.saturating_sub(self.embargo_rows);
            Plan { index, fit_end, eval, train_end, val: segment.from..segment.end }
        };
        walk(self.rows, self.segment_rows, self.embargo_rows).enumerate().map(plan).collect()
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

    fn selects(&self, plan: &Plan) -> bool {
        plan.train_end > 0
            && self.is_enough(0..plan.fit_end)
            && self.is_enough(plan.eval.clone())
            && self.is_enough(plan.val.clone())
    }

    /// The miners with the best AUC in a segment, in falling order, ties by index.
    fn select(&self, segment: usize, alone: &[MinerAucs], about: &mut [MinerOutcome]) -> Vec<usize> {
        let auc = |miner: usize| alone[miner].aucs[segment];
        let mut order: Vec<usize> = (0..alone.len()).collect();
        // Ranked as the network does, in single precision: it makes ties.
        let rank = |miner: usize| auc(miner).unwrap_or(0.5) as f32;
        order.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)));
        for (rank, &miner) in order.iter().enumerate() {
            let about = &mut about[miner];
            about.best_rank = Some(about.best_rank.map_or(rank + 1, |best| best.min(rank + 1)));
            about.auc = auc(miner).or(about.auc);
        }
        order.truncate(self.top_k);
        order.iter().for_each(|&miner| about[miner].selected += 1);
        order
    }
}
