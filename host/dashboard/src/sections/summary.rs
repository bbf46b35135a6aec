//! What a run comes to, at a glance.

use super::svg;
use super::text::{count, esc, percent, plural, short};
use super::view::View;
use mantis_network::chain::BLOCK_SECONDS;
use mantis_weights::Outcome;

/// How much a ledger holds.
pub(super) struct Extent {
    /// Sampled blocks: how many, first, last.
    pub(super) blocks: (u64, i64, i64),
    /// Rows of all tickers.
    pub(super) rows: u64,
}

pub(super) fn section(view: &View<'_>, extent: &Extent) -> String {
    let input = view.input;
    let scores = input.scores;
    let paying = view.parts.iter().filter(|part| part.paid > 0).count();
    let (blocks, first, last) = extent.blocks;
    let days = last.saturating_sub(first) as f64 * BLOCK_SECONDS as f64 / 86_400.0;
    let seconds: f64 = scores.challenges.iter().map(|c| c.seconds).sum();
    let tile = |value: String, name: &str, more: String| {
        format!("<div><dt>{name}</dt><dd><b>{value}</b><span>{more}</span></dd></div>\n")
    };
    let mut out = format!(
        "<section id=\"s-summary\" aria-labelledby=\"h-summary\">\n<p class=\"over\">Scoring report</p>\n<h1 id=\"h-summary\">{}</h1>\n<p class=\"lead\">{}</p>\n",
        esc(input.title),
        lead(view, paying)
    );
    out += &refused_weights(view);
    out += "<dl class=\"tiles\">\n";
    out += &tile(
        format!("{} <small>of {}</small>", count(view.paid() as i128), count(view.miners.len() as i128)),
        "Miners paid",
        "of all that are known".into(),
    );
    out += &tile(
        format!("{paying} <small>of {}</small>", view.parts.len()),
        "Challenges that pay",
        "of those scored".into(),
    );
    out += &tile(format!("{days:.1} <small>days</small>"), "Time span", "at 12 s a block".into());
    out += &tile(count(blocks), "Blocks sampled", format!("{} to {}", count(first), count(last)));
    out +=
        &tile(count(extent.rows), "Rows", plural(view.parts.len(), "challenge scored", "challenges scored"));
    out += &tile(
        format!("{} <small>MB</small>", count(scores.peak_rss_kib / 1024)),
        "Peak memory",
        "all processes together".into(),
    );
    out += &tile(format!("{seconds:.1} <small>s</small>"), "Scoring time", "summed over challenges".into());
    let refused: u64 = view.miners.iter().flat_map(|m| &m.refusals).map(|counts| counts.times).sum();
    let senders = view.miners.iter().filter(|m| !m.refusals.is_empty()).count();
    out += &tile(count(refused), "Refusals", format!("of {}", plural(senders, "miner", "miners")));
    out += "</dl>\n";
    out += &spread(view);
    out += &how(view);
    out + "</section>\n"
}

/// Why no weights would be set; empty where they would.
pub(crate) fn refused_weights(view: &View<'_>) -> String {
    match view.input.outcome {
        Outcome::Rejected(reason) => format!(
            "<p class=\"alert\" role=\"note\"><b>No weights would be set: {reason}.</b> Those on chain stay as they are. Ranks below are by salience.</p>\n"
        ),
        Outcome::Weights(_) => String::new(),
    }
}

fn lead(view: &View<'_>, paying: usize) -> String {
    let paid = view.paid();
    let Some(best) = view.miners.first().filter(|best| best.total > 0.0) else {
        return format!(
            "None of {} earns anything in this run.",
            plural(view.miners.len(), "miner", "miners")
        );
    };
    let about = if best.about.is_empty() { String::new() } else { format!(" ({})", esc(best.about)) };
    format!(
        r##"{} of {} earn something, from {}. Most goes to <a href="{}">{}</a>{about}: {} of the total salience."##,
        count(paid as i128),
        plural(view.miners.len(), "miner", "miners"),
        plural(paying, "challenge", "challenges"),
        best.href,
        esc(&short(best.hotkey)),
        percent(best.total)
    )
}

/// The weights beside each other, largest first.
pub(crate) fn spread(view: &View<'_>) -> String {
    let Outcome::Weights(steps) = view.input.outcome else { return String::new() };
    let burn_uid = view.input.config.network.burn_uid;
    let burned: f64 = steps.iter().filter(|step| step.uid == burn_uid).map(|step| step.weight).sum();
    let mut weights: Vec<f64> =
        steps.iter().filter(|s| s.uid != burn_uid && s.weight > 0.0).map(|s| s.weight).collect();
    weights.sort_by(|a, b| b.total_cmp(a));
    let Some(&largest) = weights.first() else { return String::new() };
    let half = {
        let all: f64 = weights.iter().sum();
        let mut sum = 0.0;
        1 + weights
            .iter()
            .take_while(|&&w| {
                sum += w;
                sum < all / 2.0
            })
            .count()
    };
    let parts: Vec<f64> = weights.iter().map(|w| w / largest).collect();
    let label = format!(
        "Weights of {} UIDs, largest first; the largest has {}, the first {half} have half of what miners are given",
        weights.len(),
        percent(largest)
    );
    format!(
        "<figure class=\"chart card\"><figcaption><b>Who gets the weight.</b> One column per miner, largest first; the {} in colour share half of what miners are given. UID {burn_uid}, which takes the burn, is left out: it has {}.</figcaption><div class=\"plot\"><div class=\"y\"><span>{}</span><span>{}</span><span>0%</span></div>{}</div></figure>\n",
        if half == 1 { "one".into() } else { count(half as i128) },
        percent(burned),
        percent(largest),
        percent(largest / 2.0),
        svg::columns(&parts, |i| i < half, &label)
    )
}

/// How a weight comes about, in words.
pub(crate) fn how(view: &View<'_>) -> String {
    let network = &view.input.config.network;
    format!(
        "<details class=\"card\"><summary>How a weight comes about</summary>\n<ol class=\"how\">\n\
        <li><b>Salience.</b> Each challenge compares what miners said with what the market did, and gives each miner the part that it adds beside all others. The parts of a challenge sum to 100%. A copy adds nothing to its original, so the two share what one would be paid.</li>\n\
        <li><b>Total.</b> Challenges count by their weights in the configuration; those that pay nobody are left out.</li>\n\
        <li><b>Share.</b> The total is spread over the registered UIDs. For its first {} blocks a miner is young and is given a fixed {} instead.</li>\n\
        <li><b>Burn.</b> {} goes to UID {}.</li>\n\
        <li><b>Smoothing.</b> The weight is {} of the new value and {} of last time's, so that it moves slowly.</li>\n\
        <li><b>On chain.</b> Weights are whole numbers up to 65,535, which the largest one gets.</li>\n\
        </ol>\n\
        <p class=\"muted\">Numbers behind a salience: <b>AUC</b> is how often a miner ranks a case that came true above one that did not (0.5 is chance). <b>Coefficient</b> is its say in the joint model. <b>Rows</b> are sampled blocks, about one a minute.</p>\n</details>\n",
        count(network.young_blocks),
        percent(network.young_weight),
        percent(network.burn),
        network.burn_uid,
        percent(network.ema),
        percent(1.0 - network.ema)
    )
}
