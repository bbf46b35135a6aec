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

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::serde_json::json;
    use mantis_plugin_api::{Challenge, Solver, Spec, test_kit};

    fn challenge(ahead: u32, max_rows: usize) -> CrossSection {
        let assets = ["A", "B", "C"].map(String::from).to_vec();
        let spec = Spec { assets, ..test_kit::spec(1, ahead, Solver::Exact) };
        let mut challenge = CrossSection::configure(spec, &Default::default()).unwrap();
        challenge.params.max_rows = max_rows;
        challenge
    }

    fn market(rows: &[[f64; 3]]) -> Market {
        Market {
            // Holes between rows do not matter.
            sidx: (0..rows.len() as i64).map(|row| row * row).collect(),
            prices: rows.concat(),
            assets: 3,
            submitted: vec![true; rows.len()],
            scored_rows: rows.len(),
            carried: vec![],
        }
    }

    #[test]
    fn pairs_rows_with_any_price_by_their_order() {
        let nan = f64::NAN;
        let market = market(&[
            [1.0, 1.0, 1.0],
            [nan, 0.0, -1.0],
            [2.0, 3.0, 1.0],
            [1.0, nan, 1.0],
            [4.0, 3.0, 0.5],
            [9.0, 9.0, 9.0],
        ]);
        // Row 1 has no price. Pairs: 0-3, 2-4, 3-5; B is unknown in the first and in the last.
        let labels = challenge(2, 1_000).label(&market).unwrap();
        assert_eq!((&labels.rows[..], labels.labelled), (&[0, 2, 3, 4, 5][..], 3));
        let (no, yes) = (Some(false), Some(true));
        assert_eq!(labels.above, [no, None, no, yes, no, no, no, None, no]);
    }

    #[test]
    fn keeps_the_newest_rows_and_looks_at_no_later_price() {
        let mut market = market(&[[1.0, 2.0, 3.0]; 9]);
        let labels = challenge(2, 5).label(&market).unwrap();
        assert_eq!((&labels.rows[..], labels.labelled), (&[4, 5, 6, 7, 8][..], 3));
        market.scored_rows = 6;
        assert_eq!(challenge(2, 5).label(&market).unwrap().rows, [1, 2, 3, 4, 5]);
        assert_eq!(challenge(20, 5).label(&market).unwrap().labelled, 0);
    }

    #[test]
    fn decodes_numbers_and_refuses_what_does_not_fit() {
        assert_eq!(challenge(2, 5).decode(&json!({"B": 0.5, "C": [3]})).unwrap(), [0.0, 0.5, 1.0]);
        let spec = |dim, ahead, assets: &[&str]| Spec {
            assets: assets.iter().map(|&asset| asset.into()).collect(),
            ..test_kit::spec(dim, ahead, Solver::Exact)
        };
        for (spec, key) in [
            (spec(2, 9, &["A", "B"]), "dim"),
            (spec(1, 0, &["A", "B"]), "blocks_ahead"),
            (spec(1, 9, &[]), "assets"),
        ] {
            let error = CrossSection::configure(spec, &Default::default()).err().unwrap();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
