//! What each miner earns, and why others do not.

use super::ensemble::Outcome;
use super::{Samples, Segment, Settings};
use mantis_plugin_api::{Salience, WhyZero};

/// What is known of one miner.
#[derive(Clone, Debug, Default)]
pub(super) struct Miner {
    /// Samples with a value that counts.
    pub(super) present: usize,
    /// Assets it sent something for, and those of them on which it is stale.
    pub(super) assets: usize,
    pub(super) stale: usize,
    /// Its AUC alone in the newest segment where it has one.
    pub(super) auc: Option<f64>,
    /// Its best rank in any selection, from 0.
    pub(super) best_rank: Option<usize>,
    /// Segments in which it was selected.
    pub(super) selected: usize,
    /// Its coefficient in the newest of them.
    pub(super) coefficient: Option<f64>,
    /// The best AUC of an ensemble it was in.
    pub(super) meta_auc: Option<f64>,
}

pub(super) struct Report {
    pub(super) miners: Vec<Miner>,
    /// Per used segment: its index, the miners and what the ensemble said.
    used: Vec<(usize, Vec<usize>, Outcome)>,
}

impl Report {
    pub(super) fn new(miners: usize) -> Self {
        Self { miners: vec![Miner::default(); miners], used: Vec::new() }
    }

    /// Takes in a segment.
    pub(super) fn add(&mut self, segment: &Segment, selected: &[usize], outcome: Option<Outcome>) {
        for (j, &miner) in selected.iter().enumerate() {
            let standing = &mut self.miners[miner];
            standing.selected += 1;
            if let Some(outcome) = &outcome {
                standing.coefficient = Some(outcome.coef[j]);
                standing.meta_auc = Some(standing.meta_auc.map_or(outcome.auc, |auc| auc.max(outcome.auc)));
            }
        }
        if let Some(outcome) = outcome {
            self.used.push((segment.index, selected.to_vec(), outcome));
        }
    }

    /// Sums the segments up, newer ones counting more (scoring: xsec, last step).
    pub(super) fn salience(self, samples: &Samples, segments: &[Segment], settings: &Settings) -> Salience {
        let mut salience = Salience::new(self.miners.len());
        let mut weights = vec![0.0; self.miners.len()];
        let last = self.used.last().map_or(0, |(index, ..)| *index);
        let mut total = 0.0;
        for (index, selected, outcome) in &self.used {
            let decay = settings.decay(*index, last);
            let gain = ((outcome.auc - 0.5) / 0.5).max(0.0);
            total += decay;
            for (&miner, weight) in selected.iter().zip(&outcome.weight) {
                weights[miner] += decay * weight * gain;
            }
        }
        for (miner, standing) in self.miners.iter().enumerate() {
            let weight = if total > 0.0 { weights[miner] / total } else { 0.0 };
            if weight > 0.0 && weight.is_finite() {
                salience.set(miner, weight);
            } else {
                salience.zero(miner, standing.why_zero(settings));
            }
            standing.note(miner, &mut salience);
        }
        salience.normalise();

        let above = samples.above().iter().filter(|&&above| above).count();
        salience.fact("labelled_rows", samples.paired().len() as f64);
        salience.fact("samples", samples.len() as f64);
        salience.fact("share_above", above as f64 / samples.len().max(1) as f64);
        salience.fact("segments", segments.len() as f64);
        salience.fact("segments_used", self.used.len() as f64);
        for (index, _, outcome) in &self.used {
            salience.fact(&format!("segment_{index}_train_samples"), outcome.rows as f64);
            salience.fact(&format!("segment_{index}_auc"), outcome.auc);
        }
        if salience.miners.iter().all(|miner| miner.salience == 0.0) {
            salience.empty = Some(if self.used.is_empty() {
                format!(
                    "{} labelled rows are too few for a segment to be selected, trained and tested",
                    samples.paired().len()
                )
            } else {
                "no ensemble is better than chance on the rows after it".into()
            });
        }
        salience
    }
}

impl Miner {
    fn note(&self, miner: usize, salience: &mut Salience) {
        salience.note(miner, "present_samples", self.present as f64);
        if let Some(auc) = self.auc {
            salience.note(miner, "auc", auc);
        }
        salience.note(miner, "segments_selected", self.selected as f64);
        if let Some(coefficient) = self.coefficient {
            salience.note(miner, "coefficient", coefficient);
        }
        if let Some(auc) = self.meta_auc {
            salience.note(miner, "ensemble_auc", auc);
        }
        salience.note(miner, "assets", self.assets as f64);
        salience.note(miner, "stale_assets", self.stale as f64);
    }

    /// Why it earns nothing.
    fn why_zero(&self, settings: &Settings) -> WhyZero {
        if self.assets == 0 {
            return WhyZero::absent();
        }
        if self.stale == self.assets {
            let text = format!(
                "what it sends hardly moves: the standard deviation is below {} for every asset it sends",
                settings.min_std
            );
            return WhyZero::new("stale", text);
        }
        match (self.best_rank, self.auc, self.meta_auc) {
            (Some(rank), ..) if self.selected == 0 => WhyZero::pruned(rank + 1, settings.top_k),
            (Some(_), None, _) => {
                let (fit, eval) = (settings.min_fit, settings.min_eval);
                let text = format!(
                    "too few samples for a model of its own in any segment: {fit} before and {eval} in the rows of \
                     the selection are needed, with both labels"
                );
                WhyZero::new("too_few_samples", text)
            }
            (_, _, Some(auc)) if auc <= 0.5 => {
                let text =
                    format!("the ensembles it is in are at chance on the rows after them: AUC {auc:.4}");
                WhyZero::new("ensemble_auc", text)
            }
            (_, _, Some(_)) => WhyZero::no_weight(),
            _ => WhyZero::new("no_segment", "no segment has enough rows to select, train and test in"),
        }
    }
}
