//! `mantis export`.

use super::output::{Table as Lines, bar, print, print_json};
use clap::{Args, ValueEnum};
use indicatif::MultiProgress;
use mantis_config::{Block, Config};
use mantis_ledger::export::{Export, Exported, Format, Table};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis export --ledger datalog.db --out exported\n  mantis export --ledger datalog.db --out \
    eth.csv --table prices --ticker ETH --from-block 7000000\n\nThe tables are blocks, prices, submissions, cycles, \
    saliences, weights, settings, rejections, miners\nand breakouts; docs/data.md describes their columns."
)]
pub(super) struct ExportArgs {
    /// The ledger; it is only read, and may be written meanwhile.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    /// A folder for the files; or one file that ends with .parquet or .csv, for one table.
    #[arg(long, value_name = "DIR|FILE")]
    out: PathBuf,
    /// The form of the files; the default is what the file's name says, else parquet.
    #[arg(long)]
    format: Option<FormatArg>,
    /// Export these tables only.
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    table: Vec<Table>,
    /// Export these tickers only, of tables that have tickers.
    #[arg(long, value_name = "TICKER,..", value_delimiter = ',')]
    ticker: Vec<String>,
    /// Export from this block on.
    #[arg(long, value_name = "BLOCK", default_value_t = 0)]
    from_block: i64,
    /// Export up to this block.
    #[arg(long, value_name = "BLOCK", default_value_t = i64::MAX, hide_default_value = true)]
    to_block: i64,
    /// A configuration that says which challenges are stored in single precision, for a ledger that does not say it
    /// itself, as the network's.
    #[arg(long, value_name = "TOML")]
    config: Option<PathBuf>,
    /// Replace files that are there already.
    #[arg(long)]
    force: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArg {
    /// Apache Parquet, compressed with zstd.
    Parquet,
    /// Comma-separated values with a header.
    Csv,
}

pub(super) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let format = args.format.map(|format| match format {
        FormatArg::Parquet => Format::Parquet,
        FormatArg::Csv => Format::Csv,
    });
    let config = args.config.as_ref().map(Config::load).transpose()?;
    let challenges = config.iter().flat_map(|config| &config.challenges);
    let export = Export {
        ledger: args.ledger.clone(),
        out: args.out.clone(),
        format,
        tables: args.table.clone(),
        tickers: args.ticker.clone(),
        dims: challenges.map(|challenge| (challenge.ticker.clone(), challenge.storage_dim())).collect(),
        blocks: Block(args.from_block)..=Block(args.to_block),
        force: args.force,
    };
    let (all, mut bars) = (MultiProgress::new(), BTreeMap::new());
    let exported = export.run(|table, done| {
        let bar = bars.entry(table).or_insert_with(|| all.add(bar(table.as_str())));
        bar.set_position((done * 1000.0) as u64);
        if done >= 1.0 {
            bar.finish_and_clear();
        }
    })?;
    let seconds = started.elapsed().as_secs_f64();
    if args.json {
        let Exported { tables, missing, assumed } = &exported;
        return print_json(&serde_json::json!({
            "tables": tables, "missing": missing, "half_floats_assumed": assumed, "seconds": seconds,
        }));
    }
    let mut lines = Lines::new(["table", "rows", "bytes", "file"]);
    for written in &exported.tables {
        lines.row([
            written.table.into(),
            written.rows.to_string(),
            written.bytes.to_string(),
            written.file.display().to_string(),
        ]);
    }
    let missing = match exported.missing.as_slice() {
        [] => String::new(),
        missing => format!("not in the ledger: {}\n", missing.join(", ")),
    };
    let assumed = match exported.assumed.as_slice() {
        [] => String::new(),
        tickers => format!(
            "taken for half floats, as the ledger does not say how they are stored (--config says it): {}\n",
            tickers.join(", ")
        ),
    };
    print(&format!("{}{missing}{assumed}", lines.render()))
}
