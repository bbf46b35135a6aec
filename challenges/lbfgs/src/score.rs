//! From rows and labels to saliences.

use crate::blend::{decayed, keep_top, rank_factor};
use crate::classifier::{Classifier, ClassifierTask};
use crate::excursions::{Excursions, excursions};
use crate::overlap::{Overlap, falling, overlaps};
use crate::predictions::Predictions;
use crate::{BUCKETS, Labels, Lbfgs, Params};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, WhyZero};

impl Score for Lbfgs {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        let mut salience = Salience::new(miners);
        let rows = labels.rows.len();
        salience.fact("rows", rows as f64);
        for bucket in 0..BUCKETS {
            let count = labels.rows.iter().filter(|row| usize::from(row.bucket) == bucket).count();
            salience.fact(&format!("share_bucket_{bucket}"), count as f64 / rows.max(1) as f64);
        }
        if labels.priced_rows < self.params.min_rows || rows < self.params.min_rows {
            salience.empty = Some(format!(
                "{} rows with a price and {rows} with a bucket; {} of each are needed",
                labels.priced_rows, self.params.min_rows
            ));
            return Ok(salience);
        }
        let params = &self.params;
        let predictions = Predictions::read(history, labels, params, progress)?;
        let task = ClassifierTask {
            history,
            labels,
            predictions: &predictions,
            params,
            seed: self.spec.seed,
            progress,
        };
        let classifier = task.classify()?;
        let excursions =
            excursions(labels, &predictions, params, (self.spec.seed, self.spec.solver), progress)?;
        let parts = BlendParts::new(classifier, excursions, &predictions, params);
        parts.report(&predictions, history.hotkeys(), params, &mut salience);
        progress.report(1.0);
        Ok(salience)
    }
}

/// The two parts on their way to the blend.
struct BlendParts {
    classifier: Classifier,
    excursions: Excursions,
    overlaps: Vec<Option<Overlap>>,
    /// Importance after clones are thinned.
    unique: Vec<f64>,
    /// Shares after pruning by rank, per part.
    kept: [Vec<f64>; 2],
    /// Shares after the decay by rank; `None` if a part counts as empty.
    decayed: [Option<Vec<f64>>; 2],
}

impl BlendParts {
    fn new(
        classifier: Classifier,
        excursions: Excursions,
        predictions: &Predictions,
        params: &Params,
    ) -> Self {
        let overlaps = overlaps(&classifier.importance, &predictions.miners, params);
        let mut unique = classifier.importance.clone();
        for (unique, overlap) in unique.iter_mut().zip(&overlaps) {
            if let Some(overlap) = overlap {
                (0..params.overlap_power).for_each(|_| *unique *= 1.0 - overlap.share);
            }
        }
        let mut kept = [unique.clone(), excursions.importance.clone()];
        keep_top(&mut kept[0], params.keep);
        if predictions.miners.len() > params.keep {
            keep_top(&mut kept[1], params.keep);
        }
        let decayed = kept.each_ref().map(|part| decayed(part, params));
        Self { classifier, excursions, overlaps, unique, kept, decayed }
    }

    /// Sets saliences and tells why they are what they are.
    fn report(
        &self,
        predictions: &Predictions,
        hotkeys: &[String],
        params: &Params,
        salience: &mut Salience,
    ) {
        let shares = [params.classifier_share, 1.0 - params.classifier_share];
        let alike = [&self.classifier.alike, &self.excursions.alike];
        for ((share, part), alike) in shares.into_iter().zip(&self.decayed).zip(alike) {
            let Some(part) = part else { continue };
            for (miner, value) in salience.miners.iter_mut().zip(alike.shared(part)) {
                miner.salience += share * value;
            }
        }
        salience.normalise();
        salience
            .fact("active_miners", self.classifier.active.iter().filter(|&&active| active).count() as f64);
        salience.fact("classifier_segments", self.classifier.used_segments as f64);
        salience.fact("classifier_vote_accuracy", self.classifier.vote_accuracy);
        salience.fact("excursion_models", self.excursions.used_models as f64);
        if self.decayed.iter().all(Option::is_none) {
            salience.empty = Some(format!(
                "both parts are empty or give all miners the same: the classifier used {} segments, the excursions {} \
                 models",
                self.classifier.used_segments, self.excursions.used_models
            ));
        }
        self.facts(params, salience);
        for (miner, sent) in predictions.miners.iter().enumerate() {
            salience.note(miner, "present_rows", sent.present as f64);
            if salience.miners[miner].salience == 0.0 && salience.empty.is_none() {
                let why =
                    if sent.present == 0 { WhyZero::absent() } else { self.why_zero(miner, hotkeys, params) };
                salience.zero(miner, why);
            }
        }
    }

