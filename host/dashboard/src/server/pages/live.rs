//! What goes on now: a part of the overview that is fetched again every few seconds.

use super::now;
use crate::sections::text::{ago, count, esc, percent, plural, span_of};
use crate::standing::Standing;
use mantis_ledger::{Ledger, LedgerError, Totals};
use mantis_validator::Status;

/// Reasons that are named.
const REASONS: usize = 6;

/// What wants attention, then a tile for each thing that goes on. Changes every few seconds.
///
/// # Errors
/// If the ledger cannot be read.
pub fn live(standing: &Standing, status: Option<&Status>, ledger: &Ledger) -> Result<String, LedgerError> {
    let mut out = String::new();
    if let Some(status) = status {
        let faults = status.faults();
        if faults.is_empty() {
            out += "<p class=\"well\" id=\"attention\">All is well.</p>\n";
        } else {
            let lines: String =
                faults.iter().map(|fault| format!("<li>{}</li>", esc(&capital(fault)))).collect();
            out += &format!("<ul class=\"alert\" id=\"attention\">{lines}</ul>\n");
        }
    }
    out += "<dl class=\"tiles\">\n";
    if let Some(status) = status {
        out += &following(status);
    }
    out += &payloads(status, ledger, &ledger.totals()?)?;
    if let Some(status) = status {
        out += &around(status);
        out += &due(status);
    }
    out += &last_set(standing, ledger)?;
    if let Some(status) = status {
        out += &configuration(status);
    }
    out += "</dl>\n";
    out += &reasons(ledger)?;
    Ok(out)
}

/// One tile: an id for whoever reads it by machine, its name, what it says, and more about it; all escaped.
fn tile(id: &str, name: &str, value: &str, more: &str) -> String {
    format!("<div id=\"tile-{id}\"><dt>{name}</dt><dd><b>{value}</b><span>{more}</span></dd></div>\n")
}

fn following(status: &Status) -> String {
    let (chain, sampling) = (&status.chain, &status.sampling);
    let age = chain.block_time.map_or(String::new(), |time| ago(time, now()));
    let mut out = tile("block", "Block", &block(chain.block), &age);
    let mut about = Vec::new();
    about.extend(sampling.at.map(|at| ago(at, now())));
    about.extend(sampling.seconds.map(|seconds| format!("took {seconds:.1} s")));
    about.extend(
        sampling.late.filter(|&late| late > 0).map(|late| format!("{} blocks late", count(i128::from(late)))),
    );
    if sampling.missed > 0 {
        about.push(format!("{} missed", count(i128::from(sampling.missed))));
    }
    out += &tile("sample", "Last sample", &block(sampling.block), &about.join(" · "));
    out
}

fn payloads(status: Option<&Status>, ledger: &Ledger, totals: &Totals) -> Result<String, LedgerError> {
    let number = |n: u64| count(i128::from(n));
    let mut out = String::new();
    if let Some(sampling) = status.map(|status| &status.sampling)
        && let Some(accepted) = sampling.accepted
    {
        let refused = sampling.refused.unwrap_or(0);
        out += &tile(
            "collected",
            "Collected last",
            &plural(accepted, "payload", "payloads"),
            &format!("{} not there or refused", count(refused as i128)),
        );
    }
    let of = |part: u64| if totals.accepted > 0 { part as f64 / totals.accepted as f64 } else { 0.0 };
    out += &tile(
        "opened",
        "Opened",
        &number(totals.opened),
        &format!("of {} taken, {} served unchanged", number(totals.accepted), percent(of(totals.stale))),
    );
    let first =
        ledger.first_pending()?.map_or_else(String::new, |first| format!(", the first at {}", count(first)));
    let pending = ledger.pending()?.len();
    out +=
        &tile("waiting", "Sealed", &plural(pending, "block", "blocks"), &format!("wait to be opened{first}"));
    out += &tile("refused", "Refused", &number(totals.refused), "not there, or refused as a whole");
    Ok(out)
}

