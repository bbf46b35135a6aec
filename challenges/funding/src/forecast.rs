//! Forecasts of the next row.

use crate::stale::Stale;
use crate::{Funding, Labels};
use mantis_kit::fitted::Making;
use mantis_kit::pooled::{PooledFit, Share, read_rows};
use mantis_plugin_api::{
    Forecast, History, Market, Outlook, OutlookKind, PluginError, Progress, Salience, Score, Signal, f16,
};

impl Signal for Funding {
    /// Decision values of the ensemble.
    fn outlook(&self) -> Outlook {
        Outlook {
            kind: OutlookKind::Scores,
            subjects: self.spec.assets.clone(),
            classes: Vec::new(),
            horizon_rows: self.spec.rows_ahead(),
            market_rows: 1,
            unit: "log odds that the funding rate changes by more over the horizon than the median of all assets"
                .into(),
        }
    }

    fn score_and_fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<(Salience, Option<Vec<u8>>), PluginError> {
        let salience = self.score(history, labels, &Share::first(progress))?;
        let fit = self.fit(history, labels, &Share::rest(progress))?;
        let Some(fit) = fit else { return Ok((salience, None)) };
        Ok((salience, self.making().write(history.shape().miners, &fit)?))
    }

    /// An asset without a rate in the row has no score, as in the walk.
    fn forecast(&self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError> {
        let (fit, numbers) = self.making().read::<PooledFit>(fit, latest)?;
        let assets = self.spec.assets.len();
        market.require_assets(assets)?;
        let Some(row) = market.rows().checked_sub(1) else {
            return Err(PluginError::data("a market without the row that is to be forecast"));
        };
        let there: Vec<bool> = (0..assets).map(|asset| market.rate(row, asset).is_some()).collect();
        fit.forecast(&numbers, &there)
    }
}

impl Funding {
    fn making(&self) -> Making {
        let assets = self.spec.assets.len();
        Making { format: "funding-1", numbers: assets, subjects: assets }
    }

    /// The ensemble of the row after all, as the score of so many more rows as give that row a label holds it (scoring:
    /// xsec and funding, forecast). Which numbers never change is told by what is known now.
    fn fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Option<PooledFit>, PluginError> {
        if labels.paired() < self.params.pooled.min_rows {
            return Ok(None);
        }
        let ahead = self.spec.rows_ahead();
        let rows = labels.rows.len() + labels.unpaired;
        // That score has dropped rows for those that are new.
        let skip = (rows + ahead + 1).saturating_sub(self.params.pooled.max_rows);
        let (Some(labels), Some(rows)) = (labels.without_first(skip), rows.checked_sub(skip)) else {
            return Ok(None);
        };
        let mut stale: Vec<Option<Stale>> = vec![None; history.shape().miners];
        let column = |miner: usize, out: &mut Vec<f16>| -> Result<(), PluginError> {
            read_rows(history, miner, &labels.rows, out)?;
            stale[miner].get_or_insert_with(|| Stale::find(out, &labels, self.params.stale_std)).clear(out);
            Ok(())
        };
        let pooled = self.pooled(labels.above.clone());
        // Labels of the last rows may change yet: a nearer row may come.
        let known = rows.saturating_sub(ahead);
        let report = |done| progress.report(done);
        let fit = pooled.ahead(rows, known, history.shape().miners, column, report)?;
        let absent = |miner: usize| stale[miner].as_ref().map_or_else(Vec::new, Stale::cleared);
        Ok(fit.map(|fit| fit.without(absent)))
    }
}

#[cfg(test)]
mod tests;