    fn facts(&self, params: &Params, salience: &mut Salience) {
        let classifier = &self.classifier;
        for miner in 0..self.unique.len() {
            salience.note(miner, "lift", classifier.lift[miner]);
            salience.note(miner, "meta_importance", classifier.meta[miner]);
            salience.note(miner, "vote_share", classifier.vote_share[miner]);
            if let Some(overlap) = self.overlaps[miner] {
                salience.note(miner, "overlap", overlap.share);
                salience.note(miner, "overlap_with_miner", overlap.with as f64);
            }
            salience.note(miner, "excursion_importance", self.excursions.importance[miner]);
            let parts =
                [("classifier_clones", &classifier.alike), ("excursion_clones", &self.excursions.alike)];
            for (name, alike) in parts.into_iter().filter(|(_, alike)| alike.group_size(miner) > 1) {
                salience.note(miner, name, alike.group_size(miner) as f64);
            }
        }
        for (part, name) in self.kept.iter().zip(["classifier", "excursion"]) {
            for (rank, &miner) in falling(part).iter().enumerate() {
                salience.note(miner, &format!("{name}_share"), part[miner]);
                salience.note(miner, &format!("{name}_rank_factor"), rank_factor(rank, params));
            }
        }
    }

    /// Why a present miner has nothing from either part.
    fn why_zero(&self, miner: usize, hotkeys: &[String], params: &Params) -> WhyZero {
        let (code, text) = self.why_no_votes(miner, hotkeys, params);
        let excursion = if self.decayed[1].is_none() {
            "the excursion part is empty".to_owned()
        } else if self.excursions.importance[miner] == 0.0 {
            "no weight in the models of excursions".to_owned()
        } else {
            format!("not among the first {} by excursions", params.keep)
        };
        WhyZero::new(code, format!("{text}; {excursion}"))
    }

    fn why_no_votes(&self, miner: usize, hotkeys: &[String], params: &Params) -> (&'static str, String) {
        let classifier = &self.classifier;
        if !classifier.alike.leads(miner) {
            let better =
                hotkeys.get(classifier.alike.leader_of(miner)).map_or("a better miner", String::as_str);
            return (
                "duplicate",
                format!("its buckets are like those of {better}, which earns nothing by them"),
            );
        }
        if !classifier.active[miner] {
            let share = 100.0 * params.active_share;
            return ("inactive", format!("sent buckets in no more than {share}% of the rows"));
        }
        if classifier.used_segments == 0 {
            return ("no_segment", "no segment of the classifier could be used".into());
        }
        if classifier.lift[miner] == 0.0 {
            let chance = params.chance;
            return ("no_lift", format!("balanced accuracy of its buckets is never above {chance}"));
        }
        if classifier.importance[miner] == 0.0 {
            return ("no_weight", "no weight in the models of the buckets".into());
        }
        if self.unique[miner] == 0.0 {
            let better = self.overlaps[miner].and_then(|overlap| hotkeys.get(overlap.with));
            let better = better.map_or("a better miner", String::as_str);
            return ("duplicate", format!("chooses the same bucket as {better} in every row"));
        }
        let rank = falling(&self.unique).iter().position(|&other| other == miner).unwrap_or(0) + 1;
        ("pruned", format!("rank {rank} by buckets, of which only the first {} are kept", params.keep))
    }
}
