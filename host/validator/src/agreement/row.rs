//! How one row of weights agrees with all others.

use mantis_weights::yuma::{Bonds, Row, YumaInput, YumaOutcome, clipped_part, distance, normalised, run};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How one row of weights agrees with all others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RowAgreement {
    /// How far it is from the consensus, both scaled to sum 1: the sum of the differences, 0 for the same to 2 for nothing in common.
    pub consensus_distance: Option<f64>,
    /// The part of it that is above the consensus and does not count, 0 to 1.
    pub clipped: f64,
    /// What is left of it, 0 to 1.
    pub validator_trust: f64,
    /// Its validator's part of all dividends with the next epoch; null where no hotkey is named.
    pub dividends: Option<f64>,
    /// The same once bonds have followed the weights, if all stay as they are.
    pub dividends_settled: Option<f64>,
}

/// The row, an epoch with it, and how it agrees.
pub(super) struct Placed {
    pub(super) row: Row,
    pub(super) outcome: YumaOutcome,
    pub(super) agrees: RowAgreement,
}

/// The row that a UID shows.
pub(super) fn of_uid(input: &YumaInput, uid: u16) -> Placed {
    let outcome = run(input, Bonds::Next);
    let place = usize::from(uid);
    let at = |list: &[f64]| list.get(place).copied().unwrap_or(0.0);
    let row = outcome.rows.get(place).cloned().unwrap_or_default();
    let mut agrees = agrees(&row, &outcome);
    agrees.dividends = Some(at(&outcome.dividends));
    agrees.dividends_settled = Some(at(&run(input, Bonds::Settled).dividends));
    Placed { row, outcome, agrees }
}

/// A row of somebody without stake, who changes nothing.
pub(super) fn of_nobody(outcome: YumaOutcome, weights: &[(u16, u16)]) -> Placed {
    let row: Row = weights.iter().map(|(uid, weight)| (*uid, f64::from(*weight))).collect();
    let row = normalised(&row).unwrap_or_default();
    Placed { agrees: agrees(&row, &outcome), row, outcome }
}

fn agrees(row: &Row, outcome: &YumaOutcome) -> RowAgreement {
    let clipped = clipped_part(row, &outcome.consensus);
    RowAgreement {
        consensus_distance: distance(row, &consensus_row(outcome)),
        clipped,
        validator_trust: row.values().sum::<f64>() - clipped,
        dividends: None,
        dividends_settled: None,
    }
}

/// The consensus as a row of weights.
fn consensus_row(outcome: &YumaOutcome) -> Row {
    (0..=u16::MAX).zip(outcome.consensus.iter().copied()).collect()
}
