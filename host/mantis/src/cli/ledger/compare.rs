//! `mantis ledger compare`.

use crate::cli::NoAnswer;
use crate::cli::output::{Table, bar, print, print_json};
use anyhow::bail;
use clap::Args;
use mantis_config::{Block, Config};
use mantis_ledger::Ledger;
use mantis_ledger::published::{Comparison, Day, DayCounts, LedgerComparison};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis ledger compare datalog.db other.db\n  mantis ledger compare datalog.db other.db --ticker ETH --from-block \
    7000000 --json\n\nRows are compared by what they mean: prices by asset, vectors by hotkey, absent and all-zero ones alike. Both\nare only \
    read. Exit code 0: equal, 1: different, 2: they cannot be compared."
)]
pub(in crate::cli) struct CompareArgs {
    /// A ledger, of this program or of the network's.
    a: PathBuf,
    /// The other one.
    b: PathBuf,
    /// Compare these tickers only.
    #[arg(long, value_name = "TICKER,..", value_delimiter = ',')]
    ticker: Vec<String>,
    /// Compare from this block on.
    #[arg(long, value_name = "BLOCK", default_value_t = 0)]
    from_block: i64,
    /// Compare up to this block.
    #[arg(long, value_name = "BLOCK", default_value_t = i64::MAX, hide_default_value = true)]
    to_block: i64,
    /// Blocks between two rows.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    sample_every: u32,
    /// A configuration, whose `sample_every` is taken, and the files beside the ledgers that it names for challenges.
    #[arg(long, value_name = "TOML", conflicts_with = "sample_every")]
    config: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let found = compare(args).map_err(NoAnswer)?;
    let is_equal = found.is_equal();
    let printed = if args.json {
        print_json(&serde_json::json!({
            "equal": is_equal, "total": found.total(), "digests": found.digests, "first": found.first, "days": found.days,
        }))
    } else {
        print(&said(&found))
    };
    printed.map_err(NoAnswer)?;
    match found.first {
        Some(first) if !is_equal => {
            let of = first.ticker.map_or_else(String::new, |ticker| format!(" of {ticker}"));
            bail!("the ledgers differ, first at block {}{of}: {}", first.block, first.what)
        }
        _ => Ok(()),
    }
}

fn compare(args: &CompareArgs) -> anyhow::Result<LedgerComparison> {
    let config = args.config.as_ref().map(Config::load).transpose()?;
    let open = |path: &Path| -> anyhow::Result<Ledger> {
        let ledger = Ledger::read(path)?;
        if let Some(config) = &config {
            ledger.attach_sides(config)?;
        }
        Ok(ledger)
    };
    let comparison = Comparison {
        sample_every: config.as_ref().map_or(args.sample_every, |config| config.network.sample_every),
        tickers: args.ticker.iter().cloned().collect(),
        blocks: Block(args.from_block.max(0))..=Block(args.to_block),
    };
    let bar = bar("comparing");
    let found =
        comparison.run(&open(&args.a)?, &open(&args.b)?, |done| bar.set_position((done * 1000.0) as u64));
    bar.finish_and_clear();
    Ok(found?)
}

fn said(found: &LedgerComparison) -> String {
    let mut lines = Table::new([
        "day",
        "from block",
        "ticker",
        "only in A",
        "only in B",
        "equal",
        "prices",
        "vectors",
        "hotkeys",
    ]);
    let mut days = 0;
    for (day, challenges) in &found.days {
        days += u64::from(!challenges.values().all(DayCounts::is_equal));
        for (ticker, counts) in challenges.iter().filter(|(_, counts)| !counts.is_equal()) {
            let named: Vec<&str> = counts.hotkeys.iter().take(3).map(String::as_str).collect();
            lines.row([
                day.to_string(),
                Day(*day).first().to_string(),
                if ticker.is_empty() { "(blocks)".into() } else { ticker.clone() },
                counts.only_a.to_string(),
                counts.only_b.to_string(),
                counts.equal.to_string(),
                counts.prices.to_string(),
                counts.vectors.to_string(),
                named.join(", "),
            ]);
        }
    }
    let DayCounts { only_a, only_b, equal, different, .. } = found.total();
    let all = found.days.len();
    if days == 0 {
        return format!("equal: {equal} rows in {all} days\ndigest {}\n", found.digests[0]);
    }
    format!(
        "{}\n{days} of {all} days differ: {equal} rows equal, {different} different, {only_a} only in A, {only_b} only in B\n\
         digest of A {}\ndigest of B {}\n",
        lines.render(),
        found.digests[0],
        found.digests[1]
    )
}
