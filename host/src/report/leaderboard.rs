//! Who earns what, best first.

use super::svg::{bar, heat};
use super::text::{esc, percent, plural, short};
use super::view::{Cell, Miner, View};
use std::collections::BTreeMap;

pub(super) fn section(view: &View<'_>) -> String {
    let (paid, unpaid): (Vec<_>, Vec<_>) = view.miners.iter().partition(|miner| miner.total > 0.0);
    let mut out = String::from(
        "<section id=\"s-leaderboard\" aria-labelledby=\"h-leaderboard\">\n<h2 id=\"h-leaderboard\">Leaderboard</h2>\n",
    );
    if paid.is_empty() {
        out += "<p class=\"muted\">No miner earns anything.</p>\n";
    } else {
        out += &table(view, &paid);
    }
    if !unpaid.is_empty() {
        out += &nothing(&unpaid);
    }
    out + "</section>\n"
}

fn table(view: &View<'_>, paid: &[&Miner<'_>]) -> String {
    let columns: Vec<usize> =
        view.parts.iter().enumerate().filter(|(_, part)| part.paid > 0).map(|(i, _)| i).collect();
    let cells = || paid.iter().flat_map(|miner| columns.iter().filter_map(|&c| miner.cells.get(c)));
    let most = cells().map(|cell| cell.share).fold(0.0, f64::max);
    let heaviest = paid.iter().map(|miner| miner.weight().max(miner.total)).fold(0.0, f64::max);
    let any_about = paid.iter().any(|miner| !miner.about.is_empty());
    let mut out = String::from(
        "<p class=\"muted\">Columns on the right: what each miner gets of what a challenge pays, in percent. The stronger the colour, the more; a dot is nothing, a blank is a miner that sent nothing.</p>\n\
        <div class=\"scroll\" role=\"region\" aria-labelledby=\"h-leaderboard\" tabindex=\"0\">\n<table class=\"board\">\n<thead><tr><th class=\"n\">#</th><th class=\"who\">Miner</th>",
    );
    if any_about {
        out += "<th class=\"about\">What it is</th>";
    }
    out += "<th class=\"n\">Weight</th><td></td><th class=\"n total\">Total</th>";
    for part in columns.iter().filter_map(|&c| view.parts.get(c)) {
        out += &format!(
            r##"<th class="up"><a href="{}"><span>{}</span></a></th>"##,
            part.href,
            esc(&part.scored.ticker)
        );
    }
    out += "</tr></thead>\n<tbody>\n";
    for (i, miner) in paid.iter().enumerate() {
        out += &format!(
            r##"<tr><td class="n muted">{}</td><th scope="row" class="who"><a href="{}" title="{}">{}</a></th>"##,
            i + 1,
            miner.href,
            esc(miner.hotkey),
            esc(&short(miner.hotkey))
        );
        if any_about {
            out += &format!("<td class=\"about\">{}</td>", esc(miner.about));
        }
        out += &format!(
            "<td class=\"n\"><data value=\"{}\">{}</data></td><td class=\"bar\">{}</td><td class=\"n total\"><data value=\"{}\">{}</data></td>",
            miner.weight(),
            percent(miner.weight()),
            bar(miner.weight() / heaviest),
            miner.total,
            percent(miner.total)
        );
        for cell in columns.iter().filter_map(|&c| miner.cells.get(c)) {
            out += &heated(cell, most);
        }
        out += "</tr>\n";
    }
    out + "</tbody>\n</table>\n</div>\n"
}

fn heated(cell: &Cell<'_>, most: f64) -> String {
    match cell.report {
        Some(_) if cell.share >= 0.0005 => {
            format!("<td class=\"h{}\">{:.1}</td>", heat(cell.share, most), 100.0 * cell.share)
        }
        Some(_) if cell.share > 0.0 => "<td class=\"h1\">&lt;.1</td>".into(),
        Some(_) => "<td class=\"h0\">·</td>".into(),
        None => "<td></td>".into(),
    }
}

fn nothing(unpaid: &[&Miner<'_>]) -> String {
    let open = if unpaid.len() <= 30 { " open=\"open\"" } else { "" };
    let mut out = format!(
        "<details class=\"card\"{open}><summary>{} nothing</summary>\n<ul class=\"nothing\">\n",
        plural(unpaid.len(), "miner earns", "miners earn")
    );
    for miner in unpaid {
        let about = if miner.about.is_empty() {
            String::new()
        } else {
            format!(" <span class=\"about\">{}</span>", esc(miner.about))
        };
        out += &format!(
            r##"<li><span><a class="k" href="{}" title="{}">{}</a>{about}</span><span>{}</span></li>
"##,
            miner.href,
            esc(miner.hotkey),
            esc(&short(miner.hotkey)),
            why(miner)
        );
    }
    out + "</ul>\n</details>\n"
}

/// Why a miner earns nothing: what most challenges say, and what was refused most often.
pub(super) fn why(miner: &Miner<'_>) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for report in miner.cells.iter().filter_map(|cell| cell.report) {
        let reason = report.why_zero.as_ref().map_or("no reason is given", |why| &why.text);
        *reasons.entry(reason).or_default() += 1;
    }
    let mut out = match reasons.iter().max_by_key(|(_, times)| **times) {
        Some((reason, times)) if reasons.len() > 1 => {
            format!(
                "{} <span class=\"muted\">({times} of {})</span>",
                esc(reason),
                plural(reasons.values().sum(), "challenge", "challenges")
            )
        }
        Some((reason, _)) => esc(reason),
        None => "no prediction of it is stored (zeros count as none)".into(),
    };
    let most = miner.refusals.iter().max_by_key(|counts| (counts.times, counts.last_block));
    if let Some(most) = most {
        let times: u64 = miner.refusals.iter().map(|counts| counts.times).sum();
        out += &format!(
            "; refused {}, most for <code>{}</code>: {}",
            plural(usize::try_from(times).unwrap_or(usize::MAX), "time", "times"),
            esc(&most.last.code),
            esc(&most.last.detail)
        );
    }
    out
}
