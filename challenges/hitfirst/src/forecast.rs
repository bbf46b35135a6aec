//! What the models say of a row that is not over yet.

use crate::log_odds::log_odds;
use crate::score::Paid;
use crate::{HitFirst, Labels, OUTCOMES};
use mantis_kit::fitted::{Making, Row};
use mantis_kit::logistic::Model;
use mantis_kit::math;
use mantis_kit::standard::ZScale;
use mantis_plugin_api::{
    Forecast, History, Market, Outlook, OutlookKind, PluginError, Progress, Salience, Signal,
};
use serde::{Deserialize, Serialize};

const MAKING: Making = Making { format: "hitfirst-1", numbers: OUTCOMES, subjects: 1 };

impl Signal for HitFirst {
    fn outlook(&self) -> Outlook {
        Outlook {
            kind: OutlookKind::Classes,
            subjects: vec![self.spec.ticker.clone()],
            classes: ["up", "down", "neither"].map(Into::into).into(),
            horizon_rows: self.spec.rows_ahead(),
            market_rows: 1,
            unit: "probability that the price hits this barrier first within the horizon".into(),
        }
    }

    /// There is no walk-forward: the models of all rows that are labelled by now are those that forecast (scoring: hitfirst,
    /// forecast).
    fn score_and_fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<(Salience, Option<Vec<u8>>), PluginError> {
        let (salience, paid) = self.pay(history, labels, progress, true, &mut |_, _| ())?;
        let fit = paid.map(Fit::new).filter(|fit| !fit.miners.is_empty());
        let bytes = fit.map(|fit| MAKING.write(history.shape().miners, &fit)).transpose()?;
        Ok((salience, bytes.flatten()))
    }

    fn forecast(&self, fit: &[u8], latest: &[f32], _: &Market) -> Result<Forecast, PluginError> {
        let (fit, row) = MAKING.read::<Fit>(fit, latest)?;
        let (decisions, miners) = fit.decide(&row)?;
        let values = match decisions {
            Some(decisions) => fit.probabilities(decisions).map(Some).into(),
            None => vec![None; OUTCOMES],
        };
        Ok(Forecast { values, miners })
    }
}

/// Two models over the same miners.
#[derive(Serialize, Deserialize)]
struct Fit {
    intercepts: [f64; 2],
    /// Log odds of each barrier over all rows: both classes weigh the same in its model, and this undoes it.
    odds: [f64; 2],
    /// In the order of the models' sums.
    miners: Vec<Member>,
}

#[derive(Serialize, Deserialize)]
struct Member {
    miner: usize,
    coefficients: [f64; 2],
    scales: [Option<(ZScale, f64)>; 2],
}

impl Fit {
    fn new(paid: Paid) -> Self {
        let Paid { miners, barriers: [up, down] } = paid;
        let odds = |[hits, others]: [usize; 2]| math::ln(hits as f64 / others as f64);
        let member = |(place, miner)| Member {
            miner,
            coefficients: [up.model.coef[place], down.model.coef[place]],
            scales: [up.scales[place], down.scales[place]],
        };
        let miners = miners.into_iter().enumerate().map(member);
        Self {
            intercepts: [up.model.intercept, down.model.intercept],
            odds: [odds(up.rows), odds(down.rows)],
            miners: miners.filter(|member| member.coefficients != [0.0; 2]).collect(),
        }
    }

    /// The models' decision values and how many miners are in them; `None` without any.
    fn decide(&self, row: &Row) -> Result<(Option<[f64; 2]>, usize), PluginError> {
        let mut columns = [const { Vec::new() }; 2];
        let mut there = 0;
        for member in &self.miners {
            let numbers = row.of(member.miner)?;
            there += usize::from(log_odds(numbers, 0).is_some());
            for (outcome, column) in columns.iter_mut().enumerate() {
                let scaled =
                    |x| member.scales[outcome].map_or(x, |(scale, divisor)| scale.apply(x) / divisor);
                column.push(log_odds(numbers, outcome).map_or(0.0, scaled));
            }
        }
        let decision = |outcome: usize| {
            let coef = self.miners.iter().map(|member| member.coefficients[outcome]).collect();
            Model { coef, intercept: self.intercepts[outcome] }.decide(&columns[outcome])
        };
        let decisions = [decision(0), decision(1)];
        Ok((Some(decisions).filter(|z| there > 0 && z.iter().all(|z| z.is_finite())), there))
    }

    /// Of up, of down, and the rest; where the two leave none, they share 1.
    fn probabilities(&self, decisions: [f64; 2]) -> [f64; OUTCOMES] {
        let [up, down] = [0, 1].map(|outcome| math::sigmoid(decisions[outcome] + self.odds[outcome]));
        let both = up + down;
        if both > 1.0 { [up / both, down / both, 0.0] } else { [up, down, 1.0 - both] }
    }
}

#[cfg(test)]
mod tests;
