//! A miner's numbers, without what is not scored.

use half::f16;
use mantis_plugin_api::{History, PluginError};

/// Puts the numbers of some `rows` (ascending) of a miner into `out`, row by row.
///
/// # Errors
/// What the history says.
pub fn read_rows(
    history: &dyn History,
    miner: usize,
    rows: &[usize],
    out: &mut Vec<f16>,
) -> Result<(), PluginError> {
    let (Some(&first), Some(&last)) = (rows.first(), rows.last()) else {
        out.clear();
        return Ok(());
    };
    let dim = history.shape().dim;
    out.resize((last + 1 - first) * dim, f16::ZERO);
    history.read(miner..miner + 1, first..last + 1, out)?;
    if last + 1 - first > rows.len() {
        for (to, &row) in rows.iter().enumerate() {
            let from = (row - first) * dim;
            out.copy_within(from..from + dim, to * dim);
        }
        out.truncate(rows.len() * dim);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::MemoryHistory;

    #[test]
    fn leaves_out_rows() {
        let mut history = MemoryHistory::new(5, 2);
        history.push("a", &[9.0; 10]);
        let numbers: Vec<f32> = (0_u8..10).map(f32::from).collect();
        history.push("b", &numbers);
        let mut out = vec![f16::ONE; 3];
        for (rows, expected) in [
            (&[1, 2, 4][..], &[2.0, 3.0, 4.0, 5.0, 8.0, 9.0][..]),
            (&[2, 3], &[4.0, 5.0, 6.0, 7.0]),
            (&[], &[]),
        ] {
            read_rows(&history, 1, rows, &mut out).unwrap();
            assert_eq!(out.iter().map(|x| x.to_f32()).collect::<Vec<_>>(), expected);
        }
    }
}
