//! The two parts on their way to the blend, and what miners are told of it.

use crate::Params;
use crate::alike::Alike;
use crate::blend::{Ranked, has_one_rank, keep_top, rank_factor};
use crate::classifier::Classifier;
use crate::cohorts::Cohorts;
use crate::excursions::Excursions;
use crate::overlap::{Overlap, falling, overlaps};
use crate::predictions::Predictions;
use mantis_plugin_api::{Salience, WhyZero};

/// The two parts, by column, and how they are ranked.
pub(crate) struct Parts<'a> {
    classifier: Classifier,
    excursions: Excursions,
    cohorts: &'a Cohorts,
    predictions: &'a Predictions,
    params: &'a Params,
    overlaps: Vec<Option<Overlap>>,
    /// Importance of each column after clones are thinned.
    unique: Vec<f64>,
    /// The classifier and the excursions.
    ranked: [Ranked; 2],
}

impl<'a> Parts<'a> {
    pub(crate) fn new(
        classifier: Classifier,
        excursions: Excursions,
        cohorts: &'a Cohorts,
        predictions: &'a Predictions,
        params: &'a Params,
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
        let ranked = kept.map(|part| Ranked::new(part, cohorts, params));
        Self { classifier, excursions, cohorts, predictions, params, overlaps, unique, ranked }
    }

    /// Sets saliences and tells why they are what they are.
    pub(crate) fn report(&self, hotkeys: &[String], salience: &mut Salience) {
        let shares = [self.params.classifier_share, 1.0 - self.params.classifier_share];
        let alike = [&self.classifier.alike, &self.excursions.alike];
        for ((share, part), alike) in shares.into_iter().zip(&self.ranked).zip(alike) {
            let Some(decayed) = &part.decayed else { continue };
            for (miner, value) in salience.miners.iter_mut().zip(self.of_miners(decayed, alike)) {
                miner.salience += share * value;
            }
        }
        salience.normalise();
        self.facts(salience);
        if self.ranked.iter().all(|part| part.decayed.is_none()) {
            salience.empty = Some(format!(
                "both parts are empty or give all miners the same: the classifier used {} segments, the excursions {} \
                 models",
                self.classifier.used_segments, self.excursions.used_models
            ));
        }
        for miner in 0..salience.miners.len() {
            self.facts_of(miner, salience);
        }
        self.ranks(salience);
        for miner in 0..salience.miners.len() {
            let column = self.cohorts.column_of(miner);
            let representative = self.cohorts.representative(column);
            let present = self.predictions.miners[column].present;
            if representative == miner {
                salience.note(miner, "present_rows", present as f64);
            }
            if salience.miners[miner].salience == 0.0 && salience.empty.is_none() {
                let why = if present == 0 { WhyZero::absent() } else { self.why_zero(column, hotkeys) };
                salience.zero(
                    miner,
                    if representative == miner { why } else { of_cohort(why, hotkeys, representative) },
                );
            }
        }
    }

    /// What miners have of a part's shares.
    fn of_miners(&self, decayed: &[f64], alike: &Alike) -> Vec<f64> {
        if has_one_rank(self.params) { self.cohorts.shared(&alike.shared(decayed)) } else { decayed.to_vec() }
    }

    fn facts(&self, salience: &mut Salience) {
        let active = self.classifier.active.iter().filter(|&&active| active).count();
        salience.fact("active_miners", active as f64);
        salience.fact("classifier_segments", self.classifier.used_segments as f64);
        salience.fact("classifier_vote_accuracy", self.classifier.vote_accuracy);
        salience.fact("excursion_models", self.excursions.used_models as f64);
        if self.params.cohorts == "on" {
            salience.fact("cohorts", self.cohorts.count() as f64);
        }
    }

