//! Who earns what, where, and who earns nothing.

use super::svg::{bar, heat, spark};
use super::table::{self, First, heading, sorted};
use super::text::{esc, percent, plural, short};
use super::view::{Cell, Miner, Part, View};
use std::collections::BTreeMap;

/// All miners, then the reasons of those that earn nothing.
pub(crate) fn section(view: &View<'_>) -> String {
    let mut out = String::from(
        "<section id=\"s-leaderboard\" aria-labelledby=\"h-leaderboard\">\n<h2 id=\"h-leaderboard\">Leaderboard</h2>\n",
    );
    out += &whole(view);
    out + "</section>\n"
}

/// As [`section`], without its heading.
pub(crate) fn whole(view: &View<'_>) -> String {
    let all: Vec<&Miner<'_>> = view.miners.iter().collect();
    if all.is_empty() {
        return "<p class=\"muted\">No miner is known yet.</p>\n".into();
    }
    let mut out = String::new();
    if view.paid() == 0 {
        out += "<p class=\"muted\">No miner earns anything.</p>\n";
    }
    out += "<p class=\"muted\">Columns on the right: what each miner gets of what a challenge pays, in percent. The stronger the colour, the more; a dot is nothing, a blank is a miner that sent nothing.</p>\n";
    out += &table::filter("leaderboard", "Show miners with");
    out += &board(view, "leaderboard", "h-leaderboard", &all);
    let unpaid: Vec<&Miner<'_>> = view.miners.iter().filter(|miner| miner.total <= 0.0).collect();
    if !unpaid.is_empty() {
        out += &nothing(&unpaid);
    }
    out
}

/// A table of miners with a column per challenge that pays; `labelled` is the id of its heading.
pub(crate) fn board(view: &View<'_>, id: &str, labelled: &str, miners: &[&Miner<'_>]) -> String {
    let columns: Vec<usize> =
        view.parts.iter().enumerate().filter(|(_, part)| part.paid > 0).map(|(i, _)| i).collect();
    let cells = || miners.iter().flat_map(|miner| columns.iter().filter_map(|&c| miner.cells.get(c)));
    let most = cells().map(|cell| cell.share).fold(0.0, f64::max);
    // Whoever is given the burn would make all others look small.
    let burn_uid = view.input.config.network.burn_uid;
    let earning = miners.iter().filter(|miner| miner.step.is_none_or(|step| step.uid != burn_uid));
    let heaviest = earning.map(|miner| miner.weight()).fold(0.0, f64::max);
    let any_about = miners.iter().any(|miner| !miner.about.is_empty());
    let any_past = miners.iter().any(|miner| miner.past.len() > 1);
    let mut headings = vec![sorted("n", First::Least, "#"), heading("who", First::Least, "Miner")];
    if any_about {
        headings.push(heading("about", First::Least, "What it is"));
    }
    headings.push(heading("n", First::Most, "Weight"));
    headings.push("<td></td>".into());
    if any_past {
        headings.push(heading("trend", First::Most, "Change"));
    }
    headings.push(heading("n total", First::Most, "Total"));
    for part in columns.iter().filter_map(|&c| view.parts.get(c)) {
        headings.push(heading("up", First::Most, &format!("<span>{}</span>", esc(&part.scored.ticker))));
    }
    let mut out = table::begin(id, "board", labelled, &headings);
    for miner in miners {
        let place = view.places.get(miner.hotkey).filter(|_| miner.total > 0.0);
        out += &begin_row(miner, place.map(|place| place + 1), any_about);
        out += &format!(
            "<td class=\"n\" data-value=\"{}\">{}</td><td class=\"bar\">{}</td>",
            miner.weight(),
            percent(miner.weight()),
            bar(if heaviest > 0.0 { miner.weight() / heaviest } else { 0.0 })
        );
        if any_past {
            let (first, last) = (miner.past.first().copied(), miner.past.last().copied());
            let change = last.unwrap_or(0.0) - first.unwrap_or(0.0);
            out += &format!("<td class=\"trend\" data-value=\"{change}\">{}</td>", spark(miner.past));
        }
        out += &format!("<td class=\"n total\" data-value=\"{}\">{}</td>", miner.total, percent(miner.total));
        for cell in columns.iter().filter_map(|&c| miner.cells.get(c)) {
            out += &heated(cell, most);
        }
        out += "</tr>\n";
    }
    out + table::END
}

