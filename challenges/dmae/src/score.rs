//! From rows to saliences.

use crate::chunk::{Presence, Reader};
use crate::groups::{groups, spreads};
use crate::model::Model;
use crate::pay::Group;
use crate::report::Seen;
use crate::screen::Screen;
use crate::walk::Plan;
use crate::{Dmae, Labels, start};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, Shape, WhyZero};

/// Bytes of the models that are trained side by side. The history is read once for all of them.
const BYTES: usize = 384 << 20;
/// Part of the progress that the full model is.
const FULL: f64 = 0.1;

impl Score for Dmae {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        let (miners, rows) = (history.shape().miners, labels.rows.len());
        if miners == 0 {
            return Ok(Salience::empty(0, "no miner has stored anything"));
        }
        let mut salience = Salience::new(miners);
        salience.fact("rows", rows as f64);
        if rows < self.params.min_rows {
            salience.empty = Some(format!("{rows} rows that count, {} are needed", self.params.min_rows));
            return Ok(salience);
        }
        let task = Task { challenge: self, history, labels, progress, plan: Plan::new(rows, &self.params) };
        task.score(&mut salience)?;
        progress.report(1.0);
        Ok(salience)
    }
}

struct Task<'a> {
    challenge: &'a Dmae,
    history: &'a dyn History,
    labels: &'a Labels,
    progress: &'a dyn Progress,
    plan: Plan<'a>,
}

/// What the model of all miners shows.
struct Full {
    errors: Vec<f32>,
    screen: Screen,
    presence: Vec<Presence>,
}

impl Task<'_> {
    fn score(&self, salience: &mut Salience) -> Result<(), PluginError> {
        let params = &self.challenge.params;
        let Full { errors, screen, presence } = self.full()?;
        let at_once = screen.at_once();
        let spreads = spreads(&screen.contributions);
        let seen = Seen { presence: &presence, at_once: &at_once, spreads: &spreads, params };
        let counted = &self.labels.targets[self.labels.rows.len() - errors.len()..];
        let (baseline, zero) = (mean(&errors), mean(counted));
        salience.fact("rows_judged", errors.len() as f64);
        salience.fact("baseline_mae", baseline);
        salience.fact("zero_forecast_mae", zero);
        if baseline >= zero {
            let text = format!(
                "the forecast's mean error is {baseline:.6}, that of forecasting nothing {zero:.6}: no skill in the market, \
                 nothing to divide"
            );
            seen.report(&[], 0, salience);
            for miner in (0..presence.len()).filter(|&miner| presence[miner].rows > 0) {
                salience.zero(miner, WhyZero::new("no_skill", text.as_str()));
            }
            salience.empty = Some(text);
            return Ok(());
        }

        let mut order: Vec<usize> = (0..at_once.len()).filter(|&miner| spreads[miner] > 0.0).collect();
        order.sort_by(|&a, &b| at_once[b].total_cmp(&at_once[a]));
        let found = if params.pay == "alone" {
            order.iter().map(|&miner| vec![miner]).collect()
        } else {
            groups(&screen.contributions, &order, params.alike)
        };
        let hurting = found.iter().filter(|group| at_once[group[0]] > 0.0).count();
        let looked_at = if params.screen == 0 { hurting } else { hurting.min(params.screen) };
        seen.report(&found, looked_at, salience);
        drop(screen);

        let groups: Vec<Group> =
            found[..looked_at].iter().map(|members| Group::new(members.clone(), &presence, params)).collect();
        let left_out: Vec<Vec<usize>> = groups.iter().flat_map(Group::left_out).collect();
        salience.fact("groups", found.len() as f64);
        salience.fact("groups_retrained", looked_at as f64);
        salience.fact("models", (left_out.len() + 1) as f64);
        let mut losses = self.losses(&left_out)?.into_iter();
        let lags = 2 * self.challenge.spec.rows_ahead().div_ceil(params.stride);
        for group in &groups {
            let own: Vec<Vec<f32>> = losses.by_ref().take(group.parts.len()).collect();
            let worth = group.worth(&own, &errors, lags, params);
            seen.pay(group, &worth, salience);
        }
        let paid = salience.miners.iter().filter(|miner| miner.salience > 0.0).count();
        salience.fact("paid_miners", paid as f64);
        if paid == 0 {
            salience.empty =
                Some("the forecast loses nothing that is not luck without any of its miners".into());
        }
        Ok(())
    }

    /// Trains the model of all miners, and looks at each of them.
    fn full(&self) -> Result<Full, PluginError> {
        let mut models = [self.model(&[])];
        let mut screen = Screen::new(self.history.shape().miners);
        let observe = |chunk: &_, models: &[Model]| {
            if let Some(model) = models.first() {
                screen.observe(chunk, model);
            }
        };
        let report = |done: f64| self.progress.report(FULL * done);
        let presence = self.plan.walk(self.reader(), &mut models, observe, report)?;
        let [model] = models;
        Ok(Full { errors: model.errors, screen, presence })
    }

    /// Errors of the models without these miners.
    fn losses(&self, left_out: &[Vec<usize>]) -> Result<Vec<Vec<f32>>, PluginError> {
        let Shape { miners, dim, .. } = self.history.shape();
        let at_once = (BYTES / Model::bytes(miners, dim).max(1)).max(1);
        let mut losses = Vec::with_capacity(left_out.len());
        for some in left_out.chunks(at_once) {
            let mut models: Vec<Model> = some.iter().map(|miners| self.model(miners)).collect();
            let done = losses.len() as f64;
            let report = |part: f64| {
                let done = (done + part * some.len() as f64) / left_out.len() as f64;
                self.progress.report(FULL + (1.0 - FULL) * done);
            };
            self.plan.walk(self.reader(), &mut models, |_, _| {}, report)?;
            losses.extend(models.into_iter().map(|model| model.errors));
        }
        Ok(losses)
    }

    fn model(&self, left_out: &[usize]) -> Model {
        let Shape { miners, dim, .. } = self.history.shape();
        Model::new(miners, dim, left_out, &start::head(self.challenge.spec.seed))
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(self.history, self.labels, &self.challenge.params)
    }
}

/// Mean size.
fn mean(values: &[f32]) -> f64 {
    let values: Vec<f64> = values.iter().map(|x| f64::from(x.abs())).collect();
    mantis_kit::math::sum(&values) / values.len().max(1) as f64
}
