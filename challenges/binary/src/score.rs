//! From rows and labels to saliences.

use crate::data::Data;
use crate::ensemble::{self, Paid, Selected};
use crate::out_of_sample::out_of_sample;
use crate::select::select;
use crate::{Binary, Labels};
use mantis_kit::kin;
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, Shape};

impl Score for Binary {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        Ok(self.pay(history, labels, progress, &mut |_| ())?.0)
    }
}

impl Binary {
    /// Saliences, and what was paid by; `watch` is shown the values of each selected miner.
    pub(crate) fn pay(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
        watch: &mut dyn FnMut(&Selected),
    ) -> Result<(Salience, Option<Paid>), PluginError> {
        let Shape { miners, .. } = history.shape();
        let (rows, rose) = (labels.rows.len(), labels.rose.iter().filter(|&&y| y).count());
        let with_facts = |mut salience: Salience| {
            salience.fact("rows", rows as f64);
            salience.fact("share_up", rose as f64 / rows.max(1) as f64);
            salience
        };
        if rows < self.params.min_rows || rose == 0 || rose == rows {
            let reason = format!(
                "{rows} labelled rows, {rose} of them up; at least {} and both directions are needed",
                self.params.min_rows
            );
            return Ok((with_facts(Salience::empty(miners, reason)), None));
        }
        let data = Data::new(&self.params, self.spec.solver, history, labels);
        let (mut salience, paid) = run(&data, progress, watch)?;
        kin::pool(&self.params.kin, history, &labels.compared, &mut salience)?;
        progress.report(1.0);
        Ok((with_facts(salience), paid))
    }
}

/// All steps after the labels.
fn run(
    data: &Data<'_>,
    progress: &dyn Progress,
    watch: &mut dyn FnMut(&Selected),
) -> Result<(Salience, Option<Paid>), PluginError> {
    let mut salience = Salience::new(data.history.shape().miners);
    let kept = select(data, &mut salience, progress)?;
    if kept.is_empty() {
        salience.empty = Some(format!("no miner has an AUC above {}", data.params.min_auc));
        return Ok((salience, None));
    }
    let mut selected = Vec::with_capacity(kept.len());
    let mut covered = vec![false; data.labels.rows.len()];
    for (done, miner) in kept.iter().copied().enumerate() {
        let values = out_of_sample(data, &data.column(miner)?, &mut covered)?;
        let one = Selected { miner, values };
        watch(&one);
        selected.push(one);
        progress.report(0.3 + 0.5 * (done + 1) as f64 / kept.len() as f64);
    }
    let paid = ensemble::pay(data, selected, &covered, &mut salience)?;
    Ok((salience, paid))
}
