//! From rows and labels to saliences.

use crate::classifier::{ClassifierTask, Watch};
use crate::cohorts::{Cohorts, Reduced};
use crate::excursions::excursions;
use crate::parts::Parts;
use crate::predictions::Predictions;
use crate::{BUCKETS, Labels, Lbfgs};
use mantis_kit::logistic::Stop;
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score};

impl Score for Lbfgs {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        Ok(self.pay(history, labels, progress, &mut |_, _| ())?.0)
    }
}

/// A miner that voted in the newest segment that counts.
pub(crate) struct Voter {
    pub(crate) miner: usize,
    /// Its part of the votes.
    pub(crate) share: f64,
}

impl Lbfgs {
    /// Saliences, and who votes from now on; `watch` is shown the votes of each held-out row.
    pub(crate) fn pay(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
        watch: Watch<'_>,
    ) -> Result<(Salience, Vec<Voter>), PluginError> {
        let mut salience = Salience::new(history.shape().miners);
        let (priced, rows) = (labels.priced.len(), labels.rows.len());
        salience.fact("rows", rows as f64);
        for bucket in 0..BUCKETS {
            let count = labels.rows.iter().filter(|row| usize::from(row.bucket) == bucket).count();
            salience.fact(&format!("share_bucket_{bucket}"), count as f64 / rows.max(1) as f64);
        }
        if priced < self.params.min_rows || rows < self.params.min_rows {
            salience.empty = Some(format!(
                "{priced} rows with a price and {rows} with a bucket; {} of each are needed",
                self.params.min_rows
            ));
            return Ok((salience, Vec::new()));
        }
        let params = &self.params;
        let cohorts = Cohorts::find(history, labels, params, progress)?;
        let columns = Reduced::new(history, &cohorts);
        let predictions = Predictions::read(&columns, labels, params, progress)?;
        let task = ClassifierTask {
            history: &columns,
            labels,
            predictions: &predictions,
            params,
            stop: Stop::from(self.spec.solver).within(params.classifier_tol, params.classifier_max_iter),
            seed: self.spec.seed,
            progress,
        };
        let classifier = task.classify(watch)?;
        let voter = |(column, &share)| Voter { miner: cohorts.representative(column), share };
        let voters = classifier.vote_share.iter().enumerate().map(voter).filter(|voter| voter.share > 0.0);
        let voters = voters.collect();
        let excursions =
            excursions(labels, &predictions, params, (self.spec.seed, self.spec.solver), progress)?;
        let parts = Parts::new(classifier, excursions, &cohorts, &predictions, params);
        parts.report(history.hotkeys(), &mut salience);
        progress.report(1.0);
        Ok((salience, voters))
    }
}
