//! From events to saliences.

use crate::label::Said;
use crate::{Breakout, Event, Labels, PAIR, clones};
use mantis_kit::auc::auc;
use mantis_kit::logistic::{Design, Model, Penalty, Problem, Stop, fit};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, WhyZero, f16, is_present};
use serde::{Deserialize, Serialize};

/// Standard deviations below this count as 1.
const MIN_SCALE: f64 = 1e-8;

impl Score for Breakout {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        Ok(self.pay(history, labels, progress, &mut |_, _| ())?.0)
    }
}

/// What was paid by.
pub(crate) struct Paid {
    /// Per column of the model the miners whose mean it is, and the spread of their answers.
    pub(crate) columns: Vec<Vec<(usize, Spread)>>,
    pub(crate) model: Model,
}

/// Mean and deviation of what a miner said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    mean: f64,
    scale: f64,
}

impl Breakout {
    /// Saliences, and what was paid by, if there is a model; `watch` is shown the answers of each miner that is in it.
    pub(crate) fn pay(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
        watch: &mut dyn FnMut(usize, &[Option<f64>]),
    ) -> Result<(Salience, Option<Paid>), PluginError> {
        let events = &labels.events;
        let miners = history.shape().miners;
        let mut salience = Salience::new(miners);
        let episodes = episodes(events, i64::from(self.params.episode_gap_rows));
        let continued = events.iter().filter(|event| event.continued).count();
        salience.fact("events", events.len() as f64);
        salience.fact("share_continued", continued as f64 / events.len().max(1) as f64);
        salience.fact("episodes", episodes.iter().max().map_or(0.0, |last| (last + 1) as f64));
        if events.len() < self.params.min_events {
            let needed = self.params.min_events;
            salience.empty = Some(format!("{} breakouts are resolved, {needed} are needed", events.len()));
            return Ok((salience, None));
        }
        let mut qualified = Vec::new();
        for miner in 0..miners {
            let answers = self.answers(history, miner, events)?;
            match self.qualify(&answers, events, &episodes, miner, &mut salience) {
                Ok(()) => {
                    watch(miner, &answers);
                    let spread = Spread::of(&answers);
                    qualified.push(((miner, spread), spread.standardised(&answers)));
                }
                Err(why) => salience.zero(miner, why),
            }
            progress.report(0.9 * (miner + 1) as f64 / miners as f64);
        }
        salience.fact("qualified_miners", qualified.len() as f64);
        if qualified.is_empty() {
            salience.empty = Some("no miner tells continuations from reversals".into());
            return Ok((salience, None));
        }
        if continued == 0 || continued == events.len() {
            salience.empty = Some("all breakouts ended the same way".into());
            return Ok((salience, None));
        }
        let paid = self.ensemble(qualified, events, &episodes, &mut salience)?;
        progress.report(1.0);
        Ok((salience, Some(paid)))
    }

    /// What one miner said of each event: its probability of continuation, if it said anything.
    fn answers(
        &self,
        history: &dyn History,
        miner: usize,
        events: &[Event],
    ) -> Result<Vec<Option<f64>>, PluginError> {
        let dim = history.shape().dim;
        let column = history.miner(miner)?;
        let hotkey = &history.hotkeys()[miner];
        let answer = |event: &Event| match &event.said {
            Said::Row(row) => {
                let at = row * dim + event.asset * PAIR;
                answer_of(&column[at..at + PAIR])
            }
            Said::Carried(said) => {
                let pair = said.get(hotkey)?;
                let is_there = pair.iter().any(|&x| x != 0.0);
                // Live answers may be kept wider; a single precision number is what the network scores.
                pair.first().map(|&x| f64::from(x as f32)).filter(|x| is_there && x.is_finite())
            }
        };
        Ok(events.iter().map(answer).collect())
    }

    /// Whether a miner enters the model (scoring: breakout, qualified), with its numbers noted either way.
    fn qualify(
        &self,
        answers: &[Option<f64>],
        events: &[Event],
        episodes: &[usize],
        miner: usize,
        salience: &mut Salience,
    ) -> Result<(), WhyZero> {
        let answered: Vec<usize> = (0..events.len()).filter(|&i| answers[i].is_some()).collect();
        salience.note(miner, "events", answered.len() as f64);
        if answered.is_empty() {
            return Err(WhyZero::new("absent", "it had sent nothing at any of the breakouts"));
        }
        let mut own: Vec<usize> = answered.iter().map(|&i| episodes[i]).collect();
        own.sort_unstable();
        own.dedup();
        salience.note(miner, "episodes", own.len() as f64);
        if own.len() < self.params.min_episodes {
            let text = format!("answered in {} episodes, {} are needed", own.len(), self.params.min_episodes);
            return Err(WhyZero::new("episodes", text));
        }
        let said: Vec<f64> = answers.iter().flatten().copied().collect();
        let deviation = population_std(&said);
        salience.note(miner, "std", deviation);
        if deviation < self.params.min_std {
            let text = format!("its answers vary by {deviation:.4}, {} is needed", self.params.min_std);
            return Err(if deviation == 0.0 { WhyZero::constant() } else { WhyZero::new("std", text) });
        }
        let continued: Vec<bool> = answered.iter().map(|&i| events[i].continued).collect();
        let Some(auc) = auc(&said, &continued) else {
            return Err(WhyZero::new("one_class", "all breakouts that it answered ended the same way"));
        };
        salience.note(miner, "auc", auc);
        if auc > self.params.min_auc { Ok(()) } else { Err(WhyZero::auc(auc, self.params.min_auc)) }
    }

