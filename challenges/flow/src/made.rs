//! Tapes and intents that tests make up.

use crate::intent::Intent;
use crate::tape::Tape;
use crate::{NUMBERS, Params};
use mantis_plugin_api::test_kit::{MarketBuilder, spec};
use mantis_plugin_api::{Market, Solver, Spec, Storage};

/// A challenge with high and low.
pub(crate) fn flow_spec() -> Spec {
    let channels = vec!["HIGH".into(), "LOW".into()];
    Spec { storage: Storage::F32, channels, ..spec(NUMBERS, 0, Solver::Exact) }
}

/// A market of rows in some minutes: minute, close, high, low.
pub(crate) fn market(rows: &[(i64, f64, f64, f64)]) -> Market {
    let minutes: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let market = MarketBuilder::new(1).rows(rows.iter().map(|row| [row.1])).at(&minutes).build();
    Market { channels: rows.iter().flat_map(|row| [row.2, row.3]).collect(), ..market }
}

pub(crate) fn tape(rows: &[(i64, f64, f64, f64)]) -> Tape {
    Tape::new(&market(rows), &flow_spec(), &Params::default()).unwrap()
}

/// An intent whose prices are exact: from 100, the stop is 12.5 away, the targets 12.5 and 25.
pub(crate) const fn intent(side: f64) -> Intent {
    Intent { side, size: 0.25, stop: 0.125, target1: 0.125, target2: 0.25, horizon: 1.0 }
}

/// The same as it is sent, under an id.
pub(crate) fn sent(side: f32, id: u32) -> [f32; 7] {
    [side, 0.25, 0.125, 0.125, 0.25, 1.0, id as f32]
}
