//! The walk over segments: who is selected, and what each ensemble is worth.

use super::miner::{MinerAucs, MinerModels};
use super::plan::{Plan, Pooled};
use super::{MinerOutcome, PooledError, PooledOutcome, SegmentOutcome, ensemble};
use half::f16;

impl Pooled {
    /// Walks over all rows. `column` puts a miner's numbers, `rows x assets` row by row, in the place of what it finds; it
    /// is asked for every miner once, and again for those that are selected. `progress` is told the finished part, 0 to 1.
    ///
    /// # Errors
    /// [`PooledError`], from `column` or a fit that is impossible.
    pub fn run<E>(
        &self,
        miners: usize,
        column: impl FnMut(usize, &mut Vec<f16>) -> Result<(), E>,
        progress: impl FnMut(f64),
    ) -> Result<PooledOutcome, PooledError<E>> {
        self.run_watched(miners, column, progress, |_, _, _| {})
    }

    /// As [`Pooled::run`]; `watch` is shown what ensembles say of their segments, sample by sample: row, asset, decision
    /// value.
    ///
    /// # Errors
    /// As [`Pooled::run`].
    #[doc(hidden)]
    pub fn run_watched<E>(
        &self,
        miners: usize,
        mut column: impl FnMut(usize, &mut Vec<f16>) -> Result<(), E>,
        mut progress: impl FnMut(f64),
        mut watch: impl FnMut(usize, usize, f64),
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
            let fitted = ensemble::fit(self, &plans, plan, &selected, &mut models, &mut column, &mut watch)?;
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

    /// The miners with the best AUC in a segment, in falling order, ties by index.
    pub(super) fn select(
        &self,
        segment: usize,
        alone: &[MinerAucs],
        about: &mut [MinerOutcome],
    ) -> Vec<usize> {
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
