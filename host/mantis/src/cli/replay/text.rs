//! What `mantis replay` prints for people.

use super::Shown;
use crate::cli::output::{Table, short};
use mantis_validator::replay::{Course, Gain, Group, Measured, Swept, gains, measured};

/// Miners that are named as gaining, and as losing.
const NAMED: usize = 5;
/// Weightings that are shown.
const SHOWN: usize = 20;

pub(super) fn text(shown: &Shown<'_>, (scored, rest): (f64, f64)) -> String {
    let Shown { replayed, groups, swept } = shown;
    let (Some(base), Some((first, _)), Some((last, _))) =
        (replayed.courses.first(), replayed.blocks.first(), replayed.blocks.last())
    else {
        return String::new();
    };
    let mut text = format!(
        "{} computations, block {first} to {last}; all are compared with {}\n\n",
        replayed.blocks.len(),
        base.name
    );
    text += &courses(base, &replayed.courses, groups);
    text += &recorded(&replayed.courses);
    for course in replayed.courses.iter().skip(1) {
        text += &format!(
            "\n{}: who gains and who loses, mean weights\n{}",
            course.name,
            winners(&gains(base, course))
        );
    }
    if !swept.is_empty() {
        text += &format!("\n{}", weightings(base, swept));
    }
    for note in &replayed.notes {
        text += &format!("\nnote: {note}");
    }
    let cache = replayed.cache;
    let damaged = if cache.damaged > 0 {
        format!(", {} of them anew: what was kept is damaged", cache.damaged)
    } else {
        String::new()
    };
    text + &format!(
        "\n{} saliences were kept, {} were scored{damaged}; {scored:.1} s, and {rest:.1} s for all else\n",
        cache.found, cache.scored
    )
}

/// A row for each candidate: means over the blocks, and what counts at the last.
fn courses(base: &Course, courses: &[Course], groups: &[Group]) -> String {
    let mut table = Table::new([
        "",
        "distance",
        "at the last",
        "turnover",
        "Gini",
        "effective miners",
        "burn UID",
        "rejected",
    ]);
    table.header(groups.iter().map(|group| group.name.clone()));
    for course in courses {
        let rows = measured(base, course, groups);
        let mean = |of: &dyn Fn(&Measured) -> Option<f64>| {
            let all: Vec<f64> = rows.iter().filter_map(of).collect();
            (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
        };
        let shown = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{x:.4}"));
        let percent = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{:.2}%", 100.0 * x));
        let cells = [
            course.name.clone(),
            shown(mean(&|one| Some(one.distance))),
            shown(rows.last().map(|one| one.distance)),
            percent(mean(&|one| one.turnover)),
            shown(mean(&|one| Some(one.gini))),
            mean(&|one| Some(one.effective)).map_or_else(|| "-".into(), |x| format!("{x:.1}")),
            percent(mean(&|one| Some(one.burned))),
            course.computed.iter().filter(|computed| computed.rejection().is_some()).count().to_string(),
        ];
        let earned = (0..groups.len()).map(|at| percent(mean(&|one| one.groups.get(at).copied())));
        table.row(cells.into_iter().chain(earned));
    }
    table.render()
}

/// How the first stands beside the ledger's record.
fn recorded(courses: &[Course]) -> String {
    let Some(base) = courses.first() else { return String::new() };
    let known: Vec<_> =
        base.computed.iter().filter_map(|computed| Some((computed.block, computed.likeness?))).collect();
    let Some((block, most)) = known.iter().max_by(|a, b| a.1.distance.total_cmp(&b.1.distance)) else {
        return format!("\n{}: the ledger has no computation for these blocks to compare with\n", base.name);
    };
    let same = known.iter().filter(|(_, like)| like.is_same).count();
    let others = if same == known.len() {
        String::new()
    } else {
        format!("; the others are {:.2e} away at most, at block {block}", most.distance)
    };
    format!(
        "\n{}: {same} of {} computations are those of the ledger, bit for bit{others}\n",
        base.name,
        known.len()
    )
}

/// Those who gain and those who lose most.
pub(in crate::cli) fn winners(gains: &[Gain]) -> String {
    let mut table = Table::new(["hotkey", "before", "after", "change"]);
    let most = gains.iter().take(NAMED).filter(|gain| gain.change() > 0.0);
    let mut least: Vec<&Gain> = gains.iter().rev().filter(|gain| gain.change() < 0.0).take(NAMED).collect();
    least.reverse();
    let mut rows = 0;
    for gain in most.chain(least) {
        let percent = |x: f64| format!("{:.3}%", 100.0 * x);
        table.row([
            short(&gain.hotkey),
            percent(gain.base),
            percent(gain.weight),
            format!("{:+.3}%", 100.0 * gain.change()),
        ]);
        rows += 1;
    }
    if rows == 0 { "nobody\n".into() } else { table.render() }
}

/// The weightings that are nearest and those that are farthest.
fn weightings(base: &Course, swept: &[Swept]) -> String {
    let mut order: Vec<&Swept> = swept.iter().collect();
    order.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    let mut table =
        Table::new(["weighting", "distance", "at the last", "rejected", "gains most", "loses most"]);
    let half = SHOWN / 2;
    let is_shown = |at: usize| order.len() <= SHOWN || at < half || at >= order.len() - half;
    for (at, one) in order.iter().enumerate().filter(|(at, _)| is_shown(*at)) {
        if order.len() > SHOWN && at == order.len() - half {
            table.row(["..".to_owned()]);
        }
        let named = |all: &[(String, f64)]| {
            all.first().map_or_else(
                || "-".into(),
                |(hotkey, change)| format!("{} {:+.3}%", short(hotkey), 100.0 * change),
            )
        };
        table.row([
            one.name.clone(),
            format!("{:.4}", one.distance),
            format!("{:.4}", one.last),
            one.rejected.to_string(),
            named(&one.gains),
            named(&one.losses),
        ]);
    }
    format!("{} weightings of {}, nearest first\n{}", swept.len(), base.name, table.render())
}
