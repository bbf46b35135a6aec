//! A snapshot of what is in memory: for trying plugins out without a ledger.

use super::manifest::{FORMAT, Manifest, SnapshotPart};
use super::market::{Line, MarketWriter};
use super::parts::{PartShape, PartsWriter, rows_per_part};
use super::{MARKET, Snapshot, SnapshotError};
use mantis_config::Sidx;
use mantis_plugin_api::{Market, Storage, f16};
use std::fs;
use std::path::Path;

/// One miner: its hotkey, and `dim` numbers per scored row.
pub type Column<'a> = (&'a str, &'a [f16]);

/// A market and a history in memory.
pub struct Table<'a> {
    /// The ticker.
    pub ticker: &'a str,
    /// Assets in storage order; empty for a single-asset challenge.
    pub assets: &'a [String],
    /// Numbers per miner and row.
    pub dim: usize,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// Prices, the future included.
    pub market: &'a Market,
    /// The miners, by hotkey, each once.
    pub miners: &'a [Column<'a>],
}

impl Snapshot {
    /// Writes a table as a snapshot in `dir`.
    ///
    /// # Errors
    /// If `dir` cannot be written.
    pub fn write(table: &Table<'_>, dir: &Path) -> Result<(), SnapshotError> {
        fs::create_dir_all(dir).map_err(SnapshotError::io(dir))?;
        let Table { ticker, assets, dim, sample_every, market, miners } = *table;
        let mut writer = MarketWriter::create(&dir.join(MARKET), assets, &[])?;
        for (row, sidx) in market.sidx.iter().enumerate() {
            let submitted = market.submitted.get(row).copied().unwrap_or_default();
            let prices = &market.prices[row * market.assets..(row + 1) * market.assets];
            writer.push(Line { sidx: Sidx(*sidx), submitted, ..Line::default() }, prices)?;
        }
        let market_sum = writer.finish()?;
        let names: Vec<(String, usize)> =
            miners.iter().enumerate().map(|(i, (hotkey, _))| ((*hotkey).to_owned(), i)).collect();
        let storage = Storage::F16;
        let shape = PartShape { ticker: ticker.into(), dim, storage, run: rows_per_part(dim, storage) };
        let mut parts = PartsWriter::new(dir, shape, 0);
        let mut bytes = Vec::new();
        for row in 0..market.scored_rows {
            parts.seek(row, &names)?;
            for (miner, (_, numbers)) in miners.iter().enumerate() {
                let vector = numbers.get(row * dim..(row + 1) * dim).unwrap_or_default();
                bytes.clear();
                bytes.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
                parts.put(row, miner, &bytes, Storage::F16);
            }
        }
        let (parts, _) = parts.finish(market.scored_rows, &names)?;
        let manifest = Manifest {
            format: FORMAT,
            ticker: ticker.into(),
            price_source: ticker.into(),
            assets: assets.to_vec(),
            channels: Vec::new(),
            facts: Vec::new(),
            storage: Storage::F16,
            storage_dim: dim,
            sample_every,
            rows: market.scored_rows,
            market: MARKET.into(),
            market_rows: market.rows(),
            hotkeys: names.iter().map(|(hotkey, _)| hotkey.clone()).collect(),
            first_seen: vec![None; names.len()],
            parts: parts.iter().map(SnapshotPart::from).collect(),
            carried: market.carried.clone(),
        };
        let sums = parts.into_iter().map(|part| (part.file, part.sum));
        manifest.write(dir, sums.chain([(MARKET.to_owned(), market_sum)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::History;

    #[test]
    fn reads_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let market = Market {
            sidx: vec![3, 4, 7],
            prices: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            assets: 2,
            submitted: vec![true, false],
            scored_rows: 2,
            ..Market::default()
        };
        let numbers = [1.0, 2.0, 3.0, 4.0].map(f16::from_f32);
        let table = Table {
            ticker: "T",
            assets: &["A".into(), "B".into()],
            dim: 2,
            sample_every: 5,
            market: &market,
            miners: &[("5A", &numbers), ("5B", &[f16::ZERO; 4])],
        };
        Snapshot::write(&table, dir.path()).unwrap();
        let snapshot = Snapshot::open(dir.path()).unwrap();
        assert_eq!(snapshot.market().unwrap(), market);
        assert_eq!(snapshot.miner(0).unwrap(), numbers);
        assert_eq!(snapshot.hotkeys(), ["5A", "5B"]);
    }
}
