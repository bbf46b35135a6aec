//! Forecasts of the next row.

use crate::chunk::{Chunk, Reader};
use crate::fitted::Network;
use crate::model::Model;
use crate::score::Aside;
use crate::walk::Plan;
use crate::{Dmae, Labels, start};
use mantis_kit::fitted::Making;
use mantis_plugin_api::{
    Forecast, History, Market, Outlook, OutlookKind, PluginError, Progress, Salience, Shape, Signal,
};

impl Signal for Dmae {
    fn outlook(&self) -> Outlook {
        Outlook {
            kind: OutlookKind::Scores,
            subjects: vec![self.spec.ticker.clone()],
            classes: Vec::new(),
            horizon_rows: self.spec.rows_ahead(),
            market_rows: 1,
            unit: "return over the horizon in per cent".into(),
        }
    }

    fn score_and_fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<(Salience, Option<Vec<u8>>), PluginError> {
        let mut aside = Aside::default();
        let salience = self.judge(history, labels, progress, &mut aside)?;
        let network = match aside.teams {
            Some(teams) => self.train_ahead(history, labels, &teams)?,
            None => None,
        };
        let Some(network) = network else { return Ok((salience, None)) };
        let fit = self.making().write(history.shape().miners, &network)?;
        if fit.is_none() {
            progress.log("the trained network is larger than a fit may be, so there is no forecast");
        }
        Ok((salience, fit))
    }

    /// Of any row with a price, on the grid or not.
    fn forecast(&self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError> {
        let (network, row) = self.making().read::<Network>(fit, latest)?;
        market.require_assets(1)?;
        let Some(last) = market.rows().checked_sub(1) else {
            return Err(PluginError::data("a market without the row that is to be forecast"));
        };
        let (output, miners) = network.forecast(&row, self.params.max_unchanged)?;
        let value = market.usable(last, 0).map(|_| f64::from(output));
        Ok(Forecast { values: vec![value], miners })
    }
}

impl Dmae {
    fn making(&self) -> Making {
        Making { format: "dmae-1", numbers: self.spec.dim, subjects: 1 }
    }

    /// The model of all miners as it is asked the row after all, in the score in which that row is the last that counts
    /// (scoring: dmae, signal). `teams` are the groups of now. `None` if nothing is learnt by then.
    fn train_ahead(
        &self,
        history: &dyn History,
        labels: &Labels,
        teams: &[usize],
    ) -> Result<Option<Network>, PluginError> {
        let params = &self.params;
        let Some(labels) = labels.with_next(params.max_rows) else { return Ok(None) };
        // Before a chunk all but the last one are learnt, whose labels need not be known.
        let read = labels.rows.len() / params.chunk_rows * params.chunk_rows;
        if read < 2 * params.chunk_rows {
            return Ok(None);
        }
        let known = labels.first(read);
        let Shape { miners, dim, .. } = history.shape();
        let mut models = [Model::new(dim, teams, &[], &start::head(self.spec.seed))];
        let reader = Reader::new(history, &known, params);
        Plan::new(read, params).walk(reader, &mut models, |_, _| {}, |_| {})?;
        let mut last = None;
        if params.max_unchanged > 0 {
            let mut reader = Reader::new(history, &labels, params);
            let mut chunk = Chunk::default();
            while reader.next(&mut chunk)? {}
            last = Some(reader);
        }
        let [model] = models;
        Ok(Some(Network::new(&model, miners, last.as_ref())))
    }
}

#[cfg(test)]
mod tests;
