//! The ensemble of the row that comes next.

use super::miner::MinerAucs;
use super::plan::{Plan, Pooled};
use super::{MinerOutcome, PooledError, PooledFit, ensemble};
use half::f16;

impl Pooled {
    /// The ensemble that forecasts row `row`, the first that is not there yet, in the walk's numbering; labels of the first
    /// `known` rows will not change any more. `None` if there is too little to fit it on. `column` and `progress` as in
    /// [`Pooled::run`].
    ///
    /// It is that of the row's segment, to the same bits as in a later walk. Where labels that this is fitted on are not
    /// known yet, or the row is in its segment's embargo, it is the newest one before that is.
    ///
    /// # Errors
    /// As [`Pooled::run`].
    pub fn ahead<E>(
        mut self,
        row: usize,
        known: usize,
        miners: usize,
        mut column: impl FnMut(usize, &mut Vec<f16>) -> Result<(), E>,
        mut progress: impl FnMut(f64),
    ) -> Result<Option<PooledFit>, PooledError<E>> {
        let plans = self.plans_ahead(row, known);
        let Some(plan) = plans.last() else { return Ok(None) };
        // The last rows that are fitted on may have no label, and no numbers are needed there.
        self.rows = plan.train_end;
        self.labels.resize(self.rows * self.assets, None);
        if !self.trains(plan) {
            return Ok(None);
        }
        let mut column = |miner: usize, out: &mut Vec<f16>| {
            column(miner, out)?;
            out.resize(self.labels.len(), f16::ZERO);
            Ok(())
        };
        let mut alone = Vec::with_capacity(miners);
        let mut numbers = Vec::new();
        for miner in 0..miners {
            column(miner, &mut numbers).map_err(PooledError::Column)?;
            alone.push(MinerAucs::new(&self, std::slice::from_ref(plan), &numbers)?);
            progress(0.5 * (miner + 1) as f64 / miners as f64);
        }
        drop(numbers);
        let selected = self.select(0, &alone, &mut vec![MinerOutcome::default(); miners]);
        let mut models: Vec<_> = (0..miners).map(|_| None).collect();
        let fitted = ensemble::train(&self, &plans, plan, &selected, &mut models, &mut column, |_, _| {})?;
        progress(1.0);
        Ok(fitted.map(|fitted| PooledFit::new(&selected, fitted)))
    }

    /// All segments up to the newest that has begun to ask by `row`, and is fitted on `known` rows at most.
    fn plans_ahead(&self, row: usize, known: usize) -> Vec<Plan> {
        let mut plans = self.plans_of(row.saturating_add(1));
        plans.retain(|plan| plan.train_end <= known);
        plans
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooled::PooledParams;
    use mantis_plugin_api::Solver;
    use mantis_plugin_api::test_kit::spec_with_assets;

    /// The segment that forecasts each row, where labels reach 20 rows ahead.
    fn segments<const N: usize>(
        embargo_rows: usize,
        cut_rows: usize,
        rows: [usize; N],
    ) -> [Option<usize>; N] {
        let params = PooledParams { segment_rows: 100, ..PooledParams::default() };
        let walk = params.walk(&spec_with_assets(1, 2, 20, Solver::Exact), Vec::new());
        let pooled = Pooled { embargo_rows, cut_rows, ..walk };
        rows.map(|row| Some(pooled.plans_ahead(row, row.saturating_sub(20)).last()?.index))
    }

    #[test]
    fn a_segment_forecasts_once_what_it_is_fitted_on_is_known() {
        let rows = [0, 39, 40, 119, 120, 139, 140, 340];
        let (none, some) = (None, |index| Some(index));
        // Fitted on all rows before the first that it asks.
        assert_eq!(segments(20, 0, rows), [none, none, some(0), some(0), some(0), some(0), some(1), some(3)]);
        // On those whose labels are known by then.
        assert_eq!(
            segments(20, 20, rows),
            [none, some(0), some(0), some(0), some(1), some(1), some(1), some(3)]
        );
        assert_eq!(segments(100, 0, rows), [None; 8], "nothing is ever asked");
    }
}