    /// The numbers behind a miner's pay: those of the one that stands for it.
    fn facts_of(&self, miner: usize, salience: &mut Salience) {
        let classifier = &self.classifier;
        let column = self.cohorts.column_of(miner);
        salience.note(miner, "lift", classifier.lift[column]);
        salience.note(miner, "meta_importance", classifier.meta[column]);
        salience.note(miner, "vote_share", classifier.vote_share[column]);
        if let Some(overlap) = self.overlaps[column] {
            salience.note(miner, "overlap", overlap.share);
            let better = self.cohorts.representative(overlap.with);
            salience.note(miner, "overlap_with_miner", better as f64);
        }
        salience.note(miner, "excursion_importance", self.excursions.importance[column]);
        let parts = [("classifier_clones", &classifier.alike), ("excursion_clones", &self.excursions.alike)];
        for (name, alike) in parts.into_iter().filter(|(_, alike)| alike.group_size(column) > 1) {
            salience.note(miner, name, alike.group_size(column) as f64);
        }
        let cohort = self.cohorts.members(column);
        if let &[first, second, ..] = cohort {
            salience.note(miner, "cohort", cohort.len() as f64);
            salience.note(miner, "cohort_with_miner", if miner == first { second } else { first } as f64);
        }
    }

    fn ranks(&self, salience: &mut Salience) {
        for (part, name) in self.ranked.iter().zip(["classifier", "excursion"]) {
            for (rank, entry) in part.order.iter().enumerate() {
                let miners = if has_one_rank(self.params) {
                    self.cohorts.members(*entry)
                } else {
                    std::slice::from_ref(entry)
                };
                for &miner in miners {
                    salience.note(miner, &format!("{name}_share"), part.entries[*entry]);
                    salience.note(miner, &format!("{name}_rank_factor"), rank_factor(rank, self.params));
                }
            }
        }
    }

    /// Why a present column has nothing from either part.
    fn why_zero(&self, column: usize, hotkeys: &[String]) -> WhyZero {
        let (code, text) = self.why_no_votes(column, hotkeys);
        let excursion = if self.ranked[1].decayed.is_none() {
            "the excursion part is empty".to_owned()
        } else if self.excursions.importance[column] == 0.0 {
            "no weight in the models of excursions".to_owned()
        } else {
            format!("not among the first {} by excursions", self.params.keep)
        };
        WhyZero::new(code, format!("{text}; {excursion}"))
    }

    fn why_no_votes(&self, column: usize, hotkeys: &[String]) -> (&'static str, String) {
        let (classifier, params) = (&self.classifier, self.params);
        let name = |column| hotkeys.get(self.cohorts.representative(column));
        if !classifier.alike.leads(column) {
            let better = name(classifier.alike.leader_of(column)).map_or("a better miner", String::as_str);
            return (
                "duplicate",
                format!("its buckets are like those of {better}, which earns nothing by them"),
            );
        }
        if !classifier.active[column] {
            let share = 100.0 * params.active_share;
            return ("inactive", format!("sent buckets in no more than {share}% of the rows"));
        }
        if classifier.used_segments == 0 {
            return ("no_segment", "no segment of the classifier could be used".into());
        }
        if classifier.lift[column] == 0.0 {
            let chance = params.chance;
            return ("no_lift", format!("balanced accuracy of its buckets is never above {chance}"));
        }
        if classifier.importance[column] == 0.0 {
            return ("no_weight", "no weight in the models of the buckets".into());
        }
        if self.unique[column] == 0.0 {
            let better = self.overlaps[column].and_then(|overlap| name(overlap.with));
            let better = better.map_or("a better miner", String::as_str);
            return ("duplicate", format!("chooses the same bucket as {better} in every row"));
        }
        let rank = falling(&self.unique).iter().position(|&other| other == column).unwrap_or(0) + 1;
        ("pruned", format!("rank {rank} by buckets, of which only the first {} are kept", params.keep))
    }
}

/// The reason of the miner that stands for a cohort, told to another member.
fn of_cohort(why: WhyZero, hotkeys: &[String], representative: usize) -> WhyZero {
    let representative = hotkeys.get(representative).map_or("another miner", String::as_str);
    WhyZero { text: format!("{representative} stands for its cohort: {}", why.text), ..why }
}
