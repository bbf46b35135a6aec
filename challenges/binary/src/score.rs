//! From rows and labels to saliences.

use crate::{Binary, Labels, Params};
use mantis_kit::clones::{self, Group, Likeness, Signature};
use mantis_kit::logistic::{Design, Model, Penalty, Problem, Stop, fit, has_both_classes};
use mantis_kit::{auc, math, segments, standard};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, Shape, WhyZero, f16, is_present};

impl Score for Binary {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        let Shape { miners, .. } = history.shape();
        let (rows, rose) = (labels.rows.len(), labels.rose.iter().filter(|&&y| y).count());
        let with_facts = |mut salience: Salience| {
            salience.fact("rows", rows as f64);
            salience.fact("share_up", rose as f64 / rows.max(1) as f64);
            salience
        };
        if rows < self.params.min_rows || rose == 0 || rose == rows {
            let reason = format!(
                "{rows} labelled rows, {rose} of them up; at least {} and both directions are needed",
                self.params.min_rows
            );
            return Ok(with_facts(Salience::empty(miners, reason)));
        }
        let weights = time_weights(rows, &self.params);
        let scoring = BinaryScoring { params: &self.params, history, labels, weights };
        Ok(with_facts(scoring.run(progress)?))
    }
}

/// Weight of each row by age, with mean 1: the last row has age 1 (scoring: binary, step 1).
fn time_weights(rows: usize, params: &Params) -> Vec<f64> {
    let decay = -std::f64::consts::LN_2 / (params.half_life_days * f64::from(params.rows_per_day));
    let mut weights: Vec<f64> = (0..rows).map(|row| decay * (rows - row) as f64).collect();
    math::exp_slice(&mut weights);
    let mean = math::sum(&weights) / rows as f64;
    weights.iter_mut().for_each(|weight| *weight /= mean);
    weights
}

/// A history and its labels on their way to saliences.
struct BinaryScoring<'a> {
    params: &'a Params,
    history: &'a dyn History,
    labels: &'a Labels,
    weights: Vec<f64>,
}

/// A miner that passed the selection.
struct Selected {
    miner: usize,
    /// Its out-of-sample value per labelled row; 0 if it has none.
    values: Vec<f64>,
}

