//! Returns over the horizon.

use crate::TradeMix;
use mantis_kit::math;
use mantis_plugin_api::{Label, Market, PluginError};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// Rows with a price, before the window is cut.
    pub priced_rows: usize,
    /// Row of the market, ascending.
    pub rows: Vec<usize>,
    /// Per asset and row: log return over the horizon; `None` where a price is missing, or the future.
    pub returns: Vec<Vec<Option<f64>>>,
}

impl Label for TradeMix {
    type Labels = Labels;

    /// Pairs each row of the window with the one a horizon of rows later (scoring: trademix).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let assets = self.spec.assets.len();
        if market.assets != assets {
            let found = format!("{} prices per row for {assets} assets", market.assets);
            return Err(PluginError::data(found));
        }
        let priced = |row: &usize| (0..assets).any(|asset| is_price(market.price(*row, asset)));
        let mut rows: Vec<usize> = market.scored().filter(priced).collect();
        let priced_rows = rows.len();
        rows.drain(..priced_rows.saturating_sub(self.params.window_rows));
        let ahead = self.spec.rows_ahead();
        let between = |t: usize, asset: usize| {
            let (now, later) = (market.price(rows[t], asset), market.price(*rows.get(t + ahead)?, asset));
            (is_price(now) && is_price(later)).then(|| math::ln(later / now))
        };
        let of_asset = |asset| (0..rows.len()).map(|t| between(t, asset)).collect();
        let returns = (0..assets).map(of_asset).collect();
        Ok(Labels { priced_rows, rows, returns })
    }
}

fn is_price(price: f64) -> bool {
    price.is_finite() && price > 0.0
}
