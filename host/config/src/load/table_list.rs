//! Tables of which there may be several.

use crate::source::TomlTable;
use toml::de::DeValue;

/// The tables `[[key]]`, of which there may be what is `allowed`.
pub(super) fn tables_of<'a>(top: &TomlTable<'a>, key: &str, allowed: &str) -> Vec<TomlTable<'a>> {
    let Some(value) = top.get(key) else { return Vec::new() };
    let Some(items) = value.get_ref().as_array() else {
        top.wrong_type(key, value, &format!("[[{key}]] tables: two brackets on each side"));
        return Vec::new();
    };
    if items.is_empty() {
        top.fault(key, "the list is empty", allowed);
    }
    let mut tables = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let DeValue::Table(entries) = item.get_ref() else {
            top.wrong_type(&format!("{key}[{i}]"), item, allowed);
            continue;
        };
        let label = match entries.get("name").and_then(|name| name.get_ref().as_str()) {
            Some(name) => format!("[[{key}]] {name:?}"),
            None => format!("[[{key}]] number {}", i + 1),
        };
        let path = format!("{key}[{i}].");
        tables.push(TomlTable { file: top.file, entries, label, path, start: item.span().start });
    }
    tables
}
