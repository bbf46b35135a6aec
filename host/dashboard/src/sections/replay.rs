//! History that was computed once more, as one page: what each candidate would have paid, and to whom.

use super::chart::{Figure, together};
use super::error::RenderError;
use super::filters;
use super::inline::{InlineScript, InlineStyle};
use super::text::{number, percent, short};
use askama::Template;
use mantis_config::Block;
use mantis_validator::replay::{Course, Gain, Group, Measured, Replayed, Swept, gains, measured, parts};
use mantis_weights::measures::Weights;
use std::collections::{BTreeMap, BTreeSet};

/// Miners whose weights are drawn.
const DRAWN: usize = 12;
/// Miners that are named as gaining, and as losing.
const NAMED: usize = 8;
/// Weightings that are listed.
const LISTED: usize = 1000;

/// What a page is about.
#[derive(Clone, Copy, Debug)]
pub struct ReplayInput<'a> {
    /// What it is called: the ledger's name.
    pub title: &'a str,
    /// What was computed.
    pub replayed: &'a Replayed,
    /// Groups of hotkeys that are followed.
    pub groups: &'a [Group],
    /// Weightings that were tried on the first candidate.
    pub swept: &'a [Swept],
}

#[derive(Template)]
#[template(path = "replay.html")]
struct Page<'a> {
    title: &'a str,
    style: InlineStyle,
    script: InlineScript,
    /// First and last block.
    ends: (Block, Block),
    computations: usize,
    base: &'a str,
    candidates: Vec<CandidateRow<'a>>,
    groups: &'a [Group],
    recorded: Option<(usize, usize)>,
    notes: &'a [String],
    courses: Vec<Figure>,
    earned: Vec<Figure>,
    miners: Vec<Figure>,
    changes: Vec<Changes<'a>>,
    challenges: Vec<ChallengeRow<'a>>,
    swept: &'a [Swept],
    unlisted: usize,
    version: &'static str,
}

/// A candidate: means over all computations.
struct CandidateRow<'a> {
    /// The class of its colour.
    colour: usize,
    name: &'a str,
    distance: f64,
    last: f64,
    turnover: Option<f64>,
    gini: f64,
    effective: f64,
    burned: f64,
    rejected: usize,
    groups: Vec<f64>,
}

/// Who gains and who loses by a candidate.
struct Changes<'a> {
    name: &'a str,
    rows: Vec<Gain>,
}

/// A challenge under a candidate beside the first.
struct ChallengeRow<'a> {
    name: &'a str,
    ticker: String,
    /// What it has of all that is paid, the mean.
    before: f64,
    after: f64,
    /// Whose part of the total by it grows and falls most, and by how much.
    gains: Option<(String, f64)>,
    loses: Option<(String, f64)>,
}

/// The page as one HTML document. Everything in it that comes from outside is escaped; it depends on the input alone.
///
/// # Errors
/// If it cannot be rendered.
pub fn replay_html(input: &ReplayInput<'_>) -> Result<String, RenderError> {
    let ReplayInput { title, replayed, groups, swept } = *input;
    let courses = &replayed.courses;
    let blocks: Vec<Block> = replayed.blocks.iter().map(|(block, _)| *block).collect();
    let rows: Vec<Vec<Measured>> = match courses.first() {
        Some(base) => courses.iter().map(|course| measured(base, course, groups)).collect(),
        None => Vec::new(),
    };
    let known: Vec<_> =
        courses.iter().take(1).flat_map(|base| &base.computed).filter_map(|one| one.likeness).collect();
    let others = || courses.iter().skip(1).zip(courses.first().into_iter().cycle());
    let page = Page {
        title,
        style: InlineStyle,
        script: InlineScript::new(),
        ends: (blocks.first().copied().unwrap_or_default(), blocks.last().copied().unwrap_or_default()),
        computations: blocks.len(),
        base: courses.first().map_or("", |base| &base.name),
        candidates: courses
            .iter()
            .zip(&rows)
            .enumerate()
            .map(|(i, (course, rows))| candidate(i, course, rows))
            .collect(),
        groups,
        recorded: (!known.is_empty())
            .then(|| (known.iter().filter(|like| like.is_same).count(), known.len())),
        notes: &replayed.notes,
        courses: figures(&blocks, &rows),
        earned: groups
            .iter()
            .enumerate()
            .filter_map(|(at, group)| earned(&blocks, &rows, at, group))
            .collect(),
        miners: miners(&blocks, courses),
        changes: others().map(|(course, base)| changes(base, course)).collect(),
        challenges: others().flat_map(|(course, base)| challenges(base, course)).collect(),
        swept: swept.get(..LISTED).unwrap_or(swept),
        unlisted: swept.len().saturating_sub(LISTED),
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(page.render()?)
}

fn candidate<'a>(place: usize, course: &'a Course, rows: &[Measured]) -> CandidateRow<'a> {
    let mean = |of: &dyn Fn(&Measured) -> Option<f64>| {
        let all: Vec<f64> = rows.iter().filter_map(of).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    let every = |of: &dyn Fn(&Measured) -> f64| mean(&|one| Some(of(one))).unwrap_or(0.0);
    let groups = rows.first().map_or(0, |one| one.groups.len());
    CandidateRow {
        colour: place % 6,
        name: &course.name,
        distance: every(&|one| one.distance),
        last: rows.last().map_or(0.0, |one| one.distance),
        turnover: mean(&|one| one.turnover),
        gini: every(&|one| one.gini),
        effective: every(&|one| one.effective),
        burned: every(&|one| one.burned),
        rejected: course.computed.iter().filter(|one| one.rejection().is_some()).count(),
        groups: (0..groups).map(|at| every(&|one| one.groups.get(at).copied().unwrap_or(0.0))).collect(),
    }
}

