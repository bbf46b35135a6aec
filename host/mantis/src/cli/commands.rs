//! The commands.

use super::ledger::LedgerCommand;
use super::payload::PayloadCommand;
use super::plugin::PluginCommand;
use super::release::ReleaseCommand;
use super::sdk::SdkCommand;
use super::signal::SignalCommand;
use clap::{Parser, Subcommand};

/// A validator for MANTIS: scores miners' forecasts by plugins that challenges.toml names, and sets the weights.
#[derive(Debug, Parser)]
#[command(name = "mantis", version, arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Simulate a few weeks of miners, score them, and show who earned what and why.
    Demo(super::demo::DemoArgs),
    /// Score a ledger: the salience of every miner, per challenge and in total.
    Score(super::score::ScoreArgs),
    /// Say what a strategy's embeddings would earn among the miners of a ledger.
    Salience(Box<super::salience::SalienceArgs>),
    /// Measure a miner's strategy on a ledger, without sight of what comes.
    Sdk {
        #[command(subcommand)]
        command: SdkCommand,
    },
    /// Turn saliences into the weights of the metagraph's UIDs.
    Weights(super::weights::WeightsArgs),
    /// Show what one miner earns, challenge by challenge, and why.
    Explain(super::explain::ExplainArgs),
    /// Go on where the network's Python validator stood: its ledger, and the weights that it has saved.
    Adopt(super::adopt::AdoptArgs),
    /// Compare a ledger's weights with every validator's on the chain: what is clipped, and what they would earn.
    Agree(super::agree::AgreeArgs),
    /// List the challenges: plugins, versions, digests, weights, shares.
    Challenges(super::challenges::ChallengesArgs),
    /// Work with challenges.toml.
    Config {
        #[command(subcommand)]
        command: super::config::ConfigCommand,
    },
    /// Look for what is wrong around a validator, and say what to do about it.
    Doctor(Box<super::doctor::DoctorArgs>),
    /// Write a ledger's tables to Parquet or CSV files.
    Export(super::export::ExportArgs),
    /// Publish the market feed: ask sources for prices and funding rates, upload what they say.
    Feed(super::feed::FeedArgs),
    /// Ask a running validator whether all is well.
    Health(super::health::HealthArgs),
    /// Fetch a ledger that others publish, or compare two.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Mine: seal embeddings, upload them, commit their URL.
    Miner(super::miner::MinerArgs),
    /// Seal and open payloads.
    Payload {
        #[command(subcommand)]
        command: PayloadCommand,
    },
    /// For authors of challenges: make a plugin, build it, look into its file, try it out.
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Show what the validator would store of a miner's embeddings, and every fault in them.
    Check(super::check::CheckArgs),
    /// Validate: sample blocks, open payloads, compute weights and set them, for as long as it runs.
    Validator(Box<super::validator::ValidatorArgs>),
    /// Look at a ledger: its validator's dashboard, without the validator.
    Dashboard(super::listen::DashboardArgs),
    /// Publish a ledger in parts, a day each, for others to fetch.
    Publish(super::publish::PublishArgs),
    /// Make, sign and publish releases of the subnet; agree to one.
    Release {
        #[command(subcommand)]
        command: ReleaseCommand,
    },
    /// Compute history once more, as it was and by other configurations: who would have earned what.
    Replay(Box<super::replay::ReplayArgs>),
    /// Set a ledger back to a block, where a node had it store blocks that the chain never had.
    Rewind(super::rewind::RewindArgs),
    /// The owner's signal: serve what is published, make keys, measure and verify it.
    Signal {
        #[command(subcommand)]
        command: SignalCommand,
    },
    /// Write a ledger of simulated miners.
    Simulate(super::simulate::SimulateArgs),
    /// Serve one job of the host's; not for people.
    #[command(hide = true)]
    Worker,
}
