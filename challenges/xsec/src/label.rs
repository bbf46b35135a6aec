//! Which assets did better than the median.

use crate::CrossSection;
use mantis_kit::pooled::above_median;
use mantis_plugin_api::{Label, Market, PluginError};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Row of the market, ascending; those at the end have no label yet.
    pub rows: Vec<usize>,
    /// Rows with labels, the first ones.
    pub labelled: usize,
    /// `labelled x assets`: whether the asset's return is above the median; `None` where a price is missing.
    pub above: Vec<Option<bool>>,
}

impl Label for CrossSection {
    type Labels = Labels;

    /// Pairs each row with the one that comes a horizon of rows later (scoring: xsec).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        if market.assets != self.spec.assets.len() {
            let found = format!("{} prices per row for {} assets", market.assets, self.spec.assets.len());
            return Err(PluginError::data(found));
        }
        let priced = |row: &usize| (0..market.assets).any(|asset| is_price(market.price(*row, asset)));
        let mut rows: Vec<usize> = market.scored().filter(priced).collect();
        rows.drain(..rows.len().saturating_sub(self.params.max_rows));
        let ahead = self.spec.rows_ahead();
        let labelled = rows.len().saturating_sub(ahead);
        let mut above = Vec::with_capacity(labelled * market.assets);
        for (&now, &later) in rows.iter().zip(rows.iter().skip(ahead)) {
            let changes = (0..market.assets).map(|asset| {
                let (now, later) = (market.price(now, asset), market.price(later, asset));
                (is_price(now) && is_price(later)).then(|| later / now - 1.0)
            });
            above.extend(above_median(&changes.collect::<Vec<_>>()));
        }
        Ok(Labels { rows, labelled, above })
    }
}

fn is_price(price: f64) -> bool {
    price.is_finite() && price > 0.0
}
