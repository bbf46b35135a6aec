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
        let miners = history.shape().miners;
        if labels.labelled < self.params.pooled.min_rows {
            let (rows, needed) = (labels.labelled, self.params.pooled.min_rows);
            return Ok(Salience::empty(miners, format!("{rows} rows with a label, {needed} are needed")));
        }
        let rows = &labels.rows[..labels.labelled];
        let column = |miner: usize, out: &mut Vec<f16>| read_rows(history, miner, rows, out);
        let walk = self.params.pooled.walk(&self.spec, labels.above.clone());
        let pooled = Pooled { embargo_rows: self.params.embargo_rows, ..walk };
        let outcome = pooled.run(miners, column, |done| progress.report(done))?;
        let mut salience = outcome.report(&pooled);
        salience.fact("rows", labels.labelled as f64);
        salience.fact("samples", labels.above.iter().flatten().count() as f64);
        Ok(salience)
    }
}
