//! All that is known of one miner's weight, and how it is said.

use super::output::{Table, short};
use jiff::Timestamp;
use mantis_weights::{SettleRules, Settlement};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// All that is known of one miner.
#[derive(Serialize)]
pub(super) struct Explanation {
    pub(super) hotkey: String,
    /// Where the answer comes from.
    pub(super) source: Source,
    pub(super) challenges: Vec<Part>,
    /// Its part of the aggregated salience: the sum of what the challenges contribute.
    pub(super) total: f64,
    /// The part of the aggregated salience that nobody earns.
    pub(super) unearned: f64,
    /// The salience of all registered miners who are not young.
    pub(super) mature: f64,
    /// What weights were settled by; null where that was not recorded.
    pub(super) rules: Option<SettleRules>,
    pub(super) weight: Option<Settlement>,
    pub(super) u16: Option<u16>,
    /// Why no weights are set at all.
    pub(super) rejected: Option<String>,
}

/// Where an answer comes from.
#[derive(Default, Serialize)]
pub(super) struct Source {
    /// The block that weights were computed for; null where the ledger was scored now.
    pub(super) block: Option<i64>,
    /// The newest block whose row was scored; null: the ledger's last.
    pub(super) max_block: Option<i64>,
    /// When the computation ended, Unix seconds.
    pub(super) unix: Option<u64>,
    /// The digest of the configuration.
    pub(super) config: Option<String>,
    /// How many UIDs the metagraph has; null where every stored hotkey counts as registered, or no weights came of it.
    pub(super) metagraph: Option<usize>,
    /// Whether it is known why challenges pay a miner nothing: of the newest 50 computations.
    pub(super) reasons: bool,
    /// The block at which these weights were sent last, and what became of it.
    pub(super) set: Option<(i64, String)>,
}

/// What one challenge makes of it.
#[derive(Serialize)]
pub(super) struct Part {
    pub(super) ticker: String,
    /// The challenge's part of all weights that count.
    pub(super) share_of_weights: f64,
    /// The miner's part of the challenge.
    pub(super) salience: f64,
    /// The part of the challenge that nobody earns.
    pub(super) burned: f64,
    /// Whether its weight is 0: it is scored and shown, and counts for nothing.
    pub(super) shadow: bool,
    /// Its place among the miners paid; `None` where it is not.
    pub(super) rank: Option<usize>,
    pub(super) paid: usize,
    pub(super) why_zero: Option<String>,
    /// What kind of failure the challenge had; null where it did not fail.
    pub(super) failure: Option<String>,
    /// The block of the computation whose saliences stand in for it.
    pub(super) held_from: Option<i64>,
    pub(super) solver: Option<&'static str>,
    pub(super) runtime: Option<&'static str>,
    /// The digest of the plugin's file.
    pub(super) sha256: Option<String>,
    pub(super) facts: BTreeMap<String, f64>,
    /// Those of the facts that are another miner's column: its hotkey.
    pub(super) miners: BTreeMap<String, String>,
}

/// The answer for people: every step follows from those before it.
pub(super) fn text(explanation: &Explanation) -> String {
    let mut table = Table::new(["challenge", "counts", "share", "rank", "contributes", ""]);
    for part in &explanation.challenges {
        table.row([
            part.ticker.clone(),
            format!("{:.4}%", 100.0 * part.share_of_weights),
            format!("{:.6}", part.salience),
            part.rank.map_or("-".into(), |rank| format!("{rank} of {}", part.paid)),
            format!("{:.6}", part.salience * part.share_of_weights),
            about(part),
        ]);
    }
    let mut text = format!("{}\n{}\n\n{}\n", explanation.hotkey, source(explanation), table.render());
    // Writing to a string cannot fail.
    let _ = match (&explanation.rejected, &explanation.weight) {
        (Some(reason), _) => writeln!(text, "no weights came of it, those before it stay: {reason}"),
        (None, None) => {
            writeln!(text, "total {:.6}; not in the metagraph, so it gets no weight", explanation.total)
        }
        (None, Some(step)) => write_weight(&mut text, explanation, step),
    };
    text
}