fn figures(blocks: &[Block], rows: &[Vec<Measured>]) -> Vec<Figure> {
    let of = |value: &dyn Fn(&Measured) -> f64| -> Vec<Vec<f64>> {
        rows.iter().map(|rows| rows.iter().map(value).collect()).collect()
    };
    let decimals = |x: f64| number((x * 1e4).round() / 1e4);
    [
        together(
            "Distance to the first (sum of all differences)",
            blocks,
            &of(&|one| one.distance),
            decimals,
        ),
        together(
            "Turnover since the computation before",
            blocks,
            &of(&|one| one.turnover.unwrap_or(f64::NAN)),
            percent,
        ),
        together("Gini coefficient, without the burn", blocks, &of(&|one| one.gini), decimals),
        together("Effective number of miners, without the burn", blocks, &of(&|one| one.effective), |x| {
            format!("{x:.1}")
        }),
        together("Weight of the UID that the burn goes to", blocks, &of(&|one| one.burned), percent),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn earned(blocks: &[Block], rows: &[Vec<Measured>], at: usize, group: &Group) -> Option<Figure> {
    let of =
        |rows: &Vec<Measured>| rows.iter().map(|one| one.groups.get(at).copied().unwrap_or(0.0)).collect();
    let all: Vec<Vec<f64>> = rows.iter().map(of).collect();
    together(
        &format!("{} ({} hotkeys)", super::text::clean(&group.name), group.hotkeys.len()),
        blocks,
        &all,
        percent,
    )
}

/// The weights of those who have most under any candidate, the burn among them.
fn miners(blocks: &[Block], courses: &[Course]) -> Vec<Figure> {
    let all: Vec<Vec<Weights>> = courses.iter().map(Course::in_force).collect();
    let mut most: BTreeMap<&str, f64> = BTreeMap::new();
    for weights in &all {
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for (hotkey, weight) in weights.iter().flatten() {
            *sums.entry(hotkey).or_default() += weight;
        }
        for (hotkey, sum) in sums {
            let known = most.entry(hotkey).or_default();
            *known = known.max(sum);
        }
    }
    let mut order: Vec<(&str, f64)> = most.into_iter().filter(|(_, sum)| *sum > 0.0).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let figure = |(hotkey, _): &(&str, f64)| {
        let of = |weights: &Vec<Weights>| {
            weights.iter().map(|one| one.get(*hotkey).copied().unwrap_or(0.0)).collect()
        };
        let curves: Vec<Vec<f64>> = all.iter().map(of).collect();
        together(&short(hotkey, filters::HOTKEY), blocks, &curves, percent)
    };
    order.iter().take(DRAWN).filter_map(figure).collect()
}

fn changes<'a>(base: &Course, course: &'a Course) -> Changes<'a> {
    let all = gains(base, course);
    let most = all.iter().take(NAMED).filter(|gain| gain.change() > 0.0);
    let mut least: Vec<&Gain> = all.iter().rev().take(NAMED).filter(|gain| gain.change() < 0.0).collect();
    least.reverse();
    Changes { name: &course.name, rows: most.chain(least).cloned().collect() }
}

/// Every challenge of either, in the order of the candidate's newest computation.
fn challenges<'a>(base: &Course, course: &'a Course) -> Vec<ChallengeRow<'a>> {
    let (before, after) = (totals(base), totals(course));
    let newest = course.computed.last().into_iter().chain(base.computed.last());
    let mut seen = BTreeSet::new();
    let tickers = newest.flat_map(|computed| &computed.scored).map(|scored| scored.ticker.clone());
    let tickers: Vec<String> = tickers.filter(|ticker| seen.insert(ticker.clone())).collect();
    let none = BTreeMap::new();
    let row = |ticker: String| {
        let (before, after) = (before.get(&ticker).unwrap_or(&none), after.get(&ticker).unwrap_or(&none));
        let hotkeys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let change = |hotkey: &&String| {
            after.get(*hotkey).copied().unwrap_or(0.0) - before.get(*hotkey).copied().unwrap_or(0.0)
        };
        let mut order: Vec<(String, f64)> =
            hotkeys.iter().map(|hotkey| ((*hotkey).clone(), change(hotkey))).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        ChallengeRow {
            name: &course.name,
            before: before.values().sum(),
            after: after.values().sum(),
            gains: order.first().filter(|(_, change)| *change > 0.0).cloned(),
            loses: order.last().filter(|(_, change)| *change < 0.0).cloned(),
            ticker,
        }
    };
    tickers.into_iter().map(row).collect()
}

/// What of the total each hotkey has from each challenge, the mean over all computations.
fn totals(course: &Course) -> BTreeMap<String, BTreeMap<String, f64>> {
    let computations = course.computed.len().max(1) as f64;
    let mut all: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for part in course.computed.iter().flat_map(parts) {
        *all.entry(part.ticker.to_owned()).or_default().entry(part.hotkey).or_default() +=
            part.total / computations;
    }
    all
}
