//! `mantis explain`.

use super::explanation::{Explanation, Part, Source, text};
use super::output::{print, print_json};
use super::score::scored;
use super::shared::ScoringArgs;
use super::weights::settled;
use anyhow::{Context, bail};
use clap::Args;
use mantis_config::Block;
use mantis_ledger::Ledger;
use mantis_network::chain::Neuron;
use mantis_weights::{Outcome, Scored, Scores, SettleRules, Settlement, on_chain};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis explain 5F3sa2TJ... --ledger datalog.db\n  mantis explain 5F3sa2TJ... --ledger \
    datalog.db --block 7650000\n  mantis explain 5F3sa2TJ... --ledger datalog.db --fresh\n\nIt answers from the record of a \
    computation of weights: nothing is scored. With --fresh the ledger is scored now, by the configuration, as for a \
    computation that would be due; that takes as long as `mantis score`, and differs from what was set."
)]
pub(super) struct ExplainArgs {
    /// The miner's hotkey, or the beginning of it.
    pub(super) hotkey: String,
    /// Answer from the computation for this block; the default is the newest.
    #[arg(long, conflicts_with = "fresh")]
    pub(super) block: Option<i64>,
    /// Score the ledger now instead of answering from its record. The arguments about scoring need it.
    #[arg(long)]
    pub(super) fresh: bool,
    #[command(flatten)]
    pub(super) scoring: ScoringArgs,
    /// With --fresh: the metagraph, a JSON list of {"uid", "hotkey"}. Without it, every stored hotkey counts as registered.
    #[arg(long, value_name = "FILE", requires = "fresh")]
    pub(super) metagraph: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let explanation = if args.fresh { fresh(args)? } else { recorded(args)? };
    if args.json { print_json(&explanation) } else { print(&text(&explanation)) }
}

/// From the record of a computation.
fn recorded(args: &ExplainArgs) -> anyhow::Result<Explanation> {
    let file = &args.scoring.ledger;
    refuse_scoring_arguments(&args.scoring)?;
    let ledger = Ledger::read(file)?;
    let computation = match args.block {
        Some(block) => {
            ledger.computation_for(Block(block))?.with_context(|| no_computation(&ledger, block))?
        }
        None => ledger.last_computation()?.with_context(|| {
            format!("{}: no computation of weights is recorded; --fresh scores it now", file.display())
        })?,
    };
    let block = computation.block;
    let mut challenges = ledger.scored(block)?;
    let shares = ledger.shares(block)?;
    let registered = computation.settlements.iter().map(|s| &s.hotkey);
    let stored = challenges.iter().flat_map(|scored| &scored.hotkeys);
    let paid = shares.values().flat_map(|shares| shares.miners.keys());
    let hotkey = find(&args.hotkey, &registered.chain(stored).chain(paid).collect())?;
    let reasons = challenges.iter().any(|scored| !scored.hotkeys.is_empty());
    for scored in challenges.iter_mut().filter(|scored| scored.hotkeys.is_empty()) {
        if let Some(shares) = shares.get(&scored.ticker) {
            // What is kept of all computations: who was paid how much.
            scored.set_shares(shares);
        }
    }
    let attempts = ledger.attempts(ATTEMPTS)?;
    let attempt = attempts.iter().find(|attempt| attempt.computed == block);
    let source = Source {
        block: Some(block.0),
        max_block: Some(computation.max_block.0),
        unix: Some(computation.unix),
        config: computation.basis.as_ref().map(|basis| basis.config.clone()),
        metagraph: computation.rejected.is_none().then_some(computation.settlements.len()),
        reasons,
        set: attempt.map(|attempt| (attempt.block.0, attempt.sent.as_str().to_owned())),
    };
    let rules = computation.basis.as_ref().map(|basis| basis.rules.clone());
    let outcome = computation.into_outcome();
    Ok(explain(&Scores::new(challenges, 0), outcome, rules, hotkey, source))
}

/// Attempts to set weights among which that of a computation is looked for: some months of them.
const ATTEMPTS: u32 = 10_000;

fn no_computation(ledger: &Ledger, block: i64) -> String {
    let newest = ledger.computations(0, 5).unwrap_or_default();
    let newest: Vec<String> = newest.iter().map(|computation| computation.block.to_string()).collect();
    let newest = if newest.is_empty() { "none".into() } else { newest.join(", ") };
    format!("there is no computation for block {block}; the newest are {newest}")
}

