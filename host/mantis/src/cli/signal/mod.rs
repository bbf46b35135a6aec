//! `mantis signal`.

mod key;
mod make;
mod record;
mod serve;
mod shared;
mod show;

pub(super) use make::words as fit_words;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum SignalCommand {
    /// Make, list, revoke and replace keys of buyers.
    Key {
        #[command(subcommand)]
        command: key::KeyCommand,
    },
    /// Forecast from each row of the owner's validator before its payloads' round is out, and serve it.
    Run(make::RunArgs),
    /// Forecast a ledger's past as it would have been, into a store of its own.
    Replay(make::ReplayArgs),
    /// Show the newest forecast of each challenge, and what those before it were worth.
    Show(show::ShowArgs),
    /// Show what the published forecasts of a signal were worth.
    Record(record::RecordArgs),
    /// Walk through all that was published: numbers, hashes, signed days.
    Verify(record::VerifyArgs),
    /// Serve what is published: API, stream, page.
    Serve(serve::ServeArgs),
}

pub(super) fn run(command: &SignalCommand) -> anyhow::Result<()> {
    match command {
        SignalCommand::Key { command } => key::run(command),
        SignalCommand::Run(args) => make::run(args),
        SignalCommand::Replay(args) => make::replay(args),
        SignalCommand::Show(args) => show::show(args),
        SignalCommand::Record(args) => record::record(args),
        SignalCommand::Verify(args) => record::verify(args),
        SignalCommand::Serve(args) => serve::run(args),
    }
}
