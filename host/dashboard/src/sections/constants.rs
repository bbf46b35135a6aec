//! Everything in the configuration that is not a challenge's own.

use super::configuration::solver;
use super::definitions::{Definition, Definitions, Value};
use super::text::{clean, count, number, percent};
use super::time::duration_of_blocks;
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::{Beacon, Collect, Config, MarketFeed, Network, Stale, bare_url};
use std::time::Duration;

/// The configuration's constants, a list for each of its tables.
#[derive(Template)]
#[template(path = "sections/constants.html")]
pub(crate) struct Constants {
    tables: [(&'static str, Definitions); 5],
}

impl HtmlSafe for Constants {}

impl Constants {
    pub(crate) fn new(config: &Config) -> Self {
        let tables = [
            ("Network", network(&config.network)),
            ("Beacon", beacon(&config.beacon)),
            ("Market feed", market(&config.market)),
            ("Collecting", collecting(&config.collect)),
            ("Plugins", plugins(config)),
        ];
        Self { tables: tables.map(|(name, rows)| (name, Definitions::new(rows))) }
    }
}

fn network(network: &Network) -> Vec<Definition> {
    vec![
        Definition::text("Subnet", network.netuid.to_string()),
        Definition::text("Version key", network.version_key.to_string()),
        Definition::text("A row every", blocks(network.sample_every)),
        Definition::text("Opened after", opened_after(network)),
        Definition::text("Scoring stays behind", blocks(network.task_interval)),
        Definition::text("Computes every", blocks(network.weight_calc_interval)),
        Definition::text("Sets every", blocks(network.weight_set_interval)),
        Definition::text("Needs", format!("{} sampled blocks", count(network.min_sampled))),
        Definition::text("Scores", format!("{} days", count(network.max_days))),
        Definition::text("Burn", format!("{} to UID {}", percent(network.burn), network.burn_uid)),
        Definition::text("Smoothing", format!("{} new", percent(network.ema))),
        Definition::text(
            "Young",
            format!("{} for {}", percent(network.young_weight), blocks(network.young_blocks)),
        ),
        Definition::text(
            "Retired",
            match network.retired.len() {
                0 => "nobody".into(),
                hotkeys => format!("{} hotkeys", count(hotkeys)),
            },
        ),
        Definition::text("Seed", network.seed.to_string()),
        Definition::new("Owner\u{2019}s key", Value::Code(hex::encode(network.owner_key))),
    ]
}

fn opened_after(network: &Network) -> String {
    let blocks = network.maturity();
    format!("{} blocks, about {}", count(blocks), duration_of_blocks(blocks))
}

fn beacon(beacon: &Beacon) -> Vec<Definition> {
    let addresses = beacon.api.iter().map(|api| clean(&bare_url(api))).collect();
    vec![
        Definition::new("Asked in turn", Value::Lines(addresses)),
        Definition::text("A round every", format!("{} s", count(beacon.period))),
        Definition::new("Public key", Value::Code(hex::encode(beacon.public_key))),
    ]
}

fn market(market: &MarketFeed) -> Vec<Definition> {
    let feeds: Vec<String> =
        market.url.iter().chain(&market.others).map(|url| clean(&bare_url(url))).collect();
    let feeds = if feeds.is_empty() { vec!["none: no prices are fetched".into()] } else { feeds };
    vec![
        Definition::new("Address", Value::Lines(feeds)),
        Definition::text("Time for it", seconds(market.timeout)),
        Definition::text("Largest document", bytes(market.max_bytes)),
    ]
}

fn collecting(collect: &Collect) -> Vec<Definition> {
    let hosts: Vec<String> = collect.hosts.iter().map(|host| clean(host)).collect();
    let stale = if collect.stale == Stale::Count { "counted" } else { "refused" };
    vec![
        Definition::text("Hosts", hosts.join(", ")),
        Definition::text("Largest file", bytes(collect.max_bytes)),
        Definition::text("Largest plaintext", bytes(collect.plaintext_bytes)),
        Definition::text("Served unchanged", stale),
        Definition::text("At the same time", count(collect.parallel)),
        Definition::text("Time for a file", seconds(collect.timeout)),
        Definition::text("Time for a round", seconds(collect.round_timeout)),
    ]
}

fn plugins(config: &Config) -> Vec<Definition> {
    vec![
        Definition::text("Run as", config.runtime.as_str()),
        Definition::text("Solver", solver(config.solver)),
        Definition::text("Memory as WebAssembly", format!("{} MiB", count(config.wasm_memory_mib))),
        Definition::text("Memory as a library", format!("{} MiB", count(config.native_memory_mib))),
    ]
}

fn blocks(blocks: u32) -> String {
    format!("{} blocks", count(blocks))
}

fn bytes(bytes: impl std::fmt::Display) -> String {
    format!("{} bytes", count(bytes))
}

fn seconds(time: Duration) -> String {
    format!("{} s", number(time.as_secs_f64()))
}
