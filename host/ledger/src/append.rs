//! Writing sampled blocks. One sampled block is one transaction over all tickers.

use super::{Ledger, LedgerError, Vector, blob, sums};
use mantis_config::{Block, Sidx};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// All that is stored of one sampled block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampledBlock {
    /// The block.
    pub block: Block,
    /// Its index: `block / sample_every`.
    pub sidx: Sidx,
    /// One row per ticker.
    pub rows: Vec<NewRow>,
}

/// What is stored of one ticker in one sampled block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewRow {
    /// The ticker.
    pub ticker: String,
    /// Numbers per miner and asset, for `challenge_meta`.
    pub dim: u32,
    /// Horizon in blocks, for `challenge_meta`.
    pub blocks_ahead: u32,
    /// The price of a single-asset ticker.
    pub price: Option<f64>,
    /// The prices of a multi-asset ticker; those that are not finite are left out.
    pub price_data: Option<Vec<(String, f64)>>,
    /// Vectors by hotkey, all of one length and one precision, each hotkey once. Those that are all zero are left out.
    pub submissions: Vec<(String, Vector)>,
}

impl Ledger {
    /// Stores one sampled block, wholly or not at all.
    ///
    /// # Errors
    /// [`LedgerError::SampledBlock`] for a block that is not past the last one or that does not fit the format;
    /// [`LedgerError::DiskFull`] and the like where the file cannot be written.
    pub fn append(&mut self, step: &SampledBlock) -> Result<(), LedgerError> {
        self.append_many([step], 1)
    }

    /// Stores many sampled blocks, `per_transaction` of them in one transaction: for bulk loads.
    ///
    /// # Errors
    /// As [`Ledger::append`]. The transaction of the failed step is undone as a whole; earlier ones stay.
    pub fn append_many<S: std::borrow::Borrow<SampledBlock>>(
        &mut self,
        steps: impl IntoIterator<Item = S>,
        per_transaction: usize,
    ) -> Result<(), LedgerError> {
        let mut steps = steps.into_iter().peekable();
        while steps.peek().is_some() {
            let path = &self.path;
            let fail = |e| LedgerError::sqlite(path, "starting or ending a transaction", e);
            let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
            for step in steps.by_ref().take(per_transaction.max(1)) {
                let step = step.borrow();
                insert(&tx, step).map_err(|refused| refused.of_block(path, step.block))?;
            }
            tx.commit().map_err(fail)?;
        }
        Ok(())
    }
}

pub(super) enum AppendError {
    SampledBlock(String),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for AppendError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(e)
    }
}

/// Writes a sampled block's rows; gives its number in the order of sampling.
pub(super) fn insert(conn: &Connection, step: &SampledBlock) -> Result<i64, AppendError> {
    let (next, last): (i64, Option<i64>) = conn
        .prepare_cached("SELECT COALESCE(MAX(idx), -1) + 1, (SELECT MAX(block) FROM blocks) FROM blocks")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if let Some(last) = last.filter(|last| *last >= step.block.0) {
        return Err(AppendError::SampledBlock(format!(
            "block {last} is already stored, and blocks are stored in order"
        )));
    }
    conn.prepare_cached("INSERT INTO blocks (idx, block) VALUES (?1, ?2)")?.execute((next, step.block.0))?;
    let mut meta = conn.prepare_cached(
        "INSERT INTO challenge_meta (ticker, dim, blocks_ahead) VALUES (?1, ?2, ?3)
        ON CONFLICT (ticker) DO UPDATE SET dim = excluded.dim, blocks_ahead = excluded.blocks_ahead
        WHERE dim <> excluded.dim OR blocks_ahead <> excluded.blocks_ahead",
    )?;
    let mut data = conn.prepare_cached(
        "INSERT INTO main.challenge_data (ticker, sidx, price, price_data, hotkeys, embeddings)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for record in &step.rows {
        let vectors = sorted(&record.ticker, &record.submissions)?;
        let (hotkeys, embeddings) = blob::encode(&vectors);
        let prices = record.price_data.as_deref().map(price_json);
        meta.execute((&record.ticker, record.dim, record.blocks_ahead))?;
        let sum = sums::of_prices(record.price, prices.as_deref());
        data.execute((&record.ticker, step.sidx.0, record.price, prices, hotkeys, &embeddings))?;
        sums::put(conn, &record.ticker, step.sidx.0, sum, &embeddings)?;
    }
    Ok(next)
}