/// What is said beside a challenge's numbers.
fn about(part: &Part) -> String {
    let failed = part.failure.as_ref().map(|cause| match part.held_from {
        Some(block) => format!("failed ({cause}): what it paid at block {block} stands in"),
        None => format!("failed ({cause})"),
    });
    let why = part.why_zero.as_ref().map(|why| format!("nothing: {why}"));
    let facts = part.facts.iter().map(|(name, value)| match part.miners.get(name) {
        Some(hotkey) => format!("{name} {}", short(hotkey)),
        None => format!("{name} {}", rounded(*value)),
    });
    let facts = Some(facts.collect::<Vec<_>>().join(", ")).filter(|facts| !facts.is_empty());
    let burned = (part.burned > 0.0).then(|| format!("{:.4}% of it burned", 100.0 * part.burned));
    let shadow = part.shadow.then(|| "a shadow: its weight is 0".to_owned());
    [shadow, failed, burned, why, facts].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Where the answer comes from, in a line or two.
fn source(explanation: &Explanation) -> String {
    let Source { block, max_block, unix, config, metagraph, reasons, set } = &explanation.source;
    let rows = max_block.map_or("all rows".into(), |max| format!("rows up to block {max}"));
    let mut text = match (block, unix) {
        (Some(block), Some(unix)) => {
            let moment = i64::try_from(*unix).ok().and_then(|unix| Timestamp::from_second(unix).ok());
            let moment = moment.map_or(String::new(), |moment| format!(", {moment:.0}"));
            format!("computed for block {block}{moment}; {rows}")
        }
        _ => format!("scored now, {rows}; what was set may differ"),
    };
    if let Some(config) = config {
        text += &format!("; configuration {}", config.get(..12).unwrap_or(config));
    }
    text += &match metagraph {
        Some(uids) => format!("; {uids} UIDs registered"),
        None if block.is_none() => {
            "; every stored hotkey counts as registered (--metagraph says who is)".into()
        }
        None => String::new(),
    };
    let solvers: std::collections::BTreeSet<_> =
        explanation.challenges.iter().filter_map(|part| Some((part.solver?, part.runtime?))).collect();
    for (solver, runtime) in solvers {
        text += &format!("; solver {solver}, plugins {runtime}");
    }
    if let Some((block, outcome)) = set {
        text += &format!("\nthese weights were sent at block {block}: {outcome}");
    } else if block.is_some() {
        text += "\nthese weights were not sent";
    }
    if !reasons {
        text += "\nwhy a challenge pays nothing is kept for the newest 50 computations only";
    }
    text
}

fn write_weight(text: &mut String, explanation: &Explanation, step: &Settlement) -> std::fmt::Result {
    let line = |text: &mut String, what: &str, value: f64, how: &str| {
        writeln!(text, "{what:<30} {value:.6}{}{how}", if how.is_empty() { "" } else { "   " })
    };
    let burn_uid = explanation.rules.as_ref().map(|rules| rules.burn_uid);
    let unearned = if burn_uid == Some(step.uid) { explanation.unearned } else { 0.0 };
    let total = match unearned > 0.0 {
        true => format!("what they contribute, and {unearned:.6} that nobody earns"),
        false => "the sum of what they contribute".to_owned(),
    };
    line(text, "total of all challenges", step.salience, &total)?;
    let share = if step.young {
        "young: a fixed small weight instead, scaled with all others".to_owned()
    } else {
        format!("of {:.6}, the total of all registered miners who are not young", explanation.mature)
    };
    line(text, "share of the registered", step.share, &share)?;
    let rules = explanation.rules.as_ref();
    let burned = rules.map_or(String::new(), |rules| {
        let own = if step.uid == rules.burn_uid { format!(" + {}", rules.burn) } else { String::new() };
        format!("x (1 - {}){own}", rules.burn)
    });
    line(text, "after the burn", step.burned, &burned)?;
    let smoothed = match (step.previous, rules) {
        (Some(previous), Some(rules)) => {
            format!("{} of it + {} of last time's {previous:.6}, scaled to sum 1", rules.ema, 1.0 - rules.ema)
        }
        (Some(previous), None) => format!("smoothed with last time's {previous:.6}"),
        (None, _) => "there is no last time".into(),
    };
    let is_retired = rules.is_some_and(|rules| rules.is_retired(step.uid, &step.hotkey));
    if is_retired {
        line(
            text,
            "retired: the weight",
            step.weight,
            "the subnet's owner retired it: what it would weigh is burned",
        )?;
    } else {
        line(text, "smoothed: the weight", step.weight, &smoothed)?;
    }
    let set = explanation.u16.unwrap_or(0);
    writeln!(text, "{:<30} {set}   the largest weight is 65535", "u16 on chain")
}

fn rounded(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 { format!("{value}") } else { format!("{value:.4}") }
}
