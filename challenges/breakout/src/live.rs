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
                        AssetState::carried(name, json)?;
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
            state.forget(i64::from(self.params.completed_rows));
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

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::spec_with_assets;
    use mantis_plugin_api::{Challenge, Solver, Spec, serde_json};

    fn breakout() -> Breakout {
        breakout_for(100_000)
    }

    fn breakout_for(completed_rows: u32) -> Breakout {
        let assets = vec!["BTC".into(), "ETH".into()];
        let spec = Spec { assets, ..spec_with_assets(PAIR, 2, 0, Solver::Exact) };
        let params = serde_json::json!({
            "range_lookback_blocks": 100, "min_range_rows": 5, "min_range_pct": 0.001, "max_pending_blocks": 200,
            "completed_rows": completed_rows,
        });
        Breakout::configure(spec, params.as_object().unwrap()).unwrap()
    }

    fn rows() -> Vec<TrackedRow> {
        let price = |sidx: i64| 100.0 + ((sidx * 7919) % 31) as f64;
        let row = |sidx: i64| TrackedRow {
            sidx,
            prices: vec![Some(price(sidx)), (sidx % 3 > 0).then(|| price(sidx / 2))],
            vectors: [("5A".into(), vec![0.5, 0.25, 0.0, 0.0]), ("5B".into(), vec![0.0, 0.0, 1.0, 0.0])]
                .into(),
        };
        (1_000..1_300).map(row).collect()
    }

    #[test]
    fn each_asset_has_a_state_with_what_was_said_of_it() {
        let states = breakout().track(States::new(), &rows()).unwrap();
        let [btc, eth] = ["BTC", "ETH"].map(|asset| AssetState::parse(&states[asset]).unwrap());
        assert!(btc.completed.len() > 5 && eth.completed.len() > 5);
        assert!(btc.completed.iter().all(|e| e.embeddings == [("5A".into(), vec![0.5, 0.25])].into()));
        assert!(eth.completed.iter().all(|e| e.embeddings == [("5B".into(), vec![1.0, 0.0])].into()));
        assert!(btc.price_history.len() == 21 && btc.range_lookback_blocks == 100);
    }

    #[test]
    fn rows_in_parts_or_again_make_no_difference() {
        let (breakout, rows) = (breakout(), rows());
        let other = States::from([("DOGE".into(), "not ours".into())]);
        let whole = breakout.track(other.clone(), &rows).unwrap();
        let part = breakout.track(other, &rows[..150]).unwrap();
        assert_eq!(breakout.track(part, &rows[100..]).unwrap(), whole);
        assert_eq!(whole["DOGE"], "not ours");
    }

    #[test]
    fn what_is_long_over_is_forgotten_however_rows_come() {
        let rows = rows();
        let all = breakout().track(States::new(), &rows).unwrap();
        let breakout = breakout_for(120);
        let whole = breakout.track(States::new(), &rows).unwrap();
        let mut parts = States::new();
        for part in rows.chunks(7) {
            parts = breakout.track(parts, part).unwrap();
        }
        assert_eq!(parts, whole);
        for asset in ["BTC", "ETH"] {
            let [all, left] = [&all, &whole].map(|states| AssetState::parse(&states[asset]).unwrap());
            let newest = all.price_history.last().unwrap().0;
            let expected: Vec<_> =
                all.completed.iter().filter(|e| e.trigger_sidx >= newest - 120).cloned().collect();
            assert!(expected.len() > 3 && expected.len() < all.completed.len() - 3, "{asset}");
            assert_eq!(left, AssetState { completed: expected, ..all }, "{asset}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let mut row = rows().remove(0);
        let bad = States::from([("ETH".into(), "{".into())]);
        let error = breakout().track(bad, &[row.clone()]).unwrap_err().to_string();
        assert!(error.contains("breakout_state of ETH is unreadable"), "{error}");
        row.prices.pop();
        let error = breakout().track(States::new(), &[row]).unwrap_err().to_string();
        assert!(error.contains("1 prices for 2 assets at sidx 1000"), "{error}");
    }
}
