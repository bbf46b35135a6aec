//! What must hold between challenges.

use crate::source::{TomlTable, closest};
use crate::weights::sums;
use crate::{Challenge, Datalog, FactKind, FactSource, Weight};

/// Shares that reach this leave nothing for fixed weights: ten of 0.1 sum to a little less than 1.
const FULL: f64 = 1.0 - 1e-9;

/// Reports what does not hold. `tables` are the challenges' own; values that were faulty are empty and left alone.
pub(super) fn check(top: &TomlTable<'_>, tables: &[TomlTable<'_>], challenges: &[Challenge]) {
    let all: Vec<_> = tables.iter().zip(challenges).collect();
    check_names(&all);
    check_price_sources(&all);
    check_weights(top, &all);
}

/// Each list of facts has a name of its own and what its kind needs, and challenges name lists that are there.
pub(super) fn check_facts(
    tables: &[TomlTable<'_>],
    facts: &[FactSource],
    challenge_tables: &[TomlTable<'_>],
    challenges: &[Challenge],
) {
    for (i, (table, source)) in tables.iter().zip(facts).enumerate() {
        if facts[..i].iter().any(|other| other.name == source.name && !source.name.is_empty()) {
            let found = format!("\"{}\" is the name of another list", source.name);
            table.fault("name", found, "a name that no other [[facts]] has");
        }
        let keys: [(&str, bool); 5] = [
            ("chain_id", source.chain_id.is_some()),
            ("contract", source.contract.is_some()),
            ("event", source.event.is_some()),
            ("numbers", !source.numbers.is_empty()),
            ("signer", source.signer.is_some()),
        ];
        for (key, given) in keys {
            let is_wanted = (key == "signer") != (source.kind == FactKind::EvmLogs);
            if source.kind == FactKind::EvmLogs && is_wanted && !given && !table.has(key) {
                table.fault(key, "missing", "what `kind = \"evm_logs\"` needs");
            } else if !is_wanted && given {
                table.fault(key, "does not belong to this kind of facts", "another `kind`, or no such key");
            }
        }
    }
    let known: Vec<&str> = facts.iter().map(|source| source.name.as_str()).collect();
    for (table, challenge) in challenge_tables.iter().zip(challenges) {
        for name in challenge.facts.iter().filter(|name| !known.contains(&name.as_str())) {
            let found = format!("there is no [[facts]] \"{name}\"");
            table.push(table.offset("facts"), "facts", found, &known.join(", "), closest(name, &known));
        }
        if !challenge.channels.is_empty() && !table.has("assets") {
            let found = "channels are stored beside the prices of `assets`, and the challenge has none";
            table.fault("channels", found, "`assets`, of one asset or more, or no `channels`");
        }
        if !challenge.channels.is_empty() && challenge.prices_from.is_some() {
            let found = "stands beside `prices_from`, with which nothing is stored";
            table.fault("channels", found, "`channels` or `prices_from`, not both");
        }
    }
}

/// What anybody on the way could replace must be known by its digest.
pub(super) fn check_datalog(top: &TomlTable<'_>, datalog: Option<&Datalog>) {
    if let Some(Datalog { url, sha256: None, .. }) = datalog
        && url.starts_with("http://")
        && let Some(table) = top.table("datalog")
    {
        let found = "the file comes over http://, and no `sha256` says what it must be";
        table.fault("url", found, "an https:// URL, or `sha256` beside it");
    }
}

/// Names and tickers are keys of submissions: no two may be equal.
fn check_names(all: &[(&TomlTable<'_>, &Challenge)]) {
    for (i, (table, own)) in all.iter().enumerate() {
        for (key, value) in [("name", &own.name), ("ticker", &own.ticker)] {
            let mut earlier = all[..i].iter().filter(|_| !value.is_empty());
            if let Some((other, _)) = earlier.find(|(_, c)| c.name == *value || c.ticker == *value) {
                let line = other.file.position(other.start).line;
                let found = format!("\"{value}\" is taken by {} in line {line}", other.label);
                table.fault(key, found, "a name and a ticker that no other challenge has as name or ticker");
            }
        }
    }
}

/// `prices_from` names a challenge that stores prices of its own, of the same assets.
fn check_price_sources(all: &[(&TomlTable<'_>, &Challenge)]) {
    for (table, own) in all {
        let Some(from) = &own.prices_from else { continue };
        let Some((_, source)) = all.iter().find(|(_, c)| c.ticker == *from) else {
            let tickers = all.iter().map(|(_, c)| c.ticker.as_str());
            let known: Vec<_> = tickers.filter(|t| !t.is_empty() && *t != own.ticker).collect();
            let found = format!("no challenge has the ticker \"{from}\"");
            table.push(
                table.offset("prices_from"),
                "prices_from",
                found,
                &known.join(", "),
                closest(from, &known),
            );
            continue;
        };
        let allowed = "the ticker of another challenge that stores prices of its own";
        if *from == own.ticker {
            table.fault("prices_from", "names the challenge itself", allowed);
        } else if let Some(further) = &source.prices_from {
            table.fault("prices_from", format!("\"{from}\" takes its prices from \"{further}\""), allowed);
        } else if own.assets.is_empty() != source.assets.is_empty() {
            let found = format!("one of \"{}\" and \"{from}\" has assets, the other one price", own.ticker);
            table.fault("prices_from", found, "a challenge of the same kind");
        } else if let Some(asset) = own.assets.iter().find(|asset| !source.assets.contains(asset)) {
            let found = format!("\"{from}\" has no asset \"{asset}\"");
            table.fault("prices_from", found, "a challenge with all assets of this one");
        }
    }
}

/// Shares leave something to the fixed weights, and those are not all zero.
fn check_weights(top: &TomlTable<'_>, all: &[(&TomlTable<'_>, &Challenge)]) {
    let values: Vec<_> = all.iter().map(|(_, c)| c.weight).collect();
    // A faulty weight is NaN, and reported already: nothing is said of the sum then.
    let (fixed, shares) = sums(&values);
    if fixed.is_nan() || all.is_empty() {
        return;
    }
    let last_share = values.iter().rposition(|weight| matches!(weight, Weight::Share(_)));
    if let Some(last) = last_share
        && shares >= FULL
    {
        let found = format!("all shares sum to {shares}");
        all[last].0.fault("share", found, "shares that sum to less than 1");
    }
    if fixed > 0.0 {
        return;
    }
    match last_share {
        Some(last) => all[last].0.fault(
            "share",
            "is taken of the weights of the other challenges, and they sum to 0",
            "at least one challenge with a `weight` above 0",
        ),
        None => top.fault("challenge", "all weights are 0", "at least one `weight` above 0"),
    }
}
