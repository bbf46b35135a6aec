//! Checksums of the rows, in a table of ours beside the network's: a bit that has changed on the disk is found when its row
//! is read, and never scored. Rows that another program has written have none, and are taken as they are.

use super::{Ledger, LedgerError};
use mantis_config::Sidx;
use rusqlite::{Connection, Rows, Statement};
use std::ops::RangeInclusive;

/// The checksum (CRC-32) of a row's prices. What SQLite does not tell apart has the same: no price and NaN, the zeros of
/// both signs.
pub(super) fn of_prices(price: Option<f64>, price_data: Option<&str>) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    if let Some(price) = price.filter(|price| !price.is_nan()) {
        sum.update(&(price + 0.0).to_bits().to_le_bytes());
    }
    sum.update(b"|");
    sum.update(price_data.unwrap_or_default().as_bytes());
    sum.finalize()
}

/// The checksum of a row's vectors.
pub(super) fn of_vectors(blob: &[u8]) -> u32 {
    crc32fast::hash(blob)
}

/// Keeps the checksums of a row that was stored.
pub(super) fn put(
    conn: &Connection,
    ticker: &str,
    sidx: i64,
    prices: u32,
    blob: &[u8],
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO host_sums (ticker, sidx, prices, vectors) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((ticker, sidx, prices, of_vectors(blob)))
    .map(drop)
}

/// Keeps the checksum of vectors that were stored in place of others. A row without checksums stays without.
pub(super) fn replace_vectors(
    conn: &Connection,
    ticker: &str,
    sidx: i64,
    blob: &[u8],
) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE host_sums SET vectors = ?3 WHERE ticker = ?1 AND sidx = ?2")?
        .execute((ticker, sidx, of_vectors(blob)))
        .map(drop)
}

/// Whether vectors that are about to be replaced are those that were stored.
pub(super) fn are_sound(conn: &Connection, ticker: &str, sidx: i64, blob: &[u8]) -> rusqlite::Result<bool> {
    let mut query = conn.prepare_cached("SELECT vectors FROM host_sums WHERE ticker = ?1 AND sidx = ?2")?;
    let mut rows = query.query((ticker, sidx))?;
    match rows.next()? {
        Some(row) => Ok(row.get_ref(0)?.as_i64().ok() == Some(i64::from(of_vectors(blob)))),
        None => Ok(true),
    }
}

/// What a row has, as it was read; what was not read is not compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) sidx: Sidx,
    pub(super) prices: Option<u32>,
    pub(super) vectors: Option<u32>,
}

/// Goes through the checksums of a ticker beside its rows.
pub(super) struct Comparison<'a> {
    rows: Rows<'a>,
    next: Option<(Sidx, i64, i64)>,
    /// Whether a row was met: what lies before the first may have been removed by another program.
    met: bool,
}

/// A row that is not what was stored.
#[derive(Debug)]
pub(super) enum Damage {
    Sqlite(rusqlite::Error),
    /// Its content is another.
    Changed(Sidx),
    /// It is gone.
    Missing(Sidx),
}

impl From<rusqlite::Error> for Damage {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(e)
    }
}

/// What [`Comparison::begin`] needs.
pub(super) const SUMS: &str = "SELECT sidx, prices, vectors FROM host_sums
    WHERE ticker = ?1 AND sidx BETWEEN ?2 AND ?3 ORDER BY sidx";

impl<'a> Comparison<'a> {
    pub(super) fn begin(
        statement: &'a mut Statement<'_>,
        ticker: &str,
        sidx: &RangeInclusive<Sidx>,
    ) -> rusqlite::Result<Self> {
        let rows = statement.query((ticker, sidx.start().0, sidx.end().0))?;
        let mut this = Self { rows, next: None, met: false };
        this.advance()?;
        Ok(this)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        self.next = match self.rows.next()? {
            Some(row) => Some((Sidx(row.get(0)?), row.get(1)?, row.get(2)?)),
            None => None,
        };
        Ok(())
    }

    /// Compares the next row.
    pub(super) fn compare(&mut self, found: Found) -> Result<(), Damage> {
        while let Some((sidx, ..)) = self.next.filter(|(sidx, ..)| *sidx < found.sidx) {
            if self.met {
                return Err(Damage::Missing(sidx));
            }
            self.advance()?;
        }
        self.met = true;
        if let Some((_, prices, vectors)) = self.next.filter(|(sidx, ..)| *sidx == found.sidx) {
            let differs = |sum: i64, found: Option<u32>| found.is_some_and(|found| i64::from(found) != sum);
            if differs(prices, found.prices) || differs(vectors, found.vectors) {
                return Err(Damage::Changed(found.sidx));
            }
            self.advance()?;
        }
        Ok(())
    }

    /// No further row follows.
    pub(super) fn end(self) -> Result<(), Damage> {
        match self.next {
            Some((sidx, ..)) => Err(Damage::Missing(sidx)),
            None => Ok(()),
        }
    }
}

