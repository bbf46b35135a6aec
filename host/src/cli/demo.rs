//! `mantis demo`.

use super::args::DemoArgs;
use super::output::{Bars, Table, print, print_json, short};
use super::score::{Document, launcher};
use super::simulate::{about, write};
use super::weights::settled;
use crate::config::Config;
use crate::demo::{Miner, Simulation, cast};
use crate::plugins::locate;
use crate::scoring::{Options, Scores, score};
use crate::weights::Outcome;
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const MINERS: usize = 24;
const ROWS_PER_DAY: usize = 1440;

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let (there, missing): (Vec<_>, Vec<_>) =
        config.challenges.iter().partition(|c| locate(&c.plugin, &config.plugin_dir, c.runtime).is_ok());
    let only: BTreeSet<String> = there.iter().map(|c| c.ticker.clone()).collect();
    anyhow::ensure!(!only.is_empty(), "no plugin is built; run `cargo build --release --workspace`");

    fs::create_dir_all(&args.dir)
        .with_context(|| format!("cannot make the folder {}", args.dir.display()))?;
    let ledger = args.dir.join("ledger.db");
    // Only what an earlier demo left: its ledger, and SQLite's files beside it.
    for suffix in ["", "-wal", "-shm"] {
        let file = args.dir.join(format!("ledger.db{suffix}"));
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("cannot replace {}", file.display()))?;
        }
    }
    let miners = cast(MINERS, args.seed);
    let rows = args.days as usize * ROWS_PER_DAY;
    let simulation =
        Simulation { config: &config, only: Some(only.clone()), rows, miners: &miners, seed: args.seed };
    write(&simulation, &ledger)?;

    let options = Options {
        ledger: ledger.clone(),
        max_block: None,
        only: Some(only),
        active: None,
        solver: None,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        scratch: std::env::temp_dir(),
        launcher: launcher(1800.0)?,
    };
    let scores = score(&config, &options, &Bars::new())?;
    let weights: BTreeMap<String, f64> = match settled(&config, &ledger, &scores, None)? {
        Outcome::Weights(steps) => steps.into_iter().map(|step| (step.hotkey, step.weight)).collect(),
        Outcome::Rejected(reason) => anyhow::bail!("no weights: {reason}"),
    };
    if args.json {
        let kinds: BTreeMap<&str, &str> =
            miners.iter().map(|m| (m.hotkey.as_str(), m.about.as_str())).collect();
        let document = Document::new(&scores);
        let result =
            serde_json::json!({ "miners": kinds, "scores": document, "weights": weights, "ledger": ledger });
        return print_json(&result);
    }
    let mut text =
        format!("{} simulated days, {MINERS} miners\n\n{}", args.days, table(&scores, &weights, &miners));
    for challenge in &scores.challenges {
        if let Some(reason) = &challenge.skipped {
            text += &format!("\n{} pays nobody: {reason}", challenge.ticker);
        }
    }
    text += "\n";
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|c| c.ticker.as_str()).collect();
        text += &format!("\nNo plugin yet for {}.\n", names.join(", "));
    }
    text += &format!(
        "\nThe ledger is {0}. Ask why a miner earned what it earned:\n  mantis explain {1} --ledger {0}\n",
        ledger.display(),
        &miners[0].hotkey
    );
    print(&text)
}

/// Weights and who earned what, best first, and why those who earned nothing did not.
fn table(scores: &Scores, weights: &BTreeMap<String, f64>, miners: &[Miner]) -> String {
    let paid: Vec<_> = scores.challenges.iter().map(|c| (&c.ticker, c.shares())).collect();
    let mut table = Table::new(["hotkey", "miner", "weight", "total"]);
    table.header(paid.iter().map(|(ticker, _)| (*ticker).clone()).chain(["why nothing".into()]));
    let mut order: Vec<_> =
        miners.iter().map(|m| (m, scores.total.get(&m.hotkey).copied().unwrap_or(0.0))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (miner, total) in order {
        let percent = |x: f64| if x > 0.0 { format!("{:.1}%", 100.0 * x) } else { "-".into() };
        let cells = paid.iter().map(|(_, shares)| percent(shares.get(&miner.hotkey).copied().unwrap_or(0.0)));
        let weight = weights.get(&miner.hotkey).copied().unwrap_or(0.0);
        let head = [
            short(&miner.hotkey),
            about(miners, &miner.hotkey).into(),
            format!("{weight:.4}"),
            percent(total),
        ];
        let why = if total > 0.0 { String::new() } else { why_nothing(scores, &miner.hotkey) };
        table.row(head.into_iter().chain(cells).chain([why]));
    }
    table.render()
}

/// The reason that most challenges give.
fn why_nothing(scores: &Scores, hotkey: &str) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for challenge in &scores.challenges {
        let miner = challenge.hotkeys.iter().position(|other| other == hotkey);
        let report = miner.and_then(|miner| challenge.salience.as_ref()?.miners.get(miner));
        let reason = match (miner, report) {
            (None, _) => "never sent anything but zeros",
            (_, Some(report)) => report.why_zero.as_ref().map_or("no reason given", |why| &why.text),
            (_, None) => continue,
        };
        *reasons.entry(reason).or_default() += 1;
    }
    reasons.into_iter().max_by_key(|(_, count)| *count).map_or(String::new(), |(reason, _)| reason.into())
}
