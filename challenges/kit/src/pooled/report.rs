//! What the walk means for each miner.

use super::Outcome;
use mantis_plugin_api::{Salience, WhyZero};

impl Outcome {
    /// Saliences, with the numbers behind them and the reason of each zero; `top_k` is what was selected by.
    #[must_use]
    pub fn report(&self, top_k: usize) -> Salience {
        let mut salience = Salience::new(self.miners.len());
        salience.fact("segments", self.segments.len() as f64);
        if let Some(last) = self.segments.last() {
            salience.fact("ensemble_auc", last.auc);
            salience.fact("ensemble_samples", last.samples as f64);
        }
        let chance = !self.segments.iter().any(|segment| segment.auc > 0.5);
        for (miner, about) in self.miners.iter().enumerate() {
            salience.note(miner, "samples", about.samples as f64);
            salience.note(miner, "segments_selected", about.selected as f64);
            for (name, value) in [("auc", about.auc), ("coefficient", about.coefficient)] {
                if let Some(value) = value {
                    salience.note(miner, name, value);
                }
            }
            if about.importance > 0.0 {
                salience.set(miner, about.importance);
            } else if about.samples == 0 {
                salience.zero(miner, WhyZero::absent());
            } else if about.selected == 0 && !self.segments.is_empty() {
                let text = format!("never among the {top_k} miners with the best AUC on recent rows");
                salience.zero(miner, WhyZero::new("pruned", text));
            } else if chance && !self.segments.is_empty() {
                salience.zero(miner, WhyZero::new("ensemble_auc", "the ensemble was no better than chance"));
            } else {
                salience.zero(miner, WhyZero::no_weight());
            }
        }
        salience.normalise();
        if self.segments.is_empty() {
            salience.empty = Some("no segment has enough rows before it to fit and measure models".into());
        } else if chance {
            salience.empty = Some("in no segment was the ensemble better than chance".into());
        }
        salience
    }
}
