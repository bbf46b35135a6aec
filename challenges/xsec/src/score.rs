//! From labels to saliences.

use crate::{CrossSection, Labels};
use mantis_kit::pooled::{Pooled, read_rows};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, f16};

impl Score for CrossSection {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        self.score_watched(history, labels, progress, |_, _, _| {})
    }
}

impl CrossSection {
    /// Scores, and shows `watch` what ensembles say of their segments: place among the rows, asset, decision value.
    pub(crate) fn score_watched(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
        watch: impl FnMut(usize, usize, f64),
    ) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        if labels.labelled < self.params.pooled.min_rows {
            let (rows, needed) = (labels.labelled, self.params.pooled.min_rows);
            return Ok(Salience::empty(miners, format!("{rows} rows with a label, {needed} are needed")));
        }
        let rows = &labels.rows[..labels.labelled];
        let column = |miner: usize, out: &mut Vec<f16>| read_rows(history, miner, rows, out);
        let pooled = self.pooled(labels.above.clone());
        let outcome = pooled.run_watched(miners, column, |done| progress.report(done), watch)?;
        let mut salience = outcome.report(&pooled);
        salience.fact("rows", labels.labelled as f64);
        salience.fact("samples", labels.above.iter().flatten().count() as f64);
        Ok(salience)
    }

    /// The walk over some labels.
    pub(crate) fn pooled(&self, labels: Vec<Option<bool>>) -> Pooled {
        Pooled { embargo_rows: self.params.embargo_rows, ..self.params.pooled.walk(&self.spec, labels) }
    }
}
