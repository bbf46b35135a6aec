//! `mantis release`.

mod check;
mod compare;
mod make;
mod running;
mod sign;
mod winners;

pub(super) use running::resume;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum ReleaseCommand {
    /// Make a release of a configuration and its plugins.
    New(make::NewArgs),
    /// Make a new release of what an earlier one says.
    Revert(make::RevertArgs),
    /// Show each changed key, and what every challenge's share becomes.
    Diff(compare::DiffArgs),
    /// Hold a release to all that a validator holds it to, and ask its plugins.
    Check(check::CheckArgs),
    /// Sign a release with a hotkey.
    Sign(sign::SignArgs),
    /// Put a signed release into a folder that any web server can serve, or into a bucket.
    Publish(sign::PublishArgs),
    /// Show which release a validator goes by, and which are to come.
    Status(running::StatusArgs),
    /// Agree to a release, where `take` in [release] is "ask".
    Take(running::TakeArgs),
}

pub(super) fn run(command: &ReleaseCommand) -> anyhow::Result<()> {
    match command {
        ReleaseCommand::New(args) => make::new(args),
        ReleaseCommand::Revert(args) => make::revert(args),
        ReleaseCommand::Diff(args) => compare::run(args),
        ReleaseCommand::Check(args) => check::run(args),
        ReleaseCommand::Sign(args) => sign::sign(args),
        ReleaseCommand::Publish(args) => sign::publish(args),
        ReleaseCommand::Status(args) => running::status(args),
        ReleaseCommand::Take(args) => running::take(args),
    }
}
