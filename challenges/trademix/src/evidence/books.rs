//! What a miner holds, hour by hour.

use super::panel::Panel;
use mantis_plugin_api::{History, PluginError, f16};

/// Rows that are read at once: a miner's numbers lie one behind another where the host keeps them, so that few large reads
/// cost less than one for each hour.
const ROWS_AT_ONCE: usize = 1 << 16;

/// A miner's positions in the hours of the panel, split in two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Book {
    /// What it holds of the market, by hour.
    pub(crate) market: Vec<f64>,
    /// What it holds against the market, by asset and hour.
    pub(crate) relative: Vec<Vec<f64>>,
    /// Whether it held anything, by hour.
    pub(crate) submitted: Vec<bool>,
}

impl Book {
    /// Reads one miner's (scoring: trademix, evidence, books).
    pub(crate) fn read(history: &dyn History, miner: usize, panel: &Panel) -> Result<Self, PluginError> {
        let mut relative = positions(history, miner, &panel.rows)?;
        let holds = |t: usize| relative.iter().any(|of_asset| of_asset[t] != 0.0);
        let submitted = (0..panel.rows.len()).map(holds).collect();
        let market = panel.factors.split(&mut relative);
        Ok(Self { market, relative, submitted })
    }
}

/// Positions by asset and hour, in [-1, 1]; a broken number counts as none.
fn positions(history: &dyn History, miner: usize, rows: &[usize]) -> Result<Vec<Vec<f64>>, PluginError> {
    let assets = history.shape().dim;
    let mut positions = vec![Vec::with_capacity(rows.len()); assets];
    let mut block = Vec::new();
    let mut rest = rows;
    while let Some(&first) = rest.first() {
        let (now, later) = rest.split_at(rest.partition_point(|&row| row < first + ROWS_AT_ONCE));
        rest = later;
        let end = now.last().map_or(first, |last| last + 1);
        block.resize((end - first) * assets, f16::ZERO);
        history.read(miner..miner + 1, first..end, &mut block)?;
        for (asset, of_asset) in positions.iter_mut().enumerate() {
            of_asset.extend(now.iter().map(|row| position(block[(row - first) * assets + asset])));
        }
    }
    Ok(positions)
}

fn position(stored: f16) -> f64 {
    if stored.is_finite() { stored.to_f64().clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::MemoryHistory;

    #[test]
    fn positions_of_far_hours_are_read_block_by_block() {
        let rows = 3 * ROWS_AT_ONCE;
        let mut history = MemoryHistory::new(rows, 2);
        history.push("a", &vec![0.25; 2 * rows]);
        let numbers: Vec<f32> = (0..2 * rows).map(|i| (i % 1_999) as f32 / 1_999.0 - 0.5).collect();
        history.push("b", &numbers);
        let hours = [0, 7, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 5, rows - 1];
        let found = positions(&history, 1, &hours).unwrap();
        for (place, row) in hours.into_iter().enumerate() {
            for asset in 0..2 {
                let stored = f16::from_f32(numbers[2 * row + asset]).to_f64();
                assert_eq!(found[asset][place], stored, "{row} {asset}");
            }
        }
    }

    #[test]
    fn positions_are_finite_and_at_most_one() {
        let mut history = MemoryHistory::new(5, 1);
        history.push("a", &[f32::NAN, f32::NEG_INFINITY, 7.0, -2.0, 0.5]);
        assert_eq!(positions(&history, 0, &[0, 1, 2, 3, 4]).unwrap(), [[0.0, 0.0, 1.0, -1.0, 0.5]]);
    }
}
