//! `[assets]`: lists of assets that challenges name.

use crate::kinds::{ASSET, Kind, ListOf};
use crate::source::{TomlTable, closest, one_of};
use std::collections::BTreeMap;

/// Reads the lists. One that is faulty is there, and empty.
pub(super) fn read_asset_lists(top: &TomlTable<'_>) -> BTreeMap<String, Vec<String>> {
    let Some(table) = top.table("assets") else { return BTreeMap::new() };
    let read = |name: &str| (name.to_owned(), ListOf(ASSET).read(&table, name).unwrap_or_default());
    table.entries.keys().map(|name| read(name.get_ref())).collect()
}

/// The list that a challenge names; `None` if it names none, or one that is not there, which is reported.
pub(super) fn find_asset_list<'l>(
    challenge: &TomlTable<'_>,
    lists: &'l BTreeMap<String, Vec<String>>,
) -> Option<&'l Vec<String>> {
    let value = challenge.get("assets")?;
    let name = value.get_ref().as_str()?;
    let list = lists.get(name);
    if list.is_none() {
        let known: Vec<_> = lists.keys().map(String::as_str).collect();
        let allowed = format!("a list, or the name of one in [assets]: {}", one_of(&known, "a list there"));
        let found = format!("[assets] has no list \"{name}\"");
        challenge.push(value.span().start, "assets", found, &allowed, closest(name, &known));
    }
    list
}
