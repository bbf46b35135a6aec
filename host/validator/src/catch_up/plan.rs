//! Which parts are wanted.

use mantis_ledger::published::Day;
use mantis_ledger::{Ledger, LedgerError};
use mantis_release::ledger::{LedgerIndex, ListedPart};

/// The parts of the last days that have more than is here, or that have changed since they were merged; oldest first. Where
/// `all`, also those of which nothing is missing, unless they were merged as they are.
pub(super) fn wanted(
    index: &LedgerIndex,
    ledger: &Ledger,
    days: u32,
    all: bool,
) -> Result<Vec<ListedPart>, LedgerError> {
    let known = ledger.known_parts()?;
    let newest = index.parts.last().map_or(0, |part| part.day);
    let mut wanted = Vec::new();
    for part in index.parts.iter().filter(|part| part.day > newest - i64::from(days)) {
        let day = Day(part.day);
        let before = known.get(&day);
        if before.is_some_and(|before| before.content == part.content.0) && !all {
            continue;
        }
        // What was fetched from somebody else, and is final, stays.
        let is_changed = before.is_some_and(|before| before.publisher == index.publisher || !before.is_final);
        let is_missing = match part.blocks {
            // Rows whose blocks were forgotten: there is nothing to count.
            0 => before.is_none(),
            blocks => ledger.blocks_of(day)? < blocks,
        };
        if all || is_changed || is_missing {
            wanted.push(*part);
        }
    }
    Ok(wanted)
}
