//! Forecasts of the next row.

use crate::{CrossSection, Labels};
use mantis_kit::fitted::Making;
use mantis_kit::pooled::{PooledFit, Share, read_rows};
use mantis_plugin_api::{
    Forecast, History, Market, Outlook, OutlookKind, PluginError, Progress, Salience, Score, Signal, f16,
};

impl Signal for CrossSection {
    /// Decision values of the ensemble.
    fn outlook(&self) -> Outlook {
        Outlook {
            kind: OutlookKind::Scores,
            subjects: self.spec.assets.clone(),
            classes: Vec::new(),
            horizon_rows: self.spec.rows_ahead(),
            market_rows: 1,
            unit: "log odds that the return over the horizon is above the median of all assets".into(),
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

    /// An asset without a price in the row has no score, as in the walk.
    fn forecast(&self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError> {
        let (fit, numbers) = self.making().read::<PooledFit>(fit, latest)?;
        let assets = self.spec.assets.len();
        market.require_assets(assets)?;
        let Some(row) = market.rows().checked_sub(1) else {
            return Err(PluginError::data("a market without the row that is to be forecast"));
        };
        let there: Vec<bool> = (0..assets).map(|asset| market.usable(row, asset).is_some()).collect();
        fit.forecast(&numbers, &there)
    }
}

impl CrossSection {
    fn making(&self) -> Making {
        let assets = self.spec.assets.len();
        Making { format: "xsec-1", numbers: assets, subjects: assets }
    }

    /// The ensemble of the row after all, as the score of so many more rows as give that row a label holds it (scoring:
    /// xsec and funding, forecast).
    fn fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Option<PooledFit>, PluginError> {
        if labels.labelled < self.params.pooled.min_rows {
            return Ok(None);
        }
        let ahead = self.spec.rows_ahead();
        // That score has dropped rows for those that are new.
        let skip = (labels.rows.len() + ahead + 1).saturating_sub(self.params.pooled.max_rows);
        let (Some(rows), Some(labelled)) = (labels.rows.get(skip..), labels.labelled.checked_sub(skip))
        else {
            return Ok(None);
        };
        let column = |miner: usize, out: &mut Vec<f16>| read_rows(history, miner, &rows[..labelled], out);
        let pooled = self.pooled(labels.above[skip * self.spec.assets.len()..].to_vec());
        let report = |done| progress.report(done);
        Ok(pooled.ahead(rows.len(), labelled, history.shape().miners, column, report)?)
    }
}

#[cfg(test)]
mod tests;