/// Chain, beacon and feed.
fn around(status: &Status) -> String {
    let chain = &status.chain;
    let mut about = Vec::new();
    about.extend(chain.neurons.map(|n| plural(n, "neuron", "neurons")));
    about.push(match (&status.hotkey, chain.registered, chain.permit) {
        (None, ..) => "no hotkey of our own".into(),
        (_, Some(false), _) => "our hotkey is not registered".into(),
        (_, _, Some(false)) => "no validator permit".into(),
        (_, Some(true), _) => "our hotkey is registered".into(),
        _ => String::new(),
    });
    about.extend(chain.answered.map(|at| ago(at, now())));
    about.retain(|text| !text.is_empty());
    let state = |fault: &Option<String>| if fault.is_some() { "<em>fault</em>" } else { "well" };
    let chain_tile =
        tile("chain", &format!("Chain {}", esc(&status.network)), state(&chain.fault), &about.join(" · "));
    let beacon = match (&status.opening.fault, status.opening.waiting) {
        (Some(fault), _) => esc(fault),
        (None, 0) => "nothing waits for it".into(),
        (None, waiting) => format!("{} wait for it", plural(waiting, "block", "blocks")),
    };
    let feed = match &status.sampling.feed_fault {
        Some(fault) => esc(fault),
        None => "prices with the last sample".into(),
    };
    chain_tile
        + &tile("beacon", "Beacon", state(&status.opening.fault), &beacon)
        + &tile("feed", "Market feed", state(&status.sampling.feed_fault), &feed)
}

/// What is due next.
fn due(status: &Status) -> String {
    let weights = &status.weights;
    let at = |due: Option<i64>| match (due, status.chain.block) {
        (Some(due), Some(block)) => {
            let to_go = due.saturating_sub(i64::try_from(block).unwrap_or(i64::MAX));
            let text = if to_go > 0 {
                format!("in {} blocks, about {}", count(to_go), span_of(to_go))
            } else {
                "due now".into()
            };
            (count(due), text)
        }
        (Some(due), None) => (count(due), String::new()),
        (None, Some(_)) => ("–".into(), "none is due".into()),
        (None, None) => ("–".into(), "not yet known".into()),
    };
    let (next, mut text) = at(weights.next_computation);
    if let Some(computing) = weights.computing {
        text = format!("running now for block {}", count(computing));
    }
    let computation = tile("computation", "Next computation", &next, &text);
    let (next, mut text) = at(weights.next_setting);
    if status.dry_run {
        text += "; a dry run, nothing is sent";
    }
    computation + &tile("setting", "Next setting", &next, &text)
}

/// The newest attempt to set weights.
fn last_set(standing: &Standing, ledger: &Ledger) -> Result<String, LedgerError> {
    let computed = standing.computed.as_ref().map_or_else(
        || "nothing computed yet".into(),
        |computed| format!("computed at {}, {:.1} s", count(computed.block), computed.seconds),
    );
    let Some(attempt) = ledger.attempts(1)?.into_iter().next() else {
        return Ok(tile("weights", "Last weights", "none sent", &computed));
    };
    let mut about = vec![format!("at block {} {}", count(attempt.block), ago(attempt.unix, now()))];
    if let Some(hash) = &attempt.transaction {
        let short: String = hash.chars().take(10).collect();
        about.push(format!("<code title=\"{}\">{}…</code>", esc(hash), esc(&short)));
    }
    about.extend(attempt.error.as_ref().map(|error| esc(error)));
    Ok(tile("weights", "Last weights", attempt.sent.as_str(), &about.join(" · ")))
}

fn configuration(status: &Status) -> String {
    let configuration = &status.configuration;
    let (value, mut about) = match &configuration.fault {
        None => ("taken", ago(configuration.taken, now())),
        Some(fault) => ("<em>refused</em>", format!("{}; the one of before runs", esc(fault))),
    };
    let name = configuration.file.rsplit(['/', '\\']).next().unwrap_or_default();
    about += &format!(" · {}", esc(name));
    tile("configuration", "Configuration", value, &about)
}

/// Why payloads were refused, most frequent first.
fn reasons(ledger: &Ledger) -> Result<String, LedgerError> {
    let reasons = ledger.refusals_by_code()?;
    if reasons.is_empty() {
        return Ok(String::new());
    }
    let line = |(stage, code, times): &(String, String, u64)| {
        format!("<li><b>{}</b> <code>{}</code> at {}</li>", count(i128::from(*times)), esc(code), esc(stage))
    };
    let lines: String = reasons.iter().take(REASONS).map(line).collect();
    Ok(format!(
        "<ul class=\"codes\" id=\"refused-by-reason\" aria-label=\"Refused, by reason\">{lines}</ul>\n"
    ))
}

fn block(block: Option<u64>) -> String {
    block.map_or("–".into(), |block| count(i128::from(block)))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_begin_with_a_capital() {
        assert_eq!((capital("no prices"), capital("")), ("No prices".into(), String::new()));
    }
}
