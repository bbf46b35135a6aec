//! What the ensemble says of a row that is not over yet.

use crate::data::Data;
use crate::ensemble::Paid;
use crate::out_of_sample::model_for_row;
use crate::{Binary, Labels};
use mantis_kit::fitted::{Making, Row};
use mantis_kit::logistic::Model;
use mantis_kit::math;
use mantis_kit::standard::ZScale;
use mantis_plugin_api::{
    Forecast, History, Market, Outlook, OutlookKind, PluginError, Progress, Salience, Signal,
};
use serde::{Deserialize, Serialize};

impl Signal for Binary {
    fn outlook(&self) -> Outlook {
        Outlook {
            kind: OutlookKind::Probability,
            subjects: vec![self.spec.ticker.clone()],
            classes: Vec::new(),
            horizon_rows: self.spec.rows_ahead(),
            market_rows: 1,
            unit: "probability that the price is higher after the horizon".into(),
        }
    }

    fn score_and_fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<(Salience, Option<Vec<u8>>), PluginError> {
        let (salience, paid) = self.pay(history, labels, progress, &mut |_| ())?;
        let Some(paid) = paid else { return Ok((salience, None)) };
        let fit = self.fit(&paid, history, labels)?;
        if fit.miners.is_empty() {
            return Ok((salience, None));
        }
        let fit = self.making().write(history.shape().miners, &fit)?;
        Ok((salience, fit))
    }

    /// The logistic function of the ensemble's decision value on the values of the miners that are in it (scoring: binary,
    /// forecast). `None` if none of them is there.
    fn forecast(&self, fit: &[u8], latest: &[f32], _: &Market) -> Result<Forecast, PluginError> {
        let (fit, row) = self.making().read::<Fit>(fit, latest)?;
        let (decision, miners) = fit.decide(&row, self.spec.dim)?;
        Ok(Forecast { values: vec![decision.map(math::sigmoid)], miners })
    }
}

/// The ensemble, and the models of its miners.
#[derive(Serialize, Deserialize)]
struct Fit {
    intercept: f64,
    /// In the order of the ensemble's sums.
    miners: Vec<Member>,
}

#[derive(Serialize, Deserialize)]
struct Member {
    miner: usize,
    /// In the ensemble.
    coefficient: f64,
    /// What its value is divided by before that.
    scale: f64,
    /// Of its own model.
    weights: Vec<f64>,
    intercept: f64,
    /// What its numbers go through before that, if anything.
    scales: Vec<ZScale>,
}

impl Binary {
    fn making(&self) -> Making {
        Making { format: "binary-1", numbers: self.spec.dim, subjects: 1 }
    }

    /// What this score paid by, with the miners' models for the row that comes next: those that a score has with one row
    /// more, in which all rows weigh a little less.
    fn fit(&self, paid: &Paid, history: &dyn History, labels: &Labels) -> Result<Fit, PluginError> {
        let (labels, rows) = labels.with_next_row(self.params.max_rows);
        let data = Data::of_first(&self.params, self.spec.solver, history, &labels, rows);
        let mut miners = Vec::with_capacity(paid.columns.len());
        for (&(miner, scale), &coefficient) in paid.columns.iter().zip(&paid.model.coef) {
            if coefficient == 0.0 {
                continue;
            }
            let column = data.column(miner)?;
            if let Some(Model { coef, intercept }) = model_for_row(&data, &column, rows - 1)? {
                let scales = column.scales;
                miners.push(Member { miner, coefficient, scale, weights: coef, intercept, scales });
            }
        }
        Ok(Fit { intercept: paid.model.intercept, miners })
    }
}

impl Fit {
    /// The ensemble's decision value and how many miners are in it; `None` without any.
    fn decide(&self, row: &Row, dim: usize) -> Result<(Option<f64>, usize), PluginError> {
        let mut values = Vec::with_capacity(self.miners.len());
        let mut there = 0;
        for member in &self.miners {
            let scales = member.scales.len();
            if member.weights.len() != dim || (scales != dim && scales != 0) {
                return Err(PluginError::data(format!(
                    "the fit's model of miner {} is not of {dim} numbers",
                    member.miner
                )));
            }
            let numbers = row.of(member.miner)?;
            let is_there = row.is_whole(member.miner)?;
            there += usize::from(is_there);
            values.push(if is_there { member.value(numbers.iter().map(|x| x.to_f64())) } else { 0.0 });
        }
        let coef = self.miners.iter().map(|member| member.coefficient).collect();
        let decision = Model { coef, intercept: self.intercept }.decide(&values);
        Ok((Some(decision).filter(|decision| there > 0 && decision.is_finite()), there))
    }
}

impl Member {
    /// The miner's value out of sample.
    fn value(&self, numbers: impl Iterator<Item = f64>) -> f64 {
        let numbers: Vec<f64> = if self.scales.is_empty() {
            numbers.collect()
        } else {
            numbers.zip(&self.scales).map(|(x, scale)| scale.apply(x)).collect()
        };
        Model { coef: self.weights.clone(), intercept: self.intercept }.decide(&numbers) / self.scale
    }
}

#[cfg(test)]
mod tests;
