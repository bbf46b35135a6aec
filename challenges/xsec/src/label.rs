//! Which assets did better than the median.

use crate::CrossSection;
use mantis_kit::pooled::above_median;
use mantis_plugin_api::{Label, Market, PluginError, Reading, Targets};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Row of the market, ascending; those at the end have no label yet.
    pub rows: Vec<usize>,
    /// Rows with labels, the first ones.
    pub labelled: usize,
    /// `labelled x assets`: whether the asset's return is above the median; `None` if a price is missing.
    pub above: Vec<Option<bool>>,
}

impl Label for CrossSection {
    type Labels = Labels;

    /// Pairs each row with the one that comes a horizon of rows later (scoring: xsec).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        market.require_assets(self.spec.assets.len())?;
        let mut rows = market.priced_rows();
        rows.drain(..rows.len().saturating_sub(self.params.pooled.max_rows));
        let ahead = self.spec.rows_ahead();
        let labelled = rows.len().saturating_sub(ahead);
        let mut above = Vec::with_capacity(labelled * market.assets);
        for (&now, &later) in rows.iter().zip(rows.iter().skip(ahead)) {
            let changes = (0..market.assets)
                .map(|asset| Some(market.usable(later, asset)? / market.usable(now, asset)? - 1.0));
            above.extend(above_median(&changes.collect::<Vec<_>>()));
        }
        Ok(Labels { rows, labelled, above })
    }

    fn targets(&self, market: &Market, labels: &Labels) -> Option<Targets> {
        let mut targets = Targets::new(Reading::Ranks);
        let later = labels.rows.iter().skip(self.spec.rows_ahead());
        let above = labels.above.chunks_exact(market.assets.max(1));
        for ((row, known), above) in labels.rows.iter().zip(later).zip(above) {
            targets.push(*row, *known, above.iter().map(|above| above.map(u16::from)));
        }
        Some(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::serde_json::json;
    use mantis_plugin_api::test_kit::{MarketBuilder, spec_with_assets};
    use mantis_plugin_api::{Challenge, Solver};

    fn challenge(ahead: u32, max_rows: usize) -> CrossSection {
        let spec = spec_with_assets(1, 3, ahead, Solver::Exact);
        let mut challenge = CrossSection::configure(spec, &Default::default()).unwrap();
        challenge.params.pooled.max_rows = max_rows;
        challenge
    }

    fn builder(rows: &[[f64; 3]]) -> MarketBuilder {
        // Gaps between rows, which grow here, do not matter.
        rows.iter().zip(0..).fold(MarketBuilder::new(3), |builder, (row, gap)| builder.row(row).gap(gap))
    }

    fn market(rows: &[[f64; 3]]) -> Market {
        builder(rows).build()
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
        let builder = builder(&[[1.0, 2.0, 3.0]; 9]);
        let labels = challenge(2, 5).label(&builder.clone().build()).unwrap();
        assert_eq!((&labels.rows[..], labels.labelled), (&[4, 5, 6, 7, 8][..], 3));
        let market = builder.future(3).build();
        assert_eq!(challenge(2, 5).label(&market).unwrap().rows, [1, 2, 3, 4, 5]);
        assert_eq!(challenge(20, 5).label(&market).unwrap().labelled, 0);
    }

    #[test]
    fn decodes_numbers_and_refuses_what_does_not_fit() {
        assert_eq!(challenge(2, 5).decode(&json!({"A1": 0.5, "A2": [3]})).unwrap(), [0.0, 0.5, 1.0]);
        for (dim, assets, ahead, key) in
            [(2, 2, 9, "dim"), (1, 2, 0, "blocks_ahead"), (1, 0, 9, "assets"), (1, 1, 9, "assets")]
        {
            let spec = spec_with_assets(dim, assets, ahead, Solver::Exact);
            let error = CrossSection::configure(spec, &Default::default()).err().unwrap();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