impl AppendError {
    /// The error of a block that was refused.
    pub(super) fn of_block(self, path: &Path, block: Block) -> LedgerError {
        match self {
            Self::SampledBlock(reason) => LedgerError::SampledBlock { path: path.into(), block, reason },
            Self::Sqlite(e) => LedgerError::sqlite(path, format!("writing block {block}"), e),
        }
    }
}

/// Vectors by hotkey as the format wants them: sorted by hotkey, none all zero.
pub(super) fn sorted<'a>(
    ticker: &str,
    submissions: &'a [(String, Vector)],
) -> Result<Vec<(&'a str, &'a Vector)>, AppendError> {
    let refuse = |what: String| Err(AppendError::SampledBlock(format!("{ticker}: {what}")));
    let mut vectors: Vec<(&str, &Vector)> =
        submissions.iter().map(|(hotkey, vector)| (hotkey.as_str(), vector)).collect();
    vectors.sort_by_key(|(hotkey, _)| *hotkey);
    for pair in vectors.windows(2) {
        let ((a, x), (b, y)) = (pair[0], pair[1]);
        if a == b {
            return refuse(format!("hotkey {a} has two vectors"));
        }
        if x.len() != y.len() {
            return refuse(format!("the vectors of {a} and {b} have {} and {} numbers", x.len(), y.len()));
        }
        if x.storage() != y.storage() {
            return refuse(format!("the vectors of {a} and {b} are stored in two precisions"));
        }
    }
    vectors.retain(|(_, vector)| vector.is_present());
    Ok(vectors)
}

/// Stores vectors of a row in place of those that it has, with their checksum. A row that is not there stays so.
pub(super) fn replace_vectors(
    conn: &Connection,
    ticker: &str,
    sidx: Sidx,
    vectors: &[(&str, &Vector)],
) -> rusqlite::Result<()> {
    let (hotkeys, embeddings) = blob::encode(vectors);
    conn.prepare_cached(
        "UPDATE main.challenge_data SET hotkeys = ?3, embeddings = ?4 WHERE ticker = ?1 AND sidx = ?2",
    )?
    .execute((ticker, sidx.0, hotkeys, &embeddings))?;
    sums::replace_vectors(conn, ticker, sidx.0, &embeddings)
}

