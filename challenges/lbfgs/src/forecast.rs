//! How the classifier votes in a row that is not over yet.

use crate::classifier::tally;
use crate::predictions::{choice_of, floats, is_there};
use crate::score::Voter;
use crate::{BUCKETS, DIM, Labels, Lbfgs};
use mantis_kit::fitted::{Making, Row};
use mantis_plugin_api::{
    Forecast, History, Market, Outlook, OutlookKind, PluginError, Progress, Salience, Signal,
};
use serde::{Deserialize, Serialize};

const MAKING: Making = Making { format: "lbfgs-1", numbers: DIM, subjects: 1 };

impl Signal for Lbfgs {
    fn outlook(&self) -> Outlook {
        let [inner, outer] = [self.params.inner_z, self.params.outer_z];
        let classes = [
            format!("up to -{outer}"),
            format!("-{outer} to -{inner}"),
            format!("-{inner} to {inner}"),
            format!("{inner} to {outer}"),
            format!("from {outer} on"),
        ];
        Outlook {
            kind: OutlookKind::Classes,
            subjects: vec![self.spec.ticker.clone()],
            classes: classes.into(),
            horizon_rows: self.spec.rows_ahead(),
            market_rows: 1,
            unit: "share of the votes for this bucket of the return over the horizon, in its past deviations"
                .into(),
        }
    }

    /// A miner's part of the votes takes labels of the rows that are voted on. So the next row has the parts of the newest
    /// segment that counts by now, not those that a later score will find in it (scoring: lbfgs, forecast).
    fn score_and_fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<(Salience, Option<Vec<u8>>), PluginError> {
        let (salience, voters) = self.pay(history, labels, progress, &mut |_, _| ())?;
        if voters.is_empty() {
            return Ok((salience, None));
        }
        let voters = voters.into_iter().map(|Voter { miner, share }| (miner, share)).collect();
        let fit = MAKING.write(history.shape().miners, &Fit { voters })?;
        Ok((salience, fit))
    }

    fn forecast(&self, fit: &[u8], latest: &[f32], _: &Market) -> Result<Forecast, PluginError> {
        let (fit, row) = MAKING.read::<Fit>(fit, latest)?;
        let (votes, miners) = fit.vote(&row)?;
        let values = votes.map_or_else(|| vec![None; BUCKETS], |votes| votes.map(Some).into());
        Ok(Forecast { values, miners })
    }
}

#[derive(Serialize, Deserialize)]
struct Fit {
    /// Miners and their parts of the votes, in the order of the sums.
    voters: Vec<(usize, f64)>,
}

impl Fit {
    /// What each bucket has of the votes, and how many of the voters are there; `None` without any. As in a score, one that is
    /// absent votes for the first bucket.
    fn vote(&self, row: &Row) -> Result<(Option<[f64; BUCKETS]>, usize), PluginError> {
        let mut there = 0;
        let mut voters = Vec::with_capacity(self.voters.len());
        for &(miner, share) in &self.voters {
            if !(0.0..=1.0).contains(&share) {
                return Err(PluginError::data(format!("the fit has a part of {share} of the votes")));
            }
            let numbers = floats(row.of(miner)?);
            there += usize::from(is_there(&numbers));
            voters.push((choice_of(&numbers), share));
        }
        // The parts sum to 1 but for rounding, which a probability may not be above.
        let votes = tally(voters.into_iter()).map(|votes| votes.min(1.0));
        Ok((Some(votes).filter(|_| there > 0), there))
    }
}

#[cfg(test)]
mod tests;
