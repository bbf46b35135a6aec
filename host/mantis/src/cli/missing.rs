//! What a validator fetches of a published ledger before it begins.

use mantis_config::{Block, Config, Mirrors};
use mantis_ledger::Ledger;
use mantis_validator::catch_up::{CatchUpError, CaughtUp, MirrorSource, Published, Told};
use std::time::Duration;
use tracing::{info, warn};

/// Time that catching up may take where there is a ledger already: sampling waits meanwhile. What is not there by then is
/// fetched at the next start.
const LONGEST: Duration = Duration::from_secs(900);

/// Fetches what is missing of the last days. Without it a ledger that has blocks is gone on with as it is; an empty one is an
/// error, as it pays nobody for weeks.
///
/// # Errors
/// [`CatchUpError`]: of our own ledger; of the mirrors, where there is nothing else.
pub(super) async fn fetch(
    ledger: &mut Ledger,
    config: &Config,
    mirrors: &Mirrors,
    newest: Block,
) -> Result<(), CatchUpError> {
    let source = MirrorSource::from_config(config, mirrors);
    let is_empty = ledger.last_block()?.is_none();
    let seen = ledger.seen_list(&source.publisher)?;
    let published = match Published::find(&source, config, seen, newest).await {
        Ok(published) => published,
        Err(error) if is_empty => return Err(error),
        Err(error) => {
            warn!(%error, "the published ledger is not caught up with; the ledger is gone on with as it is");
            return Ok(());
        }
    };
    for refused in &published.refused {
        warn!(%refused, "a mirror of the published ledger is passed over");
    }
    if !published.is_missing(ledger)? {
        info!(list = published.index.number, "nothing is missing that the published ledger has");
        return Ok(());
    }
    let work = published.catch_up(ledger, config, |told| match told {
        Told::Wanted { parts, bytes } => {
            info!(parts, megabytes = bytes >> 20, "fetching the parts of the published ledger that are missing");
        }
        Told::Merged { part, merged } => {
            info!(day = part.day, blocks = merged.blocks, rows = merged.rows, "a part is merged");
            for found in &merged.examples {
                let (block, ticker) = (found.block, &found.ticker);
                warn!(%block, ticker, prices = ?found.prices, hotkeys = ?found.hotkeys, "a row differs from the published one, and stays");
            }
        }
        Told::Failed(failed) => {
            warn!(day = failed.day, reasons = failed.reasons.join("; "), "a part could not be had");
        }
    });
    if is_empty {
        return told(&work.await?, is_empty);
    }
    match tokio::time::timeout(LONGEST, work).await {
        Ok(done) => told(&done?, is_empty),
        Err(_) => {
            warn!(
                seconds = LONGEST.as_secs(),
                "catching up takes too long; the rest is fetched at the next start"
            );
            Ok(())
        }
    }
}

fn told(done: &CaughtUp, is_empty: bool) -> Result<(), CatchUpError> {
    let (total, failed) = (done.total(), done.failed.len());
    info!(
        parts = done.merged.len(),
        failed,
        blocks = total.blocks,
        rows = total.rows,
        different = total.different,
        "caught up with the published ledger"
    );
    if let Some(fault) = &done.facts_fault {
        warn!(%fault, "the published facts are not taken");
    }
    if is_empty && done.merged.is_empty() && failed > 0 {
        let reasons = done.failed.iter().flat_map(|failed| &failed.reasons).take(5).cloned().collect();
        return Err(CatchUpError::NoParts { reasons });
    }
    Ok(())
}
