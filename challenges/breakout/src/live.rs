//! The live states that the host keeps for the challenge: those of the network's ledger.

use crate::{AssetState, Breakout, PAIR, Predictions};
use mantis_plugin_api::{PluginError, States, TrackedRow};

impl Breakout {
    /// Takes matured rows into every asset's state. A row that a state has already is passed over.
    pub(crate) fn follow(&self, mut states: States, rows: &[TrackedRow]) -> Result<States, PluginError> {
        let assets = self.spec.assets.len();
        if let Some(row) = rows.iter().find(|row| row.prices.len() != assets) {
            let found = format!("{} prices for {assets} assets at sidx {}", row.prices.len(), row.sidx);
            return Err(PluginError::data(found));
        }
        let (rules, sample_every) = (self.rules(), i64::from(self.spec.sample_every));
        for (asset, name) in self.spec.assets.iter().enumerate() {
            let fresh = AssetState::new(name, &rules, sample_every);
            let mut state = match states.get(name) {
                // Constants may have been changed since.
                Some(json) => {
                    let AssetState { pending_high, pending_low, completed, price_history, .. } =
                        AssetState::parse(json).map_err(|e| {
                            PluginError::data(format!(
                                "the ledger's breakout_state of {name} is unreadable: {e}"
                            ))
                        })?;
                    AssetState { pending_high, pending_low, completed, price_history, ..fresh }
                }
                None => fresh,
            };
            let known = state.price_history.last().map_or(i64::MIN, |&(sidx, _)| sidx);
            let new = rows.iter().filter(|row| row.sidx > known).filter_map(|row| {
                let price = row.prices[asset].filter(|price| price.is_finite() && *price > 0.0)?;
                Some((row.sidx, price, move || said(row, asset)))
            });
            state.advance_many(&rules, sample_every, new);
            let json = state
                .to_json()
                .map_err(|e| PluginError::data(format!("the state of {name} cannot be written: {e}")))?;
            states.insert(name.clone(), json);
        }
        Ok(states)
    }
}

/// What miners say of an asset in a row; an all-zero pair says nothing.
fn said(row: &TrackedRow, asset: usize) -> Predictions {
    let pair = |numbers: &[f32]| -> Option<Vec<f64>> {
        let pair = numbers.get(asset * PAIR..(asset + 1) * PAIR)?;
        pair.iter().any(|&x| x != 0.0).then(|| pair.iter().map(|&x| f64::from(x)).collect())
    };
    row.vectors.iter().filter_map(|(hotkey, numbers)| Some((hotkey.clone(), pair(numbers)?))).collect()
}
