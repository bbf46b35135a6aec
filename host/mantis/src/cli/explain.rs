//! `mantis explain`.

use super::output::{Table, print, print_json};
use super::score::scored;
use super::shared::ScoringArgs;
use super::weights::settled;
use anyhow::{Context, bail};
use clap::Args;
use mantis_config::Config;
use mantis_network::chain::Neuron;
use mantis_weights::{Outcome, Settlement, on_chain};
use mantis_weights::{Scored, Scores};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis explain 5F3sa2TJ... --ledger datalog.db")]
pub(super) struct ExplainArgs {
    /// The miner's hotkey, or the beginning of it.
    pub(super) hotkey: String,
    #[command(flatten)]
    pub(super) scoring: ScoringArgs,
    /// The metagraph: a JSON list of {"uid", "hotkey"}. Without it, every stored hotkey counts as registered.
    #[arg(long, value_name = "FILE")]
    pub(super) metagraph: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

/// All that is known of one miner.
#[derive(Serialize)]
struct Explanation {
    hotkey: String,
    challenges: Vec<Part>,
    /// Its part of the aggregated salience.
    total: f64,
    /// Whether UIDs are real; without a metagraph, every stored hotkey counts as registered.
    metagraph: bool,
    weight: Option<Settlement>,
    u16: Option<u16>,
    /// Why no weights are set at all.
    rejected: Option<String>,
}

/// What one challenge makes of it.
#[derive(Serialize)]
struct Part {
    ticker: String,
    /// The challenge's part of all weights that count.
    share_of_weights: f64,
    /// The miner's part of the challenge.
    salience: f64,
    /// Its place among the miners paid; `None` where it is not.
    rank: Option<usize>,
    paid: usize,
    why_zero: Option<String>,
    facts: BTreeMap<String, f64>,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let (config, scores) = scored(&args.scoring)?;
    let hotkey = find(&args.hotkey, &scores)?;
    let neurons = match &args.metagraph {
        Some(file) => {
            let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            Some(serde_json::from_slice(&text).with_context(|| {
                format!("{}: expected a JSON list of {{\"uid\", \"hotkey\"}}", file.display())
            })?)
        }
        None => None,
    };
    let explanation = explain(&config, &args.scoring.ledger, &scores, hotkey, neurons)?;
    if args.json { print_json(&explanation) } else { print(&text(&explanation)) }
}

/// The one known hotkey that begins like this.
fn find(wanted: &str, scores: &Scores) -> anyhow::Result<String> {
    let known: BTreeSet<&String> = scores.challenges.iter().flat_map(|c| &c.hotkeys).collect();
    let mut matches = known.iter().filter(|hotkey| hotkey.starts_with(wanted));
    match (matches.next(), matches.next()) {
        (Some(hotkey), None) => Ok((*hotkey).clone()),
        (Some(a), Some(b)) => match known.get(&wanted.to_owned()) {
            Some(exact) => Ok((*exact).clone()),
            None => {
                bail!("{wanted} is the beginning of several hotkeys, {a} and {b} among them; give more of it")
            }
        },
        (None, _) => bail!(
            "no hotkey in the ledger begins with {wanted}; {} hotkeys have stored predictions in the scored challenges",
            known.len()
        ),
    }
}

fn explain(
    config: &Config,
    ledger: &std::path::Path,
    scores: &Scores,
    hotkey: String,
    neurons: Option<Vec<Neuron>>,
) -> anyhow::Result<Explanation> {
    let metagraph = neurons.is_some();
    let (weight, u16, rejected) = match settled(config, ledger, scores, neurons)? {
        Outcome::Rejected(reason) => (None, None, Some(reason.to_string())),
        Outcome::Weights(steps) => {
            let on_chain = on_chain(&steps);
            let step = steps.into_iter().find(|step| step.hotkey == hotkey);
            let u16 = step.as_ref().map(|step| on_chain.get(&step.uid).copied().unwrap_or(0));
            (step, u16, None)
        }
    };
    let paying: f64 = scores.challenges.iter().filter(|c| !c.shares().is_empty()).map(|c| c.weight).sum();
    Ok(Explanation {
        challenges: scores.challenges.iter().map(|c| part(c, &hotkey, paying)).collect(),
        total: scores.total.get(&hotkey).copied().unwrap_or(0.0),
        hotkey,
        metagraph,
        weight,
        u16,
        rejected,
    })
}

fn part(scored: &Scored, hotkey: &str, paying: f64) -> Part {
    let shares = scored.shares();
    let salience = shares.get(hotkey).copied().unwrap_or(0.0);
    let report = scored.report(hotkey);
    Part {
        ticker: scored.ticker.clone(),
        share_of_weights: if shares.is_empty() || paying <= 0.0 { 0.0 } else { scored.weight / paying },
        salience,
        rank: scored.rank(hotkey),
        paid: scored.paid(),
        why_zero: (salience <= 0.0).then(|| scored.why_nothing(report).text),
        facts: report.iter().flat_map(|r| &r.facts).map(|fact| (fact.name.clone(), fact.value)).collect(),
    }
}

fn text(explanation: &Explanation) -> String {
    let mut table = Table::new(["challenge", "weight", "salience", "rank", "contributes", ""]);
    for part in &explanation.challenges {
        let facts = part.facts.iter().map(|(name, value)| format!("{name} {}", rounded(*value)));
        let facts = facts.collect::<Vec<_>>().join(", ");
        let why = part.why_zero.as_ref().map(|why| format!("nothing: {why}"));
        table.row([
            part.ticker.clone(),
            format!("{:.1}%", 100.0 * part.share_of_weights),
            format!("{:.4}", part.salience),
            part.rank.map_or("-".into(), |rank| format!("{rank} of {}", part.paid)),
            format!("{:.4}", part.salience * part.share_of_weights),
            [why.unwrap_or_default(), facts]
                .into_iter()
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
        ]);
    }
    let mut text = format!("{}\n\n{}\n", explanation.hotkey, table.render());
    // Writing to a string cannot fail.
    let _ = match (&explanation.rejected, &explanation.weight) {
        (Some(reason), _) => writeln!(text, "no weights would be set: {reason}"),
        (None, None) => {
            writeln!(text, "total {:.6}; not in the metagraph, so it gets no weight", explanation.total)
        }
        (None, Some(step)) => write_weight(&mut text, explanation, step),
    };
    text
}

fn write_weight(text: &mut String, explanation: &Explanation, step: &Settlement) -> std::fmt::Result {
    writeln!(text, "total of all challenges      {:.6}", step.salience)?;
    let young = if step.young { "  (young: a fixed small weight instead)" } else { "" };
    writeln!(text, "share in the metagraph       {:.6}{young}", step.share)?;
    writeln!(text, "after the burn               {:.6}", step.burned)?;
    match step.previous {
        Some(previous) => {
            writeln!(text, "smoothed with last time's    {:.6} (was {previous:.6})", step.weight)?
        }
        None => writeln!(text, "smoothed                     {:.6} (there is no last time)", step.weight)?,
    }
    writeln!(text, "u16 on chain                 {} (the largest is 65535)", explanation.u16.unwrap_or(0))?;
    if !explanation.metagraph {
        writeln!(text, "\nWithout --metagraph, every stored hotkey counts as registered.")?;
    }
    Ok(())
}

fn rounded(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 { format!("{value}") } else { format!("{value:.4}") }
}
