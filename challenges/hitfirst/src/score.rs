//! From rows and labels to saliences.

use crate::log_odds::{logits, logits_or, present_rows};
use crate::{Hit, HitFirst, Labels, held_out, left_out};
use mantis_kit::kin;
use mantis_kit::logistic::{Design, Model, Penalty, Problem, Stop, fit, has_both_classes};
use mantis_kit::standard::{self, ZScale};
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
        Ok(self.pay(history, labels, progress, false, &mut |_, _| ())?.0)
    }
}

/// What was paid by.
pub(crate) struct Paid {
    /// The miners that are columns of the models.
    pub(crate) miners: Vec<usize>,
    /// The models of the upper and of the lower barrier.
    pub(crate) barriers: [Barrier; 2],
}

/// The model of one barrier.
pub(crate) struct Barrier {
    /// Of several fits their mean.
    pub(crate) model: Model,
    /// Per column what brought its log-odds to one scale, if they were: z-scores, then a divisor.
    pub(crate) scales: Vec<Option<(ZScale, f64)>>,
    /// Labelled rows in which the barrier is hit first, and the others.
    pub(crate) rows: [usize; 2],
}

/// One barrier's part of the score.
struct Part {
    /// Per column its coefficient in one fit, the mean size of those in several, or what it gains on rows held out.
    found: Vec<f64>,
    /// Not there if there are gains, and no model was asked for.
    barrier: Option<Barrier>,
}

impl HitFirst {
    /// Saliences; and what was paid by, if there is a model of both barriers, of gains only if `forecasts`. `watch` is shown
    /// the columns of each barrier's model.
    pub(crate) fn pay(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
        forecasts: bool,
        watch: &mut dyn FnMut(usize, &[&[f64]]),
    ) -> Result<(Salience, Option<Paid>), PluginError> {
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
            return Ok((salience, None));
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
        let mut barriers = Vec::with_capacity(2);
        for (outcome, hit) in [Hit::Up, Hit::Down].into_iter().enumerate() {
            let mut watch = |columns: &[&[f64]]| watch(outcome, columns);
            let part = self.part(history, labels, &leaders, (outcome, hit), forecasts, &mut watch)?;
            let Some(Part { found, barrier }) = part else { continue };
            fitted += 1;
            barriers.extend(barrier);
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
        let barriers = <[Barrier; 2]>::try_from(barriers).ok();
        Ok((salience, barriers.map(|barriers| Paid { miners: leaders, barriers })))
    }

    /// Why a miner that is in the models earns nothing.
    fn why_zero(&self) -> WhyZero {
        if self.params.held_out_blocks == 0 {
            return WhyZero::no_weight();
        }
        WhyZero::new("no_gain", "its part in the models gains nothing on the rows held out")
    }

    /// What each of some miners is in the model of one barrier over all of them (scoring: hitfirst). `None` if all rows have
    /// one class.
    fn part(
        &self,
        history: &dyn History,
        labels: &Labels,
        miners: &[usize],
        (outcome, hit): (usize, Hit),
        forecasts: bool,
        watch: &mut dyn FnMut(&[&[f64]]),
    ) -> Result<Option<Part>, PluginError> {
        let y: Vec<bool> = labels.hits.iter().map(|&other| other == hit).collect();
        if miners.is_empty() || !has_both_classes(&y) {
            return Ok(None);
        }
        let mut columns = Vec::with_capacity(miners.len());
        let mut scales = Vec::with_capacity(miners.len());
        for &miner in miners {
            let numbers = history.miner(miner)?;
            if self.params.standardise {
                let mut column = logits_or(f64::NAN, &numbers, labels, outcome);
                let scale = standard::z_scores(&mut column);
                // Log-odds that do not vary are all 0, and left as they are.
                let divisor =
                    Some(standard::unit_scale(&mut column)).filter(|&scale| scale > 0.0).unwrap_or(1.0);
                columns.push(column);
                scales.push(Some((scale, divisor)));
            } else {
                columns.push(logits(&numbers, labels, outcome));
                scales.push(None);
            }
        }
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        watch(&columns);
        let problem = Problem {
            x: Design::from_columns(&columns),
            y: &y,
            weights: None,
            balanced: true,
            c: self.params.c,
            penalty: Penalty::L2,
        };
        let stop = Stop::from(self.spec.solver).within(self.params.tol, self.params.max_iter);
        let hits = y.iter().filter(|&&up| up).count();
        let rows = [hits, y.len() - hits];
        let barrier = |model| Barrier { model, scales, rows };
        if self.params.held_out_blocks > 0 {
            let blocks = self.params.held_out_blocks;
            let gains = held_out::gains(&problem, &columns, stop, blocks, self.spec.rows_ahead())?;
            let Some(found) = gains else { return Ok(None) };
            let model = if forecasts { Some(fit(&problem, stop, None)?) } else { None };
            return Ok(Some(Part { found, barrier: model.map(barrier) }));
        }
        if self.params.leave_out_blocks > 0 {
            let fits = left_out::fits(&problem, &columns, stop, self.params.leave_out_blocks)?;
            return Ok(Some(Part { found: fits.coefficients(), barrier: fits.mean().map(barrier) }));
        }
        let model = fit(&problem, stop, None)?;
        Ok(Some(Part { found: model.coef.clone(), barrier: Some(barrier(model)) }))
    }
}
