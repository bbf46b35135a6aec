//! Each miner: what it earns, and every reason.

use super::chart::over_time;
use super::facts::miner_value;
use super::leaderboard::{self, coverage};
use super::svg::bar;
use super::table::{self, First, heading};
use super::text::{count, esc, percent, plural, short, words};
use super::view::{Cell, Miner, Part, View};
use mantis_ledger::{Activity, RejectionCounts};
use mantis_weights::{Outcome, Settlement};

/// Refusals on the whole page, and of one miner at most and in any case.
const REFUSALS: usize = 1000;
const MOST: usize = 25;
const FEWEST: usize = 3;
/// Numbers on the whole page, and of one miner in one challenge.
const FACTS: usize = 14_000;
const FACTS_EACH: usize = 20;
/// Miners up to which it is shown how each sends.
const SENDING: usize = 64;

/// How much of a miner is shown, so that the page stays small.
struct Limits {
    refusals: usize,
    facts: usize,
    sending: bool,
}

/// All miners on one page.
pub(super) fn section(view: &View<'_>) -> String {
    let mut out = String::from(
        "<section id=\"s-miners\" aria-labelledby=\"h-miners\">\n<h2 id=\"h-miners\">Miners</h2>\n<p class=\"muted\">Open a miner to see where its weight comes from, challenge by challenge. A link to <code>#HOTKEY</code> opens it at once. A full bar is what the best miner of a challenge gets.</p>\n<div class=\"list\">\n",
    );
    let limits = Limits {
        refusals: (REFUSALS / view.miners.len().max(1)).clamp(FEWEST, MOST),
        facts: facts_each(view),
        sending: view.miners.len() <= SENDING,
    };
    for (i, miner) in view.miners.iter().enumerate() {
        out += &one(view, i, miner, &limits);
    }
    out + "</div>\n</section>\n"
}

/// As many numbers per miner and challenge as there is room for, at least 1.
fn facts_each(view: &View<'_>) -> usize {
    let reports = || view.miners.iter().flat_map(|miner| &miner.cells).filter_map(|cell| cell.report);
    let fits = |each: &usize| reports().map(|report| report.facts.len().min(*each)).sum::<usize>() <= FACTS;
    (1..=FACTS_EACH).rev().find(fits).unwrap_or(1)
}

fn one(view: &View<'_>, index: usize, miner: &Miner<'_>, limits: &Limits) -> String {
    let paid = miner.total > 0.0;
    let rank = if paid { (index + 1).to_string() } else { "–".into() };
    let paying = miner.cells.iter().filter(|cell| cell.share > 0.0).count();
    let mut out = format!(
        "<details class=\"miner\"><summary><span class=\"n muted\">{rank}</span><span class=\"k\">{}</span><span class=\"about\">{}</span><span class=\"n\">{}</span><span class=\"muted\">{}</span></summary>\n<div class=\"body\" id=\"{}\">\n<p class=\"key\">{}</p>\n",
        esc(&short(miner.hotkey)),
        esc(miner.about),
        if paid { percent(miner.total) } else { "nothing".into() },
        if paid { plural(paying, "challenge", "challenges") } else { String::new() },
        miner.anchor,
        esc(miner.hotkey)
    );
    out += &format!("<p>{}</p>\n", sentence(view, index, miner));
    out += &in_challenges(view, miner, limits.facts);
    if limits.sending {
        out += &sending(view, &format!("sends-{index}"), miner);
    }
    out += &steps(view, miner);
    out += &over_time("Weight", &view.input.past.blocks, miner.past, percent);
    out += &refused(&miner.refusals, limits.refusals);
    out + "</div>\n</details>\n"
}

/// A miner in each challenge: first where it earns most.
pub(crate) fn everywhere(view: &View<'_>, miner: &Miner<'_>) -> String {
    in_challenges(view, miner, FACTS_EACH)
}

