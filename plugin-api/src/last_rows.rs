//! The market of a forecast, as it crosses in JSON.

use crate::Market;
use serde::{Deserialize, Serialize};

/// The last rows of a market, none of which is scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LastRows {
    /// Sampled-block index of each row, strictly ascending.
    pub sidx: Vec<i64>,
    /// Prices, row by row: as many per row as there are assets (at least 1); `None` where there is none.
    pub prices: Vec<Option<f64>>,
    /// Numbers of the feed beside the prices, row by row; `None` where there is none.
    #[serde(default)]
    pub channels: Vec<Option<f64>>,
}

impl From<&Market> for LastRows {
    fn from(market: &Market) -> Self {
        let numbers = |all: &[f64]| all.iter().map(|x| x.is_finite().then_some(*x)).collect();
        Self {
            sidx: market.sidx.clone(),
            prices: numbers(&market.prices),
            channels: numbers(&market.channels),
        }
    }
}

impl From<LastRows> for Market {
    fn from(rows: LastRows) -> Self {
        let numbers = |all: Vec<Option<f64>>| all.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect();
        Self {
            assets: (rows.prices.len() / rows.sidx.len().max(1)).max(1),
            sidx: rows.sidx,
            prices: numbers(rows.prices),
            channels: numbers(rows.channels),
            ..Self::default()
        }
    }
}
