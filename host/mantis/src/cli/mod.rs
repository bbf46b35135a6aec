//! The command line: each command reads its arguments, calls the library, and prints.

mod challenges;
mod check;
mod commands;
mod config;
mod conform;
mod demo;
mod doctor;
mod explain;
mod explanation;
mod export;
mod feed;
mod listen;
mod log;
mod miner;
mod output;
mod payload;
mod plugin;
mod rewind;
mod score;
mod shared;
mod simulate;
mod store;
mod validator;
mod wallet;
mod weights;

use clap::Parser;
use commands::{Cli, Command};
use config::ConfigCommand;
use std::process::ExitCode;

/// Runs the program: parses the command line, does what it says.
///
/// Exit code 0 on success, 1 on failure with a message on standard error, 2 on wrong usage.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Score(args) => score::run(args),
        Command::Weights(args) => weights::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Challenges(args) => challenges::run(args),
        Command::Config { command: ConfigCommand::Check(args) } => config::check(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Export(args) => export::run(args),
        Command::Feed(args) => feed::run(args),
        Command::Miner(args) => miner::run(args),
        Command::Payload { command } => payload::run(command),
        Command::Plugin { command } => plugin::run(command),
        Command::Rewind(args) => rewind::run(args),
        Command::Check(args) => check::run(args),
        Command::Validator(args) => validator::run(args),
        Command::Dashboard(args) => listen::dashboard(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Worker => mantis_scoring::worker::serve().map_err(Into::into),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What commands that speak to the network run on.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
