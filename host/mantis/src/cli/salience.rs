//! `mantis salience`.

use super::guest::GuestArgs;
use super::output::{Bars, Table, print, print_json};
use super::score::{load, options};
use super::shared::ScoringArgs;
use crate::salience::{Place, Plan, Prospects, prospects};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis salience eth.parquet --ledger datalog.db --challenge ETH\n  mantis salience all.csv \
    --ledger datalog.db --competitors 20 --seed 7 --json\n\nThe file: Parquet or CSV with `block` (or `sidx`), `ticker` and \
    `v0`, `v1` .. or `vector`; or JSON lines {\"block\": 7000000, \"ETH\": [0.2, -0.1]}. docs/miners.md says all of it. Exit \
    code 1 where it earns less than --min-percentile asks, and where something is wrong."
)]
pub(super) struct SalienceArgs {
    /// The strategy's embeddings: .parquet, .csv or .jsonl.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    guest: GuestArgs,
    #[command(flatten)]
    scoring: ScoringArgs,
    /// Keep so many miners of the ledger, drawn by --seed; the default is all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    competitors: Option<u32>,
    /// The same seed draws the same competitors.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Blocks between two computations.
    #[arg(long, value_name = "BLOCKS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    blocks_apart: u32,
    /// Computations before the newest in which it must reach the marks as well.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(..=1000))]
    computations: u32,
    /// Fail where fewer of a hundred other miners earn less at the newest block.
    #[arg(long, value_name = "P", value_parser = percentile)]
    min_percentile: Option<f64>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SalienceArgs) -> anyhow::Result<()> {
    let config = load(&args.scoring)?;
    let options = options(&args.scoring, &config)?;
    let entrants = args.guest.enter(&args.file, &config, &options)?;
    let plan = Plan {
        config: &config,
        options: &options,
        competitors: args.competitors.map(|count| count as usize),
        seed: args.seed,
        blocks_apart: args.blocks_apart,
        computations: args.computations,
    };
    let found = prospects(&plan, &entrants, &Bars::new())?;
    if args.json {
        print_json(&found)?;
    } else {
        print(&found.iter().map(text).collect::<Vec<_>>().join("\n"))?;
    }
    let low = |least: f64| {
        let below = found.iter().filter(move |one| newest(one).is_none_or(|place| place.percentile < least));
        below.map(|one| one.ticker.as_str()).collect::<Vec<_>>()
    };
    match args.min_percentile.map(|least| (least, low(least))) {
        Some((least, below)) if !below.is_empty() => {
            anyhow::bail!("below percentile {least}: {}", below.join(", "))
        }
        _ => Ok(()),
    }
}

fn newest(one: &Prospects) -> Option<&Place> {
    one.places.first()
}

fn text(one: &Prospects) -> String {
    let Prospects { challenge, ticker, name, taken, .. } = one;
    let mut text = format!("{challenge} ({ticker}), {name}: {} of {} rows\n", taken.stored, taken.rows);
    let Some(place) = newest(one) else { return text };
    text += &match (place.rank, &place.why_zero) {
        (Some(rank), _) => format!("would earn {}, rank {rank} of {}\n", percent(place.salience), place.of),
        (None, why) => {
            let why = why.as_ref().map_or("", |why| why.text.as_str());
            format!("would earn nothing among {}: {why}\n", place.of)
        }
    };
    text += &format!(
        "of all weights {}, after the burn {}, if every challenge pays\n",
        percent(one.of_weights),
        percent(one.of_emission)
    );
    text += &format!(
        "the best of the others has {}; {} of them earn something, the middle one of those {}\n",
        percent(place.best),
        place.paid,
        percent(place.median_paid)
    );
    text += &match one.uniqueness {
        Some(own) => format!(
            "uniqueness {:.3}, on {} columns of others and {} rows\n",
            own.value, own.columns, own.rows
        ),
        None => "uniqueness: it sends nothing that varies\n".into(),
    };
    text += &facts(place);
    let mut table =
        Table::new(["up to block", "salience", "percentile", "rank", "90th percentile", "top 10%"]);
    for place in &one.places {
        table.row([
            place.max_block.to_string(),
            percent(place.salience),
            format!("{:.1}", place.percentile),
            place.rank.map_or_else(|| "-".into(), |rank| format!("{rank} of {}", place.of)),
            mark(place.marks.percentile_90).into(),
            mark(place.marks.top_10_percent).into(),
        ]);
    }
    let computations = match one.places.len() {
        1 => "in the one computation".to_owned(),
        n => format!("in all {n} computations"),
    };
    text + &table.render() + &format!("{computations}: {}\n", mark(one.pass))
}

/// The plugin's numbers, a line of them.
fn facts(place: &Place) -> String {
    let fact = |(name, value): (&String, &f64)| match place.miners.get(name) {
        Some(miner) => format!("{name} {miner}"),
        None => format!("{name} {}", (value * 1e4).round() / 1e4),
    };
    let all: Vec<String> = place.facts.iter().map(fact).collect();
    if all.is_empty() { String::new() } else { format!("{}\n", all.join(", ")) }
}

fn mark(reached: bool) -> &'static str {
    if reached { "PASS" } else { "FAIL" }
}

fn percent(part: f64) -> String {
    format!("{:.2}%", 100.0 * part)
}

fn percentile(text: &str) -> Result<f64, String> {
    let percentile: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    if (0.0..=100.0).contains(&percentile) { Ok(percentile) } else { Err("must be from 0 to 100".into()) }
}
