//! `mantis signal show`.

use super::shared::StoreArgs;
use crate::cli::output::{Table, print, print_json};
use clap::Args;
use mantis_plugin_api::{Outlook, OutlookKind};
use mantis_signal::record::{Measure, Record, record};
use mantis_signal::store::{ANY_TIME, DAY_MS, FitInfo, Published, Span};
use serde_json::json;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis signal show --store demo/signal")]
pub(in crate::cli) struct ShowArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Days until the newest forecast that the records are of.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// The newest forecast of each challenge, and what those before it were worth.
pub(super) fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let store = args.store.open()?;
    let mut signals = Vec::new();
    for fit in store.signals()? {
        let Some(latest) = store.latest(&fit.ticker, ANY_TIME)? else { continue };
        // The clock of a demo or of a replay is not ours.
        let from = latest.published_at.saturating_sub(i64::from(args.days) * DAY_MS);
        let settled = store.settled(&fit.ticker, Span { from_seq: 0, from, until: ANY_TIME })?;
        let record = record(&settled, &fit.outlook);
        signals.push((fit, latest, record));
    }
    if args.json {
        let signals: Vec<_> = signals
            .iter()
            .map(|(fit, latest, record)| {
                json!({ "ticker": fit.ticker, "outlook": fit.outlook, "latest": latest, "record": record })
            })
            .collect();
        return print_json(&json!({ "days": args.days, "signals": signals }));
    }
    if signals.is_empty() {
        return print("nothing is published yet\n");
    }
    let mut table = Table::new([
        "challenge",
        "block",
        "forecast",
        "miners",
        "outcomes",
        "record",
        "95 %",
        "without skill",
    ]);
    for (fit, latest, record) in &signals {
        let (name, measure) = headline(record);
        let ci = measure.and_then(|measure| measure.ci95);
        let number = |x: f64| format!("{x:.4}");
        table.row([
            fit.ticker.clone(),
            latest.block.to_string(),
            said(fit, latest),
            latest.miners.to_string(),
            record.n.to_string(),
            measure.map_or_else(|| "-".into(), |measure| format!("{name} {}", number(measure.value))),
            ci.map_or_else(|| "-".into(), |[from, to]| format!("{} to {}", number(from), number(to))),
            measure.and_then(|measure| measure.baseline).map_or_else(|| "-".into(), number),
        ]);
    }
    print(&table.render())
}

/// The measure that says most of a kind of forecast.
fn headline(record: &Record) -> (&'static str, Option<Measure>) {
    match record.kind {
        OutlookKind::Probability | OutlookKind::Classes if record.auc.is_some() => ("AUC", record.auc),
        OutlookKind::Probability | OutlookKind::Classes => ("Brier", record.brier),
        OutlookKind::Scores => ("rank correlation", record.spearman),
        OutlookKind::Weights => ("mean return", record.portfolio.map(|portfolio| portfolio.mean_return)),
    }
}

/// The strongest of a forecast's numbers, in words.
fn said(fit: &FitInfo, latest: &Published) -> String {
    let Outlook { kind, subjects, classes, .. } = &fit.outlook;
    let width = classes.len().max(1);
    let name = |place: usize| {
        let subject = subjects.get(place / width).map_or("", String::as_str);
        match classes.get(place % width) {
            Some(class) if subjects.len() > 1 => format!("{subject} {class}"),
            Some(class) => class.clone(),
            None => subject.to_owned(),
        }
    };
    let numbers = || latest.values.iter().enumerate().filter_map(|(place, x)| Some((place, (*x)?)));
    let largest = numbers().max_by(|a, b| a.1.total_cmp(&b.1));
    match (kind, largest) {
        (_, None) => "nothing can be said".into(),
        (OutlookKind::Probability | OutlookKind::Classes, Some((place, x))) => {
            format!("{}: {:.1} %", name(place), 100.0 * x)
        }
        (OutlookKind::Scores | OutlookKind::Weights, Some((place, x))) => {
            let least = numbers().min_by(|a, b| a.1.total_cmp(&b.1)).filter(|least| least.0 != place);
            let least = least.map(|(place, x)| format!(", last {} {x:+.4}", name(place)));
            format!("{} {x:+.4}{}", name(place), least.unwrap_or_default())
        }
    }
}