/// Prices as the network writes them, in the order given.
fn price_json(prices: &[(String, f64)]) -> String {
    let pairs: Vec<String> = prices
        .iter()
        .filter_map(|(asset, price)| {
            let price = serde_json::Number::from_f64(*price)?;
            Some(format!("{}: {price}", serde_json::Value::from(asset.as_str())))
        })
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Row;
    use half::f16;
    use std::ops::ControlFlow;

    fn step(block: i64) -> SampledBlock {
        let half = f16::from_f32(0.5);
        let a = NewRow {
            ticker: "A".into(),
            dim: 2,
            blocks_ahead: 300,
            price: Some(1.5),
            submissions: vec![
                ("b".into(), vec![half, f16::ZERO].into()),
                ("zero".into(), vec![f16::ZERO, f16::NEG_ZERO].into()),
                ("a".into(), vec![f16::ONE, half].into()),
            ],
            ..NewRow::default()
        };
        let many = vec![("X".into(), 0.1), ("Y".into(), f64::NAN), ("Z\"".into(), 1e-9)];
        let b = NewRow { ticker: "B".into(), dim: 1, price_data: Some(many), ..NewRow::default() };
        SampledBlock { block: Block(block), sidx: Block(block).sidx(5), rows: vec![a, b] }
    }

    #[test]
    fn what_was_appended_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new.db");
        let mut writer = Ledger::open(&path).unwrap();
        let reader = Ledger::read(&path).unwrap();
        writer.append(&step(100)).unwrap();
        writer.append_many((21..30).map(|k| step(5 * k)), 4).unwrap();
        assert_eq!(reader.blocks().unwrap(), (20..30).map(|k| Block(5 * k)).collect::<Vec<_>>());
        assert_eq!(reader.last_block().unwrap(), Some(Block(145)));
        assert_eq!(reader.max_sidx("B").unwrap(), Some(Sidx(29)));
        assert_eq!(reader.max_sidx("C").unwrap(), None);
        let tickers = reader.tickers().unwrap();
        assert_eq!(tickers[0].ticker, "A");
        assert_eq!(
            (tickers[0].rows, tickers[0].sidx, tickers[0].dim),
            (10, Some((Sidx(20), Sidx(29))), Some(2))
        );
        let first: Vec<_> = reader.first_seen(None, 5).unwrap().into_iter().collect();
        assert_eq!(first, [("a".into(), Block(100)), ("b".into(), Block(100))]);
        let stop = |row: Row<'_>| {
            let names: Vec<&str> = row.submissions.iter().map(|(name, _)| name).collect();
            assert_eq!((names, row.price), (vec!["a", "b"], Some(1.5)));
            Ok::<_, LedgerError>(ControlFlow::Break(()))
        };
        reader.rows("A", Sidx(0)..=Sidx(100), 2, stop).unwrap();
        let stop = |row: Row<'_>| {
            assert_eq!(row.price_data, Some("{\"X\": 0.1, \"Z\\\"\": 1e-9}"));
            Ok::<_, LedgerError>(ControlFlow::Break(()))
        };
        reader.prices("B", Sidx(0)..=Sidx(100), stop).unwrap();
        let hotkeys: String =
            reader.conn.query_row("SELECT hotkeys FROM challenge_data", [], |row| row.get(0)).unwrap();
        assert_eq!(hotkeys, r#"["a", "b"]"#);
    }

    #[test]
    fn a_refused_step_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("new.db")).unwrap();
        ledger.append(&step(100)).unwrap();
        let mut twice = step(105);
        twice.rows.push(twice.rows[0].clone());
        let mut uneven = step(105);
        uneven.rows[1].submissions = vec![("a".into(), vec![f16::ONE].into()), ("b".into(), vec![].into())];
        let mut double = step(105);
        double.rows[1].submissions =
            vec![("a".into(), vec![f16::ONE].into()), ("a".into(), vec![f16::ONE].into())];
        let mut mixed = step(105);
        mixed.rows[1].submissions =
            vec![("a".into(), vec![f16::ONE].into()), ("b".into(), Vector::F32(vec![1.0]))];
        for bad in [step(100), step(95), twice, uneven, double, mixed] {
            ledger.append(&bad).unwrap_err();
            assert_eq!(ledger.blocks().unwrap(), [Block(100)]);
            assert_eq!(ledger.tickers().unwrap().iter().map(|t| t.rows).collect::<Vec<_>>(), [1, 1]);
        }
    }

    #[test]
    fn a_full_disk_loses_no_committed_step() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("new.db")).unwrap();
        let pages: i64 = ledger.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        ledger.conn.pragma_update(None, "max_page_count", pages + 5).unwrap();
        let full = (1..).map(|k| (k, ledger.append(&step(5 * k)))).find(|(_, done)| done.is_err());
        let (k, Err(error)) = full.unwrap() else { unreachable!() };
        assert!(matches!(error, LedgerError::DiskFull { .. }), "{error:?}");
        assert!(k > 2);
        let stored =
            |ledger: &Ledger| (ledger.blocks().unwrap().len(), ledger.tickers().unwrap()[1].rows as usize);
        assert_eq!(stored(&ledger), (k as usize - 1, k as usize - 1));
        ledger.conn.pragma_update(None, "max_page_count", pages + 500).unwrap();
        ledger.append(&step(5 * k)).unwrap();
        assert_eq!(stored(&ledger), (k as usize, k as usize));
        ledger.check_integrity().unwrap();
    }
}
