//! `mantis challenges`.

use super::output::{Table, print, print_json};
use super::score::launcher;
use super::shared::ConfigArgs;
use clap::Args;
use mantis_config::{Config, Weight};
use mantis_scoring::inspect;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis challenges --json")]
pub(super) struct ChallengesArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
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
    let config = Config::load(&args.config.config)?;
    let launcher = launcher(60.0)?;
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
