//! A history of the representatives only.

use super::Cohorts;
use mantis_plugin_api::{History, PluginError, Shape, f16};
use std::ops::Range;

/// What all miners sent, without the columns that another one stands for.
pub(crate) struct Reduced<'a> {
    history: &'a dyn History,
    cohorts: &'a Cohorts,
    hotkeys: Vec<String>,
}

impl<'a> Reduced<'a> {
    pub(crate) fn new(history: &'a dyn History, cohorts: &'a Cohorts) -> Self {
        let columns = 0..cohorts.columns();
        let hotkeys =
            columns.filter_map(|column| history.hotkeys().get(cohorts.representative(column))).cloned();
        Self { hotkeys: hotkeys.collect(), history, cohorts }
    }
}

impl History for Reduced<'_> {
    fn shape(&self) -> Shape {
        Shape { miners: self.cohorts.columns(), ..self.history.shape() }
    }

    fn hotkeys(&self) -> &[String] {
        &self.hotkeys
    }

    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError> {
        let size = rows.len() * self.history.shape().dim;
        if miners.end > self.cohorts.columns() || out.len() != miners.len() * size {
            return Err(PluginError::host(format!(
                "no block {miners:?} x {rows:?} of {} numbers",
                out.len()
            )));
        }
        for (column, out) in miners.zip(out.chunks_mut(size.max(1))) {
            let miner = self.cohorts.representative(column);
            self.history.read(miner..miner + 1, rows.clone(), out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::MemoryHistory;

    #[test]
    fn only_representatives_are_there() {
        let mut history = MemoryHistory::new(3, 1);
        for (hotkey, x) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
            history.push(hotkey, &[x, x + 0.25, x + 0.5]);
        }
        let cohorts = Cohorts::connected(3, &[[0, 1]]);
        let reduced = Reduced::new(&history, &cohorts);
        assert_eq!((reduced.shape().miners, reduced.hotkeys()), (2, &["a".to_owned(), "c".to_owned()][..]));
        let numbers: Vec<f32> = reduced.rows(1..3).unwrap().iter().map(|x| x.to_f32()).collect();
        assert_eq!(numbers, [1.25, 1.5, 3.25, 3.5]);
        assert!(reduced.miner(2).is_err());
    }
}
