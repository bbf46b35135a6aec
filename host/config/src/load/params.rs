//! `[params]`: sets of parameters that challenges name.

use crate::fault::KeyPositions;
use crate::kinds::read_params;
use crate::source::{TomlTable, closest, insert_positions, one_of};
use mantis_plugin_api::ParamMap;
use std::collections::BTreeMap;

/// A named set of parameters.
pub(super) struct ParamSet {
    pub(super) params: ParamMap,
    /// Where they are written, keyed as from a challenge: `params.top_k`.
    pub(super) positions: KeyPositions,
}

/// Reads the tables `[params.NAME]`.
pub(super) fn read_param_sets(top: &TomlTable<'_>) -> BTreeMap<String, ParamSet> {
    let Some(sets) = top.table("params") else { return BTreeMap::new() };
    let read = |name: &str| {
        let table = sets.table_as(name, format!("[params.{name}]"), format!("params.{name}."))?;
        let mut positions = KeyPositions::new();
        for (key, value) in table.entries {
            insert_positions(&mut positions, table.file, &format!("params.{}", key.get_ref()), value);
        }
        Some((name.to_owned(), ParamSet { params: read_params(&table, ""), positions }))
    };
    sets.entries.keys().filter_map(|name| read(name.get_ref())).collect()
}

/// The set that a challenge names; `None` if it names none, or one that is not there, which is reported.
pub(super) fn find_param_set<'s>(
    challenge: &TomlTable<'_>,
    sets: &'s BTreeMap<String, ParamSet>,
) -> Option<&'s ParamSet> {
    let value = challenge.get("params")?;
    let name = value.get_ref().as_str()?;
    let set = sets.get(name);
    if set.is_none() {
        let known: Vec<_> = sets.keys().map(String::as_str).collect();
        let found = format!("there is no [params.{name}]");
        let meant = closest(name, &known);
        challenge.push(value.span().start, "params", found, &one_of(&known, "[params.NAME]"), meant);
    }
    set
}
