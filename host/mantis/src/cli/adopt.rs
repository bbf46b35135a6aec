//! `mantis adopt`.

use super::output::{complain, print};
use crate::adopt::SavedWeights;
use anyhow::{Context, bail, ensure};
use clap::Args;
use mantis_config::Block;
use mantis_ledger::{Ledger, Lock, Weights};
use std::fs;
use std::path::PathBuf;

/// Blocks that saved weights may be newer than the ledger: a day.
const AHEAD: i64 = 7200;
/// Blocks after which they are old: at 0.15 of the new every 1,000 blocks, 0.85^50 of them is left after a week, 0.0003.
const OLD: i64 = 7 * 7200;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis adopt --ledger .storage/mantis_datalog.db --weights .storage/saved_weights.pkl\n\nStop the network's \
    validator first, or give copies of both files; its tables are only read, and it can go on with them afterwards. The \
    pickle is read as data: nothing of it is run."
)]
pub(super) struct AdoptArgs {
    /// The ledger of the network's validator.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    /// Its saved weights, saved_weights.pkl: the next ones are smoothed with them. Without them, the first are not smoothed.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
}

pub(super) fn run(args: &AdoptArgs) -> anyhow::Result<()> {
    // A file that is not there is not made, and one that is no ledger is left alone.
    Ledger::read(&args.ledger)?;
    let _lock = Lock::take(&args.ledger)?;
    let saved = args.weights.as_ref().map(|path| {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        SavedWeights::parse(&bytes).with_context(|| path.display().to_string())
    });
    let saved = saved.transpose()?;
    let mut ledger = Ledger::open(&args.ledger)?;
    let place = args.ledger.display();
    let Some(newest) = ledger.last_block()? else {
        bail!("{place}: there is no block in it; give the ledger that the network's validator writes");
    };
    if let Some(saved) = &saved {
        check(saved, &ledger, newest)?;
    }
    let summed = ledger.sum_all(|made| {
        if made.is_multiple_of(100_000) {
            complain(&format!("{made} rows have checksums now"));
        }
    })?;
    let mut said = format!(
        "{place}: its newest block is {newest}; {summed} rows of another program have checksums now\n"
    );
    if let Some(SavedWeights { block, weights }) = saved {
        let (hotkeys, paid) = (weights.len(), weights.values().filter(|weight| **weight > 0.0).count());
        ledger.adopt_weights(&Weights { block, weights })?;
        said += &format!(
            "the next weights are smoothed with those of block {block}: {hotkeys} hotkeys, of which {paid} have a weight\n"
        );
        if newest - block > OLD {
            said += "they are more than a week old, and hardly anything of them is left in what other validators have smoothed since: the first weights \
                     will be far from theirs, for a day or two\n";
        }
    }
    said += &format!(
        "\nNext, beside the old validator on a copy, or after it has ended:\n  \
        mantis doctor --network finney --ledger {place} --wallet-name NAME --wallet-hotkey HOTKEY\n  \
        mantis validator --network finney --ledger {place} --dry-run\n  \
        mantis agree --network finney --ledger {place} --hotkey SS58    # how far from the others, and what it would earn\n\
        Then stop the old one, and:\n  \
        mantis validator --network finney --ledger {place} --wallet-name NAME --wallet-hotkey HOTKEY --take-over\n\
        Back: stop this one and start the old one; its tables are as it left them, with the blocks that came since.\n"
    );
    print(&said)
}

/// Whether the weights are of the ledger's time, and of before what this program has computed itself.
fn check(saved: &SavedWeights, ledger: &Ledger, newest: Block) -> anyhow::Result<()> {
    let SavedWeights { block, .. } = saved;
    ensure!(
        *block <= newest + AHEAD,
        "the weights are of block {block}, and the ledger ends with block {newest}: give the ledger that was written beside them"
    );
    if let Some(own) = ledger.previous_weights()? {
        ensure!(
            own.block < *block,
            "the ledger has weights of block {} already, and the file's are of block {block}: they are not newer, and nothing is to be \
             adopted",
            own.block
        );
    }
    Ok(())
}