/// All miners of one challenge, best first, with how they send.
pub(crate) fn of_challenge(view: &View<'_>, index: usize, part: &Part<'_>) -> String {
    let mut miners: Vec<(&Miner<'_>, &Cell<'_>)> = view
        .miners
        .iter()
        .filter_map(|miner| miner.cells.get(index).map(|cell| (miner, cell)))
        .filter(|(_, cell)| cell.report.is_some())
        .collect();
    if miners.is_empty() {
        return "<p class=\"muted\">Nobody has sent anything for it that was scored.</p>\n".into();
    }
    miners.sort_by(|a, b| b.1.share.total_cmp(&a.1.share).then(a.0.hotkey.cmp(b.0.hotkey)));
    let any_about = miners.iter().any(|(miner, _)| !miner.about.is_empty());
    let mut headings = vec![sorted("n", First::Least, "#"), heading("who", First::Least, "Miner")];
    if any_about {
        headings.push(heading("about", First::Least, "What it is"));
    }
    headings.push(heading("n", First::Most, "Share"));
    headings.push("<td></td>".into());
    headings.push(heading("n", First::Most, "Sent"));
    headings.push(heading("n", First::Most, "Total"));
    headings.push(heading("n", First::Most, "Weight"));
    headings.push(heading("", First::Least, "Why nothing"));
    let mut out = table::filter("leaderboard", "Show miners with");
    out += &table::begin("leaderboard", "", "h-leaderboard", &headings);
    for (miner, cell) in miners {
        out += &begin_row(miner, cell.rank, any_about);
        let (coverage, shown) = coverage(cell);
        let why = cell.report.and_then(|report| report.why_zero.as_ref()).map_or("", |why| &why.text);
        out += &format!(
            "<td class=\"n\" data-value=\"{}\">{}</td><td class=\"bar\">{}</td><td class=\"n\" data-value=\"{coverage}\">{shown}</td><td class=\"n\" data-value=\"{}\">{}</td><td class=\"n\" data-value=\"{}\">{}</td><td class=\"t\">{}</td></tr>\n",
            cell.share,
            percent(cell.share),
            bar(cell.share / part.best),
            miner.total,
            percent(miner.total),
            miner.weight(),
            percent(miner.weight()),
            esc(why)
        );
    }
    out + table::END
}

/// The part of the last day's rows that a miner is in: to sort by, and to show.
pub(crate) fn coverage(cell: &Cell<'_>) -> (String, String) {
    match cell.activity {
        Some(activity) if activity.rows > 0 => {
            let part = f64::from(activity.present) / f64::from(activity.rows);
            (part.to_string(), percent(part))
        }
        _ => (String::new(), "–".into()),
    }
}

/// A row's beginning: rank, name and what the miner is.
fn begin_row(miner: &Miner<'_>, rank: Option<usize>, about: bool) -> String {
    let rank = rank.map_or(String::new(), |rank| rank.to_string());
    let hotkey = esc(miner.hotkey);
    let about = if about { format!("<td class=\"about\">{}</td>", esc(miner.about)) } else { String::new() };
    format!(
        "<tr data-hotkey=\"{hotkey}\"><td class=\"n muted\" data-value=\"{rank}\">{}</td><th scope=\"row\" class=\"who\" data-value=\"{hotkey}\"><a href=\"{}\" title=\"{hotkey}\">{}</a></th>{about}",
        if rank.is_empty() { "–" } else { &rank },
        miner.href,
        esc(&short(miner.hotkey))
    )
}

fn heated(cell: &Cell<'_>, most: f64) -> String {
    let share = cell.share;
    match cell.report {
        Some(_) if share >= 0.0005 => {
            format!("<td class=\"h{}\" data-value=\"{share}\">{:.1}</td>", heat(share, most), 100.0 * share)
        }
        Some(_) if share > 0.0 => format!("<td class=\"h1\" data-value=\"{share}\">&lt;.1</td>"),
        Some(_) => "<td class=\"h0\" data-value=\"0\">·</td>".into(),
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
pub(crate) fn why(miner: &Miner<'_>) -> String {
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
