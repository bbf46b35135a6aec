//! Why miners' payloads, or parts of them, were refused: our own table `host_rejections`.

use super::{Ledger, LedgerError};
use mantis_config::Block;
use rusqlite::Connection;

/// Blocks between two refusals for the same reason from which they are two stretches.
const STRETCH: i64 = 50;

/// Stretches of one hotkey that are kept: more than there are reasons.
const MOST: i64 = 1000;

/// Where on its way a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It could not be fetched.
    Fetch,
    /// Its outside is not in order.
    Parse,
    /// It does not open.
    Open,
    /// What it holds for one challenge is not taken.
    Decode,
}

impl Stage {
    /// The word for it in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Parse => "parse",
            Self::Open => "open",
            Self::Decode => "decode",
        }
    }
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejection {
    /// Who sent it.
    pub hotkey: String,
    /// Where it was refused.
    pub stage: Stage,
    /// The challenge, where only its part was refused; else empty.
    pub ticker: String,
    /// A word for counting.
    pub code: String,
    /// A sentence for the miner.
    pub detail: String,
}

impl Rejection {
    /// Characters of a detail that are kept.
    pub const LONGEST_DETAIL: usize = 500;
}

/// A stretch of refusals of one hotkey for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectionCounts {
    /// The newest of them.
    pub last: Rejection,
    /// Block of the first one.
    pub first_block: Block,
    /// Block of the newest one.
    pub last_block: Block,
    /// How many there were.
    pub times: u64,
}

/// How many payloads there were in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadTotals {
    /// Taken to wait for their opening.
    pub accepted: u64,
    /// Of those, served unchanged.
    pub stale: u64,
    /// Of those, such as anybody could have opened already.
    pub early: u64,
    /// Of those, opened so far.
    pub opened: u64,
    /// Not there, or refused as a whole.
    pub refused: u64,
}

impl Ledger {
    /// RejectionCounts payloads of all hotkeys since the ledger was begun.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn totals(&self) -> Result<PayloadTotals, LedgerError> {
        if !super::schema::has_table(&self.conn, &self.path, "host_miners")? {
            return Ok(PayloadTotals::default());
        }
        let sql = "SELECT COALESCE(SUM(accepted), 0), COALESCE(SUM(stale), 0), COALESCE(SUM(early), 0),
            COALESCE(SUM(opened), 0),
            (SELECT COALESCE(SUM(times), 0) FROM host_rejections WHERE ticker = '') FROM host_miners";
        self.conn
            .query_row(sql, [], |row| {
                let count = |column| row.get(column).map(i64::cast_unsigned);
                Ok(PayloadTotals {
                    accepted: count(0)?,
                    stale: count(1)?,
                    early: count(2)?,
                    opened: count(3)?,
                    refused: count(4)?,
                })
            })
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_miners", e))
    }

    /// Why a hotkey's payloads were refused, newest first; of everybody where `hotkey` is `None`. Empty where the
    /// file has no such table.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn rejections(&self, hotkey: Option<&str>) -> Result<Vec<RejectionCounts>, LedgerError> {
        if !super::schema::has_table(&self.conn, &self.path, "host_rejections")? {
            return Ok(Vec::new());
        }
        let sql = "SELECT hotkey, stage, ticker, code, detail, first_block, last_block, times FROM host_rejections
            WHERE ?1 IS NULL OR hotkey = ?1 ORDER BY last_block DESC, hotkey, stage, ticker, code, first_block";
        let read = |row: &rusqlite::Row<'_>| {
            let stage: String = row.get(1)?;
            let known = [Stage::Fetch, Stage::Parse, Stage::Open, Stage::Decode];
            let last = Rejection {
                hotkey: row.get(0)?,
                stage: known.into_iter().find(|known| known.as_str() == stage).unwrap_or(Stage::Parse),
                ticker: row.get(2)?,
                code: row.get(3)?,
                detail: row.get(4)?,
            };
            let times: i64 = row.get(7)?;
            Ok(RejectionCounts {
                last,
                first_block: Block(row.get(5)?),
                last_block: Block(row.get(6)?),
                times: times.cast_unsigned(),
            })
        };
        self.conn
            .prepare_cached(sql)
            .and_then(|mut query| query.query_map([hotkey], read)?.collect())
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_rejections", e))
    }
}

/// RejectionCounts a refusal at a block: lengthens the stretch it belongs to, or begins one.
pub(super) fn reject(tx: &Connection, block: Block, rejection: &Rejection) -> rusqlite::Result<()> {
    let Rejection { hotkey, stage, ticker, code, detail } = rejection;
    let detail: String = detail.chars().take(Rejection::LONGEST_DETAIL).collect();
    let key = (hotkey, stage.as_str(), ticker, code);
    let lengthened = tx
        .prepare_cached(
            "UPDATE host_rejections SET last_block = MAX(last_block, ?5), times = times + 1, detail = ?6
            WHERE hotkey = ?1 AND stage = ?2 AND ticker = ?3 AND code = ?4 AND first_block = (
                SELECT MAX(first_block) FROM host_rejections
                WHERE hotkey = ?1 AND stage = ?2 AND ticker = ?3 AND code = ?4 AND last_block >= ?5 - ?7)",
        )?
        .execute((key.0, key.1, key.2, key.3, block.0, &detail, STRETCH))?;
    if lengthened == 0 {
        tx.prepare_cached(
            "INSERT INTO host_rejections (hotkey, stage, ticker, code, first_block, last_block, times, detail)
            VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6)",
        )?
        .execute((key.0, key.1, key.2, key.3, block.0, &detail))?;
        tx.prepare_cached(
            "DELETE FROM host_rejections WHERE hotkey = ?1 AND last_block < (
                SELECT last_block FROM host_rejections WHERE hotkey = ?1
                ORDER BY last_block DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute((hotkey, MOST - 1))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_for_ever_other_reasons_leaves_no_endless_trail() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let refusal = |hotkey: &str, code: i64| Rejection {
            hotkey: hotkey.into(),
            stage: Stage::Parse,
            ticker: String::new(),
            code: format!("code {}", code % 20),
            detail: "x".repeat(1000),
        };
        reject(ledger.raw(), Block(0), &refusal("quiet", 0)).unwrap();
        for k in 0..3000 {
            reject(ledger.raw(), Block(5 * k), &refusal("loud", k)).unwrap();
        }
        let loud = ledger.rejections(Some("loud")).unwrap();
        assert_eq!((loud.len(), loud[0].last_block), (MOST as usize, Block(5 * 2999)));
        assert_eq!(ledger.rejections(Some("quiet")).unwrap().len(), 1);
    }
}
