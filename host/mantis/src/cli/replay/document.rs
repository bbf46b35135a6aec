//! What `mantis replay --json` prints.

use super::Shown;
use mantis_validator::replay::{
    Computed, Course, Gain, Group, Measured, Replayed, RosterSource, Swept, gains, measured, parts,
};
use mantis_weights::measures::Weights;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Gains and losses that are named of a candidate.
const NAMED: usize = 10;

pub(super) fn document(shown: &Shown<'_>, (scored, rest): (f64, f64)) -> Value {
    let Shown { replayed, groups, swept } = shown;
    let base = replayed.courses.first();
    let candidates: Vec<Value> = base
        .map(|base| replayed.courses.iter().map(|course| candidate(base, course, groups)).collect())
        .unwrap_or_default();
    let blocks: Vec<Value> = replayed
        .blocks
        .iter()
        .map(|(block, source)| match source {
            RosterSource::Recorded => json!({ "block": block, "registered": "recorded" }),
            RosterSource::Nearest(nearest) => {
                json!({ "block": block, "registered": "nearest", "nearest": nearest })
            }
            RosterSource::Everybody => json!({ "block": block, "registered": "everybody" }),
        })
        .collect();
    let swept: Vec<Value> = swept.iter().map(of_sweep).collect();
    json!({
        "blocks": blocks, "candidates": candidates, "sweep": swept, "cache": replayed.cache, "notes": replayed.notes,
        "seconds": { "replay": scored, "rest": rest },
    })
}

#[derive(Serialize)]
struct Row<'a> {
    block: i64,
    release: Option<u32>,
    rejected: Option<String>,
    distance: f64,
    turnover: Option<f64>,
    gini: f64,
    effective: f64,
    burned: f64,
    groups: BTreeMap<&'a str, f64>,
    /// `None` where the ledger has no computation for the block.
    recorded: Option<Value>,
    weights: Weights,
}

fn candidate(base: &Course, course: &Course, groups: &[Group]) -> Value {
    let in_force = course.in_force();
    let rows = course.computed.iter().zip(measured(base, course, groups)).zip(in_force);
    let row = |((computed, one), weights): ((&Computed, Measured), Weights)| Row {
        block: computed.block.0,
        release: computed.release,
        rejected: computed.rejection().map(ToString::to_string),
        distance: one.distance,
        turnover: one.turnover,
        gini: one.gini,
        effective: one.effective,
        burned: one.burned,
        groups: groups.iter().map(|group| group.name.as_str()).zip(one.groups).collect(),
        recorded: computed.likeness.map(|like| json!({ "same": like.is_same, "distance": like.distance })),
        weights,
    };
    let rows: Vec<Row<'_>> = rows.map(row).collect();
    let gains = gains(base, course);
    let named =
        |gain: &Gain| json!({ "hotkey": gain.hotkey, "weight": gain.weight, "change": gain.change() });
    let most: Vec<Value> = gains.iter().filter(|gain| gain.change() > 0.0).take(NAMED).map(named).collect();
    let least: Vec<Value> =
        gains.iter().rev().filter(|gain| gain.change() < 0.0).take(NAMED).map(named).collect();
    json!({ "name": course.name, "computations": rows, "gains": most, "losses": least, "challenges": challenges(course) })
}

/// What `mantis release check --ledger --json` says of the newest computation.
pub(in crate::cli) fn short_document(replayed: &Replayed, old: &Course, new: &Course) -> Value {
    let distance = measured(old, new, &[]).pop().map(|one| one.distance);
    let named =
        |gain: &Gain| json!({ "hotkey": gain.hotkey, "weight": gain.weight, "change": gain.change() });
    let changes: Vec<Value> = gains(old, new).iter().map(named).collect();
    json!({
        "block": replayed.blocks.last().map(|(block, _)| block), "before": old.name, "distance": distance,
        "rejected": new.computed.last().and_then(Computed::rejection).map(ToString::to_string),
        "miners": changes, "notes": replayed.notes,
    })
}

/// What each challenge gives to whom of the total, the mean over all blocks.
fn challenges(course: &Course) -> BTreeMap<&str, BTreeMap<String, f64>> {
    let blocks = course.computed.len().max(1) as f64;
    let mut all: BTreeMap<&str, BTreeMap<String, f64>> = BTreeMap::new();
    for part in course.computed.iter().flat_map(parts) {
        *all.entry(part.ticker).or_default().entry(part.hotkey).or_default() += part.total / blocks;
    }
    all
}

fn of_sweep(one: &Swept) -> Value {
    let named = |all: &[(String, f64)]| -> Vec<Value> {
        all.iter().map(|(hotkey, change)| json!({ "hotkey": hotkey, "change": change })).collect()
    };
    json!({
        "name": one.name, "distance": one.distance, "last": one.last, "rejected": one.rejected,
        "gains": named(&one.gains), "losses": named(&one.losses),
    })
}
