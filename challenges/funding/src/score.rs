//! From labels to saliences.

use crate::stale::Stale;
use crate::{Funding, Labels};
use mantis_kit::pooled::{Pooled, read_rows};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, WhyZero, f16};

impl Score for Funding {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        self.score_watched(history, labels, progress, |_, _, _| {})
    }
}

impl Funding {
    /// Scores, and shows `watch` what ensembles say of their segments: place among the rows, asset, decision value.
    pub(crate) fn score_watched(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
        watch: impl FnMut(usize, usize, f64),
    ) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        let paired = labels.paired();
        if paired < self.params.pooled.min_rows {
            let needed = self.params.pooled.min_rows;
            return Ok(Salience::empty(
                miners,
                format!("{paired} rows with a later pair, {needed} are needed"),
            ));
        }
        let mut stale: Vec<Option<Stale>> = vec![None; miners];
        let column = |miner: usize, out: &mut Vec<f16>| -> Result<(), PluginError> {
            read_rows(history, miner, &labels.rows, out)?;
            stale[miner].get_or_insert_with(|| Stale::find(out, labels, self.params.stale_std)).clear(out);
            Ok(())
        };
        let pooled = self.pooled(labels.above.clone());
        let outcome = pooled.run_watched(miners, column, |done| progress.report(done), watch)?;
        let mut salience = outcome.report(&pooled);
        salience.fact("rows", paired as f64);
        salience.fact("samples", labels.above.iter().flatten().count() as f64);
        for (miner, stale) in stale.iter().enumerate() {
            let stale = stale.as_ref().map_or(0, Stale::sent);
            salience.note(miner, "stale_assets", stale as f64);
            if stale > 0 && outcome.miners[miner].samples == 0 {
                salience.zero(miner, WhyZero::new("stale", "what it sends never changes, for any asset"));
            }
        }
        Ok(salience)
    }
    /// The walk over some labels.
    pub(crate) fn pooled(&self, labels: Vec<Option<bool>>) -> Pooled {
        let ahead = self.spec.rows_ahead();
        Pooled {
            embargo_rows: self.params.embargo_rows.max(ahead),
            cut_rows: ahead,
            min_distinct: self.params.min_distinct,
            ..self.params.pooled.walk(&self.spec, labels)
        }
    }
}
