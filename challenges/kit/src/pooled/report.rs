//! What the walk means for each miner.

use super::{MinerOutcome, Pooled, PooledOutcome};
use mantis_plugin_api::{Salience, WhyZero};

/// Importance, as a part of the largest, below which it is what rounding left of zero: fits stop at far larger gradients.
const ROUNDING: f64 = 1e-12;

impl PooledOutcome {
    /// Saliences, with the numbers behind them and the reason of each zero; `pooled` is what was walked by.
    #[must_use]
    pub fn report(&self, pooled: &Pooled) -> Salience {
        let mut salience = Salience::new(self.miners.len());
        salience.fact("segments", self.segments.len() as f64);
        if let Some(last) = self.segments.last() {
            salience.fact("ensemble_auc", last.auc);
            salience.fact("ensemble_samples", last.samples as f64);
        }
        let least = ROUNDING * self.miners.iter().map(|miner| miner.importance).fold(0.0, f64::max);
        for (miner, about) in self.miners.iter().enumerate() {
            salience.note(miner, "samples", about.samples as f64);
            salience.note(miner, "segments_selected", about.selected as f64);
            let numbers = [
                ("auc", about.auc),
                ("coefficient", about.coefficient),
                ("ensemble_auc", about.ensemble_auc),
            ];
            for (name, value) in numbers {
                if let Some(value) = value {
                    salience.note(miner, name, value);
                }
            }
            if about.importance > least {
                salience.set(miner, about.importance);
            } else {
                salience.zero(miner, about.why_zero(pooled));
            }
        }
        salience.normalise();
        if self.segments.is_empty() {
            salience.empty = Some("no segment has enough rows before it to fit and measure models".into());
        } else if !self.segments.iter().any(|segment| segment.auc > 0.5) {
            salience.empty = Some("in no segment was the ensemble better than chance".into());
        }
        salience
    }
}

impl MinerOutcome {
    fn why_zero(&self, pooled: &Pooled) -> WhyZero {
        match (self.best_rank, self.ensemble_auc) {
            _ if self.samples == 0 => WhyZero::absent(),
            (None, _) => {
                WhyZero::new("no_segment", "no segment has enough rows before it to fit and measure models")
            }
            (Some(rank), _) if self.selected == 0 => WhyZero::pruned(rank, pooled.top_k),
            _ if self.auc.is_none() => {
                let Pooled { min_fit, min_eval, .. } = pooled;
                let text = format!(
                    "{} samples, but in no segment {min_fit} to fit a model of its own on and {min_eval} in the rows \
                     after those, with both labels",
                    self.samples
                );
                WhyZero::new("too_few_rows", text)
            }
            (_, Some(auc)) if auc <= 0.5 => {
                let text = format!("the ensembles it is in are no better than chance: AUC {auc:.4} at best");
                WhyZero::new("ensemble_auc", text)
            }
            _ => WhyZero::no_weight(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::BlockBootstrap;
    use crate::logistic::Stop;
    use crate::pooled::SegmentOutcome;

    fn pooled() -> Pooled {
        Pooled {
            rows: 0,
            assets: 1,
            labels: vec![],
            segment_rows: 10,
            embargo_rows: 1,
            cut_rows: 0,
            min_samples: 2,
            min_fit: 7,
            min_eval: 3,
            min_distinct: 0,
            top_k: 2,
            base_c: 1.0,
            base_stop: Stop::Exact,
            meta_c: 1.0,
            meta_stop: Stop::Exact,
            bootstrap: BlockBootstrap::new(1),
            seed_step: 1,
            groups: 4,
            half_life: 3.0,
        }
    }

    #[test]
    fn every_zero_has_its_reason() {
        let good = MinerOutcome {
            importance: 0.2,
            samples: 9,
            selected: 1,
            best_rank: Some(1),
            auc: Some(0.6),
            coefficient: Some(0.1),
            ensemble_auc: Some(0.6),
        };
        let zero = MinerOutcome { importance: 0.0, ..good.clone() };
        let miners = vec![
            good,
            MinerOutcome { samples: 0, ..zero.clone() },
            MinerOutcome { selected: 0, best_rank: Some(3), ..zero.clone() },
            MinerOutcome { auc: None, ..zero.clone() },
            MinerOutcome { ensemble_auc: Some(0.5), ..zero.clone() },
            zero.clone(),
            MinerOutcome { best_rank: None, selected: 0, ..zero },
        ];
        let segments = vec![SegmentOutcome { index: 2, samples: 8, auc: 0.6 }];
        let salience = PooledOutcome { miners, segments }.report(&pooled());
        let codes: Vec<&str> =
            salience.miners.iter().filter_map(|m| Some(m.why_zero.as_ref()?.code.as_str())).collect();
        assert_eq!(codes, ["absent", "pruned", "too_few_rows", "ensemble_auc", "no_weight", "no_segment"]);
        assert_eq!((salience.miners[0].salience, salience.empty), (1.0, None));
        assert!(PooledOutcome::default().report(&pooled()).empty.is_some());
    }
}