/// Scoring arguments that do nothing are a misunderstanding.
fn refuse_scoring_arguments(args: &ScoringArgs) -> anyhow::Result<()> {
    let given = [
        ("--max-block", args.max_block.is_some()),
        ("--only", !args.only.is_empty()),
        ("--active", args.active.is_some()),
        ("--solver", args.solver.is_some()),
        ("--runtime", args.runtime.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((name, _)) => {
            bail!("{name} is about scoring, and nothing is scored to answer from the record; add --fresh")
        }
        None => Ok(()),
    }
}

/// From scores that are made now.
fn fresh(args: &ExplainArgs) -> anyhow::Result<Explanation> {
    let neurons = args.metagraph.as_deref().map(metagraph).transpose()?;
    let (config, scores) = scored(&args.scoring)?;
    let hotkey = find(&args.hotkey, &scores.challenges.iter().flat_map(|c| &c.hotkeys).collect())?;
    let source = Source {
        max_block: args.scoring.max_block,
        config: Some(config.digest()),
        metagraph: neurons.as_ref().map(Vec::len),
        reasons: true,
        ..Source::default()
    };
    let outcome = settled(&config, &args.scoring, &scores, neurons, &BTreeMap::new())?;
    Ok(explain(&scores, outcome, Some(SettleRules::from(&config.network)), hotkey, source))
}

fn metagraph(file: &Path) -> anyhow::Result<Vec<Neuron>> {
    #[derive(Deserialize)]
    struct Line {
        uid: u16,
        hotkey: String,
    }
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines: Vec<Line> = serde_json::from_slice(&text)
        .with_context(|| format!("{}: expected a JSON list of {{\"uid\", \"hotkey\"}}", file.display()))?;
    let neuron = |Line { uid, hotkey }| Neuron { uid, hotkey, ..Neuron::default() };
    Ok(lines.into_iter().map(neuron).collect())
}

/// The one known hotkey that begins like this; as it is printed elsewhere, shortened, it is known too.
fn find(wanted: &str, known: &BTreeSet<&String>) -> anyhow::Result<String> {
    let beginning = wanted.trim_end_matches(['.', '…']);
    let mut matches = known.iter().filter(|hotkey| hotkey.starts_with(beginning));
    match (matches.next(), matches.next()) {
        (Some(hotkey), None) => Ok((*hotkey).clone()),
        (Some(a), Some(b)) => match known.get(&beginning.to_owned()) {
            Some(exact) => Ok((*exact).clone()),
            None => {
                bail!("{wanted} is the beginning of several hotkeys, {a} and {b} among them; give more of it")
            }
        },
        (None, _) => bail!("no hotkey begins with {wanted}; {} are known", known.len()),
    }
}

fn explain(
    scores: &Scores,
    outcome: Outcome,
    rules: Option<SettleRules>,
    hotkey: String,
    source: Source,
) -> Explanation {
    let paying: f64 = scores.challenges.iter().filter(|c| c.counts()).map(|c| c.weight).sum();
    let mature = outcome.settlements().iter().filter(|s| !s.young).map(|s| s.salience).sum();
    let (weight, u16, rejected) = match outcome {
        Outcome::Rejected(reason) => (None, None, Some(reason.to_string())),
        Outcome::Weights(steps) => {
            let on_chain = on_chain(&steps);
            let step: Option<Settlement> = steps.into_iter().find(|step| step.hotkey == hotkey);
            let u16 = step.as_ref().map(|step| on_chain.get(&step.uid).copied().unwrap_or(0));
            (step, u16, None)
        }
    };
    Explanation {
        challenges: scores.challenges.iter().map(|c| part(c, &hotkey, paying, source.reasons)).collect(),
        total: scores.total.get(&hotkey).copied().unwrap_or(0.0),
        unearned: scores.burn,
        hotkey,
        source,
        mature,
        rules,
        weight,
        u16,
        rejected,
    }
}

fn part(scored: &Scored, hotkey: &str, paying: f64, reasons: bool) -> Part {
    let salience = scored.shares().miners.get(hotkey).copied().unwrap_or(0.0);
    let report = scored.report(hotkey);
    let made = scored.made_with.as_ref();
    let facts = || report.iter().flat_map(|report| &report.facts);
    Part {
        ticker: scored.ticker.clone(),
        share_of_weights: if scored.counts() && paying > 0.0 { scored.weight / paying } else { 0.0 },
        burned: scored.burn_share(),
        salience,
        shadow: scored.weight <= 0.0,
        rank: scored.rank(hotkey),
        paid: scored.paid(),
        why_zero: (salience <= 0.0 && reasons).then(|| scored.why_nothing(report).text),
        failure: scored.failure.map(|cause| cause.to_string()),
        held_from: scored.held.map(|held| held.block.0),
        solver: made.map(|made| made.solver.as_str()),
        runtime: made.map(|made| made.runtime.as_str()),
        sha256: made.and_then(|made| made.sha256.clone()),
        facts: facts().map(|fact| (fact.name.clone(), fact.value)).collect(),
        miners: facts()
            .filter_map(|fact| Some((fact.name.clone(), scored.miner_of(fact)?.clone())))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hotkey_is_found_by_its_beginning_also_as_it_is_printed() {
        let all = ["5F3sa2TJAWMqDhXG", "5F3zz", "5G", "5Ga"].map(String::from);
        let known: BTreeSet<&String> = all.iter().collect();
        for (wanted, found) in [
            ("5F3sa2TJAW..", &all[0]),
            ("5F3s", &all[0]),
            ("5F3z…", &all[1]),
            ("5G", &all[2]),
            ("5Ga", &all[3]),
        ] {
            assert_eq!(&find(wanted, &known).unwrap(), found);
        }
        assert!(find("5F3..", &known).unwrap_err().to_string().contains("several"));
        assert!(find("6", &known).unwrap_err().to_string().contains("4 are known"));
    }
}
