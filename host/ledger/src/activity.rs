//! How each miner sends: our own table `host_activity`, a row per challenge and miner that has rows.

use super::rows::Columns;
use super::{Directory, Ledger, LedgerError, Row, is_nonzero};
use mantis_config::Sidx;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::{ControlFlow, RangeInclusive};

/// How a miner sent to one challenge in a stretch of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Rows in the stretch.
    pub rows: u32,
    /// Those in which something of the miner is stored that is not all zero.
    pub present: u32,
    /// Those of them that differ from the one before.
    pub changes: u32,
    /// `sidx` of the last row in which it is present.
    pub last_sidx: Sidx,
    /// `sidx` of the last row in which it differs from the one before.
    pub changed_sidx: Sidx,
    /// Another hotkey that sent the very same most often, where any did.
    pub twin: Option<String>,
    /// In so many rows.
    pub twin_rows: u32,
}

/// [`Activity`] by ticker and hotkey.
pub type Activities = BTreeMap<String, BTreeMap<String, Activity>>;

/// What is known of a hotkey so far.
#[derive(Default)]
struct Miner {
    activity: Activity,
    last: Vec<u8>,
    /// By the number of the other one.
    same: BTreeMap<usize, u32>,
}

impl Ledger {
    /// Reads how miners sent to a challenge in the rows of a range.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn activity(
        &self,
        ticker: &str,
        range: RangeInclusive<Sidx>,
    ) -> Result<BTreeMap<String, Activity>, LedgerError> {
        let mut names = Directory::default();
        let mut miners: Vec<Miner> = Vec::new();
        let mut rows = 0;
        self.scan(Columns::Submissions, ticker, range, self.any_length(ticker)?, |row: Row<'_>| {
            rows += 1;
            names.rewind();
            // The first that sent a vector; who sends it after that is the first one's twin, and the first the
            // second's.
            let mut first: BTreeMap<&[u8], (usize, bool)> = BTreeMap::new();
            for (hotkey, numbers) in row.submissions {
                let number = names.number(hotkey);
                if number >= miners.len() {
                    miners.resize_with(number + 1, Miner::default);
                }
                if !is_nonzero(numbers, row.submissions.storage()) {
                    continue;
                }
                match first.entry(numbers) {
                    Entry::Vacant(place) => {
                        place.insert((number, false));
                    }
                    Entry::Occupied(mut place) => {
                        let (other, is_known) = place.get_mut();
                        *miners[number].same.entry(*other).or_default() += 1;
                        if !*is_known {
                            *miners[*other].same.entry(number).or_default() += 1;
                            *is_known = true;
                        }
                    }
                }
                let Miner { activity, last, .. } = &mut miners[number];
                if last != numbers {
                    activity.changes += u32::from(!last.is_empty());
                    activity.changed_sidx = row.sidx;
                    last.clear();
                    last.extend_from_slice(numbers);
                }
                activity.present += 1;
                activity.last_sidx = row.sidx;
            }
            Ok::<_, LedgerError>(ControlFlow::Continue(()))
        })?;
        let name: BTreeMap<usize, &String> =
            names.sorted().iter().map(|(name, number)| (*number, name)).collect();
        let finished = miners.into_iter().enumerate().filter(|(_, miner)| miner.activity.present > 0);
        let finished = finished.filter_map(|(number, miner)| {
            let twin = miner.same.iter().max_by_key(|(_, times)| **times);
            let activity = Activity {
                rows,
                twin: twin.and_then(|(other, _)| name.get(other)).map(|name| (*name).clone()),
                twin_rows: twin.map_or(0, |(_, times)| *times),
                ..miner.activity
            };
            Some(((*name.get(&number)?).clone(), activity))
        });
        Ok(finished.collect())
    }

    /// How miners sent, as it was stored with the last computation. Empty where nothing is stored.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn activities(&self) -> Result<Activities, LedgerError> {
        let sql = "SELECT ticker, hotkey, rows, present, changes, last_sidx, changed_sidx, twin, twin_rows
            FROM host_activity";
        let rows = self.record("host_activity", sql, [], |row| {
            let activity = Activity {
                rows: row.get(2)?,
                present: row.get(3)?,
                changes: row.get(4)?,
                last_sidx: Sidx(row.get(5)?),
                changed_sidx: Sidx(row.get(6)?),
                twin: row.get(7)?,
                twin_rows: row.get(8)?,
            };
            Ok((row.get::<_, String>(0)?, row.get(1)?, activity))
        })?;
        let mut all = Activities::new();
        for (ticker, hotkey, activity) in rows {
            all.entry(ticker).or_default().insert(hotkey, activity);
        }
        Ok(all)
    }
}

/// Stores how miners sent, in place of what is stored.
pub(super) fn write(tx: &Connection, all: &Activities) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM host_activity", [])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO host_activity
        (ticker, hotkey, rows, present, changes, last_sidx, changed_sidx, twin, twin_rows)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (ticker, miners) in all {
        for (hotkey, activity) in miners {
            let Activity { rows, present, changes, last_sidx, changed_sidx, twin, twin_rows } = activity;
            insert.execute((
                ticker,
                hotkey,
                rows,
                present,
                changes,
                last_sidx.0,
                changed_sidx.0,
                twin,
                twin_rows,
            ))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Computation, NewRow, SampledBlock, Vector};
    use half::f16;
    use mantis_config::Block;

    #[test]
    fn presence_changes_and_twins_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let vector = |x: i64| Vector::from(vec![f16::from_f64(x as f64), f16::ONE]);
        let zero = Vector::from(vec![f16::ZERO; 2]);
        let step = |k: i64| {
            let mut submissions = vec![("a".to_owned(), vector(k)), ("b".to_owned(), vector(9))];
            if k % 2 == 0 {
                submissions.push(("c".into(), vector(k)));
            }
            submissions.push(("d".into(), zero.clone()));
            let record = NewRow { ticker: "T".into(), submissions, ..NewRow::default() };
            SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![record] }
        };
        ledger.append_many((0..8).map(step).collect::<Vec<_>>(), 100).unwrap();
        let found = ledger.activity("T", Sidx(2)..=Sidx(7)).unwrap();
        let seen = |present, changes, last_sidx, changed_sidx, twin: Option<&str>, twin_rows| Activity {
            rows: 6,
            present,
            changes,
            last_sidx: Sidx(last_sidx),
            changed_sidx: Sidx(changed_sidx),
            twin: twin.map(String::from),
            twin_rows,
        };
        assert_eq!(found["a"], seen(6, 5, 7, 7, Some("c"), 3));
        assert_eq!(found["b"], seen(6, 0, 7, 2, None, 0));
        assert_eq!(found["c"], seen(3, 2, 6, 6, Some("a"), 3));
        assert!(!found.contains_key("d"), "zeros are nothing");
        let activities: Activities = [("T".to_owned(), found)].into();
        assert_eq!(ledger.activities().unwrap(), Activities::new());
        let computation =
            Computation { block: Block(1), activities: activities.clone(), ..Computation::default() };
        ledger.store_computation(&computation).unwrap();
        ledger.store_computation(&computation).unwrap();
        assert_eq!(ledger.activities().unwrap(), activities);
    }
}
