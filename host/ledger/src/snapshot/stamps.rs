//! What tells whether a row of the ledger is still the one that was read: its checksums.

use crate::sums::Damage;
use crate::{Ledger, LedgerError};
use mantis_config::Sidx;
use std::collections::BTreeSet;

/// What the ledger has of a row: the checksums of its prices and vectors, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) prices: i64,
    pub(super) vectors: i64,
}

/// The row is there; another program wrote it, or an earlier version.
const UNSUMMED: i64 = -1;
/// The row is not there.
const NO_ROW: i64 = -2;

impl Default for Stamp {
    fn default() -> Self {
        Self { prices: UNSUMMED, vectors: UNSUMMED }
    }
}

impl Stamp {
    /// Whether the checksums alone say that the row is the same.
    pub(super) fn is_summed(self) -> bool {
        self.prices != UNSUMMED && self.vectors != UNSUMMED
    }
}

/// The rows of a challenge with their stamps, in order.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    rows: Vec<(Sidx, Stamp)>,
    /// Rows with vectors in sampled blocks that the ticker of the prices lacks.
    strays: BTreeSet<Sidx>,
}

impl Stamps {
    /// Reads those of `ticker`, whose prices and rows are those of `source`.
    pub(super) fn read(ledger: &Ledger, ticker: &str, source: &str) -> Result<Self, LedgerError> {
        let own = summed(ledger, ticker)?;
        if ticker == source {
            let stamp = |(sidx, prices, vectors)| (sidx, Stamp { prices, vectors });
            return Ok(Self { rows: own.into_iter().map(stamp).collect(), strays: BTreeSet::new() });
        }
        let (mut rows, mut strays) = (Vec::new(), BTreeSet::new());
        let mut own = own.into_iter().peekable();
        for (sidx, prices, _) in summed(ledger, source)? {
            while let Some((stray, ..)) = own.next_if(|(own, ..)| *own < sidx) {
                strays.insert(stray);
            }
            let vectors = own.next_if(|(own, ..)| *own == sidx).map_or(NO_ROW, |(.., vectors)| vectors);
            rows.push((sidx, Stamp { prices, vectors }));
        }
        strays.extend(own.map(|(stray, ..)| stray));
        Ok(Self { rows, strays })
    }

    /// The rows.
    pub(super) fn rows(&self) -> &[(Sidx, Stamp)] {
        &self.rows
    }

    /// What the ledger has of a row.
    pub(super) fn get(&self, sidx: Sidx) -> Stamp {
        let place = self.rows.binary_search_by_key(&sidx, |(sidx, _)| *sidx);
        place.map_or(Stamp::default(), |place| self.rows[place].1)
    }

    /// Whether vectors up to a row lie in rows that are not among these.
    pub(super) fn strays_to(&self, last: Sidx) -> bool {
        self.strays.first().is_some_and(|first| *first <= last)
    }
}

/// The rows of a ticker: `sidx`, and the checksums of prices and vectors.
fn summed(ledger: &Ledger, ticker: &str) -> Result<Vec<(Sidx, i64, i64)>, LedgerError> {
    let mut sums = ledger.row_sums(ticker)?.into_iter().peekable();
    let mut rows = Vec::new();
    for sidx in ledger.sidx(ticker, Sidx::MIN..=Sidx::MAX)? {
        while let Some((gone, ..)) = sums.next_if(|(of, ..)| *of < sidx) {
            // What lies before the first may have been removed by another program.
            if !rows.is_empty() {
                return Err(Damage::Missing(gone).of(ledger, ticker));
            }
        }
        rows.push(sums.next_if(|(of, ..)| *of == sidx).unwrap_or((sidx, UNSUMMED, UNSUMMED)));
    }
    match sums.next() {
        Some((gone, ..)) if !rows.is_empty() => Err(Damage::Missing(gone).of(ledger, ticker)),
        _ => Ok(rows),
    }
}