impl BinaryScoring<'_> {
    fn run(&self, progress: &dyn Progress) -> Result<Salience, PluginError> {
        let miners = self.history.shape().miners;
        let mut salience = Salience::new(miners);
        let kept = self.select(&mut salience, progress)?;
        if kept.is_empty() {
            salience.empty = Some(format!("no miner has an AUC above {}", self.params.min_auc));
            return Ok(salience);
        }
        let rows = self.labels.rows.len();
        let mut selected = Vec::with_capacity(kept.len());
        let mut covered = vec![false; rows];
        for (done, miner) in kept.iter().copied().enumerate() {
            let column = self.column(miner)?;
            let values = self.out_of_sample(&column, &mut covered)?;
            selected.push(Selected { miner, values });
            progress.report(0.3 + 0.5 * (done + 1) as f64 / kept.len() as f64);
        }
        self.ensemble(selected, &covered, &mut salience)?;
        progress.report(1.0);
        Ok(salience)
    }

    /// The miners with the best AUC on the second half, fitted on the first (scoring: binary, step 2).
    fn select(&self, salience: &mut Salience, progress: &dyn Progress) -> Result<Vec<usize>, PluginError> {
        let half = self.labels.rows.len() / 2;
        let miners = self.history.shape().miners;
        let mut ranking = Vec::with_capacity(miners);
        for miner in 0..miners {
            let column = self.column(miner)?;
            let present = column.rows.len();
            let fit_rows = column.rows.partition_point(|&row| row < half);
            let auc = self.half_auc(&column, fit_rows)?;
            salience.note(miner, "present_rows", present as f64);
            if let Some(auc) = auc {
                salience.note(miner, "auc", auc);
            }
            if present == 0 {
                salience.zero(miner, WhyZero::absent());
            } else if column.is_constant() {
                salience.zero(miner, WhyZero::constant());
            } else if auc.is_none() {
                let (fit, eval) = (self.params.min_fit_rows, self.params.min_eval_rows);
                let text = format!(
                    "present in {fit_rows} rows of the first half and {} of the second; {fit} and {eval} with both \
                     directions are needed",
                    present - fit_rows
                );
                salience.zero(miner, WhyZero::new("too_few_rows", text));
            }
            // Ranked as the network does, in single precision: it makes ties.
            ranking.push((miner, auc.unwrap_or(0.5) as f32));
            progress.report(0.3 * (miner + 1) as f64 / miners as f64);
        }
        ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut kept = Vec::new();
        for (rank, &(miner, auc)) in ranking.iter().enumerate() {
            let why = if f64::from(auc) <= self.params.min_auc {
                WhyZero::auc(f64::from(auc), self.params.min_auc)
            } else if rank >= self.params.top_k {
                WhyZero::pruned(rank + 1, self.params.top_k)
            } else {
                kept.push(miner);
                continue;
            };
            if salience.miners[miner].why_zero.is_none() {
                salience.zero(miner, why);
            }
        }
        Ok(kept)
    }

    /// AUC on the present rows from `fit_rows` on, of a model of those before; `None` if there are too few.
    fn half_auc(&self, column: &Column, fit_rows: usize) -> Result<Option<f64>, PluginError> {
        let eval = fit_rows..column.rows.len();
        let Some(model) = self.base_model(column, fit_rows, None)? else { return Ok(None) };
        if eval.len() < self.params.min_eval_rows {
            return Ok(None);
        }
        let design: Vec<&[f64]> = column.numbers.iter().map(|x| &x[eval.clone()]).collect();
        let mut decisions = vec![0.0; eval.len()];
        model.decision(&Design::from_columns(&design), &mut decisions);
        Ok(auc::auc(&decisions, &column.rose[eval]))
    }

    /// The model of one miner on its first `rows` present rows; `None` if they are too few or of one class.
    fn base_model(
        &self,
        column: &Column,
        rows: usize,
        start: Option<&Model>,
    ) -> Result<Option<Model>, PluginError> {
        if rows < self.params.min_fit_rows || !has_both_classes(&column.rose[..rows]) {
            return Ok(None);
        }
        let design: Vec<&[f64]> = column.numbers.iter().map(|x| &x[..rows]).collect();
        let problem = Problem {
            x: Design::from_columns(&design),
            y: &column.rose[..rows],
            weights: Some(&column.weights[..rows]),
            balanced: true,
            c: self.params.base_c,
            penalty: Penalty::L2Bias,
        };
        Ok(Some(fit(&problem, Stop::Exact, start)?))
    }

    /// Walk-forward values: each segment's model knows the rows before the segment only (scoring: binary, step 3).
    fn out_of_sample(&self, column: &Column, covered: &mut [bool]) -> Result<Vec<f64>, PluginError> {
        let total = self.labels.rows.len();
        let mut values = vec![0.0; total];
        let mut last: Option<Model> = None;
        for segment in segments::walk(total, self.params.segment_rows, self.params.embargo_rows) {
            let at = |row: usize| column.rows.partition_point(|&present| present < row);
            let Some(model) = self.base_model(column, at(segment.start), last.as_ref())? else { continue };
            let range = at(segment.from)..at(segment.end);
            let design: Vec<&[f64]> = column.numbers.iter().map(|x| &x[range.clone()]).collect();
            let mut decisions = vec![0.0; range.len()];
            model.decision(&Design::from_columns(&design), &mut decisions);
            for (&row, decision) in column.rows[range].iter().zip(decisions) {
                values[row] = decision;
                covered[row] = true;
            }
            last = Some(model);
        }
        Ok(values)
    }

    /// The ensemble over all selected miners; its coefficients are the saliences (scoring: binary, step 4).
    fn ensemble(
        &self,
        mut selected: Vec<Selected>,
        covered: &[bool],
        salience: &mut Salience,
    ) -> Result<(), PluginError> {
        let rose = kept(&self.labels.rose, covered);
        salience.fact("ensemble_rows", rose.len() as f64);
        salience.fact("ensemble_miners", selected.len() as f64);
        if rose.len() < self.params.min_fit_rows || !has_both_classes(&rose) {
            let needed = self.params.min_fit_rows;
            let rows = rose.len();
            let reason =
                format!("{rows} out-of-sample rows; at least {needed} and both directions are needed");
            salience.empty = Some(reason);
            return Ok(());
        }
        let weights = kept(&self.weights, covered);
        for one in &mut selected {
            one.values = kept(&one.values, covered);
        }
        let groups = self.groups(&selected);
        if self.params.standardise {
            selected.iter_mut().for_each(|one| _ = standard::unit_scale(&mut one.values));
        }
        let columns: Vec<&[f64]> =
            groups.iter().map(|group| selected[group.leader].values.as_slice()).collect();
        let problem = Problem {
            x: Design::from_columns(&columns),
            y: &rose,
            weights: Some(&weights),
            balanced: true,
            c: self.params.meta_c,
            penalty: Penalty::ElasticNet { l1_ratio: self.params.meta_l1_ratio },
        };
        let model = fit(&problem, Stop::Exact, None)?;
        for (group, &coefficient) in groups.iter().zip(&model.coef) {
            let size = group.members.len();
            for &member in &group.members {
                let miner = selected[member].miner;
                salience.note(miner, "coefficient", coefficient);
                if size > 1 {
                    salience.note(miner, "clones", size as f64);
                }
                if coefficient == 0.0 {
                    salience.zero(miner, WhyZero::no_weight());
                } else {
                    salience.set(miner, coefficient.abs() / size as f64);
                }
            }
        }
        salience.normalise();
        if salience.miners.iter().all(|miner| miner.salience == 0.0) {
            salience.empty = Some("the ensemble gives no miner any weight".into());
        }
        Ok(())
    }

    /// The selected miners that the ensemble takes as one, by their values; each by itself unless clones are collapsed.
    fn groups(&self, selected: &[Selected]) -> Vec<Group> {
        let order: Vec<usize> = (0..selected.len()).collect();
        if !self.params.collapse_clones {
            return order.into_iter().map(Group::of_one).collect();
        }
        // A miner has no value where it is 0: it was absent, or in an embargo.
        let valued = |&value: &f64| if value == 0.0 { f64::NAN } else { value };
        let signature = |one: &Selected| Signature::new(vec![one.values.iter().map(valued).collect()]);
        let signatures: Vec<Signature> = selected.iter().map(signature).collect();
        let likeness =
            Likeness { correlation: self.params.clone_correlation, lag: self.params.clone_lag_rows };
        clones::groups(&signatures, &order, likeness)
    }

    /// One miner's present rows.
    fn column(&self, miner: usize) -> Result<Column, PluginError> {
        let dim = self.history.shape().dim;
        let raw = self.history.miner(miner)?;
        let numbers_of = |row: usize| &raw[row * dim..(row + 1) * dim];
        let rows: Vec<usize> =
            (0..self.labels.rows.len()).filter(|&i| is_usable(numbers_of(self.labels.rows[i]))).collect();
        let number = |d: usize| -> Vec<f64> {
            let mut numbers =
                rows.iter().map(|&i| numbers_of(self.labels.rows[i])[d].to_f64()).collect::<Vec<_>>();
            if self.params.standardise {
                standard::z_scores(&mut numbers);
            }
            numbers
        };
        Ok(Column {
            numbers: (0..dim).map(number).collect(),
            rose: rows.iter().map(|&i| self.labels.rose[i]).collect(),
            weights: rows.iter().map(|&i| self.weights[i]).collect(),
            rows,
        })
    }
}

/// One miner's present rows, ascending.
struct Column {
    /// Index among the labelled rows.
    rows: Vec<usize>,
    /// `dim` lists of numbers.
    numbers: Vec<Vec<f64>>,
    rose: Vec<bool>,
    weights: Vec<f64>,
}

impl Column {
    fn is_constant(&self) -> bool {
        self.numbers.iter().all(|x| x.iter().all(|&value| value == x[0]))
    }
}

/// Present, and not broken: a stored NaN or infinity counts as absent.
fn is_usable(numbers: &[f16]) -> bool {
    is_present(numbers) && numbers.iter().all(|x| x.is_finite())
}

fn kept<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
    values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(&value, _)| value).collect()
}
