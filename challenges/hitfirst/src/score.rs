//! From rows and labels to saliences.

use crate::{Hit, HitFirst, Labels, OUTCOMES};
use mantis_kit::logistic::{Design, Model, Penalty, Problem, Stop, fit, has_both_classes};
use mantis_kit::math;
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, WhyZero, f16, is_present};

/// Probabilities are clipped to `[EPS, 1 - EPS]`.
const EPS: f64 = 1e-12;
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
        if labels.priced_rows < self.params.min_rows || rows < self.params.min_rows {
            salience.empty = Some(format!(
                "{} rows with a price and {rows} with a label; {} of each are needed",
                labels.priced_rows, self.params.min_rows
            ));
            return Ok(salience);
        }
        for miner in 0..miners {
            let column = history.miner(miner)?;
            let present = present_rows(&column, labels);
            salience.note(miner, "present_rows", present as f64);
            if present == 0 {
                salience.zero(miner, WhyZero::absent());
            }
        }
        let mut fitted = 0;
        for (outcome, hit, name, done) in
            [(0, Hit::Up, "coefficient_up", 0.5), (1, Hit::Down, "coefficient_down", 1.0)]
        {
            let Some(model) = self.model(history, labels, outcome, hit)? else { continue };
            fitted += 1;
            for (miner, &coefficient) in model.coef.iter().enumerate() {
                salience.note(miner, name, coefficient);
                salience.miners[miner].salience += coefficient.abs();
            }
            progress.report(done);
        }
        if fitted == 0 {
            salience.empty = Some("neither barrier was both hit and missed".into());
        }
        salience.normalise();
        for miner in 0..miners {
            if salience.miners[miner].salience < NO_SHARE && salience.miners[miner].why_zero.is_none() {
                salience.zero(miner, WhyZero::no_weight());
            }
        }
        Ok(salience)
    }
}

impl HitFirst {
    /// The model of one barrier over all miners; `None` if all rows have one class (scoring: hitfirst).
    fn model(
        &self,
        history: &dyn History,
        labels: &Labels,
        outcome: usize,
        hit: Hit,
    ) -> Result<Option<Model>, PluginError> {
        let y: Vec<bool> = labels.hits.iter().map(|&other| other == hit).collect();
        let miners = history.shape().miners;
        if miners == 0 || !has_both_classes(&y) {
            return Ok(None);
        }
        let mut columns = Vec::with_capacity(miners);
        for miner in 0..miners {
            columns.push(logits(&history.miner(miner)?, labels, outcome));
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
        Ok(Some(fit(&problem, stop, None)?))
    }
}

/// Log-odds of one outcome per labelled row; 0 if the miner is absent.
fn logits(column: &[f16], labels: &Labels, outcome: usize) -> Vec<f64> {
    let one = |row: usize| {
        let numbers = &column[row * OUTCOMES..(row + 1) * OUTCOMES];
        if !is_usable(numbers) {
            return 0.0;
        }
        let clipped: [f64; OUTCOMES] = std::array::from_fn(|i| numbers[i].to_f64().clamp(EPS, 1.0 - EPS));
        math::logit(clipped[outcome] / (clipped[0] + clipped[1] + clipped[2]))
    };
    labels.rows.iter().map(|&row| one(row)).collect()
}

fn present_rows(column: &[f16], labels: &Labels) -> usize {
    labels.rows.iter().filter(|&&row| is_usable(&column[row * OUTCOMES..(row + 1) * OUTCOMES])).count()
}

/// Present, and not broken: a stored NaN counts as absent.
fn is_usable(numbers: &[f16]) -> bool {
    is_present(numbers) && !numbers.iter().any(|x| x.is_nan())
}
