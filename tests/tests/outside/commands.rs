//! The commands around scoring: what they print, and how they fail.

use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, root, stdout, trial};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(every_command_has_help_with_an_example),
        trial!(challenges_lists_all_with_weights_and_digests),
        trial!(config_check_names_the_line_of_a_bad_parameter),
        trial!(config_check_says_all_at_once_and_asks_what_was_meant),
        trial!(pins_are_written_beside_the_plugins),
        trial!(weights_reads_saliences_and_prints_weights),
    ]
}

/// The commands that a help names, without `help` itself.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(String::from).collect()
}

fn every_command_has_help_with_an_example() {
    let (mut commands, mut open) = (Vec::new(), vec![String::new()]);
    while let Some(command) = open.pop() {
        let help = stdout(mantis().args(command.split_whitespace()).arg("--help"));
        let below = subcommands(&help);
        if below.is_empty() {
            let example = help.split_once("Example").map_or("", |(_, after)| after);
            assert!(example.contains(&format!("mantis{command}")), "{command}: {help}");
            commands.push(command.clone());
        }
        open.extend(below.iter().map(|name| format!("{command} {name}")));
    }
    for known in [" demo", " config check", " plugin test", " validator"] {
        assert!(commands.iter().any(|command| command == known), "no{known} in {commands:?}");
    }
}

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

fn config_check_says_all_at_once_and_asks_what_was_meant() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("c.toml");
    let challenge = |name: &str, plugin: &str, more: &str| {
        format!(
            "[[challenge]]\nname = \"{name}\"\nticker = \"{name}\"\nplugin = \"{plugin}\"\ndim = 2\n\
             blocks_ahead = 300\nweight = 1.0\n{more}\n"
        )
    };
    let check = || {
        let output = mantis().args(["config", "check"]).arg(&file).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let two =
        challenge("A", "binary", "[challenge.params]\ntop_k = 0\nsegment_rows = \"x\"\nfreeze_limi = 3");
    fs::write(&file, two + &challenge("B", "binray", "")).unwrap();
    let (code, says) = check();
    assert_eq!(code, Some(1));
    for part in [
        "4 faults",
        "`params.top_k`",
        "`params.segment_rows`",
        "`params.freeze_limi`",
        "did you mean `binary`?",
    ] {
        assert!(says.contains(part), "{part}\n{says}");
    }
    let sound = challenge("ETH", "binary", "") + &challenge("ETHFAST", "binary", "price_key = \"EHT\"");
    fs::write(&file, sound).unwrap();
    let (code, says) = check();
    assert_eq!(code, Some(0), "{says}");
    assert!(says.contains("[market] url is not set") && says.contains("did you mean `ETH`?"), "{says}");
}

fn pins_are_written_beside_the_plugins() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("challenges.toml");
    fs::copy(root().join("challenges.toml"), &file).unwrap();
    let listed =
        |args: &[&str]| json(mantis().args(["challenges", "--json", "--config"]).arg(&file).args(args));
    let before = listed(&[]);
    assert!(before["challenges"].as_array().unwrap().iter().all(|one| one["pinned"] == false));
    let after = listed(&["--pin"]);
    for (a, b) in before["challenges"].as_array().unwrap().iter().zip(after["challenges"].as_array().unwrap())
    {
        assert_eq!((&a["sha256"], &b["pinned"]), (&b["sha256"], &Value::Bool(true)));
    }
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches("sha256 = ").count(), 12, "{text}");
    let shipped = fs::read_to_string(root().join("challenges.toml")).unwrap();
    let others: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("sha256 = ")).collect();
    assert_eq!(others, shipped.lines().collect::<Vec<_>>());
    // Another file than the pinned one is refused, and pinned when that is wanted.
    let old = after["challenges"][0]["sha256"].as_str().unwrap();
    fs::write(&file, text.replacen(old, &"0".repeat(64), 1)).unwrap();
    assert!(
        failure(mantis().args(["config", "check"]).arg(&file)).contains("but the configuration pins 0000")
    );
    assert_eq!(listed(&["--pin"])["challenges"], after["challenges"]);
}

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
