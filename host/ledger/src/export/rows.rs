//! The rows of each table, read from the ledger one after the other.

use super::batch::Value;
use super::{ExportError, Table};
use crate::blob::Length;
use crate::{Ledger, LedgerError, Row, Vector};
use mantis_config::{Block, Sidx};
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};

/// Rows that are read at once per ticker: they wait in memory for those of the other tickers.
const WINDOW: usize = 16;

/// Which rows are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// First and last block.
    pub(super) blocks: RangeInclusive<Block>,
    /// Tickers, by name, and how long their vectors are.
    pub(super) tickers: BTreeMap<String, Length>,
    /// Whether these are all tickers there are.
    pub(super) all_tickers: bool,
    /// Blocks between two rows.
    pub(super) every: u32,
}

type Push<'a> = dyn FnMut(&[Value<'_>]) -> Result<(), ExportError> + 'a;

/// Hands every row of a table to `push`, by block; `done` hears of the part that is done, 0 to 1.
pub(super) fn read(
    table: Table,
    ledger: &Ledger,
    wanted: &Wanted,
    push: &mut Push<'_>,
    done: &mut dyn FnMut(f64),
) -> Result<(), ExportError> {
    let Some(sql) = table.query() else {
        return match table {
            Table::Blocks => blocks(ledger, wanted, push),
            _ => samples(table, ledger, wanted, push, done),
        };
    };
    let tickers = (!wanted.all_tickers)
        .then(|| serde_json::json!(wanted.tickers.keys().collect::<Vec<_>>()).to_string());
    let params = (wanted.blocks.start().0, wanted.blocks.end().0, tickers);
    let width = table.columns().len();
    ledger.each(table.source(), sql, params, |row| {
        let mut values = Vec::with_capacity(width);
        for at in 0..width {
            values.push(match row.get_ref(at) {
                Ok(ValueRef::Integer(x)) => Value::Whole(x),
                Ok(ValueRef::Real(x)) => Value::Real(x),
                Ok(ValueRef::Text(text)) => std::str::from_utf8(text).map_or(Value::Null, Value::Text),
                _ => Value::Null,
            });
        }
        push(&values)
    })
}

/// Blocks between two rows, by the newest row: `sidx` is `block / every`. 1 in an empty ledger.
pub(super) fn every(ledger: &Ledger) -> Result<u32, LedgerError> {
    let newest = ledger.tickers()?.iter().filter_map(|ticker| Some(ticker.sidx?.1)).max();
    let block = ledger.last_block()?;
    Ok(match (block, newest) {
        (Some(Block(block)), Some(Sidx(newest))) if newest > 0 => {
            u32::try_from((block / newest).max(1)).unwrap_or(u32::MAX)
        }
        _ => 1,
    })
}

fn blocks(ledger: &Ledger, wanted: &Wanted, push: &mut Push<'_>) -> Result<(), ExportError> {
    let sql = "SELECT block FROM blocks WHERE block BETWEEN ?1 AND ?2 ORDER BY block";
    ledger.each("blocks", sql, (wanted.blocks.start().0, wanted.blocks.end().0), |row| {
        let block = Block(row.get(0).unwrap_or_default());
        push(&[Value::Whole(block.sidx(wanted.every).0), Value::Whole(block.0)])
    })
}

/// Prices or submissions: all tickers of a row before the next row. The ledger has them ticker by ticker, so a few rows
/// of each are read in turn.
fn samples(
    table: Table,
    ledger: &Ledger,
    wanted: &Wanted,
    push: &mut Push<'_>,
    done: &mut dyn FnMut(f64),
) -> Result<(), ExportError> {
    let sidx = wanted.blocks.start().sidx(wanted.every)..=wanted.blocks.end().sidx(wanted.every);
    let mut all: Vec<Sidx> = Vec::new();
    for ticker in wanted.tickers.keys() {
        all.extend(ledger.sidx(ticker, sidx.clone())?);
        all.sort_unstable();
        all.dedup();
    }
    let known = blocks_by_sidx(ledger, wanted)?;
    // The first block of a range may be inside of a row's blocks.
    all.retain(|sidx| wanted.blocks.contains(&block_of(&known, *sidx, wanted.every)));
    for (window, at) in all.chunks(WINDOW).zip((0..).step_by(WINDOW)) {
        let (Some(&first), Some(&last)) = (window.first(), window.last()) else { continue };
        let mut held: BTreeMap<Sidx, Vec<Held>> = BTreeMap::new();
        for (ticker, &length) in &wanted.tickers {
            let keep = |row: Row<'_>| {
                held.entry(row.sidx).or_default().push(Held::copy_row(table, ticker, &row));
                Ok::<_, ExportError>(ControlFlow::Continue(()))
            };
            match table {
                Table::Submissions => ledger.any_rows(ticker, first..=last, length, keep)?,
                _ => ledger.prices(ticker, first..=last, keep)?,
            };
        }
        for sidx in window {
            let head = [Value::Whole(sidx.0), Value::Whole(block_of(&known, *sidx, wanted.every).0)];
            for one in held.get(sidx).into_iter().flatten() {
                one.push(head, push)?;
            }
        }
        done((at + window.len()) as f64 / all.len() as f64);
    }
    Ok(())
}

/// What was read of one ticker's row.
struct Held<'t> {
    ticker: &'t str,
    /// Asset, if there are several, and price.
    prices: Vec<(Option<String>, f64)>,
    /// Hotkey and vector.
    vectors: Vec<(String, Vector)>,
}

impl<'t> Held<'t> {
    fn copy_row(table: Table, ticker: &'t str, row: &Row<'_>) -> Self {
        let (mut prices, mut vectors) = (Vec::new(), Vec::new());
        if table == Table::Submissions {
            let storage = row.submissions.storage();
            let vector = |(name, bytes): (&str, &[u8])| (name.to_owned(), Vector::from_bytes(bytes, storage));
            vectors = row.submissions.iter().map(vector).collect();
        } else {
            // A text that is not such an object has no prices, as for scoring.
            prices = row.all_prices();
        }
        Self { ticker, prices, vectors }
    }

    fn push(&self, [sidx, block]: [Value<'_>; 2], push: &mut Push<'_>) -> Result<(), ExportError> {
        let ticker = Value::Text(self.ticker);
        for (asset, price) in &self.prices {
            let asset = asset.as_deref().map_or(Value::Null, Value::Text);
            push(&[sidx, block, ticker, asset, Value::Real(*price)])?;
        }
        for (hotkey, vector) in &self.vectors {
            push(&[sidx, block, ticker, Value::Text(hotkey), Value::Vector(vector)])?;
        }
        Ok(())
    }
}

/// The sampled blocks by `sidx`, in order.
fn blocks_by_sidx(ledger: &Ledger, wanted: &Wanted) -> Result<Vec<(Sidx, Block)>, LedgerError> {
    let mut known: Vec<(Sidx, Block)> =
        ledger.blocks()?.into_iter().map(|block| (block.sidx(wanted.every), block)).collect();
    known.sort_unstable();
    known.dedup_by_key(|(sidx, _)| *sidx);
    Ok(known)
}

/// The block of a row: the sampled one, or, where that is not known, the first that it can be.
fn block_of(known: &[(Sidx, Block)], sidx: Sidx, every: u32) -> Block {
    match known.binary_search_by_key(&sidx, |(sidx, _)| *sidx) {
        Ok(at) => known[at].1,
        Err(_) => sidx.block(every),
    }
}
