//! Checksums for rows that another program has written: from then on a changed bit in them is found, and their kept histories
//! need not be read again.

use super::rows::{as_price, as_price_data};
use super::{Ledger, LedgerError, sums};
use mantis_config::Sidx;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, TransactionBehavior};

/// Rows of one transaction.
const BATCH: i64 = 1000;

/// Rows of a ticker that have no checksums, from one on.
const WITHOUT: &str = "SELECT d.sidx, d.price, d.price_data, d.embeddings FROM main.challenge_data d
    LEFT JOIN host_sums s ON s.ticker = d.ticker AND s.sidx = d.sidx
    WHERE d.ticker = ?1 AND d.sidx > ?2 AND s.sidx IS NULL ORDER BY d.sidx LIMIT ?3";

impl Ledger {
    /// Makes checksums of all rows that have none, and says after every thousand how many there are. Rows that are no rows (another
    /// type where a number or a text belongs) stay without. No other program may write the file meanwhile, or afterwards.
    ///
    /// # Errors
    /// If the file cannot be read or written; what was made stays.
    pub fn sum_all(&mut self, mut tell: impl FnMut(u64)) -> Result<u64, LedgerError> {
        let tickers = self.tickers()?;
        let mut made = 0;
        for ticker in tickers {
            let mut after = Sidx(i64::MIN);
            loop {
                let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate);
                let batch = transaction.and_then(|transaction| {
                    let batch = sum_batch(&transaction, &ticker.ticker, after)?;
                    transaction.commit()?;
                    Ok(batch)
                });
                let batch = batch.map_err(|e| {
                    LedgerError::sqlite(&self.path, format!("checksums of {}", ticker.ticker), e)
                })?;
                let Batch { last: Some(last), summed } = batch else { break };
                after = last;
                made += summed;
                tell(made);
            }
        }
        Ok(made)
    }
}

struct Batch {
    /// The last row that was looked at.
    last: Option<Sidx>,
    summed: u64,
}

fn sum_batch(conn: &Connection, ticker: &str, after: Sidx) -> rusqlite::Result<Batch> {
    let mut batch = Batch { last: None, summed: 0 };
    let mut statement = conn.prepare_cached(WITHOUT)?;
    let mut rows = statement.query((ticker, after.0, BATCH))?;
    while let Some(row) = rows.next()? {
        let ValueRef::Integer(sidx) = row.get_ref(0)? else { continue };
        batch.last = Some(Sidx(sidx));
        let (Ok(price), Ok(price_data)) = (as_price(row.get_ref(1)?), as_price_data(row.get_ref(2)?)) else {
            continue;
        };
        let blob = match row.get_ref(3)? {
            ValueRef::Blob(blob) | ValueRef::Text(blob) => blob,
            ValueRef::Null => &[],
            _ => continue,
        };
        sums::put(conn, ticker, sidx, sums::of_prices(price, price_data), blob)?;
        batch.summed += 1;
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewRow, SampledBlock};
    use mantis_config::Block;

    fn ledger(path: &std::path::Path) -> Ledger {
        let mut ledger = Ledger::open(path).unwrap();
        for block in 0..2500 {
            let row = |ticker: &str| NewRow {
                ticker: ticker.into(),
                dim: 2,
                blocks_ahead: 300,
                price: Some(f64::from(block as i32)),
                price_data: None,
                submissions: Vec::new(),
            };
            let rows = vec![row("A"), row("B")];
            ledger.append(&SampledBlock { block: Block(5 * block), sidx: Sidx(block), rows }).unwrap();
        }
        ledger
    }

    #[test]
    fn rows_of_another_program_get_the_checksums_that_ours_have() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = ledger(&dir.path().join("a.db"));
        let sums = |ledger: &Ledger| -> Vec<(String, i64, i64, i64)> {
            let mut all = ledger.conn.prepare("SELECT * FROM host_sums ORDER BY ticker, sidx").unwrap();
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            rows.unwrap().map(Result::unwrap).collect()
        };
        let ours = sums(&ledger);
        assert_eq!(ours.len(), 5000);
        ledger.conn.execute("DELETE FROM host_sums WHERE ticker = 'A' OR sidx > 1700", []).unwrap();
        let mut told = Vec::new();
        assert_eq!(ledger.sum_all(|made| told.push(made)).unwrap(), 2500 + 799);
        assert_eq!(told, [1000, 2000, 2500, 3299]);
        assert_eq!(sums(&ledger), ours);
        assert_eq!(ledger.sum_all(|_| ()).unwrap(), 0);
        // What is no price is not summed, and stops nothing.
        ledger.conn.execute("DELETE FROM host_sums", []).unwrap();
        ledger
            .conn
            .execute("UPDATE challenge_data SET price = 'x' WHERE ticker = 'A' AND sidx = 7", [])
            .unwrap();
        assert_eq!(ledger.sum_all(|_| ()).unwrap(), 4999);
    }
}
