//! Releases of a validator that runs: `mantis release status`, `mantis release take`, and what one begins with.

use crate::cli::Lasting;
use crate::cli::output::{Table, print, print_json};
use anyhow::Context;
use clap::Args;
use mantis_ledger::{Ledger, TakenRelease};
use mantis_release::{Digest, Folder};
use mantis_validator::release::{ReleaseKeeper, ReleaseStore, RestoreError, Timeline, restore};
use semver::Version;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis release status --ledger datalog.db")]
pub(in crate::cli) struct StatusArgs {
    /// The validator's ledger; it is only read.
    #[arg(long, value_name = "DB", default_value = "datalog.db")]
    ledger: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis release take 14 --ledger datalog.db")]
pub(in crate::cli) struct TakeArgs {
    /// Its number.
    number: u32,
    /// The validator's ledger.
    #[arg(long, value_name = "DB", default_value = "datalog.db")]
    ledger: PathBuf,
}

/// A release that a validator has.
#[derive(Debug, Serialize)]
struct Row {
    number: u32,
    activate: i64,
    sha256: Digest,
    /// The newest block when it was taken; `None` for one that does not count yet.
    taken: Option<i64>,
    expires: Option<i64>,
    /// Whether its operator has agreed to it, where that is asked.
    agreed: bool,
}

pub(super) fn status(args: &StatusArgs) -> anyhow::Result<()> {
    let ledger = Ledger::read(&args.ledger)?;
    let (taken, store) = (ledger.releases()?, ReleaseStore::beside(&args.ledger));
    let mut rows: Vec<Row> = taken.iter().map(of_taken).collect();
    let known = taken.last().map_or(0, |last| last.number);
    let coming = store.all().into_iter().filter(|folder| folder.release.number > known);
    rows.extend(coming.map(|folder| of_coming(&folder, &store)));
    if args.json {
        return print_json(&serde_json::json!({ "releases": rows }));
    }
    if rows.is_empty() {
        return print("no release was taken, and none is here: the file alone counts\n");
    }
    let mut table = Table::new(["release", "from block", "", "sha256"]);
    for row in &rows {
        let state = match (row.taken, row.agreed) {
            (Some(taken), _) if taken > row.activate => format!("taken at block {taken}, late"),
            (Some(_), _) => "taken".into(),
            (None, true) => "to come, agreed".into(),
            (None, false) => "to come".into(),
        };
        let digest = format!("{}..", row.sha256.short());
        table.row([row.number.to_string(), row.activate.to_string(), state, digest]);
    }
    print(&table.render())
}

pub(super) fn take(args: &TakeArgs) -> anyhow::Result<()> {
    let taken = Ledger::read(&args.ledger)?.releases()?;
    let store = ReleaseStore::beside(&args.ledger);
    anyhow::ensure!(
        taken.iter().all(|taken| taken.number != args.number),
        "release {} was taken already",
        args.number
    );
    // Of two with one number the validator has found the later one to follow.
    let folder = store.all().into_iter().rfind(|folder| folder.release.number == args.number);
    let folder = folder.with_context(|| {
        format!(
            "release {} is not in {}: the validator stages it once it is published and found sound",
            args.number,
            store.folder().display()
        )
    })?;
    store
        .agree(args.number, &folder.digest())
        .with_context(|| format!("cannot write to {}", store.folder().display()))?;
    print(&format!(
        "release {} ({}..) will be taken: it counts from block {} on\n",
        args.number,
        folder.digest().short(),
        folder.release.activate
    ))
}

fn of_taken(release: &TakenRelease) -> Row {
    Row {
        number: release.number,
        activate: release.activate.0,
        sha256: Digest(release.sha256),
        taken: Some(release.taken.0),
        expires: None,
        agreed: true,
    }
}

fn of_coming(folder: &Folder, store: &ReleaseStore) -> Row {
    let (release, sha256) = (&folder.release, folder.digest());
    Row {
        number: release.number,
        activate: release.activate,
        sha256,
        taken: None,
        expires: Some(release.expires),
        agreed: store.is_agreed(release.number, &sha256),
    }
}

/// Puts the releases that the ledger knows back in force; what follows them from then on.
///
/// # Errors
/// If the one that counts cannot be had or run.
pub(in crate::cli) async fn resume(
    timeline: &mut Timeline,
    ledger: &Ledger,
) -> anyhow::Result<Option<ReleaseKeeper>> {
    let Some(source) = timeline.file().release.clone() else { return Ok(None) };
    let version = Version::parse(env!("CARGO_PKG_VERSION"))?;
    if let Err(error) = restore(timeline, &source, ledger, &version).await {
        return Err(match error {
            // Another try may reach the server.
            RestoreError::Release { ref rejection, .. } if !rejection.passes() => {
                Lasting(error.into()).into()
            }
            other => other.into(),
        });
    }
    let store = ReleaseStore::beside(ledger.path());
    Ok(ReleaseKeeper::new(&source, store, &ledger.releases()?, version)?)
}
