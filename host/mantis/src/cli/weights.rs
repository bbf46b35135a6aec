//! `mantis weights`.

use super::output::{Table, print, print_json, short};
use super::shared::{ConfigArgs, ScoringArgs};
use anyhow::Context;
use clap::Args;
use mantis_config::{Block, Config};
use mantis_ledger::Ledger;
use mantis_network::chain::Neuron;
use mantis_validator::weights_of_scores;
use mantis_weights::Scores;
use mantis_weights::{Input, Outcome, SettleRules, Settlement, on_chain, settle};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis weights --input salience.json --json\n\nThe input:\n  {\"salience\": \
    {\"<hotkey>\": 0.7}, \"metagraph\": [{\"uid\": 0, \"hotkey\": \"<hotkey>\"}],\n   \"first_block\": {\"<hotkey>\": \
    6900000}, \"block\": 7000000, \"previous\": null}\n\nA salience \"__burn__\" is what nobody earns: it goes to the \
    UID that the burn goes to."
)]
pub(super) struct WeightsArgs {
    /// Saliences, metagraph, first blocks, block and previous weights as JSON; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) input: PathBuf,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &WeightsArgs) -> anyhow::Result<()> {
    let name = args.input.display();
    let text = if args.input.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        text
    } else {
        std::fs::read_to_string(&args.input).with_context(|| format!("cannot read {name}"))?
    };
    let mut input: Input =
        serde_json::from_str(&text).with_context(|| format!("{name} is not what is needed"))?;
    input.take_burn();
    let outcome = settle(&input, &rules(args)?).with_context(|| name.to_string())?;
    match outcome {
        Outcome::Rejected(reason) if args.json => {
            print_json(&serde_json::json!({ "rejected": reason.to_string() }))
        }
        Outcome::Rejected(reason) => print(&format!("rejected: {reason}; the weights on chain stay\n")),
        Outcome::Weights(steps) if args.json => {
            let weights: BTreeMap<u16, f64> = steps.iter().map(|step| (step.uid, step.weight)).collect();
            print_json(&serde_json::json!({ "weights": weights }))
        }
        Outcome::Weights(steps) => print(&text_of(&steps)),
    }
}

/// What the scores of a ledger come to. Without `neurons`, every stored hotkey counts as registered. `guests` are the blocks of
/// the first vectors of those that are not in the ledger.
pub(super) fn settled(
    config: &Config,
    args: &ScoringArgs,
    scores: &Scores,
    neurons: Option<Vec<Neuron>>,
    guests: &BTreeMap<String, Block>,
) -> anyhow::Result<Outcome> {
    let neurons = neurons.unwrap_or_else(|| everybody(scores, &SettleRules::from(&config.network)));
    let (ledger, histories) = (Ledger::read(&args.ledger)?, args.cache.histories(&args.ledger));
    Ok(weights_of_scores(config, &ledger, histories.as_deref(), scores, &neurons, guests)?)
}

/// A made-up metagraph: no miner at the burn UID, then every stored hotkey.
fn everybody(scores: &Scores, rules: &SettleRules) -> Vec<Neuron> {
    let hotkeys: BTreeSet<&String> = scores.challenges.iter().flat_map(|c| &c.hotkeys).collect();
    let uids = (0..=u16::MAX).filter(|&uid| uid != rules.burn_uid);
    let miners =
        uids.zip(hotkeys).map(|(uid, hotkey)| Neuron { uid, hotkey: hotkey.clone(), ..Neuron::default() });
    [Neuron { uid: rules.burn_uid, hotkey: "(burn)".into(), ..Neuron::default() }]
        .into_iter()
        .chain(miners)
        .collect()
}

/// The constants of the configuration, or the network's where the default configuration is not there.
fn rules(args: &WeightsArgs) -> anyhow::Result<SettleRules> {
    if !args.config.config.exists() && args.config.config.as_os_str() == "challenges.toml" {
        return Ok(SettleRules::default());
    }
    Ok(SettleRules::from(&Config::load(&args.config.config)?.network))
}

fn text_of(steps: &[Settlement]) -> String {
    let on_chain = on_chain(steps);
    let mut table = Table::new(["uid", "hotkey", "share", "after burn", "weight", "u16", ""]);
    for step in steps.iter().filter(|step| step.weight > 0.0) {
        table.row([
            step.uid.to_string(),
            short(&step.hotkey),
            format!("{:.6}", step.share),
            format!("{:.6}", step.burned),
            format!("{:.6}", step.weight),
            on_chain.get(&step.uid).copied().unwrap_or(0).to_string(),
            if step.young { "young".into() } else { String::new() },
        ]);
    }
    table.render()
}
