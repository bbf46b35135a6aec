//! `mantis ledger`.

mod compare;
mod fetch;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Fetch a ledger that is published in parts, or the days of it that are missing here.
    Fetch(fetch::FetchArgs),
    /// Compare the rows of two ledgers, day by day and challenge by challenge.
    Compare(compare::CompareArgs),
}

pub(super) fn run(command: &LedgerCommand) -> anyhow::Result<()> {
    match command {
        LedgerCommand::Fetch(args) => fetch::run(args),
        LedgerCommand::Compare(args) => compare::run(args),
    }
}
