//! Which assets did better than the middle one.

use crate::Xsec;
use mantis_kit::panel::Samples;
use mantis_plugin_api::{Label, Market, PluginError};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Rows with a price.
    pub rows: usize,
    /// The labelled ones.
    pub samples: Samples,
}

impl Label for Xsec {
    type Labels = Labels;

    /// Compares each row that has any price to the row one horizon of such rows later (scoring: xsec).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let ahead = self.spec.rows_ahead();
        let is_priced = |&row: &usize| (0..market.assets).any(|asset| is_price(market.price(row, asset)));
        let mut rows: Vec<usize> = market.scored().filter(is_priced).collect();
        rows.drain(..rows.len().saturating_sub(self.params.max_rows));
        let mut samples = Samples::new();
        for (&now, &later) in rows.iter().zip(rows.iter().skip(ahead)) {
            let moves: Vec<f64> = (0..market.assets)
                .map(|asset| gain(market.price(now, asset), market.price(later, asset)))
                .collect();
            samples.push(now, &moves);
        }
        Ok(Labels { rows: rows.len(), samples })
    }
}

/// The return; NaN where one of the prices is missing.
fn gain(now: f64, later: f64) -> f64 {
    if is_price(now) && is_price(later) { later / now - 1.0 } else { f64::NAN }
}

fn is_price(price: f64) -> bool {
    price.is_finite() && price > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::serde_json::json;
    use mantis_plugin_api::{Challenge, Solver, Spec, test_kit};

    fn challenge(ahead: u32, max_rows: usize) -> Xsec {
        let assets = ["A", "B", "C"].map(String::from).to_vec();
        let spec = Spec { assets, ..test_kit::spec(1, ahead, Solver::Exact) };
        let mut challenge = Xsec::configure(spec, &Default::default()).unwrap();
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
        assert_eq!((labels.rows, labels.samples.paired()), (5, &[0, 2, 3][..]));
        assert_eq!(labels.samples.places(), [0, 2, 6, 7, 8, 9, 11]);
        assert_eq!(labels.samples.above(), [false, false, true, false, false, false, false]);
    }

    #[test]
    fn keeps_the_newest_rows_and_looks_at_no_later_price() {
        let mut market = market(&[[1.0, 2.0, 3.0]; 9]);
        assert_eq!(challenge(2, 5).label(&market).unwrap().samples.paired(), [4, 5, 6]);
        market.scored_rows = 6;
        assert_eq!(challenge(2, 5).label(&market).unwrap().samples.paired(), [1, 2, 3]);
        assert!(challenge(20, 5).label(&market).unwrap().samples.is_empty());
    }

    #[test]
    fn decodes_and_refuses_what_does_not_fit() {
        let challenge = challenge(2, 5);
        assert_eq!(challenge.decode(&json!({"B": 0.5, "C": [3]})).unwrap(), [0.0, 0.5, 1.0]);
        let spec = |dim, ahead, assets: &[&str]| Spec {
            assets: assets.iter().map(|&asset| asset.into()).collect(),
            ..test_kit::spec(dim, ahead, Solver::Exact)
        };
        for (spec, key) in
            [(spec(2, 9, &["A"]), "dim"), (spec(1, 0, &["A"]), "blocks_ahead"), (spec(1, 9, &[]), "assets")]
        {
            let error = Xsec::configure(spec, &Default::default()).err().unwrap();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
