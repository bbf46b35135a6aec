//! What tells the rows of a snapshot from others, without reading them: their checksums.

use super::kept::FileMark;
use super::request::SnapshotRequest;
use super::stamps::{Stamp, Stamps};
use crate::{Ledger, LedgerError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Stands for vectors that a snapshot does not have.
const LEFT_OUT: i64 = -3;

/// The checksums of a ledger's rows as they were when each ticker was first asked about.
#[derive(Debug)]
pub struct RowMarks {
    mark: FileMark,
    tickers: Mutex<BTreeMap<(String, String), Arc<Stamps>>>,
}

impl RowMarks {
    /// Begins with nothing read.
    #[must_use]
    pub fn new(ledger: &Ledger) -> Self {
        Self { mark: FileMark::read(ledger.path()), tickers: Mutex::default() }
    }

    /// Hands on bytes that differ where a row of the snapshot differs. Rows without checksums, which another program wrote,
    /// go by the lengths and times of the ledger's files.
    ///
    /// # Errors
    /// If the ledger cannot be read, or rows are gone in its midst.
    pub fn feed(
        &self,
        ledger: &Ledger,
        request: &SnapshotRequest,
        feed: &mut dyn FnMut(&[u8]),
    ) -> Result<(), LedgerError> {
        let stamps = self.stamps(ledger, &request.ticker, request.source())?;
        let (newest, last) = (request.newest(), request.last().min(request.opened()));
        let mut is_summed = true;
        let rows = stamps.rows();
        for (sidx, stamp) in &rows[..rows.partition_point(|(sidx, _)| *sidx <= newest)] {
            let vectors = if *sidx <= last { stamp.vectors } else { LEFT_OUT };
            is_summed &= Stamp { vectors, ..*stamp }.is_summed();
            for number in [sidx.0, stamp.prices, vectors] {
                feed(&number.to_le_bytes());
            }
        }
        if !is_summed {
            feed(format!("{:?}", self.mark).as_bytes());
        }
        Ok(())
    }

    fn stamps(&self, ledger: &Ledger, ticker: &str, source: &str) -> Result<Arc<Stamps>, LedgerError> {
        let key = (ticker.to_owned(), source.to_owned());
        let mut tickers = self.tickers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tickers.get(&key) {
            return Ok(known.clone());
        }
        let read = Arc::new(Stamps::read(ledger, ticker, source)?);
        tickers.insert(key, read.clone());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{AsOf, KeptHistory, Snapshot};
    use crate::{NewRow, SampledBlock, Vector};
    use half::f16;
    use mantis_config::{Block, Sidx};
    use mantis_plugin_api::History as _;
    use std::path::Path;

    /// Rows 20 to 119 of one ticker, whose price and numbers are of `tone` from a row on.
    fn ledger(path: &Path, rows: i64, from: i64, tone: f32) -> Ledger {
        let mut ledger = Ledger::open(path).unwrap();
        for sidx in 20..20 + rows {
            let value = if sidx >= from { tone } else { 0.5 };
            let mut submissions = vec![("5A".into(), Vector::from(vec![f16::from_f32(value); 2]))];
            if sidx >= 80 {
                submissions.push(("5Late".into(), Vector::from(vec![f16::ONE; 2])));
            }
            let row = NewRow {
                ticker: "A".into(),
                dim: 2,
                blocks_ahead: 50,
                price: Some(f64::from(value) + sidx as f64),
                price_data: None,
                submissions,
            };
            let step = SampledBlock { block: Sidx(sidx).block(5), sidx: Sidx(sidx), rows: vec![row] };
            ledger.append(&step).unwrap();
        }
        ledger
    }

    fn request(block: i64) -> SnapshotRequest {
        SnapshotRequest {
            ticker: "A".into(),
            storage_dim: 2,
            sample_every: 5,
            max_block: Some(Block(block - 50)),
            as_of: Some(AsOf::at(Block(block), 100)),
            ..SnapshotRequest::default()
        }
    }

    fn fed(ledger: &Ledger, request: &SnapshotRequest) -> Vec<u8> {
        let mut all = Vec::new();
        RowMarks::new(ledger).feed(ledger, request, &mut |bytes| all.extend(bytes)).unwrap();
        all
    }

    /// Hotkeys, prices and numbers.
    fn content(snapshot: &Snapshot) -> (Vec<String>, Vec<u64>, Vec<Vec<f16>>) {
        let prices = snapshot.market().unwrap().prices.iter().map(|price| price.to_bits()).collect();
        let numbers = (0..snapshot.hotkeys().len()).map(|miner| snapshot.miner(miner).unwrap().to_vec());
        (snapshot.hotkeys().to_vec(), prices, numbers.collect())
    }

    #[test]
    fn the_ledger_of_a_block_of_the_past_is_the_same_whatever_came_later() {
        let dir = tempfile::tempdir().unwrap();
        // As of block 450, row 90, prices end with row 90, rows with row 80, vectors with row 70.
        let short = ledger(&dir.path().join("short.db"), 71, 200, 0.0);
        let long = ledger(&dir.path().join("long.db"), 100, 91, 7.0);
        let built = |ledger: &Ledger, request: &SnapshotRequest, name: &str| {
            content(&Snapshot::build(ledger, request, &dir.path().join(name)).unwrap())
        };
        let request_then = request(450);
        let expected = built(&short, &request_then, "a");
        assert_eq!(expected.0, ["5A"], "who came later is not there");
        assert_eq!(expected.1.len(), 71);
        assert_eq!(expected.2[0].len(), 2 * 61);
        assert!(
            expected.2[0][2 * 50] != f16::ZERO && expected.2[0][2 * 51..].iter().all(|x| *x == f16::ZERO)
        );
        assert_eq!(built(&long, &request_then, "b"), expected);
        assert_eq!(fed(&short, &request_then), fed(&long, &request_then));

        // A kept history goes on from one such block to the next, and is not taken for an earlier one.
        let history = KeptHistory::take(&dir.path().join("h"), "A").unwrap().unwrap();
        for (block, reused) in [(400, 0), (450, 41), (500, 51)] {
            let made = history.snapshot(&long, &request(block)).unwrap().unwrap();
            assert_eq!(made.reused, reused, "{block}");
            assert_eq!(content(&made.snapshot), built(&long, &request(block), "c"), "{block}");
        }
        assert!(history.snapshot(&long, &request(450)).unwrap().is_none());
    }

    #[test]
    fn rows_that_count_change_what_is_fed_and_others_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let one = |name: &str, from, tone| ledger(&dir.path().join(name), 100, from, tone);
        let base = fed(&one("base.db", 200, 0.0), &request(450));
        assert_eq!(fed(&one("same.db", 91, 7.0), &request(450)), base);
        assert_ne!(fed(&one("price.db", 90, 7.0), &request(450)), base);
        assert_ne!(fed(&one("vector.db", 70, 7.0), &request(450)), base);
        // Another program's rows go by the file.
        let mut own = one("own.db", 200, 0.0);
        own.forget_sums().unwrap();
        let unsummed = fed(&own, &request(450));
        assert_eq!(fed(&own, &request(450)), unsummed);
        own.raw().execute("UPDATE challenge_data SET price = 1 WHERE sidx = 30", []).unwrap();
        assert_ne!(fed(&own, &request(450)), unsummed);
    }
}
