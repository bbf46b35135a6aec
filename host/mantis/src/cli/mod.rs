//! The command line: each command reads its arguments, calls the library, and prints.

mod adopt;
mod agree;
mod agreement;
mod challenges;
mod check;
mod checker;
mod commands;
mod config;
mod conform;
mod demo;
mod doctor;
mod explain;
mod explanation;
mod export;
mod facts;
mod feed;
mod guest;
mod health;
mod ledger;
mod listen;
mod log;
mod miner;
mod missing;
mod output;
mod payload;
mod plugin;
mod publish;
mod release;
mod replay;
mod rewind;
mod salience;
mod score;
mod sdk;
mod shared;
mod signal;
mod simulate;
mod store;
mod supervisor;
mod validator;
mod wallet;
mod weights;

use clap::Parser;
use commands::{Cli, Command};
use config::ConfigCommand;
use std::process::ExitCode;

/// Runs the program: parses the command line, does what it says.
///
/// Exit code 0 on success, 1 on failure with a message on standard error, 2 on wrong usage, or where a command whose 0 and 1
/// are answers has none, 78 (`EX_CONFIG`) on a failure that starting again does not mend.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Score(args) => score::run(args),
        Command::Salience(args) => salience::run(args),
        Command::Sdk { command } => sdk::run(command),
        Command::Weights(args) => weights::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Agree(args) => agree::run(args),
        Command::Challenges(args) => challenges::run(args),
        Command::Config { command: ConfigCommand::Check(args) } => config::check(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Export(args) => export::run(args),
        Command::Feed(args) => feed::run(args),
        Command::Health(args) => health::run(args),
        Command::Ledger { command } => ledger::run(command),
        Command::Miner(args) => miner::run(args),
        Command::Payload { command } => payload::run(command),
        Command::Plugin { command } => plugin::run(command),
        Command::Publish(args) => publish::run(args),
        Command::Release { command } => release::run(command),
        Command::Replay(args) => replay::run(args),
        Command::Adopt(args) => adopt::run(args),
        Command::Rewind(args) => rewind::run(args),
        Command::Check(args) => check::run(args),
        Command::Validator(args) => validator::run(args),
        Command::Dashboard(args) => listen::dashboard(args),
        Command::Signal { command } => signal::run(command),
        Command::Simulate(args) => simulate::run(args),
        Command::Worker => mantis_scoring::worker::serve().map_err(Into::into),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("error: {error:#}"));
            if error.is::<Lasting>() {
                ExitCode::from(Lasting::EXIT_CODE)
            } else if error.is::<NoAnswer>() {
                ExitCode::from(NoAnswer::EXIT_CODE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// A failure that starting again does not mend: somebody has to change something first.
#[derive(Debug)]
struct Lasting(anyhow::Error);

impl Lasting {
    /// `EX_CONFIG` of sysexits.h, after which the systemd unit does not start again.
    const EXIT_CODE: u8 = 78;
}

impl std::fmt::Display for Lasting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

// Without a source: its message says it.
impl std::error::Error for Lasting {}

/// A failure of a command that answers with 0 or 1, so that it has given no answer.
#[derive(Debug)]
struct NoAnswer(anyhow::Error);

impl NoAnswer {
    const EXIT_CODE: u8 = 2;
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for NoAnswer {}

/// What commands that speak to the network run on.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
