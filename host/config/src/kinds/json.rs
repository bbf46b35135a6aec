//! Parameters of plugins: free tables of TOML, handed on as JSON.

use super::Kind;
use crate::source::{DEEPEST, TomlTable, type_name};
use mantis_plugin_api::ParamMap;
use serde_json::{Number, Value};
use toml::{Spanned, de::DeValue};

const ALLOWED: &str = "a string, finite number, true or false, list or table";

/// A table of parameters; or a string, which is left to be looked up in `[params]`.
pub(crate) struct ParamsOrName;

impl Kind<ParamMap> for ParamsOrName {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<ParamMap> {
        let value = table.get(key)?;
        if value.get_ref().is_str() {
            return None;
        }
        if !value.get_ref().is_table() {
            table.wrong_type(key, value, &self.allowed());
            return None;
        }
        // Messages name a challenge's own parameters by the challenge: `params.top_k`.
        let own = table.table_as(key, table.label.clone(), table.path.clone())?;
        Some(read_params(&own, &format!("{key}.")))
    }

    fn allowed(&self) -> String {
        "a table, or the name of a [params.NAME] table".into()
    }

    fn shown(&self, value: &ParamMap) -> String {
        if value.is_empty() { "none".into() } else { format!("`{}`", Value::from(value.clone())) }
    }
}

/// Reads a table of parameters; `prefix` is what messages put before its keys. What is faulty is reported and left out.
pub(crate) fn read_params(table: &TomlTable<'_>, prefix: &str) -> ParamMap {
    let mut params = ParamMap::new();
    for (key, value) in table.entries {
        let key = key.get_ref();
        if let Some(value) = json(table, &format!("{prefix}{key}"), value, DEEPEST) {
            params.insert(key.to_string(), value);
        }
    }
    params
}

/// The value at `path` as JSON; `None` if it was reported.
fn json(table: &TomlTable<'_>, path: &str, value: &Spanned<DeValue<'_>>, deeper: usize) -> Option<Value> {
    let refuse = |found: String| {
        table.push(value.span().start, path, found, ALLOWED, None);
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
            Err(_) => refuse(format!("{} is out of range", table.written(value))),
        },
        DeValue::Float(float) => match float.as_str().parse().ok().and_then(Number::from_f64) {
            Some(number) => Some(Value::Number(number)),
            None => refuse(format!("{} is not finite", table.written(value))),
        },
        DeValue::Datetime(_) => refuse(format!("{} is {}", table.written(value), type_name(value.get_ref()))),
        DeValue::Array(items) => {
            // Every element is looked at, so that every fault is reported.
            let item = |(i, item)| json(table, &format!("{path}[{i}]"), item, deeper - 1);
            let read: Vec<_> = items.iter().enumerate().map(item).collect();
            read.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
        }
        DeValue::Table(entries) => {
            let mut read = Vec::with_capacity(entries.len());
            for (key, item) in entries {
                let key = key.get_ref();
                let item = json(table, &format!("{path}.{key}"), item, deeper - 1);
                read.push(item.map(|item| (key.to_string(), item)));
            }
            read.into_iter().collect::<Option<_>>().map(Value::Object)
        }
    }
}
