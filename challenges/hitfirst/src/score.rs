//! From rows and labels to saliences.

use crate::log_odds::{logits, logits_or, present_rows};
use crate::{Hit, HitFirst, Labels, held_out, left_out};
use mantis_kit::logistic::{Design, Penalty, Problem, Stop, fit, has_both_classes};
use mantis_kit::{kin, standard};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, WhyZero};

/// A smaller share is rounding: a constant column's coefficient is zero at the optimum, but not to the last bit.
const NO_SHARE: f64 = 1e-12;

impl Score for HitFirst {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        let rows = labels.rows.len();
        let count = |hit| labels.hits.iter().filter(|&&other| other == hit).count();
        let (up, down) = (count(Hit::Up), count(Hit::Down));
        let mut salience = Salience::new(miners);
        salience.fact("rows", rows as f64);
        salience.fact("share_up", up as f64 / rows.max(1) as f64);
        salience.fact("share_down", down as f64 / rows.max(1) as f64);
        if labels.priced.len() < self.params.min_rows || rows < self.params.min_rows {
            salience.empty = Some(format!(
                "{} rows with a price and {rows} with a label; {} of each are needed",
                labels.priced.len(),
                self.params.min_rows
            ));
            return Ok(salience);
        }
        for miner in 0..miners {
            let column = history.miner(miner)?;
            let present = present_rows(&column, labels);
            salience.note(miner, "present_rows", present as f64);
            if present == 0 {
                salience.zero(miner, WhyZero::absent());
            } else if (present as f64) < self.params.min_coverage * rows as f64 {
                let needed = 100.0 * self.params.min_coverage;
                let text = format!("sent something in {present} of {rows} rows; {needed}% are needed");
                salience.zero(miner, WhyZero::new("coverage", text));
            }
        }
        let groups = self.candidates(history, labels, &salience)?;
        let leaders: Vec<usize> = groups.iter().map(|group| group.leader).collect();
        let mut parts = vec![0.0; groups.len()];
        let names = if self.params.held_out_blocks == 0 {
            ["coefficient_up", "coefficient_down"]
        } else {
            ["gain_up", "gain_down"]
        };
        let mut fitted = 0;
        for (outcome, hit) in [Hit::Up, Hit::Down].into_iter().enumerate() {
            let Some(found) = self.parts(history, labels, &leaders, outcome, hit)? else { continue };
            fitted += 1;
            for ((group, part), found) in groups.iter().zip(&mut parts).zip(found) {
                group.members.iter().for_each(|&miner| salience.note(miner, names[outcome], found));
                *part += if self.params.held_out_blocks == 0 { found.abs() } else { found };
            }
            progress.report(0.5 * (outcome + 1) as f64);
        }
        for (group, part) in groups.iter().zip(parts) {
            let size = group.members.len();
            for &miner in &group.members {
                salience.miners[miner].salience = part.max(0.0) / size as f64;
                if size > 1 {
                    salience.note(miner, "clones", size as f64);
                }
            }
        }
        let pays = salience.miners.iter().any(|miner| miner.salience > 0.0);
        if groups.is_empty() && miners > 0 {
            let needed = 100.0 * self.params.min_coverage;
            salience.empty = Some(format!("no miner sent something in {needed}% of the rows"));
        } else if self.params.held_out_blocks > 0 && fitted > 0 && !pays {
            salience.empty = Some("no miner gains anything on the rows held out".into());
        } else if fitted == 0 {
            salience.empty = Some("neither barrier was both hit and missed".into());
        }
        salience.normalise();
        kin::pool(&self.params.kin, history, &labels.priced, &mut salience)?;
        for miner in 0..miners {
            if salience.miners[miner].salience < NO_SHARE && salience.miners[miner].why_zero.is_none() {
                salience.zero(miner, self.why_zero());
            }
        }
        Ok(salience)
    }
}

impl HitFirst {
    /// Why a miner that is in the models earns nothing.
    fn why_zero(&self) -> WhyZero {
        if self.params.held_out_blocks == 0 {
            return WhyZero::no_weight();
        }
        WhyZero::new("no_gain", "its part in the models gains nothing on the rows held out")
    }

    /// What each of some miners is in the model of one barrier over all of them (scoring: hitfirst): its coefficient in one
    /// fit, the mean size of those in several, or what it gains on rows held out. `None` if all rows have one class.
    fn parts(
        &self,
        history: &dyn History,
        labels: &Labels,
        miners: &[usize],
        outcome: usize,
        hit: Hit,
    ) -> Result<Option<Vec<f64>>, PluginError> {
        let y: Vec<bool> = labels.hits.iter().map(|&other| other == hit).collect();
        if miners.is_empty() || !has_both_classes(&y) {
            return Ok(None);
        }
        let mut columns = Vec::with_capacity(miners.len());
        for &miner in miners {
            let numbers = history.miner(miner)?;
            columns.push(if self.params.standardise {
                let mut column = logits_or(f64::NAN, &numbers, labels, outcome);
                standard::z_scores(&mut column);
                standard::unit_scale(&mut column);
                column
            } else {
                logits(&numbers, labels, outcome)
            });
        }
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let problem = Problem {
            x: Design::from_columns(&columns),
            y: &y,
            weights: None,
            balanced: true,
            c: self.params.c,
            penalty: Penalty::L2,
        };
        let stop = Stop::from(self.spec.solver).within(self.params.tol, self.params.max_iter);
        if self.params.held_out_blocks > 0 {
            let blocks = self.params.held_out_blocks;
            return held_out::gains(&problem, &columns, stop, blocks, self.spec.rows_ahead());
        }
        if self.params.leave_out_blocks > 0 {
            return left_out::coefficients(&problem, &columns, stop, self.params.leave_out_blocks).map(Some);
        }
        Ok(Some(fit(&problem, stop, None)?.coef))
    }
}