    /// One model over all events and qualified miners; each episode counts the same (scoring: breakout).
    fn ensemble(
        &self,
        qualified: Vec<((usize, Spread), Vec<f64>)>,
        events: &[Event],
        episodes: &[usize],
        salience: &mut Salience,
    ) -> Result<Paid, PluginError> {
        let (miners, mut columns): (Vec<(usize, Spread)>, Vec<Vec<f64>>) = qualified.into_iter().unzip();
        let mut group: Vec<usize> = (0..miners.len()).collect();
        if self.params.collapse_clones {
            group = clones::groups(&columns, self.params.clone_correlation);
            columns = means(&columns, &group);
        }
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let y: Vec<bool> = events.iter().map(|event| event.continued).collect();
        let weights = episode_weights(episodes);
        let problem = Problem {
            x: Design::from_columns(&columns),
            y: &y,
            weights: Some(&weights),
            balanced: true,
            c: self.params.c,
            penalty: Penalty::L2,
        };
        let stop = Stop::from(self.spec.solver).within(self.params.tol, self.params.max_iter);
        let model = fit(&problem, stop, None)?;
        let sum: f64 = model.coef.iter().map(|c| c.abs()).sum();
        let mut members_of = vec![Vec::new(); model.coef.len()];
        for (&(miner, spread), &group_of_miner) in miners.iter().zip(&group) {
            members_of[group_of_miner].push((miner, spread));
            let coefficient = model.coef[group_of_miner];
            let members = group.iter().filter(|&&other| other == group_of_miner).count();
            salience.note(miner, "coefficient", coefficient);
            if members > 1 {
                salience.note(miner, "clones", members as f64);
            }
            let share = if sum > 0.0 { coefficient.abs() / sum / members as f64 } else { 0.0 };
            if share > self.params.min_share {
                salience.set(miner, share);
            } else {
                salience.zero(miner, WhyZero::no_weight());
            }
        }
        salience.normalise();
        Ok(Paid { columns: members_of, model })
    }
}

/// The episode of each event: in the order of triggers, a long enough gap starts a new one.
fn episodes(events: &[Event], gap: i64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|&i| events[i].sidx);
    let mut episodes = vec![0; events.len()];
    for pair in order.windows(2) {
        let starts_new = events[pair[1]].sidx - events[pair[0]].sidx > gap;
        episodes[pair[1]] = episodes[pair[0]] + usize::from(starts_new);
    }
    episodes
}

/// Each event's part of its episode, scaled to sum up to the number of events.
fn episode_weights(episodes: &[usize]) -> Vec<f64> {
    let mut sizes = vec![0.0; episodes.iter().max().map_or(0, |last| last + 1)];
    episodes.iter().for_each(|&episode| sizes[episode] += 1.0);
    let weights: Vec<f64> = episodes.iter().map(|&episode| 1.0 / sizes[episode]).collect();
    let scale = episodes.len() as f64 / weights.iter().sum::<f64>();
    weights.into_iter().map(|weight| weight * scale).collect()
}

/// The probability of continuation that a miner gave an asset; `None` if it gave none.
pub(crate) fn answer_of(pair: &[f16]) -> Option<f64> {
    let first = pair.first().filter(|first| is_present(pair) && first.is_finite())?;
    Some(first.to_f64())
}

impl Spread {
    fn of(answers: &[Option<f64>]) -> Self {
        let said: Vec<f64> = answers.iter().flatten().copied().collect();
        let mean = said.iter().sum::<f64>() / said.len() as f64;
        let deviation = population_std(&said);
        Self { mean, scale: if deviation < MIN_SCALE { 1.0 } else { deviation } }
    }

    /// z-scores of what was said; 0 if nothing was.
    fn standardised(self, answers: &[Option<f64>]) -> Vec<f64> {
        answers.iter().map(|&answer| self.z_score(answer)).collect()
    }

    pub(crate) fn z_score(self, answer: Option<f64>) -> f64 {
        answer.map_or(0.0, |x| (x - self.mean) / self.scale)
    }
}

fn population_std(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt()
}

/// The mean column of each group.
fn means(columns: &[Vec<f64>], group: &[usize]) -> Vec<Vec<f64>> {
    let groups = group.iter().max().map_or(0, |last| last + 1);
    (0..groups)
        .map(|g| {
            let members: Vec<&Vec<f64>> =
                columns.iter().zip(group).filter(|(_, of)| **of == g).map(|(c, _)| c).collect();
            let rows = members.first().map_or(0, |column| column.len());
            (0..rows).map(|row| mean(members.iter().map(|column| column[row]))).collect()
        })
        .collect()
}

/// The mean of some numbers.
pub(crate) fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    numbers.sum::<f64>() / count
}
