//! `mantis signal record` and `mantis signal verify`.

use super::shared::{StoreArgs, now_ms};
use crate::cli::output::{Table, print, print_json};
use anyhow::{Context, bail};
use clap::Args;
use mantis_signal::record::{Measure, record as measured};
use mantis_signal::signing::{KEY_FILE, SigningKey};
use mantis_signal::store::{ANY_TIME, DAY_MS, Span};
use serde_json::json;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis signal record --store signals ETH-1H-BINARY --days 90")]
pub(in crate::cli) struct RecordArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The signal.
    #[arg(value_name = "TICKER")]
    ticker: String,
    /// Days until now.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis signal verify --store signals")]
pub(in crate::cli) struct VerifyArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The public key that days must be signed with, as 64 hexadecimal digits; the default is that of the key in the folder,
    /// if there is one.
    #[arg(long, value_name = "HEX")]
    signer: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn record(args: &RecordArgs) -> anyhow::Result<()> {
    let store = args.store.open()?;
    let known = store.signals()?;
    let signal = known.iter().find(|signal| signal.ticker == args.ticker).with_context(|| {
        let names: Vec<&str> = known.iter().map(|signal| signal.ticker.as_str()).collect();
        format!("nothing is published of {}; there are {}", args.ticker, names.join(", "))
    })?;
    let from = now_ms()?.saturating_sub(i64::from(args.days) * DAY_MS);
    let settled = store.settled(&args.ticker, Span { from_seq: 0, from, until: ANY_TIME })?;
    let record = measured(&settled, &signal.outlook);
    if args.json {
        return print_json(&json!({ "ticker": args.ticker, "days": args.days, "record": record }));
    }
    print(&format!(
        "{} over {} days: {} forecasts with an outcome ({} pairs), of which {} do not overlap\n",
        args.ticker, args.days, record.rows, record.n, record.n_eff
    ))?;
    let mut table = Table::new(["measure", "value", "from", "to", "without skill"]);
    let portfolio = record.portfolio;
    for (name, measure) in [
        ("Brier score", record.brier),
        ("log loss", record.log_loss),
        ("AUC", record.auc),
        ("hit rate", record.hit_rate),
        ("rank correlation", record.spearman),
        ("mean return", portfolio.map(|portfolio| portfolio.mean_return)),
    ] {
        if let Some(Measure { value, ci95, baseline, .. }) = measure {
            let cell = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{x:.4}"));
            let [from, to] = [ci95.map(|ci| ci[0]), ci95.map(|ci| ci[1])];
            table.row([name.into(), cell(Some(value)), cell(from), cell(to), cell(baseline)]);
        }
    }
    if let Some(portfolio) = portfolio {
        let cell = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{x:.4}"));
        for (name, x) in
            [("Sharpe ratio of a horizon", portfolio.sharpe), ("largest drawdown", Some(portfolio.drawdown))]
        {
            table.row([name.into(), cell(x), "-".into(), "-".into(), "-".into()]);
        }
    }
    print(&table.render())
}

pub(super) fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    let store = args.store.open()?;
    let file = args.store.store.join(KEY_FILE);
    let signer = match &args.signer {
        Some(signer) => Some(signer.to_ascii_lowercase()),
        None if file.exists() => Some(SigningKey::load(&file)?.public().to_owned()),
        None => None,
    };
    let found = store.verify(signer.as_deref())?;
    if args.json {
        print_json(&json!({ "verified": found, "signer": signer }))?;
    }
    if let Some(broken) = &found.broken {
        bail!("not as it was published: forecast {}: {}", broken.seq, broken.what);
    }
    if args.json {
        return Ok(());
    }
    let by = signer.as_ref().map_or_else(|| "by whichever key".into(), |signer| format!("by {signer}"));
    print(&format!(
        "{} forecasts are as they were published; {} days are signed {by}; the newest hash is {}\n",
        found.forecasts, found.days, found.root
    ))
}
