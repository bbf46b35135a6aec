//! Forecasts of the next row: what the desk would hold.

use crate::fitted::FittedDesk;
use crate::score::Aside;
use crate::{Labels, TradeMix};
use mantis_kit::fitted::Making;
use mantis_plugin_api::{
    Forecast, History, Market, Outlook, OutlookKind, PluginError, Progress, Salience, Score, Signal,
};

impl Signal for TradeMix {
    fn outlook(&self) -> Outlook {
        Outlook {
            kind: OutlookKind::Weights,
            subjects: self.spec.assets.clone(),
            classes: Vec::new(),
            horizon_rows: self.spec.rows_ahead(),
            market_rows: 1,
            unit: "position of the desk, from -1 to 1 of what it may hold of the asset".into(),
        }
    }

    /// Evidence mixes no book, so there is no fit of it.
    fn score_and_fit(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<(Salience, Option<Vec<u8>>), PluginError> {
        let Labels::Desk(window) = labels else { return Ok((self.score(history, labels, progress)?, None)) };
        let mut aside = Aside { wants_desk: true, ..Aside::default() };
        let salience = self.staff(history, window, progress, &mut aside)?;
        let Some(desk) = aside.desk else { return Ok((salience, None)) };
        Ok((salience, self.making().write(history.shape().miners, &desk)?))
    }

    /// Prices are not looked at: the desk holds by positions alone.
    fn forecast(&self, fit: &[u8], latest: &[f32], _market: &Market) -> Result<Forecast, PluginError> {
        let (desk, row) = self.making().read::<FittedDesk>(fit, latest)?;
        desk.forecast(&row, self.spec.assets.len(), &self.params.meta_model)
    }
}

impl TradeMix {
    fn making(&self) -> Making {
        let assets = self.spec.assets.len();
        Making { format: "trademix-1", numbers: assets, subjects: assets }
    }
}

#[cfg(test)]
mod tests;
