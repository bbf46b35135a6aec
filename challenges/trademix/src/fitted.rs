//! The desk of the next row, by itself.

use crate::attribution::medians;
use crate::desk::{Field, Fold, Mix};
use mantis_kit::fitted::Row;
use mantis_plugin_api::{Forecast, PluginError, f16};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a desk has learnt, asset by asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FittedDesk {
    /// Columns of the seeds, in the desk's order.
    seeds: Vec<usize>,
    mixes: Vec<Mix>,
}

impl FittedDesk {
    /// The desk of a fold that begins after all rows (scoring: trademix, forecast); `seeds` are their columns. `None` if there
    /// is too little to learn from.
    pub(crate) fn fit(field: &Field, seeds: Vec<usize>) -> Option<Self> {
        let rows = field.median.len();
        let fold = Fold::new(field, rows..rows);
        if fold.rows.len() < field.params.min_train_rows {
            return None;
        }
        let mixes = (0..field.returns.len()).map(|asset| Mix::fit(field, &fold, asset)).collect();
        Some(Self { seeds, mixes })
    }

    /// What the desk holds in a row, asset by asset.
    ///
    /// # Errors
    /// [`PluginError::Data`] if it is a desk of another model or of other assets, or damaged.
    pub(crate) fn forecast(
        &self,
        row: &Row,
        assets: usize,
        meta_model: &str,
    ) -> Result<Forecast, PluginError> {
        self.check(assets, meta_model)?;
        // By seed, asset and row, of which there is one.
        let mut seeds: Vec<Vec<Vec<f32>>> = Vec::with_capacity(self.seeds.len());
        for &miner in &self.seeds {
            seeds.push(row.of(miner)?.iter().map(|&x| vec![position(x)]).collect());
        }
        let seeds: Vec<&[Vec<f32>]> = seeds.iter().map(Vec::as_slice).collect();
        let median = medians(&seeds, 1)[0];
        let column = |asset: usize| seeds.iter().map(|seed| seed[asset][0]).collect::<Vec<f32>>();
        let holdings: Vec<f64> =
            self.mixes.iter().enumerate().map(|(asset, mix)| mix.holding(&column(asset), median)).collect();
        if !holdings.iter().all(|holding| holding.is_finite()) {
            return Err(PluginError::data("the fit says what is no number"));
        }
        let counts = |seed: &usize| {
            let mut mixes = self.mixes.iter().zip(seeds[*seed]);
            mixes.any(|(mix, position)| position[0] != 0.0 && mix.uses(*seed))
        };
        let miners = (0..seeds.len()).filter(counts).count();
        Ok(Forecast { values: holdings.into_iter().map(Some).collect(), miners })
    }

    /// Refuses what cannot be asked: every seed is there once, and every mix is one of them all.
    fn check(&self, assets: usize, meta_model: &str) -> Result<(), PluginError> {
        let distinct: BTreeSet<usize> = self.seeds.iter().copied().collect();
        let other = self.mixes.iter().find(|mix| mix.name() != meta_model);
        match other {
            Some(mix) => Err(PluginError::data(format!("a fit of {}, not of {meta_model}", mix.name()))),
            None if self.mixes.len() == assets
                && !distinct.is_empty()
                && distinct.len() == self.seeds.len()
                && self.mixes.iter().all(|mix| mix.is_sound(self.seeds.len())) =>
            {
                Ok(())
            }
            None => Err(PluginError::data("the fit is of no desk of these assets")),
        }
    }
}

/// A position as it is read; a broken number counts as none.
fn position(stored: f16) -> f32 {
    if stored.is_finite() { stored.to_f32() } else { 0.0 }
}
