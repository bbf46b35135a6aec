//! `mantis release diff`.

use crate::cli::output::{Table, print, print_json};
use crate::cli::score::launcher;
use crate::release::{Comparison, Side, compare};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis release diff release-13 release-14\n  mantis release diff challenges.toml release-14"
)]
pub(in crate::cli) struct DiffArgs {
    /// The release before, a folder; or a configuration.
    old: PathBuf,
    /// The release after it.
    new: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DiffArgs) -> anyhow::Result<()> {
    let (old, new) = (Side::load(&args.old)?, Side::load(&args.new)?);
    let comparison = compare(&old, &new, &launcher(60.0)?);
    if args.json { print_json(&comparison) } else { print(&text(&comparison)) }
}

fn text(comparison: &Comparison) -> String {
    let mut table = Table::new(["ticker", "share before", "after", "plugin before", "after"]);
    let percent =
        |share: Option<f64>| share.map_or_else(|| "-".into(), |share| format!("{:.2}%", 100.0 * share));
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".into());
    for share in &comparison.shares {
        table.row([
            share.ticker.clone(),
            percent(share.before),
            percent(share.after),
            version(&share.version_before),
            version(&share.version_after),
        ]);
    }
    let changes: String = comparison.changes.iter().map(|line| format!("{line}\n")).collect();
    let changes = if changes.is_empty() { "nothing is changed\n".into() } else { changes };
    format!("{changes}\n{}", table.render())
}
