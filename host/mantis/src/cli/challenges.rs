//! `mantis challenges`.

use super::output::{Table, print, print_json};
use super::score::launcher;
use super::shared::ConfigArgs;
use anyhow::Context;
use clap::Args;
use mantis_config::{Config, Weight};
use mantis_scoring::inspect;
use mantis_scoring::worker::Launcher;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis challenges --json\n  mantis challenges --config challenges.toml --pin    # writes each plugin's \
    digest beside it"
)]
pub(super) struct ChallengesArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Pin every plugin to the file that is there now: write its digest into the configuration, which else stays as it is.
    #[arg(long)]
    pub(super) pin: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Row {
    name: String,
    ticker: String,
    plugin: String,
    runtime: &'static str,
    /// `None`: the plugin cannot be used, see `fault`.
    version: Option<String>,
    sha256: Option<String>,
    pinned: bool,
    /// As in the file; `None` where the file gives a share.
    weight: Option<f64>,
    /// What it counts for beside the others.
    effective_weight: f64,
    /// Its part of all weights.
    share: f64,
    fault: Option<String>,
}

pub(super) fn run(args: &ChallengesArgs) -> anyhow::Result<()> {
    let mut config = Config::load(&args.config.config)?;
    let launcher = launcher(60.0)?;
    if args.pin {
        config = pin(config, &launcher)?;
    }
    let weights: BTreeMap<String, f64> = config.weights().into_iter().collect();
    let sum: f64 = weights.values().sum();
    let rows = config.challenges.iter().enumerate().map(|(i, challenge)| {
        let inspected = inspect(&config, i, &launcher);
        let effective_weight = weights.get(&challenge.ticker).copied().unwrap_or(0.0);
        Row {
            name: challenge.name.clone(),
            ticker: challenge.ticker.clone(),
            plugin: challenge.plugin.clone(),
            runtime: challenge.runtime.as_str(),
            version: inspected.as_ref().ok().map(|i| i.description.version.clone()),
            sha256: inspected.as_ref().ok().map(|i| i.sha256.clone()),
            pinned: challenge.sha256.is_some(),
            weight: if let Weight::Fixed(weight) = challenge.weight { Some(weight) } else { None },
            effective_weight,
            share: effective_weight / sum,
            fault: inspected.err().map(|fault| fault.found),
        }
    });
    let rows: Vec<Row> = rows.collect();
    if args.json { print_json(&serde_json::json!({ "challenges": rows })) } else { print(&text(&rows)) }
}

/// Writes the digests of all plugins into the configuration's file.
fn pin(config: Config, launcher: &Launcher) -> anyhow::Result<Config> {
    let mut digests = BTreeMap::new();
    let mut unpinned = config.clone();
    unpinned.challenges.iter_mut().for_each(|challenge| challenge.sha256 = None);
    for (i, challenge) in unpinned.challenges.iter().enumerate() {
        // One that cannot be loaded is not pinned, and no other then is.
        digests.insert(challenge.ticker.clone(), inspect(&unpinned, i, launcher)?.sha256);
    }
    let name = config.file.display();
    let before = fs::read_to_string(&config.file).with_context(|| format!("cannot read {name}"))?;
    let after = config.pinned(&before, &digests).with_context(|| name.to_string())?;
    let pinned = Config::parse(&after, &config.file)?;
    if after != before {
        // Whole or not at all, with the rights that it has: a validator may read it at any moment.
        let draft = config.file.with_added_extension("new");
        let written = fs::copy(&config.file, &draft)
            .and_then(|_| fs::write(&draft, &after))
            .and_then(|()| fs::rename(&draft, &config.file));
        if written.is_err() {
            // A draft alone is of no use.
            let _ = fs::remove_file(&draft);
        }
        written.with_context(|| format!("cannot write {name}"))?;
    }
    Ok(pinned)
}

fn text(rows: &[Row]) -> String {
    let mut table =
        Table::new(["name", "ticker", "plugin", "version", "runtime", "weight", "share", "sha256"]);
    for row in rows {
        let digest = row.sha256.as_ref().map_or("-".into(), |sha256| {
            format!("{}..{}", &sha256[..12], if row.pinned { " (pinned)" } else { "" })
        });
        table.row([
            row.name.clone(),
            row.ticker.clone(),
            row.plugin.clone(),
            row.version.clone().unwrap_or_else(|| "-".into()),
            row.runtime.into(),
            format!("{:.3}", row.effective_weight),
            format!("{:.1}%", 100.0 * row.share),
            digest,
        ]);
    }
    let faults = rows.iter().filter_map(|row| Some(format!("{}: {}\n", row.name, row.fault.as_ref()?)));
    let faults: String = faults.collect();
    if faults.is_empty() { table.render() } else { format!("{}\n{faults}", table.render()) }
}
