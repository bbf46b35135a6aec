//! How breakouts that are open now will end.

use crate::label::Open;
use crate::score::{Paid, Spread, answer_of, mean};
use crate::{Breakout, Direction, Labels, PAIR, Pending, Tracker};
use mantis_kit::fitted::{Making, Row};
use mantis_kit::logistic::Model;
use mantis_kit::math;
use mantis_plugin_api::{
    Forecast, History, Market, Outlook, OutlookKind, PluginError, Progress, Salience, Signal,
};
use serde::{Deserialize, Serialize};

/// Rows after those scored, one day, in which a fit can be used.
const MAX_AGE: usize = 1_440;

impl Signal for Breakout {
    fn outlook(&self) -> Outlook {
        Outlook {
            kind: OutlookKind::Probability,
            subjects: self.spec.assets.clone(),
            classes: Vec::new(),
            horizon_rows: 0,
            market_rows: usize::try_from(self.rules().lookback).unwrap_or(0) + MAX_AGE,
            unit: "probability that the breakout that is open goes on to its barrier and does not turn back"
                .into(),
        }
    }

    /// There is no walk-forward: the model of all breakouts that are over is the one that forecasts (scoring: breakout,
    /// forecast).
    fn score_and_fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<(Salience, Option<Vec<u8>>), PluginError> {
        let (salience, paid) = self.pay(history, labels, progress, &mut |_, _| ())?;
        let (Some(paid), Some(replayed)) = (paid, labels.replayed) else { return Ok((salience, None)) };
        let fit = Fit::new(paid, replayed, labels.open.clone());
        if fit.columns.is_empty() {
            return Ok((salience, None));
        }
        let fit = self.making().write(history.shape().miners, &fit)?;
        Ok((salience, fit))
    }

    fn forecast(&self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError> {
        let (fit, row) = self.making().read::<Fit>(fit, latest)?;
        let open = self.open_assets(&fit, market)?;
        let mut there = Vec::new();
        let mut values = Vec::with_capacity(open.len());
        for (asset, open) in open.into_iter().enumerate() {
            let decision = if open { fit.decide(&row, asset, &mut there)? } else { None };
            values.push(decision.map(math::sigmoid));
        }
        there.sort_unstable();
        there.dedup();
        Ok(Forecast { values, miners: there.len() })
    }
}

/// The model, and where its market stood.
#[derive(Serialize, Deserialize)]
struct Fit {
    /// Sampled blocks of the first and of the last row that were replayed.
    replayed: (i64, i64),
    /// What was open then.
    open: Vec<Open>,
    intercept: f64,
    /// Of the model, in the order of its sums.
    columns: Vec<Column>,
}

#[derive(Serialize, Deserialize)]
struct Column {
    coefficient: f64,
    /// The miners whose mean it is.
    members: Vec<(usize, Spread)>,
}

impl Fit {
    fn new(paid: Paid, replayed: (i64, i64), open: Vec<Open>) -> Self {
        let Model { coef, intercept } = paid.model;
        let columns = coef.into_iter().zip(paid.columns);
        let columns = columns.map(|(coefficient, members)| Column { coefficient, members });
        let columns = columns.filter(|column| column.coefficient != 0.0).collect();
        Self { replayed, open, intercept, columns }
    }

    /// The model's decision value for an asset; `None` if no miner answered. Those who did are added to `there`.
    fn decide(&self, row: &Row, asset: usize, there: &mut Vec<usize>) -> Result<Option<f64>, PluginError> {
        let before = there.len();
        let mut values = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let mut scores = Vec::with_capacity(column.members.len());
            for &(miner, spread) in &column.members {
                let pair = row.of(miner)?.chunks_exact(PAIR).nth(asset).unwrap_or_default();
                let answer = answer_of(pair);
                there.extend(answer.map(|_| miner));
                scores.push(spread.z_score(answer));
            }
            values.push(mean(scores.into_iter()));
        }
        let coef = self.columns.iter().map(|column| column.coefficient).collect();
        let decision = Model { coef, intercept: self.intercept }.decide(&values);
        Ok(Some(decision).filter(|decision| there.len() > before && decision.is_finite()))
    }
}

impl Breakout {
    fn making(&self) -> Making {
        Making { format: "breakout-1", numbers: self.spec.storage_dim(), subjects: self.spec.assets.len() }
    }

    /// Whether each asset has an open breakout in the market's last row: the replay goes on from where the fit's market stood.
    /// None has if that cannot be known, since rows between are missing or the fit is newer.
    fn open_assets(&self, fit: &Fit, market: &Market) -> Result<Vec<bool>, PluginError> {
        let assets = self.spec.assets.len();
        market.require_assets(assets)?;
        if market.prices.len() != market.rows() * assets {
            return Err(PluginError::data(format!(
                "{} prices in {} rows of {assets} assets",
                market.prices.len(),
                market.rows()
            )));
        }
        let rules = self.rules();
        let (first, last) = fit.replayed;
        let is_sound = |open: &Open| open.asset < assets && (first..=last).contains(&open.pending.sidx);
        if first < 0 || !fit.open.iter().all(is_sound) {
            return Err(PluginError::data("the fit has breakouts that its market does not"));
        }
        let oldest = last.saturating_add(1).saturating_sub(rules.lookback).max(first);
        let (Some(&from), Some(&now)) = (market.sidx.first(), market.sidx.last()) else {
            return Ok(vec![false; assets]);
        };
        if from > oldest || now < last {
            return Ok(vec![false; assets]);
        }
        let open = |asset: usize| {
            let mut tracker = Tracker::new(rules);
            let was_open = |direction: Direction| -> Option<Pending> {
                let mut open = fit.open.iter();
                open.find(|open| open.asset == asset && open.direction == direction).map(|open| open.pending)
            };
            (tracker.pending_high, tracker.pending_low) =
                (was_open(Direction::High), was_open(Direction::Low));
            for (row, &sidx) in market.sidx.iter().enumerate() {
                match market.usable(row, asset) {
                    Some(price) if sidx > last => _ = tracker.step(sidx, price),
                    Some(price) if sidx >= oldest => tracker.remember(sidx, price),
                    _ => {}
                }
            }
            tracker.pending(now).iter().any(Option::is_some)
        };
        Ok((0..assets).map(open).collect())
    }
}

#[cfg(test)]
mod tests;
