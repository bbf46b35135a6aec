//! One miner: what it earns, how that came to be, what it sends, what was refused.

use super::frame::document;
use super::leaderboard::asof;
use crate::sections::chart::over_time;
use crate::sections::links::segment;
use crate::sections::miners;
use crate::sections::svg;
use crate::sections::text::{count, esc, percent, plural, short, span_of};
use crate::sections::view::{Miner, View};
use crate::standing::Standing;
use mantis_ledger::{Ledger, LedgerError, MinerCounts};
use mantis_validator::Status;
use std::collections::BTreeMap;

/// Computations that a curve is drawn through.
const DRAWN: usize = 200;
/// Stretches of refusals that are shown.
const REFUSALS: usize = 100;

pub(super) fn page(
    view: &View<'_>,
    standing: &Standing,
    status: Option<&Status>,
    ledger: &Ledger,
    hotkey: &str,
) -> Result<Option<String>, LedgerError> {
    let waiting = ledger.waiting(hotkey)?;
    let counts = ledger.miner_counts()?.remove(hotkey);
    let known = view.miner(hotkey);
    if known.is_none() && counts.is_none() && waiting.is_empty() && !standing.knows(hotkey) {
        return Ok(None);
    }
    let name = esc(&short(hotkey));
    let about = standing.about.get(hotkey).map_or(String::new(), |about| esc(about));
    let mut main = format!(
        "<section id=\"miner\" data-hotkey=\"{0}\" aria-labelledby=\"h-miner\">\n<p class=\"over\">Miner</p>\n<h1 id=\"h-miner\" class=\"k\">{name}</h1>\n<p class=\"key\">{0}</p>\n<p class=\"meta\">{1}{2}{3}</p>\n",
        esc(hotkey),
        about,
        if about.is_empty() { "" } else { " · " },
        asof(standing)
    );
    if let Some((place, miner)) = known {
        main += &format!("<p class=\"lead\">{}</p>\n", miners::sentence(view, place, miner));
        main += &tiles(view, place, miner);
    } else {
        main += "<p class=\"lead\">Nothing of it has been scored yet.</p>\n";
    }
    main += "</section>\n";
    if let Some((_, miner)) = known {
        main += &weight(view, ledger, miner)?;
        main += &format!(
            "<section aria-labelledby=\"h-now\">\n<h2 id=\"h-now\">In each challenge</h2>\n{}{}</section>\n",
            miners::everywhere(view, miner),
            miners::sending(view, "sending", miner)
        );
        main += &courses(view, ledger, hotkey)?;
    }
    main += &payloads(standing, status, counts.as_ref(), &waiting);
    if let Some((_, miner)) = known {
        main += &miners::refused(&miner.refusals, REFUSALS);
    }
    main += &format!(
        "<p class=\"small\">As JSON: <a href=\"/api/v1/miners/{0}\">/api/v1/miners/{1}</a></p>\n",
        segment(hotkey),
        esc(&short(hotkey))
    );
    Ok(Some(document(&format!("Miner {}", short(hotkey)), "/leaderboard", &main)))
}

fn tiles(view: &View<'_>, place: usize, miner: &Miner<'_>) -> String {
    let tile = |id: &str, name: &str, value: &str, full: String, more: &str| {
        format!(
            "<div id=\"tile-{id}\" data-value=\"{full}\"><dt>{name}</dt><dd><b>{value}</b><span>{more}</span></dd></div>\n"
        )
    };
    let paying = miner.cells.iter().filter(|cell| cell.share > 0.0).count();
    let rank = if miner.total > 0.0 { (place + 1).to_string() } else { "–".into() };
    let uid = miner.step.map_or("not registered".into(), |step| format!("UID {}", step.uid));
    format!(
        "<dl class=\"tiles\">\n{}{}{}{}</dl>\n",
        tile(
            "rank",
            "Rank",
            &rank,
            rank.clone(),
            &format!("of {}", plural(view.miners.len(), "miner", "miners"))
        ),
        tile("weight", "Weight", &percent(miner.weight()), miner.weight().to_string(), &uid),
        tile("total", "Total", &percent(miner.total), miner.total.to_string(), "of what all challenges pay"),
        tile(
            "paying",
            "Paid by",
            &paying.to_string(),
            paying.to_string(),
            &format!("of {}", plural(view.parts.len(), "challenge", "challenges"))
        )
    )
}

fn weight(view: &View<'_>, ledger: &Ledger, miner: &Miner<'_>) -> Result<String, LedgerError> {
    let history = ledger.weight_history(miner.hotkey)?;
    let kept: Vec<_> = thinned(history.len()).into_iter().filter_map(|i| history.get(i)).collect();
    let blocks: Vec<i64> = kept.iter().map(|line| line.block).collect();
    let smoothed: Vec<f64> = kept.iter().map(|line| line.weight).collect();
    let before: Vec<f64> = kept.iter().map(|line| line.salience).collect();
    Ok(format!(
        "<section aria-labelledby=\"h-weight\">\n<h2 id=\"h-weight\">Its weight</h2>\n<div class=\"cols\">\n<div>\n{}</div>\n<div>\n{}{}</div>\n</div>\n</section>\n",
        miners::steps(view, miner),
        over_time("Smoothed weight", &blocks, &smoothed, percent),
        over_time("Total salience", &blocks, &before, percent)
    ))
}

