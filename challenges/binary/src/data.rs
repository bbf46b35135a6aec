//! What the steps of scoring share: the rows, and one miner's part in them.

use crate::{Labels, Params};
use mantis_kit::logistic::{Design, Model, Penalty, Problem, Stop, fit, has_both_classes};
use mantis_kit::math;
use mantis_kit::standard::{self, ZScale};
use mantis_plugin_api::{History, PluginError, Solver, f16, is_present};
use std::ops::Range;

/// A history and its labels on their way to saliences.
pub(crate) struct Data<'a> {
    pub(crate) params: &'a Params,
    pub(crate) solver: Solver,
    pub(crate) history: &'a dyn History,
    pub(crate) labels: &'a Labels,
    /// Weight per labelled row.
    pub(crate) weights: Vec<f64>,
}

/// One miner's present rows, ascending.
pub(crate) struct Column {
    /// Index among the labelled rows.
    pub(crate) rows: Vec<usize>,
    /// `dim` lists of numbers.
    numbers: Vec<Vec<f64>>,
    /// What brought each list to one scale, if they were.
    pub(crate) scales: Vec<ZScale>,
    pub(crate) rose: Vec<bool>,
    weights: Vec<f64>,
}

impl<'a> Data<'a> {
    pub(crate) fn new(
        params: &'a Params,
        solver: Solver,
        history: &'a dyn History,
        labels: &'a Labels,
    ) -> Self {
        Self::of_first(params, solver, history, labels, labels.rows.len())
    }

    /// The same if the labelled rows are the first of so many.
    pub(crate) fn of_first(
        params: &'a Params,
        solver: Solver,
        history: &'a dyn History,
        labels: &'a Labels,
        rows: usize,
    ) -> Self {
        Self { params, solver, history, labels, weights: time_weights(rows, params) }
    }

    /// One miner's present rows.
    pub(crate) fn column(&self, miner: usize) -> Result<Column, PluginError> {
        let dim = self.history.shape().dim;
        let raw = self.history.miner(miner)?;
        let numbers_of = |row: usize| &raw[row * dim..(row + 1) * dim];
        let rows: Vec<usize> =
            (0..self.labels.rows.len()).filter(|&i| is_usable(numbers_of(self.labels.rows[i]))).collect();
        let number = |d: usize| -> Vec<f64> {
            rows.iter().map(|&i| numbers_of(self.labels.rows[i])[d].to_f64()).collect()
        };
        let mut numbers: Vec<Vec<f64>> = (0..dim).map(number).collect();
        let scales = if self.params.standardise {
            numbers.iter_mut().map(|numbers| standard::z_scores(numbers)).collect()
        } else {
            Vec::new()
        };
        Ok(Column {
            numbers,
            scales,
            rose: rows.iter().map(|&i| self.labels.rose[i]).collect(),
            weights: rows.iter().map(|&i| self.weights[i]).collect(),
            rows,
        })
    }

    /// The model of one miner on a range of its present rows; `None` if they are too few or of one class. `start` is
    /// where the way to the optimum begins.
    pub(crate) fn base_model(
        &self,
        column: &Column,
        rows: Range<usize>,
        start: Option<&Model>,
    ) -> Result<Option<Model>, PluginError> {
        let rose = &column.rose[rows.clone()];
        if rows.len() < self.params.min_fit_rows || !has_both_classes(rose) {
            return Ok(None);
        }
        let design: Vec<&[f64]> = column.numbers.iter().map(|x| &x[rows.clone()]).collect();
        let problem = Problem {
            x: Design::from_columns(&design),
            y: rose,
            weights: Some(&column.weights[rows]),
            balanced: true,
            c: self.params.base_c,
            penalty: Penalty::L2Bias,
        };
        let stop = Stop::from(self.solver).within(self.params.base_tol, self.params.base_max_iter);
        Ok(Some(fit(&problem, stop, start)?))
    }
}

impl Column {
    pub(crate) fn is_constant(&self) -> bool {
        self.numbers.iter().all(|x| x.iter().all(|&value| value == x[0]))
    }

    /// Number of present rows before a labelled row.
    pub(crate) fn before(&self, row: usize) -> usize {
        self.rows.partition_point(|&present| present < row)
    }

    /// Decision values of a range of the present rows.
    pub(crate) fn decisions(&self, model: &Model, rows: Range<usize>) -> Vec<f64> {
        let design: Vec<&[f64]> = self.numbers.iter().map(|x| &x[rows.clone()]).collect();
        let mut decisions = vec![0.0; rows.len()];
        model.decision(&Design::from_columns(&design), &mut decisions);
        decisions
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

/// Present, and not broken: a stored NaN or infinity counts as absent.
fn is_usable(numbers: &[f16]) -> bool {
    is_present(numbers) && numbers.iter().all(|x| x.is_finite())
}
