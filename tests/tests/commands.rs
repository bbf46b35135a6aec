//! The commands around scoring: what they print, and how they fail.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_tests::{failure, json, mantis, root, stdout};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "demo",
        "score",
        "weights",
        "explain",
        "challenges",
        "config check",
        "payload seal",
        "payload open",
        "check",
        "simulate",
        "feed",
        "miner",
        "doctor",
        "export",
    ] {
        let help = stdout(mantis().args(command.split(' ')).arg("--help"));
        assert!(help.contains("Example") && help.contains(&format!("mantis {command}")), "{command}: {help}");
    }
}

#[test]
fn challenges_lists_all_with_weights_and_digests() {
    let listed = json(mantis().args(["challenges", "--json"]));
    let rows = listed["challenges"].as_array().unwrap();
    assert_eq!(rows.len(), 12);
    let share: f64 = rows.iter().map(|row| row["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-12);
    let of = |ticker: &str| rows.iter().find(|row| row["ticker"] == ticker).unwrap();
    assert!((of("TRADEMIX")["share"].as_f64().unwrap() - 0.15).abs() < 1e-12);
    assert_eq!(of("ETH")["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(of("ETH")["fault"], Value::Null);
    let text = stdout(mantis().arg("challenges"));
    assert!(text.contains("ETH-HITFIRST-100M"), "{text}");
}

#[test]
fn config_check_names_the_line_of_a_bad_parameter() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("c.toml");
    let text = "[[challenge]]\nname = \"A\"\nticker = \"A\"\nplugin = \"binary\"\ndim = 2\nblocks_ahead = 300\n\
                weight = 1.0\n[challenge.params]\ntop_k = 0\n\n[[challenge]]\nname = \"B\"\nticker = \"B\"\n\
                plugin = \"hitfirst\"\ndim = 2\nblocks_ahead = 300\nweight = 1.0\n";
    fs::write(&file, text).unwrap();
    let says = failure(mantis().args(["config", "check"]).arg(&file));
    for part in [
        "2 faults",
        "c.toml:9: [[challenge]] \"A\": key `params.top_k`: 0 is not allowed; allowed: a whole number from 1 to 4096",
        "c.toml:15: [[challenge]] \"B\": key `dim`: 2; allowed: 3: probabilities of up, down and neither",
    ] {
        assert!(says.contains(part), "{part}\n{says}");
    }
    fs::write(&file, text.replace("top_k = 0", "top_k = 10").replace("hitfirst", "binary")).unwrap();
    assert!(stdout(mantis().args(["config", "check"]).arg(&file)).contains("2 challenges, no fault"));
}

#[test]
fn weights_reads_saliences_and_prints_weights() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("in.json");
    let cases: Vec<Value> =
        serde_json::from_slice(&fs::read(root().join("host/weights/tests/fixtures/weights.json")).unwrap())
            .unwrap();
    for case in cases {
        fs::write(&file, case["input"].to_string()).unwrap();
        let result = json(mantis().args(["weights", "--json", "--input"]).arg(&file));
        match case["expect"]["weights"].as_object() {
            Some(expected) => {
                let got = result["weights"].as_object().unwrap_or_else(|| panic!("{result}"));
                for (uid, weight) in expected {
                    let got = got.get(uid).and_then(Value::as_f64).unwrap_or(0.0);
                    assert!((got - weight.as_f64().unwrap()).abs() < 1e-6, "uid {uid}: {got} {weight}");
                }
            }
            None => assert!(result["rejected"].is_string(), "{result}"),
        }
    }
    fs::write(
        &file,
        json!({"salience": {"a": "x"}, "metagraph": [], "first_block": {}, "block": 1}).to_string(),
    )
    .unwrap();
    let says = failure(mantis().args(["weights", "--input"]).arg(&file));
    assert!(says.contains("in.json"), "{says}");
}