impl Damage {
    /// The error of a ledger with it.
    pub(super) fn of(self, ledger: &Ledger, ticker: &str) -> LedgerError {
        let (sidx, what) = match self {
            Self::Sqlite(e) => return LedgerError::sqlite(&ledger.path, "the table host_sums", e),
            Self::Changed(sidx) => (sidx, "is not what was stored: its checksum is another"),
            Self::Missing(sidx) => (sidx, "is gone"),
        };
        LedgerError::Changed { path: ledger.path.clone(), ticker: ticker.into(), sidx, what }
    }
}

impl Ledger {
    /// The checksums of a ticker's rows in order: `sidx`, of its prices, of its vectors. Rows that another program has
    /// written have none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn row_sums(&self, ticker: &str) -> Result<Vec<(Sidx, i64, i64)>, LedgerError> {
        if !self.has("host_sums")? {
            return Ok(Vec::new());
        }
        let all = (ticker, Sidx::MIN.0, Sidx::MAX.0);
        self.conn
            .prepare_cached(SUMS)
            .and_then(|mut query| {
                query.query_map(all, |row| Ok((Sidx(row.get(0)?), row.get(1)?, row.get(2)?)))?.collect()
            })
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_sums", e))
    }

    /// Forgets the checksums of all rows: they are taken as they are from now on.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn forget_sums(&mut self) -> Result<(), LedgerError> {
        self.conn
            .execute("DELETE FROM host_sums", [])
            .map(drop)
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_sums", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewRow, Row, SampledBlock, Vector};
    use half::f16;
    use mantis_config::Block;
    use std::ops::ControlFlow;
    use std::path::Path;

    fn ledger(path: &Path) -> Ledger {
        let mut ledger = Ledger::open(path).unwrap();
        for block in (100..400).step_by(5) {
            let vector = Vector::from(vec![f16::from_f32(block as f32 / 1000.0); 2]);
            let row = |ticker: &str, price, price_data| NewRow {
                ticker: ticker.into(),
                dim: 2,
                blocks_ahead: 300,
                price,
                price_data,
                submissions: vec![("5A".into(), vector.clone()), ("5B".into(), vector.clone())],
            };
            let rows =
                vec![row("A", Some(block as f64), None), row("B", None, Some(vec![("X".into(), 1.5)]))];
            let block = Block(block);
            ledger.append(&SampledBlock { block, sidx: block.sidx(5), rows }).unwrap();
        }
        ledger
    }

    /// What is read of both tickers, bit by bit.
    fn read(ledger: &Ledger) -> Result<Vec<u8>, LedgerError> {
        let mut all = Vec::new();
        for ticker in ["A", "B"] {
            ledger.rows(ticker, Sidx::MIN..=Sidx::MAX, 2, |row: Row<'_>| {
                all.extend(row.sidx.0.to_le_bytes());
                all.extend(row.price.unwrap_or(f64::NAN).to_bits().to_le_bytes());
                all.extend(row.price_data.unwrap_or_default().bytes());
                for (hotkey, numbers) in row.submissions {
                    all.extend(hotkey.bytes());
                    all.extend(numbers);
                }
                Ok::<_, LedgerError>(ControlFlow::Continue(()))
            })?;
        }
        Ok(all)
    }

    #[test]
    fn a_bit_that_flips_in_the_file_is_found_or_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let first = ledger(&path);
        let sound = read(&first).unwrap();
        let checkpoint: i64 =
            first.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
        assert_eq!(checkpoint, 0);
        drop(first);
        let bytes = std::fs::read(&path).unwrap();
        let flipped = dir.path().join("flipped.db");
        let (mut same, mut refused) = (0, 0);
        for i in 0..1000_u64 {
            // Everywhere in the file, the same places each time.
            let at = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (8 * bytes.len() as u64)) as usize;
            let mut bytes = bytes.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            std::fs::write(&flipped, &bytes).unwrap();
            match Ledger::read(&flipped).and_then(|ledger| read(&ledger)) {
                Ok(found) => {
                    assert!(found == sound, "bit {at}: other numbers, and no word of it");
                    same += 1;
                }
                Err(_) => refused += 1,
            }
        }
        assert!(same > 0 && refused > 50, "{same} the same, {refused} refused");
    }

    #[test]
    fn a_row_that_was_changed_is_named_until_its_checksum_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = ledger(&dir.path().join("a.db"));
        let change = "UPDATE challenge_data SET price = 7 WHERE ticker = 'A' AND sidx = 30";
        ledger.conn.execute(change, []).unwrap();
        let error = read(&ledger).unwrap_err().to_string();
        assert!(
            error.contains("A") && error.contains("sidx 30") && error.contains("--forget-sums"),
            "{error}"
        );
        ledger.forget_sums().unwrap();
        read(&ledger).unwrap();
    }

    #[test]
    fn a_row_that_is_gone_is_missed_but_for_the_oldest() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(&dir.path().join("a.db"));
        let remove = |sidx: i64| {
            ledger
                .conn
                .execute("DELETE FROM challenge_data WHERE ticker = 'B' AND sidx = ?1", [sidx])
                .unwrap();
        };
        remove(20);
        read(&ledger).unwrap();
        remove(50);
        let error = read(&ledger).unwrap_err().to_string();
        assert!(error.contains("sidx 50") && error.contains("is gone"), "{error}");
    }
}