/// What each challenge paid it over time, one small drawing each.
fn courses(view: &View<'_>, ledger: &Ledger, hotkey: &str) -> Result<String, LedgerError> {
    let cycles = ledger.cycles(0, u32::MAX)?;
    let blocks: Vec<i64> = thinned(cycles.len())
        .into_iter()
        .rev()
        .filter_map(|i| cycles.get(i))
        .map(|cycle| cycle.block)
        .collect();
    if blocks.len() < 2 {
        return Ok(String::new());
    }
    let mut shares: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
    for line in ledger.salience_history(hotkey)? {
        shares.entry(line.ticker).or_default().insert(line.block, line.share);
    }
    let mut out = format!(
        "<section aria-labelledby=\"h-courses\">\n<h2 id=\"h-courses\">Over time</h2>\n<p class=\"muted\">Its share of what each challenge paid, over the computations of blocks {} to {}.</p>\n<div class=\"grid\">\n",
        count(blocks.first().copied().unwrap_or(0)),
        count(blocks.last().copied().unwrap_or(0))
    );
    for part in &view.parts {
        let ticker = &part.scored.ticker;
        let of = shares.get(ticker);
        let values: Vec<f64> =
            blocks.iter().map(|block| of.and_then(|of| of.get(block)).copied().unwrap_or(0.0)).collect();
        let most = values.iter().copied().fold(0.0, f64::max);
        let last = values.len().saturating_sub(1).max(1) as f64;
        let height = if most > 0.0 { most } else { 1.0 };
        let points = values.iter().enumerate().map(|(i, y)| (i as f64 / last, y / height)).collect();
        let now = values.last().copied().unwrap_or(0.0);
        let said = if most > 0.0 {
            format!("{}, at most {}", percent(now), percent(most))
        } else {
            "nothing".into()
        };
        out += &format!(
            "<figure class=\"small-chart\"><figcaption><a href=\"{}\">{}</a> {said}</figcaption>{}</figure>\n",
            part.href,
            esc(ticker),
            svg::curves(&[points], &format!("{}: {said}", esc(ticker)))
        );
    }
    Ok(out + "</div>\n</section>\n")
}

fn payloads(
    standing: &Standing,
    status: Option<&Status>,
    counts: Option<&MinerCounts>,
    waiting: &[i64],
) -> String {
    let mut out = String::from(
        "<section id=\"payloads\" aria-labelledby=\"h-payloads\">\n<h2 id=\"h-payloads\">Payloads</h2>\n",
    );
    match counts {
        Some(counts) => {
            let item = |name: &str, n: u64| {
                format!("<div><dt>{name}</dt><dd data-value=\"{n}\">{}</dd></div>", count(i128::from(n)))
            };
            out += &format!(
                "<dl class=\"facts\">{}{}{}{}<div><dt>Newest</dt><dd>block {}</dd></div></dl>\n",
                item("Taken", counts.accepted),
                item("Opened", counts.opened),
                item("Served unchanged", counts.stale),
                item("Open to anybody when taken", counts.early),
                count(counts.last_block)
            );
        }
        None => out += "<p class=\"muted\">None has been taken.</p>\n",
    }
    let network = &standing.config.network;
    let lag = i64::from(network.lag).saturating_mul(i64::from(network.sample_every));
    let now = status.and_then(|status| status.chain.block).and_then(|block| i64::try_from(block).ok());
    if let (Some(first), Some(last)) = (waiting.first(), waiting.last()) {
        let ripe = |block: i64| now.map(|now| block.saturating_add(lag).saturating_sub(now));
        let next = match ripe(*first) {
            Some(left) if left > 0 => {
                format!(" The first opens in {} blocks, about {}.", count(left), span_of(left))
            }
            Some(_) => " The first is due and waits for the beacon.".into(),
            None => String::new(),
        };
        let due =
            now.map_or(0, |now| waiting.iter().filter(|&&block| block.saturating_add(lag) <= now).count());
        let maturing = match now {
            Some(_) if due == 0 => ", maturing".into(),
            Some(_) => {
                format!(": {} maturing, {} due", count((waiting.len() - due) as i128), count(due as i128))
            }
            None => String::new(),
        };
        out += &format!(
            "<p>{} sealed, of blocks {} to {}{maturing}.{next}</p>\n",
            if waiting.len() == 1 {
                "One is".into()
            } else {
                format!("{} are", count(waiting.len() as i128))
            },
            count(*first),
            count(*last)
        );
    } else {
        out += "<p class=\"muted\">None waits to be opened.</p>\n";
    }
    out + "</section>\n"
}

/// Which of so many are drawn: evenly spread, the ends among them.
pub(super) fn thinned(count: usize) -> Vec<usize> {
    let shown = count.min(DRAWN);
    let last = count.saturating_sub(1);
    (0..shown).map(|i| if shown > 1 { i * last / (shown - 1) } else { last }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_always_drawn() {
        assert_eq!(thinned(0), Vec::<usize>::new());
        assert_eq!(thinned(3), [0, 1, 2]);
        let many = thinned(1000);
        assert_eq!((many.len(), many.first(), many.last()), (DRAWN, Some(&0), Some(&999)));
    }
}
