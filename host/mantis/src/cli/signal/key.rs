//! `mantis signal key`.

use super::shared::{PlansArgs, StoreArgs, now_ms};
use crate::cli::output::{Table, print, print_json};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use mantis_signal::keys::{self, ROTATION_SECONDS, Scope, Token, Wanted};
use mantis_signal::plans::span;
use mantis_signal::store::{KeyRecord, MOST, Store};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyCommand {
    /// Make a key. It is shown once: the store keeps its SHA-256 alone.
    Add(AddArgs),
    /// List keys: what they are for, until when, when they were used last.
    #[command(after_help = "Example:\n  mantis signal key list --store signals")]
    List(ListArgs),
    /// End a key at once.
    #[command(after_help = "Example:\n  mantis signal key revoke --store signals 8Kd03mPq")]
    Revoke(OneArgs),
    /// Put a new key in the place of another, which lives on for 24 hours.
    #[command(after_help = "Example:\n  mantis signal key rotate --store signals 8Kd03mPq")]
    Rotate(OneArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis signal key add --store signals --plan pro --signals ETH-1H-BINARY \\\n    \
                        --expires 90d --note \"desk of a buyer\""
)]
pub(in crate::cli) struct AddArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    plans: PlansArgs,
    /// Its plan, by the name in signal.toml.
    #[arg(long, value_name = "NAME")]
    plan: String,
    /// What it is for.
    #[arg(
        long,
        value_name = "SCOPES",
        value_delimiter = ',',
        value_parser = scope,
        default_value = "read:latest,read:history,stream"
    )]
    scopes: Vec<Scope>,
    /// Signals that it is for; all without.
    #[arg(long, value_name = "TICKERS", value_delimiter = ',')]
    signals: Option<Vec<String>>,
    /// When it ends: a span from now, such as 90d; never without.
    #[arg(long, value_name = "SPAN", value_parser = expiry)]
    expires: Option<i64>,
    /// What you call it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct OneArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The key's id: its first eight characters after mk_live_.
    #[arg(value_name = "ID")]
    id: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| {
        let all: Vec<&str> = Scope::ALL.into_iter().map(Scope::as_str).collect();
        format!("no scope; allowed are {}", all.join(", "))
    })
}

fn expiry(text: &str) -> Result<i64, String> {
    let found = span(text).filter(|span| !span.is_zero()).and_then(|span| i64::try_from(span.as_secs()).ok());
    found.ok_or_else(|| "no span such as 90d or 12h".into())
}

pub(super) fn run(command: &KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::Add(args) => add(args),
        KeyCommand::List(args) => list(args),
        KeyCommand::Revoke(args) => revoke(args),
        KeyCommand::Rotate(args) => rotate(args),
    }
}

fn add(args: &AddArgs) -> anyhow::Result<()> {
    let plans = args.plans.load(&args.store)?;
    if plans.plan(&args.plan).is_none() {
        let names: Vec<&str> = plans.plans().map(|plan| plan.name.as_str()).collect();
        bail!("there is no plan {}; there are {}", args.plan, names.join(", "));
    }
    if args.note.chars().count() > 200 || args.note.chars().any(char::is_control) {
        bail!("--note is longer than 200 characters, or more than one line");
    }
    // Keys may be sold before there is anything to be read.
    let store = Store::open(&args.store.store)?;
    let known = store.signals()?;
    for ticker in args.signals.iter().flatten() {
        if !known.iter().any(|signal| signal.ticker == *ticker) {
            eprintln!("warning: nothing is published of {ticker} yet");
        }
    }
    let now = now_ms()? / 1000;
    let wanted = Wanted {
        note: args.note.clone(),
        scopes: args.scopes.clone(),
        signals: args.signals.clone(),
        plan: args.plan.clone(),
        expires: args.expires.map(|seconds| now.saturating_add(seconds)),
    };
    shown(&keys::add(&store, &wanted, now)?, wanted.expires, None, args.json)
}

fn rotate(args: &OneArgs) -> anyhow::Result<()> {
    let store = args.store.open()?;
    let now = now_ms()? / 1000;
    let (token, made) = keys::rotate(&store, id(&args.id)?, now)?;
    shown(&token, made.key.expires, Some(now.saturating_add(ROTATION_SECONDS)), args.json)
}

fn shown(token: &Token, expires: Option<i64>, old_expires: Option<i64>, json: bool) -> anyhow::Result<()> {
    if json {
        let old = old_expires.map_or(Value::Null, Value::from);
        return print_json(
            &json!({ "key": token.reveal(), "id": token.id(), "expires": expires, "old_expires": old }),
        );
    }
    eprintln!("This is the only time that it is shown:");
    print(&format!("{}\n", token.reveal()))?;
    if let Some(end) = old_expires {
        eprintln!("The old one ends {}.", moment(end));
    }
    Ok(())
}

fn revoke(args: &OneArgs) -> anyhow::Result<()> {
    let store = args.store.open()?;
    let id = id(&args.id)?;
    if !store.revoke_key(id, now_ms()? / 1000)? {
        bail!("there is no key {id} that was not revoked before; `mantis signal key list` lists them");
    }
    if args.json {
        return print_json(&json!({ "id": id, "revoked": true }));
    }
    print(&format!(
        "{id} is revoked; a running server refuses it within a second, and ends its streams within 15\n"
    ))
}

/// The id of a key, given alone or as a whole key: that is told not to do it again.
fn id(text: &str) -> anyhow::Result<&str> {
    if text.starts_with("mk_live_") {
        bail!("this is a whole key, which a shell may have kept: give its id alone, and rotate the key");
    }
    let is_id = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some(text).context("an id is 8 letters and digits: those of the key after mk_live_")
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let store = args.store.open()?;
    let all = store.keys(MOST)?;
    let now = now_ms()? / 1000;
    if args.json {
        let one = |kept: &KeyRecord| {
            json!({
                "id": kept.key.id, "note": kept.key.note, "plan": kept.key.plan, "scopes": kept.key.scopes,
                "signals": kept.key.signals, "made_at": kept.key.made_at, "expires": kept.key.expires,
                "revoked": kept.revoked, "last_used": kept.last_used, "follows": kept.follows,
                "counts": state(kept, now) == "good",
            })
        };
        return print_json(&all.iter().map(one).collect::<Vec<_>>());
    }
    let mut table = Table::new(["id", "state", "plan", "scopes", "signals", "ends", "last used", "note"]);
    for kept in &all {
        let signals = kept.key.signals.as_ref().map_or_else(|| "all".into(), |signals| signals.join(","));
        let or = |time: Option<i64>, none: &str| time.map_or_else(|| none.to_owned(), moment);
        table.row([
            kept.key.id.clone(),
            state(kept, now).into(),
            kept.key.plan.clone(),
            kept.key.scopes.join(","),
            signals,
            or(kept.key.expires, "never"),
            or(kept.last_used, "never"),
            kept.key.note.clone(),
        ]);
    }
    print(&table.render())
}

fn state(kept: &KeyRecord, now: i64) -> &'static str {
    match kept {
        _ if kept.revoked.is_some() => "revoked",
        _ if kept.key.expires.is_some_and(|end| end <= now) => "ended",
        _ => "good",
    }
}

fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
