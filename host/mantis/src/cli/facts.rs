//! Lists of facts in a file, for scoring without a source.

use anyhow::{Context, bail};
use mantis_plugin_api::{FactList, FactRow};
use serde_json::{Map, Value};
use std::path::Path;

/// Reads a JSON object with a member for each list: an object of hotkey to number, or a list of lists, each a hotkey, numbers,
/// and the Unix time of the fact. `chain_ts` is the time at which all are complete.
pub(super) fn read_facts(file: &Path) -> anyhow::Result<Vec<FactList>> {
    let name = file.display();
    let text = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
    let all: Map<String, Value> = serde_json::from_slice(&text)
        .with_context(|| format!("{name}: expected a JSON object of lists of facts by name"))?;
    let time = match all.get(TIME) {
        None => None,
        Some(time) => Some(time.as_f64().with_context(|| format!("{name}: `{TIME}` is no number"))?),
    };
    let lists = all.iter().filter(|(key, _)| *key != TIME);
    lists.map(|(key, value)| list(key, value, time).with_context(|| format!("{name}: `{key}`"))).collect()
}

/// The key of the time at which all lists are complete.
const TIME: &str = "chain_ts";

fn list(name: &str, value: &Value, time: Option<f64>) -> anyhow::Result<FactList> {
    let rows = match value {
        Value::Object(numbers) => {
            let row = |(hotkey, number): (&String, &Value)| {
                let number = number.as_f64().with_context(|| format!("{hotkey}: {number} is no number"))?;
                Ok(FactRow { hotkey: hotkey.clone(), numbers: vec![number], ..FactRow::default() })
            };
            numbers.iter().map(row).collect::<anyhow::Result<_>>()?
        }
        Value::Array(rows) => rows
            .iter()
            .enumerate()
            .map(|(place, row)| fact(row).with_context(|| format!("number {place}")))
            .collect::<anyhow::Result<_>>()?,
        _ => bail!("expected an object of hotkey to number, or a list of lists"),
    };
    Ok(FactList { name: name.into(), block: None, time, rows })
}

fn fact(row: &Value) -> anyhow::Result<FactRow> {
    let parts = row.as_array().map_or(&[][..], Vec::as_slice);
    let ([Value::String(hotkey), numbers @ ..], true) = (parts, parts.len() >= 2) else {
        bail!("expected a list of a hotkey, numbers and a Unix time, found {row}");
    };
    let mut numbers: Vec<f64> = numbers
        .iter()
        .map(|number| number.as_f64().with_context(|| format!("{number} is no number")))
        .collect::<anyhow::Result<_>>()?;
    let time = numbers.pop();
    Ok(FactRow { hotkey: hotkey.clone(), block: None, time, numbers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Vec<FactList>> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("facts.json");
        std::fs::write(&file, text).unwrap();
        read_facts(&file)
    }

    #[test]
    fn both_forms_of_a_list_are_read() {
        let lists =
            read(r#"{"static": {"5A": 2.5}, "bets": [["5A", 1, 7, 0.5, 100], ["5B", 9]], "chain_ts": 200}"#);
        let [bets, fixed] = &lists.unwrap()[..] else { panic!("two lists") };
        assert_eq!((bets.name.as_str(), bets.time, bets.rows.len()), ("bets", Some(200.0), 2));
        assert_eq!((bets.rows[0].numbers.as_slice(), bets.rows[0].time), (&[1.0, 7.0, 0.5][..], Some(100.0)));
        assert_eq!((bets.rows[1].numbers.len(), bets.rows[1].time), (0, Some(9.0)));
        assert_eq!((fixed.rows[0].numbers.as_slice(), fixed.rows[0].time), (&[2.5][..], None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            ("[]", "expected a JSON object"),
            (r#"{"bets": 7}"#, "`bets`"),
            (r#"{"bets": [["5A", 1], ["5A"]]}"#, "number 1"),
            (r#"{"bets": [[1, 2]]}"#, "a hotkey"),
            (r#"{"static": {"5A": "much"}}"#, "5A"),
            (r#"{"static": {}, "chain_ts": "now"}"#, "chain_ts"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
    }
}
