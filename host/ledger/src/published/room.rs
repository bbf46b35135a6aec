//! Places for blocks that come late: `idx` of the table `blocks` is the order of sampling, by which other programs of the network
//! read them, and payloads that wait are found by it.

use mantis_config::Block;
use rusqlite::{Connection, OptionalExtension};

/// Tables that name blocks by their place.
const BY_PLACE: [&str; 3] = [
    "UPDATE raw_payloads SET ts = ?1 WHERE ts = ?2",
    "UPDATE host_waiting SET ts = ?1 WHERE ts = ?2",
    "UPDATE host_openings SET ts = ?1 WHERE ts = ?2",
];

/// Stores blocks that are not there yet, in order, each between those before and after it. What lies behind a gap moves once, so
/// far that all that is missing in the gap has a place.
pub(super) fn insert(conn: &Connection, blocks: &[Block], sample_every: u32) -> rusqlite::Result<()> {
    for block in blocks {
        let place = place_of(conn, *block, sample_every)?;
        conn.prepare_cached("INSERT INTO blocks (idx, block) VALUES (?1, ?2)")?.execute((place, block.0))?;
    }
    Ok(())
}

fn place_of(conn: &Connection, block: Block, sample_every: u32) -> rusqlite::Result<i64> {
    let neighbour = |sql: &str| -> rusqlite::Result<Option<(i64, Block)>> {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Block(row.get(1)?)));
        conn.prepare_cached(sql)?.query_row([block.0], read).optional()
    };
    let before =
        neighbour("SELECT idx, block FROM blocks WHERE block < ?1 ORDER BY block DESC, idx DESC LIMIT 1")?;
    let after = neighbour("SELECT idx, block FROM blocks WHERE block > ?1 ORDER BY block, idx LIMIT 1")?;
    let rows = |from: Block, to: Block| (to - from).div_euclid(i64::from(sample_every.max(1))).max(1);
    match (before, after) {
        (None, None) => Ok(0),
        (Some((place, _)), None) => {
            // Behind all, also behind those that are not in order.
            let last: i64 = conn.query_row("SELECT MAX(idx) FROM blocks", [], |row| row.get(0))?;
            Ok(last.max(place) + 1)
        }
        (None, Some((place, next))) => {
            let wanted = rows(block, next);
            let missing = wanted - place;
            if missing > 0 {
                move_up(conn, place, missing)?;
            }
            Ok(place + missing.max(0) - wanted)
        }
        (Some((low, last)), Some((high, next))) => {
            let missing = rows(last, next) - (high - low);
            if missing > 0 {
                move_up(conn, high, missing)?;
            }
            Ok(low + rows(last, block))
        }
    }
}

/// Moves the blocks from a place on, the last first, so that none meets another.
fn move_up(conn: &Connection, from: i64, by: i64) -> rusqlite::Result<()> {
    let places: Vec<i64> = conn
        .prepare("SELECT idx FROM blocks WHERE idx >= ?1 ORDER BY idx DESC")?
        .query_map([from], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for place in places {
        conn.prepare_cached("UPDATE blocks SET idx = ?1 WHERE idx = ?2")?.execute((place + by, place))?;
        for sql in BY_PLACE {
            conn.prepare_cached(sql)?.execute((place + by, place))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ledger;
    use proptest::prelude::*;

    fn blocks(ledger: &Ledger) -> Vec<(i64, i64)> {
        let mut query = ledger.raw().prepare("SELECT idx, block FROM blocks ORDER BY idx").unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    proptest! {
        #[test]
        fn blocks_stay_in_order_and_payloads_with_theirs(
            there in proptest::collection::btree_set(0_i64..60, 0..20),
            runs in proptest::collection::vec(proptest::collection::btree_set(0_i64..60, 0..20), 1..4),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let ledger = Ledger::open(dir.path().join("a.db")).unwrap();
            for (place, number) in (0_i64..).zip(&there) {
                ledger.raw().execute("INSERT INTO blocks VALUES (?1, ?2)", (place, 5 * number)).unwrap();
                let sql = "INSERT INTO raw_payloads VALUES (?1, '5A', ?2)";
                ledger.raw().execute(sql, (place, number.to_string())).unwrap();
                let sql = "INSERT INTO host_waiting VALUES (?1, '5A', ?2, 0)";
                ledger.raw().execute(sql, (place, number)).unwrap();
            }
            let mut all = there.clone();
            for run in runs {
                let new: Vec<Block> = run.iter().filter(|number| !all.contains(number)).map(|number| Block(5 * number)).collect();
                insert(ledger.raw(), &new, 5).unwrap();
                all.extend(run);
            }
            let stored = blocks(&ledger);
            let numbers: Vec<i64> = stored.iter().map(|(_, block)| block / 5).collect();
            prop_assert_eq!(numbers, all.into_iter().collect::<Vec<_>>());
            prop_assert!(stored.iter().all(|(place, _)| *place >= 0));
            let sql = "SELECT block / 5, CAST(payload AS INTEGER), round FROM raw_payloads r
                JOIN blocks b ON b.idx = r.ts JOIN host_waiting w ON w.ts = r.ts ORDER BY block";
            let mut query = ledger.raw().prepare(sql).unwrap();
            let found: Vec<(i64, i64, i64)> = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
                .map(Result::unwrap).collect();
            prop_assert_eq!(found, there.into_iter().map(|n| (n, n, n)).collect::<Vec<_>>());
        }
    }
}