fn in_challenges(view: &View<'_>, miner: &Miner<'_>, facts: usize) -> String {
    let mut out = String::from("<ul class=\"parts\">\n");
    let mut order: Vec<(usize, &Cell<'_>)> = miner.cells.iter().enumerate().collect();
    let contributes =
        |&(i, cell): &(usize, &Cell<'_>)| cell.share * view.parts.get(i).map_or(0.0, |p| p.counts);
    order.sort_by(|a, b| contributes(b).total_cmp(&contributes(a)));
    for (i, cell) in order {
        if let Some(part) = view.parts.get(i) {
            out += &in_challenge(view, i, part, cell, facts);
        }
    }
    out + "</ul>\n"
}

/// How a miner sends: coverage, staleness and twins by challenge. `id` is the table's.
pub(crate) fn sending(view: &View<'_>, id: &str, miner: &Miner<'_>) -> String {
    let known =
        || miner.cells.iter().zip(&view.parts).filter_map(|(cell, part)| Some((cell, part, cell.activity?)));
    if known().next().is_none() {
        return String::new();
    }
    let headings = [
        heading("", First::Least, "Challenge"),
        heading("n", First::Most, "Sent"),
        heading("n", First::Most, "Changed"),
        heading("n", First::Most, "Last sent"),
        heading("n", First::Most, "Unchanged since"),
        heading("", First::Least, "Twin"),
    ];
    let mut out = format!(
        "<h4 id=\"h-{id}\">How it sends, last day</h4>\n{}",
        table::begin(id, "", &format!("h-{id}"), &headings)
    );
    for (cell, part, activity) in known() {
        let sample_every = i64::from(view.input.config.network.sample_every);
        let block = |sidx: i64| count(sidx.saturating_mul(sample_every));
        let (covered, shown) = coverage(cell);
        let Activity { rows, present, changes, last_sidx, changed_sidx, twin, twin_rows } = activity;
        let twin = match twin {
            Some(twin) => format!("{} in {} of its {}", view.link(twin), count(*twin_rows), count(*present)),
            None => String::new(),
        };
        out += &format!(
            "<tr><th scope=\"row\"><a href=\"{}\">{}</a></th><td class=\"n\" data-value=\"{covered}\">{shown} <span class=\"muted\">of {} rows</span></td><td class=\"n\" data-value=\"{changes}\">{} times</td><td class=\"n\" data-value=\"{last_sidx}\">block {}</td><td class=\"n\" data-value=\"{changed_sidx}\">block {}</td><td data-value=\"{twin_rows}\">{twin}</td></tr>\n",
            part.href,
            esc(&part.scored.ticker),
            count(*rows),
            count(*changes),
            block(*last_sidx),
            block(*changed_sidx),
        );
    }
    out + table::END
}

/// What a miner earns, in a sentence.
pub(crate) fn sentence(view: &View<'_>, index: usize, miner: &Miner<'_>) -> String {
    if miner.total <= 0.0 {
        return format!("Earns nothing: {}.", leaderboard::why(miner));
    }
    let mut parts: Vec<(f64, &Part<'_>)> =
        miner.cells.iter().zip(&view.parts).map(|(cell, part)| (cell.share * part.counts, part)).collect();
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let most = parts.first().map_or(String::new(), |(x, part)| {
        format!(
            r##", most of it ({}) from <a href="{}">{}</a>"##,
            percent((x / miner.total).min(1.0)),
            part.href,
            esc(&part.scored.ticker)
        )
    });
    format!(
        "Rank {} of {}, with {} of the total salience{most}.",
        index + 1,
        count(view.miners.len() as i128),
        percent(miner.total)
    )
}

fn in_challenge(view: &View<'_>, index: usize, part: &Part<'_>, cell: &Cell<'_>, shown: usize) -> String {
    let head = match cell.rank {
        Some(rank) => format!(
            "{}<b class=\"n\">{}</b><span class=\"muted\">rank {rank} of {}, adds {}</span>",
            bar(cell.share / part.best),
            percent(cell.share),
            part.paid,
            percent(cell.share * part.counts)
        ),
        None => format!("<span class=\"why\">{}</span>", esc(&part.scored.why_nothing(cell.report).text)),
    };
    let mut out = format!(r##"<li><a href="{}">{}</a>{head}"##, part.href, esc(&part.scored.ticker));
    let facts = cell.report.map_or(&[][..], |report| &report.facts);
    if !facts.is_empty() {
        let fact = |fact: &mantis_plugin_api::Fact| {
            format!("{} <b>{}</b>", esc(&words(&fact.name)), miner_value(view, index, fact))
        };
        let lines: Vec<String> = facts.iter().take(shown).map(fact).collect();
        let more = facts.len().saturating_sub(shown);
        let more = if more > 0 { format!(" · {more} more in the challenge's table") } else { String::new() };
        out += &format!("<p>{}{more}</p>", lines.join(" · "));
    }
    out + "</li>\n"
}

/// From salience to weight.
pub(crate) fn steps(view: &View<'_>, miner: &Miner<'_>) -> String {
    let Some(step) = miner.step else {
        return match view.input.outcome {
            Outcome::Weights(_) => {
                "<p class=\"muted\">It is not registered, so it is given no weight.</p>\n".into()
            }
            Outcome::Rejected(_) => String::new(),
        };
    };
    let network = &view.input.config.network;
    let Settlement { salience, share, burned, previous, weight, .. } = step;
    let young = if step.young {
        "young: a fixed small weight instead of its salience".to_owned()
    } else {
        "its part of what the registered miners earn".to_owned()
    };
    let burn = if step.uid == network.burn_uid {
        format!("less {}, and it is given the burn", percent(network.burn))
    } else {
        format!("less {}", percent(network.burn))
    };
    let smooth = match previous {
        Some(previous) => {
            format!("{} new, the rest last time's {}", percent(network.ema), percent(*previous))
        }
        None => "there is no last time to smooth with".into(),
    };
    let largest = [*salience, *share, *burned, *weight].into_iter().fold(f64::MIN_POSITIVE, f64::max);
    let row = |name: &str, x: f64, what: &str| {
        let bar = bar(x / largest);
        format!(
            "<li><span>{name}</span>{bar}<b class=\"n\">{}</b><span class=\"muted\">{what}</span></li>\n",
            percent(x)
        )
    };
    format!(
        "<h4>From salience to weight, UID {}</h4>\n<ol class=\"steps\">\n{}{}{}{}<li><span>On chain</span><span></span><b class=\"n\">{}</b><span class=\"muted\">of 65,535</span></li>\n</ol>\n",
        step.uid,
        row("Salience", *salience, "of all challenges by their weights"),
        row("Share", *share, &young),
        row("After the burn", *burned, &burn),
        row("Weight", *weight, &smooth),
        count(miner.on_chain)
    )
}

/// Why payloads of a miner were refused, newest first.
pub(crate) fn refused(refusals: &[&RejectionCounts], shown: usize) -> String {
    if refusals.is_empty() {
        return String::new();
    }
    let mut out = String::from("<h4>Refused</h4>\n<ul class=\"refused\">\n");
    for counts in refusals.iter().take(shown) {
        let last = &counts.last;
        let ticker =
            if last.ticker.is_empty() { String::new() } else { format!(" of {}", esc(&last.ticker)) };
        let blocks = if counts.first_block == counts.last_block {
            format!("once, block {}", count(counts.first_block))
        } else {
            format!(
                "{}, blocks {} to {}",
                plural(usize::try_from(counts.times).unwrap_or(usize::MAX), "time", "times"),
                count(counts.first_block),
                count(counts.last_block)
            )
        };
        out += &format!(
            "<li><p><code>{}</code> at {}{ticker} <span class=\"muted\">{blocks}</span></p>{}</li>\n",
            esc(&last.code),
            last.stage.as_str(),
            esc(&last.detail)
        );
    }
    out += "</ul>\n";
    if refusals.len() > shown {
        out += &format!(
            "<p class=\"muted\">and {} older</p>\n",
            plural(refusals.len() - shown, "stretch", "stretches")
        );
    }
    out
}
