//! Parameters for plugins: free tables of TOML, handed on as JSON.

use super::fault::Places;
use super::reader::{Table, closest, kind};
use mantis_plugin_api::ParamMap;
use serde_json::{Number, Value};
use std::collections::BTreeMap;
use toml::{Spanned, de::DeValue};

const ALLOWED: &str = "a string, finite number, true or false, list or table";
/// Tables and lists within each other; plugins use one or two.
const DEEPEST: usize = 16;

/// Parameters and the places of their keys.
#[derive(Clone, Default)]
pub(super) struct Set {
    pub(super) map: ParamMap,
    /// Keyed from the challenge: `params.top_k`.
    pub(super) places: Places,
}

/// The tables `[params.NAME]`.
pub(super) fn named_sets(top: &Table<'_>) -> BTreeMap<String, Set> {
    let Some(sets) = top.table("params") else { return BTreeMap::new() };
    let read = |name: &str| {
        let table = sets.table_as(name, format!("[params.{name}]"), format!("params.{name}."))?;
        Some((name.to_owned(), read_set(&table, "")))
    };
    sets.entries.keys().filter_map(|name| read(name.get_ref())).collect()
}

/// The parameters of a challenge: a table of its own, or the name of a set.
pub(super) fn of_challenge(challenge: &Table<'_>, sets: &BTreeMap<String, Set>) -> Set {
    let Some(value) = challenge.get("params") else { return Set::default() };
    if let Some(name) = value.get_ref().as_str() {
        if let Some(set) = sets.get(name) {
            return set.clone();
        }
        let known: Vec<_> = sets.keys().map(String::as_str).collect();
        let found = format!("there is no [params.{name}]");
        let meant = closest(name, &known);
        challenge.push(value.span().start, "params", found, &one_of(&known, "[params.NAME]"), meant);
        return Set::default();
    }
    if !value.get_ref().is_table() {
        challenge.wrong_type("params", value, "a table, or the name of a [params.NAME] table");
        return Set::default();
    }
    challenge
        .table_as("params", challenge.label.clone(), challenge.path.clone())
        .map_or_else(Set::default, |table| read_set(&table, "params."))
}

/// The words that are known, for a message; or how one is made.
pub(super) fn one_of(known: &[&str], make: &str) -> String {
    if known.is_empty() { format!("none yet: add {make}") } else { known.join(", ") }
}

/// Reads a table; `prefix` is how its keys begin in messages, which name a challenge's own table by its challenge.
fn read_set(table: &Table<'_>, prefix: &str) -> Set {
    let mut set = Set::default();
    for (key, value) in table.entries {
        let key = key.get_ref();
        let at = At { prefix, path: key };
        if let Some(json) = convert(table, at, value, &mut set.places, DEEPEST) {
            set.map.insert(key.to_string(), json);
        }
    }
    set
}

/// Where a value is: its path within the parameters, and what messages put before it.
#[derive(Clone, Copy)]
struct At<'a> {
    prefix: &'a str,
    path: &'a str,
}

/// The value as JSON; `None` where it was reported.
fn convert(
    table: &Table<'_>,
    at: At<'_>,
    value: &Spanned<DeValue<'_>>,
    places: &mut Places,
    deeper: usize,
) -> Option<Value> {
    let At { prefix, path } = at;
    places.insert(format!("params.{path}"), table.doc.place(value.span().start));
    let refuse = |found: String| {
        table.push(value.span().start, &format!("{prefix}{path}"), found, ALLOWED, None);
        None
    };
    if deeper == 0 {
        return refuse(format!("more than {DEEPEST} tables or lists within each other"));
    }
    match value.get_ref() {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Boolean(flag) => Some(Value::from(*flag)),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Some(Value::from(number)),
            Err(_) => refuse(format!("{} is out of range", table.shown(value))),
        },
        DeValue::Float(float) => match float.as_str().parse().ok().and_then(Number::from_f64) {
            Some(number) => Some(Value::Number(number)),
            None => refuse(format!("{} is not finite", table.shown(value))),
        },
        DeValue::Datetime(_) => refuse(format!("{} is {}", table.shown(value), kind(value.get_ref()))),
        DeValue::Array(items) => {
            // Every element is looked at, so that every fault is reported.
            let read: Vec<_> = items
                .iter()
                .enumerate()
                .map(|(i, item)| {
                    convert(table, At { prefix, path: &format!("{path}[{i}]") }, item, places, deeper - 1)
                })
                .collect();
            read.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
        }
        DeValue::Table(entries) => {
            let read: Vec<_> = entries
                .iter()
                .map(|(key, item)| {
                    let key = key.get_ref();
                    let json = convert(
                        table,
                        At { prefix, path: &format!("{path}.{key}") },
                        item,
                        places,
                        deeper - 1,
                    );
                    json.map(|json| (key.to_string(), json))
                })
                .collect();
            read.into_iter().collect::<Option<_>>().map(Value::Object)
        }
    }
}
