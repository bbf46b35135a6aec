//! From rows to saliences.

use crate::chunk::Reader;
use crate::groups::{Group, groups};
use crate::model::Model;
use crate::pay::Trial;
use crate::report::Seen;
use crate::sample::Sample;
use crate::screen::Screen;
use crate::walk::Plan;
use crate::{Dmae, Labels, start};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, Shape};

/// Bytes of the models that are trained side by side. The history is read once for all of them.
const BYTES: usize = 384 << 20;
/// Part of the progress that a model of all miners is.
const FULL: f64 = 0.05;

impl Score for Dmae {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        self.judge(history, labels, progress, &mut Aside::default())
    }
}

/// What a score says beside saliences.
#[derive(Default)]
pub(crate) struct Aside {
    /// The group of each miner; none if there were too few rows.
    pub(crate) teams: Option<Vec<usize>>,
    /// Forecasts of the model of all miners in the rows that were judged, if they are wanted.
    pub(crate) outputs: Option<Vec<f32>>,
}

impl Dmae {
    pub(crate) fn judge(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
        aside: &mut Aside,
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
        task.score(&mut salience, aside)?;
        progress.report(1.0);
        Ok(salience)
    }
}

struct Task<'a> {
    challenge: &'a Dmae,
    history: &'a dyn History,
    labels: &'a Labels,
    progress: &'a dyn Progress,
    plan: Plan,
}

/// The model of all miners, and what the mean error rises by when each group is taken out of it at once.
struct Full {
    model: Model,
    at_once: Vec<f64>,
}

impl Task<'_> {
    fn score(&self, salience: &mut Salience, aside: &mut Aside) -> Result<(), PluginError> {
        let params = &self.challenge.params;
        let miners = salience.miners.len();
        let is_grouped = params.pay == "group";
        let singles: Vec<Group> = (0..miners).map(Group::of_one).collect();
        // Where groups are looked for, nobody may learn so fast that it matters what others say.
        let watched = aside.outputs.is_some();
        let mut full = self.full(&singles, if is_grouped { miners } else { 1 }, 0.0, watched)?;
        let mut sample = Sample::new(miners, full.model.errors.len());
        let presence = self.plan.look(self.reader(), |chunk| sample.observe(chunk, &full.model))?;
        let spreads = sample.spreads();
        let mut at_once = full.at_once.clone();

        let mut order: Vec<usize> = (0..miners).filter(|&miner| spreads[miner] > 0.0).collect();
        order.sort_by(|&a, &b| at_once[b].total_cmp(&at_once[a]));
        let mut groups: Vec<Group> = if is_grouped {
            order.sort_by_key(|&miner| presence[miner].first);
            groups(&sample, self.history.shape().dim, &order, params.alike)
        } else {
            order.iter().copied().map(Group::of_one).collect()
        };
        drop(sample);
        if is_grouped {
            full = self.full(&groups, 1, FULL, watched)?;
            at_once = vec![0.0; miners];
            for (group, rise) in groups.iter().zip(&full.at_once) {
                group.members.iter().for_each(|&miner| at_once[miner] = *rise);
            }
        }
        groups.sort_by(|a, b| at_once[b.first()].total_cmp(&at_once[a.first()]));
        let teams = teams(miners, &groups);
        aside.teams = Some(teams.clone());
        aside.outputs = full.model.outputs.take();

        let errors = full.model.errors;
        let counted = &self.labels.targets[self.labels.rows.len() - errors.len()..];
        let (baseline, zero) = (mean(&errors), mean(counted));
        let seen = Seen { presence: &presence, at_once: &at_once, spreads: &spreads, baseline, zero, params };
        salience.fact("rows_judged", errors.len() as f64);
        salience.fact("baseline_mae", baseline);
        salience.fact("zero_forecast_mae", zero);
        if baseline >= zero {
            seen.report_no_skill(salience);
            return Ok(());
        }
        let hurting = groups.iter().filter(|group| at_once[group.first()] > 0.0).count();
        let tried = if params.screen == 0 { hurting } else { hurting.min(params.screen) };
        seen.report(&groups, tried, salience);
        salience.fact("groups", groups.len() as f64);
        salience.fact("groups_tried", tried as f64);

        let tried: Vec<Trial> =
            groups[..tried].iter().map(|group| Trial::new(group, &presence, params)).collect();
        let left_out: Vec<Vec<Vec<usize>>> = tried.iter().map(Trial::left_out).collect();
        let counts: Vec<usize> = left_out.iter().map(Vec::len).collect();
        let left_out = left_out.concat();
        salience.fact("models", (left_out.len() + 1) as f64);
        let lags = 2 * self.challenge.spec.rows_ahead().div_ceil(params.stride);
        let mut losses = self.losses(&teams, &left_out)?.into_iter();
        for (group, count) in tried.iter().zip(counts) {
            let own: Vec<Vec<f32>> = losses.by_ref().take(count).collect();
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

    /// Trains the model of all miners, with steps so many times smaller, and looks at each group.
    fn full(&self, groups: &[Group], slower: usize, done: f64, watched: bool) -> Result<Full, PluginError> {
        let mut model = self.model(&teams(self.history.shape().miners, groups), &[]);
        model.outputs = watched.then(Vec::new);
        let mut models = [model];
        let mut screen = Screen::new(groups);
        let observe =
            |chunk: &_, models: &[Model]| models.iter().for_each(|model| screen.observe(chunk, model));
        let report = |part: f64| self.progress.report(done + FULL * part);
        let mut plan = self.plan;
        plan.learning_rate /= slower.max(1) as f64;
        plan.walk(self.reader(), &mut models, observe, report)?;
        let [model] = models;
        Ok(Full { model, at_once: screen.at_once() })
    }

    /// Errors of the models without these miners.
    fn losses(&self, teams: &[usize], left_out: &[Vec<usize>]) -> Result<Vec<Vec<f32>>, PluginError> {
        let Shape { miners, dim, .. } = self.history.shape();
        let at_once = (BYTES / Model::bytes(miners, dim).max(1)).max(1);
        let mut losses = Vec::with_capacity(left_out.len());
        for some in left_out.chunks(at_once) {
            let mut models: Vec<Model> = some.iter().map(|miners| self.model(teams, miners)).collect();
            let done = losses.len() as f64;
            let report = |part: f64| {
                let done = (done + part * some.len() as f64) / left_out.len() as f64;
                self.progress.report(2.0 * FULL + (1.0 - 2.0 * FULL) * done);
            };
            self.plan.walk(self.reader(), &mut models, |_, _| {}, report)?;
            losses.extend(models.into_iter().map(|model| model.errors));
        }
        Ok(losses)
    }

    fn model(&self, teams: &[usize], left_out: &[usize]) -> Model {
        Model::new(self.history.shape().dim, teams, left_out, &start::head(self.challenge.spec.seed))
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(self.history, self.labels, &self.challenge.params)
    }
}

/// The group of each miner; those that are in none are one by themselves.
fn teams(miners: usize, groups: &[Group]) -> Vec<usize> {
    let mut teams: Vec<usize> = (groups.len()..groups.len() + miners).collect();
    for (team, group) in groups.iter().enumerate() {
        group.members.iter().for_each(|&miner| teams[miner] = team);
    }
    teams
}

/// Mean size.
fn mean(values: &[f32]) -> f64 {
    let values: Vec<f64> = values.iter().map(|x| f64::from(x.abs())).collect();
    mantis_kit::math::sum(&values) / values.len().max(1) as f64
}
