//! The configuration as it was loaded.

use super::challenges::horizon;
use super::svg::bar;
use super::table::{self, First, heading};
use super::text::{count, esc, number, percent, plural};
use super::view::{Part, View};
use mantis_config::{Challenge, Config, QuoteKind, Stale, Weight};
use mantis_plugin_api::Solver;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) fn section(view: &View<'_>) -> String {
    format!(
        "<section id=\"s-configuration\" aria-labelledby=\"h-configuration\">\n<h2 id=\"h-configuration\">Configuration</h2>\n{}<details class=\"card\"><summary>Constants</summary>\n{}</details>\n</section>\n",
        challenges(view),
        constants(view.input.config)
    )
}

/// A table of all challenges, under a heading with the id `h-configuration`.
pub(crate) fn challenges(view: &View<'_>) -> String {
    let config = view.input.config;
    let weights: BTreeMap<String, f64> = config.weights().into_iter().collect();
    let sum: f64 = weights.values().sum();
    let headings = [
        heading("", First::Least, "Challenge"),
        heading("opt", First::Least, "Name"),
        heading("n", First::Most, "Weight"),
        heading("n", First::Most, "Share"),
        "<td></td>".into(),
        heading("", First::Least, "Plugin"),
        heading("", First::Least, "Runs as"),
        heading("opt", First::Least, "Solver"),
        heading("opt", First::Least, "Pinned to"),
    ];
    let mut out = table::begin("configured", "", "h-configuration", &headings);
    for challenge in &config.challenges {
        let weight = weights.get(&challenge.ticker).copied().unwrap_or(0.0);
        let share = if sum > 0.0 { weight / sum } else { 0.0 };
        let ticker = esc(&challenge.ticker);
        let name = match view.part(&challenge.ticker) {
            Some((_, part)) => format!("<a href=\"{}\">{ticker}</a>", part.href),
            None => ticker.clone(),
        };
        let written = match challenge.weight {
            Weight::Fixed(weight) => number(weight),
            Weight::Share(share) => format!("{} of all", percent(share)),
        };
        out += &format!(
            "<tr data-ticker=\"{ticker}\"><th scope=\"row\">{name}</th><td class=\"opt\">{}</td><td class=\"n\" data-value=\"{weight}\">{written}</td><td class=\"n\" data-value=\"{share}\">{}</td><td class=\"bar\">{}</td><td>{}</td><td>{}</td><td class=\"opt\">{}</td><td class=\"opt\">{}</td></tr>\n",
            esc(&challenge.name),
            percent(share),
            bar(share),
            esc(&challenge.plugin),
            challenge.runtime.as_str(),
            solver(challenge.solver),
            match &challenge.sha256 {
                Some(digest) =>
                    format!("<code title=\"{0}\">{1}…</code>", hex::encode(digest), &hex::encode(digest)[..8]),
                None => "<span class=\"muted\">nothing</span>".into(),
            }
        );
    }
    out + table::END
}

/// What a challenge is configured to.
pub(crate) fn of_challenge(challenge: &Challenge, part: Option<&Part<'_>>) -> String {
    let mut rows: Vec<(String, String)> =
        vec![("Name".into(), esc(&challenge.name)), ("Plugin".into(), esc(&challenge.plugin))];
    if let Some(description) = part.and_then(|part| part.scored.description.as_ref()) {
        rows.push(("Version".into(), format!("{} {}", esc(&description.name), esc(&description.version))));
    }
    rows.push(("Runs as".into(), challenge.runtime.as_str().into()));
    rows.push((
        "Digest".into(),
        match &challenge.sha256 {
            Some(digest) => format!("<code class=\"long\">{}</code>", hex::encode(digest)),
            None => "not pinned".into(),
        },
    ));
    rows.push((
        "Weight".into(),
        match challenge.weight {
            Weight::Fixed(weight) => number(weight),
            Weight::Share(share) => format!("{} of all", percent(share)),
        },
    ));
    rows.push(("Horizon".into(), horizon(challenge.blocks_ahead)));
    rows.push(("Solver".into(), solver(challenge.solver).into()));
    rows.push(("Numbers per miner".into(), count(challenge.storage_dim() as i128)));
    if let Some(key) = &challenge.price_key {
        rows.push(("Price".into(), esc(key)));
    }
    if challenge.quotes == QuoteKind::FundingRates {
        rows.push(("Stores".into(), "funding rates".into()));
    }
    if let Some(from) = &challenge.prices_from {
        rows.push(("Prices of".into(), esc(from)));
    }
    if !challenge.assets.is_empty() {
        let assets: Vec<String> = challenge.assets.iter().map(|asset| esc(asset)).collect();
        rows.push((plural(assets.len(), "asset", "assets"), assets.join(", ")));
    }
    for (key, value) in &challenge.params {
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        rows.push((format!("<code>{}</code>", esc(key)), esc(&text)));
    }
    definitions(&rows)
}

