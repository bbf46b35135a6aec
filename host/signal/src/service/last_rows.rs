//! The last rows of a challenge's market, straight from the ledger.

use mantis_config::{Challenge, Sidx};
use mantis_ledger::{Ledger, LedgerError, Row};
use mantis_plugin_api::LastRows;
use std::ops::ControlFlow;

/// Rows that a plugin may ask for.
const MOST: usize = 100_000;

/// Up to so many rows before the end of `to`, as the price's source has them; the last is that of `to`, without prices if
/// the ledger has none.
pub(super) fn last_rows(
    ledger: &Ledger,
    challenge: &Challenge,
    to: Sidx,
    rows: usize,
) -> Result<LastRows, LedgerError> {
    let rows = rows.clamp(1, MOST);
    let source = challenge.prices_from.as_deref().unwrap_or(&challenge.ticker);
    let (assets, channels) = (challenge.assets.len().max(1), challenge.channels.len());
    let columns = [challenge.assets.as_slice(), &challenge.channels].concat();
    let mut found = LastRows::default();
    let some = |numbers: &[f64]| numbers.iter().map(|x| x.is_finite().then_some(*x)).collect::<Vec<_>>();
    let first = to + 1 - i64::try_from(rows).unwrap_or(i64::MAX);
    ledger.prices(source, first..=to, |row: Row<'_>| -> Result<_, LedgerError> {
        let mut numbers = vec![f64::NAN; assets + channels];
        row.read_prices(&columns, &mut numbers);
        found.sidx.push(row.sidx.0);
        found.prices.extend(some(&numbers[..assets]));
        found.channels.extend(some(&numbers[assets..]));
        Ok(ControlFlow::Continue(()))
    })?;
    if found.sidx.last() != Some(&to.0) {
        found.sidx.push(to.0);
        found.prices.extend(vec![None; assets]);
        found.channels.extend(vec![None; channels]);
    }
    Ok(found)
}
