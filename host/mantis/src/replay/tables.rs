//! A replay as tables, in the form of exports of a ledger.

use mantis_ledger::export::{Column, ExportError, Kind, Sheet, Value};
use mantis_validator::replay::{Course, Group, Replayed, Swept, measured, parts};
use std::path::Path;

/// The names of the files, without their ending.
pub const TABLES: [&str; 5] = ["weights", "parts", "measures", "groups", "sweep"];

const WEIGHTS: [Column; 10] = [
    Column::new("candidate", Kind::Name),
    Column::new("block", Kind::Whole),
    Column::new("uid", Kind::Whole),
    Column::new("hotkey", Kind::Name),
    Column::new("salience", Kind::Real),
    Column::new("young", Kind::Flag),
    Column::new("share", Kind::Real),
    Column::new("burned", Kind::Real),
    Column { name: "previous", kind: Kind::Real, nullable: true },
    Column::new("weight", Kind::Real),
];
const PARTS: [Column; 6] = [
    Column::new("candidate", Kind::Name),
    Column::new("block", Kind::Whole),
    Column::new("ticker", Kind::Name),
    Column::new("hotkey", Kind::Name),
    Column::new("share", Kind::Real),
    Column::new("total", Kind::Real),
];
const MEASURES: [Column; 8] = [
    Column::new("candidate", Kind::Name),
    Column::new("block", Kind::Whole),
    Column { name: "rejected", kind: Kind::Text, nullable: true },
    Column::new("distance", Kind::Real),
    Column { name: "turnover", kind: Kind::Real, nullable: true },
    Column::new("gini", Kind::Real),
    Column::new("effective", Kind::Real),
    Column::new("burned", Kind::Real),
];
const GROUPS: [Column; 4] = [
    Column::new("candidate", Kind::Name),
    Column::new("block", Kind::Whole),
    Column::new("group", Kind::Name),
    Column::new("weight", Kind::Real),
];
const SWEEP: [Column; 4] = [
    Column::new("name", Kind::Text),
    Column::new("distance", Kind::Real),
    Column::new("last", Kind::Real),
    Column::new("rejected", Kind::Whole),
];

/// Writes the tables into a folder as Parquet; gives each table's rows. Those of groups and of a sweep are there if there are
/// groups, or a sweep.
///
/// # Errors
/// If a file cannot be written, or is there already and `force` does not say otherwise.
pub fn write_tables(
    folder: &Path,
    replayed: &Replayed,
    groups: &[Group],
    swept: &[Swept],
    force: bool,
) -> Result<Vec<(&'static str, u64)>, ExportError> {
    std::fs::create_dir_all(folder).map_err(|source| ExportError::Io { path: folder.into(), source })?;
    let mut written = Vec::new();
    let mut table = |name: &'static str, columns: &[Column], fill: &Fill<'_>| {
        let mut sheet = Sheet::create(&folder.join(name).with_extension("parquet"), columns)?;
        fill(&mut sheet)?;
        written.push((name, sheet.finish(force)?));
        Ok::<_, ExportError>(())
    };
    let courses = &replayed.courses;
    table("weights", &WEIGHTS, &|sheet| courses.iter().try_for_each(|course| weights(sheet, course)))?;
    table("parts", &PARTS, &|sheet| courses.iter().try_for_each(|course| all_parts(sheet, course)))?;
    let base = courses.first();
    let measures = |sheet: &mut Sheet| {
        base.into_iter()
            .try_for_each(|base| courses.iter().try_for_each(|course| measures(sheet, base, course)))
    };
    table("measures", &MEASURES, &measures)?;
    if !groups.is_empty() {
        let earnings =
            |sheet: &mut Sheet| courses.iter().try_for_each(|course| earnings(sheet, course, groups));
        table("groups", &GROUPS, &earnings)?;
    }
    if !swept.is_empty() {
        table("sweep", &SWEEP, &|sheet| swept.iter().try_for_each(|one| sweep(sheet, one)))?;
    }
    Ok(written)
}

type Fill<'a> = dyn Fn(&mut Sheet) -> Result<(), ExportError> + 'a;

fn weights(sheet: &mut Sheet, course: &Course) -> Result<(), ExportError> {
    for computed in &course.computed {
        for step in computed.outcome.settlements() {
            sheet.push(&[
                Value::Text(&course.name),
                Value::Whole(computed.block.0),
                Value::Whole(step.uid.into()),
                Value::Text(&step.hotkey),
                Value::Real(step.salience),
                Value::Whole(step.young.into()),
                Value::Real(step.share),
                Value::Real(step.burned),
                step.previous.map_or(Value::Null, Value::Real),
                Value::Real(step.weight),
            ])?;
        }
    }
    Ok(())
}

fn all_parts(sheet: &mut Sheet, course: &Course) -> Result<(), ExportError> {
    for computed in &course.computed {
        for part in parts(computed) {
            sheet.push(&[
                Value::Text(&course.name),
                Value::Whole(computed.block.0),
                Value::Text(part.ticker),
                Value::Text(&part.hotkey),
                Value::Real(part.share),
                Value::Real(part.total),
            ])?;
        }
    }
    Ok(())
}

fn measures(sheet: &mut Sheet, base: &Course, course: &Course) -> Result<(), ExportError> {
    for (computed, one) in course.computed.iter().zip(measured(base, course, &[])) {
        let rejected = computed.rejection().map(ToString::to_string);
        sheet.push(&[
            Value::Text(&course.name),
            Value::Whole(one.block.0),
            rejected.as_deref().map_or(Value::Null, Value::Text),
            Value::Real(one.distance),
            one.turnover.map_or(Value::Null, Value::Real),
            Value::Real(one.gini),
            Value::Real(one.effective),
            Value::Real(one.burned),
        ])?;
    }
    Ok(())
}

fn earnings(sheet: &mut Sheet, course: &Course, groups: &[Group]) -> Result<(), ExportError> {
    for one in measured(course, course, groups) {
        for (group, weight) in groups.iter().zip(&one.groups) {
            sheet.push(&[
                Value::Text(&course.name),
                Value::Whole(one.block.0),
                Value::Text(&group.name),
                Value::Real(*weight),
            ])?;
        }
    }
    Ok(())
}

fn sweep(sheet: &mut Sheet, one: &Swept) -> Result<(), ExportError> {
    sheet.push(&[
        Value::Text(&one.name),
        Value::Real(one.distance),
        Value::Real(one.last),
        Value::Whole(one.rejected as i64),
    ])
}