/// Everything that is not a challenge's own.
pub(crate) fn constants(config: &Config) -> String {
    let network = &config.network;
    let rows = |rows: &[(&str, String)]| {
        let rows: Vec<(String, String)> =
            rows.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        definitions(&rows)
    };
    let blocks = |blocks: u32| format!("{} blocks", count(blocks));
    let seconds = |time: Duration| format!("{} s", number(time.as_secs_f64()));
    let mut out = String::from("<h4>Network</h4>\n");
    out += &rows(&[
        ("Subnet", network.netuid.to_string()),
        ("Version key", network.version_key.to_string()),
        ("A row every", blocks(network.sample_every)),
        ("Opened after", format!("{} rows", count(network.lag))),
        ("Scoring stays behind", blocks(network.task_interval)),
        ("Computes every", blocks(network.weight_calc_interval)),
        ("Sets every", blocks(network.weight_set_interval)),
        ("Needs", format!("{} sampled blocks", count(network.min_sampled))),
        ("Scores", format!("{} days", count(network.max_days))),
        ("Burn", format!("{} to UID {}", percent(network.burn), network.burn_uid)),
        ("Smoothing", format!("{} new", percent(network.ema))),
        ("Young", format!("{} for {}", percent(network.young_weight), blocks(network.young_blocks))),
        ("Seed", network.seed.to_string()),
        ("Owner\u{2019}s key", format!("<code class=\"long\">{}</code>", hex::encode(&network.owner_key))),
    ]);
    out += "<h4>Beacon</h4>\n";
    let addresses: Vec<String> = config.beacon.api.iter().map(|api| esc(&without_secrets(api))).collect();
    out += &rows(&[
        ("Asked in turn", addresses.join("<br/>")),
        ("A round every", format!("{} s", count(i128::from(config.beacon.period)))),
        ("Public key", format!("<code class=\"long\">{}</code>", hex::encode(&config.beacon.public_key))),
    ]);
    out += "<h4>Market feed</h4>\n";
    let feed = config.market.url.as_ref().map(|url| esc(&without_secrets(url)));
    out += &rows(&[
        ("Address", feed.unwrap_or_else(|| "none: no prices are fetched".into())),
        ("Time for it", seconds(config.market.timeout)),
        ("Largest document", format!("{} bytes", count(i128::from(config.market.max_bytes)))),
    ]);
    out += "<h4>Collecting</h4>\n";
    let collect = &config.collect;
    let hosts: Vec<String> = collect.hosts.iter().map(|host| esc(host)).collect();
    out += &rows(&[
        ("Hosts", hosts.join(", ")),
        ("Largest payload", format!("{} bytes", count(i128::from(collect.max_bytes)))),
        ("Served unchanged", if collect.stale == Stale::Count { "counted" } else { "refused" }.into()),
        ("At the same time", count(collect.parallel as i128)),
        ("Time for a file", seconds(collect.timeout)),
        ("Time for a round", seconds(collect.round_timeout)),
    ]);
    out += "<h4>Plugins</h4>\n";
    out += &rows(&[
        ("Run as", config.runtime.as_str().into()),
        ("Solver", solver(config.solver).into()),
        ("Memory as WebAssembly", format!("{} MiB", count(config.wasm_memory_mib))),
    ]);
    out
}

/// An address without what may be a secret: a name and password before the host, and all after `?` or `#`.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
            let host = host.rsplit('@').next().unwrap_or_default();
            path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
        }
        None => url.into(),
    }
}

fn solver(solver: Solver) -> &'static str {
    match solver {
        Solver::Exact => "exact",
        Solver::Network => "network",
    }
}

fn definitions(rows: &[(String, String)]) -> String {
    let row = |(name, value): &(String, String)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
    format!("<dl class=\"settings\">\n{}</dl>\n", rows.iter().map(row).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_keys() {
        let addresses =
            ["https://a:b@x.org/y?key=1#z", "https://x.org", "http://x.org:1/a@b", "x"].map(without_secrets);
        assert_eq!(addresses, ["https://x.org/y", "https://x.org", "http://x.org:1/a@b", "x"]);
    }
}
