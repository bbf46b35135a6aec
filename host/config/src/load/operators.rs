//! What a release may not say: what belongs to each operator.

use super::table_list::tables_of;
use crate::source::TomlTable;
use crate::tables::CHALLENGES;

/// Keys and tables of the top that belong to the operator.
pub const OPERATORS_TOP: [&str; 8] =
    ["plugin_dir", "native_memory_mib", "market", "collect", "datalog", "mirrors", "release", "scoring"];
/// The same within tables.
pub const OPERATORS_KEYS: [(&str, &str); 5] = [
    ("network", "clock"),
    ("network", "version_key"),
    ("network", "mechanism"),
    ("network", "suggested_lock"),
    ("beacon", "api"),
];

const WHY: &str = "belongs to the operator, and a release may not say it: leave it out";
const COMPONENT: &str = "a release carries its plugins as components, which run on every machine";

/// Reports what belongs to each operator, and plugins that do not run as components.
pub(super) fn refuse_operators_keys(top: &TomlTable<'_>) {
    for key in OPERATORS_TOP.into_iter().filter(|key| top.has(key)) {
        top.fault(key, WHY, "");
    }
    for (table, key) in OPERATORS_KEYS {
        let entries = top.get(table).and_then(|value| value.get_ref().as_table());
        if entries.is_some_and(|entries| entries.contains_key(key))
            && let Some(table) = top.table(table)
        {
            table.fault(key, WHY, "");
        }
    }
    let is_wasm = |table: &TomlTable<'_>| {
        table.get("runtime").is_some_and(|value| value.get_ref().as_str() == Some("wasm"))
    };
    if !is_wasm(top) {
        let found = if top.has("runtime") { "is not \"wasm\"" } else { "missing" };
        top.fault("runtime", format!("{found}: {COMPONENT}"), "\"wasm\"");
    }
    // Where they are no tables, that was reported.
    let items = top.get("challenge").and_then(|value| value.get_ref().as_array());
    if items
        .is_none_or(|items| items.is_empty() || items.iter().any(|item| item.get_ref().as_table().is_none()))
    {
        return;
    }
    let challenges = tables_of(top, "challenge", CHALLENGES);
    for challenge in challenges.iter().filter(|table| table.has("runtime") && !is_wasm(table)) {
        challenge.fault("runtime", format!("is not \"wasm\": {COMPONENT}"), "\"wasm\"");
    }
}
