//! What is wrong with a column from outside is said in one sentence; what is passed over is counted.

use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, root, stdout, tiny_ledger, trial};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(what_is_wrong_is_named).takes(6),
        trial!(what_is_passed_over_is_counted).takes(3),
        trial!(all_forms_say_the_same).takes(6),
        trial!(names_are_not_taken_twice).takes(3),
        trial!(without_facts_there_is_nothing_to_earn).takes(3),
        trial!(a_young_column_is_young_in_the_report).takes(3),
    ]
}

const FIRST: i64 = 5_000_000;

struct World {
    dir: TempDir,
}

impl World {
    /// A ledger of 300 rows of ETH, and of a challenge of several assets.
    fn new() -> Self {
        let world = Self { dir: TempDir::new().unwrap() };
        tiny_ledger(&world.path("ledger.db"), &["ETH", "FUNDINGXSEC"], 300);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn salience(&self, name: &str, args: &[&str]) -> Command {
        let mut command = mantis();
        command.arg("salience").arg(self.path(name)).arg("--ledger").arg(self.path("ledger.db"));
        command.arg("--config").arg(root().join("challenges.toml"));
        command.args(["--computations", "0"]).args(args);
        command
    }

    fn refused(&self, name: &str, text: &str, args: &[&str]) -> String {
        self.file(name, text);
        failure(&mut self.salience(name, args))
    }
}

/// Rows for the first blocks, with two numbers each.
fn rows(count: i64) -> String {
    let wave = |row: i64| f64::from((row * 5 % 13) as i32) / 13.0 - 0.4;
    (0..count).map(|row| format!("{},ETH,{},{}\n", FIRST + 5 * row, wave(row), wave(row + 1))).collect()
}

fn table(more: &str) -> String {
    format!("block,ticker,v0,v1\n{}{more}", rows(20))
}

fn what_is_wrong_is_named() {
    let world = World::new();
    let block = FIRST + 5 * 100;
    for (text, says) in [
        (table(&format!("{block},DOGE,1,0\n")), "row 21: "),
        (table(&format!("{block},DOGE,1,0\n")), "no challenge has the ticker or name `DOGE`"),
        (table(&format!("{block},ETH,1,\n")), "a.csv: row 21: 1 numbers, and ETH has 2"),
        (table(&format!("{block},ETH,nan,0\n")), "row 21: number 1 is NaN"),
        (table(&format!("{block},ETH,1.5,0\n")), "row 21: the plugin of ETH refuses it: "),
        (table(&format!("{block},ETH,1.5,0\n")), "number 1: 1.5 is outside [-1, 1]"),
        (table(&format!("{},ETH,1,0\n", block + 1)), "is never sampled: only multiples of 5 are"),
        (table(&format!("{FIRST},ETH,1,0\n")), "row 21: block 5000000 of ETH stands there twice"),
        (table(&format!("{block},FUNDINGXSEC,1,0\n")), "row 21: 2 numbers, and FUNDINGXSEC has "),
        (table(&format!("{block},FUNDINGXSEC,1,0\n")), ", 1 for each of "),
        (table(&format!("{block},CADUSD,1,0\n")), "ledger.db has no rows of it; leave it out"),
        ("block,ticker,v0,v1\n".into(), "there is nothing in it"),
        ("block,v0,v1\n5000000,1,0\n".into(), "name that with --challenge, or in a column `ticker`"),
        (
            "block,ticker,v0,v1\n100,ETH,1,0\n".into(),
            "of 1 rows 1 are for blocks that the ledger does not have",
        ),
        (
            "block,ticker,v0,v1\n5000000,ETH,0,0\n".into(),
            "0 are for blocks that the ledger does not have, and 1 are empty",
        ),
        (
            "block,ticker,hotkey,v0,v1\n5000000,ETH,5A,1,0\n5000005,ETH,5B,1,0\n".into(),
            "row 2: it is of 5B, and others are of 5A; keep one hotkey's rows",
        ),
        ("block,ticker,v0\n9223372036854775807,ETH,1\n".into(), "row 1: "),
        (
            "block,ticker,v0,v1\n-9223372036854775808,ETH,1,0\n".into(),
            "for blocks that the ledger does not have",
        ),
    ] {
        let said = world.refused("a.csv", &text, &[]);
        assert!(said.contains(says), "{says}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    for (text, says) in [
        ("[1]\n", "a.jsonl: row 1: it is not a JSON object"),
        ("{\"ETH\": [1, 0]}\n", "row 1: it says neither `block` nor `sidx`"),
        ("{\"block\": \"5\", \"ETH\": [1, 0]}\n", "row 1: `block` is no whole number"),
        ("{\"block\": 5000000, \"ETHE\": [1, 0]}\n", "`ETHE` is neither ticker nor name of a challenge"),
        ("{\"block\": 5000000, \"ETH\": [1, NaN]}\n", "row 1: `NaN` at line 1"),
        ("\n{\"block\": 5000000, \"ETH\": [1, 0, 1]}\n", "row 2: the plugin of ETH refuses it: "),
        ("{\"block\": 5000000, \"ETH\": [1, 0], \"ETH\": [1, 0]}\n", "the key `ETH` stands twice"),
        ("{\"block\": 5000000, \"ETH\": [1, 0]", "row 1: not JSON"),
        (&"[".repeat(70_000), "row 1: more than 65536 bytes, which no payload may have"),
        ("", "there is nothing in it"),
    ] {
        let said = world.refused("a.jsonl", text, &[]);
        assert!(said.contains(says), "{says}: {said}");
    }
    let sound = table("");
    for (args, says) in [
        (&["--challenge", "DOGE"][..], "no challenge has the ticker or name `DOGE`"),
        (&["--only", "CADUSD"], "there is nothing in it for the challenges that are asked for"),
        (&["--as", "a b"], "cannot be the name of a column: it has blanks"),
        (&["--as", "__burn__"], "so is called what nobody earns"),
        (&["--as", "5Alice"], "a hotkey of the ledger has it in ETH"),
    ] {
        let said = world.refused("a.csv", &sound, args);
        assert!(said.contains(says), "{says}: {said}");
    }
    world.file("a.npy", "");
    assert!(failure(&mut world.salience("a.npy", &[])).contains("must end in .parquet, .csv or .jsonl"));
    let said = failure(&mut world.salience("none.csv", &[]));
    assert!(said.contains("none.csv: ") && said.matches("os error 2").count() == 1, "{said}");
    let mut score = mantis();
    score.args(["score", "--replace", "--ledger"]).arg(world.path("ledger.db"));
    assert!(failure(&mut score).contains("--replace is about a column from outside; add --with FILE"));
    let usage = world.salience("a.csv", &["--min-percentile", "101"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

fn what_is_passed_over_is_counted() {
    let world = World::new();
    // Two blocks that the ledger does not have, one row without numbers, one of zeros, one too small for a half float.
    let more = "100,ETH,1,0\n105,ETH,1,0\n5000500,ETH,,\n5000505,ETH,0,0\n5000510,ETH,1e-9,0\n";
    world.file("a.csv", &table(more));
    let output = world.salience("a.csv", &["--json"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("ETH: 2 of 25 rows are for blocks that the ledger does not have, the first for 100"),
        "{said}"
    );
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let taken = &document[0]["taken"];
    assert_eq!(
        (&taken["rows"], &taken["stored"], &taken["silent"], &taken["unknown"]),
        (&json!(25), &json!(20), &json!(3), &json!(2)),
        "{taken:#}"
    );
    // Too few rows for the plugin: it says so itself.
    let place = &document[0]["places"][0];
    assert_eq!((&place["salience"], &place["rank"], &place["of"]), (&json!(0.0), &Value::Null, &json!(4)));
    assert!(place["why_zero"]["text"].as_str().is_some_and(|text| text.len() > 10), "{place:#}");
    assert_eq!(document[0]["pass"], false);
}

/// Tables of both forms of columns and submissions; halves and numbers that are rounded to them.
fn all_forms_say_the_same() {
    let world = World::new();
    let numbers = |row: i64| [(row * 7 % 31) as f64 / 31.0, -((row * 3 % 17) as f64) / 17.0];
    let write = |name: &str, head: &str, line: &dyn Fn(i64) -> String| {
        world.file(name, &(head.to_owned() + &(0..300).map(line).collect::<String>()));
        let mut score = mantis();
        score
            .args(["score", "--json", "--only", "ETH", "--no-cache", "--ledger"])
            .arg(world.path("ledger.db"));
        score.arg("--config").arg(small_config(&world)).arg("--with").arg(world.path(name));
        json(&mut score)["per_challenge"].clone()
    };
    let at = |row: i64| FIRST + 5 * row;
    let columns = write("a.csv", "block,ticker,v0,v1\n", &|row| {
        let [a, b] = numbers(row);
        format!("{},ETH,{a},{b}\n", at(row))
    });
    assert!(columns["ETH"].get("(yours)").is_some(), "{columns:#}");
    let lists = write("b.csv", "vector,sidx\n", &|row| format!("\"{:?}\",{}\n", numbers(row), at(row) / 5));
    let lines = write("c.jsonl", "", &|row| format!("{}\n", json!({"block": at(row), "ETH": numbers(row)})));
    let named = write("d.jsonl", "", &|row| {
        format!("{}\n", json!({"sidx": at(row) / 5, "ETH-1H-BINARY": numbers(row)}))
    });
    let rounded = write("e.csv", "block,ticker,v0,v1\n", &|row| {
        let [a, b] = numbers(row).map(|x| half::f16::from_f32(x as f32).to_f32());
        format!("{},ETH,{a},{b}\n", at(row))
    });
    for other in [lists, lines, named, rounded] {
        assert_eq!(other, columns);
    }
}

/// One challenge that needs few rows.
fn small_config(world: &World) -> PathBuf {
    let text = "[[challenge]]\nname = \"ETH-1H-BINARY\"\nticker = \"ETH\"\nplugin = \"binary\"\ndim = 2\n\
                blocks_ahead = 10\nweight = 1.0\n[challenge.params]\nmin_rows = 10\nmin_fit_rows = 4\n\
                min_eval_rows = 4\nsegment_rows = 20\nembargo_rows = 2\nfreeze_limit = 3\n";
    world.file("c.toml", text)
}

fn names_are_not_taken_twice() {
    let world = World::new();
    world.file("a.csv", &table(""));
    // Not registered, so not among the columns: the name is free.
    let registered = world.file("registered", "5Bob\n5Carol\n");
    let mut command = world.salience("a.csv", &["--as", "5Alice", "--json", "--active"]);
    assert_eq!(json(command.arg(&registered))[0]["places"][0]["of"], 3);
    assert_eq!(
        json(&mut world.salience("a.csv", &["--as", "5Alice", "--replace", "--json"]))[0]["places"][0]["of"],
        3
    );
    assert_eq!(json(&mut world.salience("a.csv", &["--json"]))[0]["places"][0]["of"], 4);
}

fn without_facts_there_is_nothing_to_earn() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("ledger.db");
    let config = root().join("profiles/2026-09.toml");
    let mut simulate = mantis();
    simulate.args(["simulate", "--rows", "3000", "--miners", "4", "--only", "FLOW", "--out"]).arg(&ledger);
    stdout(simulate.arg("--config").arg(&config));
    let file = dir.path().join("a.jsonl");
    let vector = vec![0.5; 28];
    let block = mantis_ledger::Ledger::read(&ledger).unwrap().last_block().unwrap().unwrap();
    fs::write(&file, format!("{}\n", json!({"block": block.0, "FLOW": vector}))).unwrap();
    for command in ["salience", "score"] {
        let mut run = mantis();
        run.arg(command).arg("--ledger").arg(&ledger).arg("--config").arg(&config);
        if command == "score" {
            run.arg("--with");
        }
        let said = failure(run.arg(&file));
        assert!(
            said.contains("FLOW: its plugin goes by facts about miners, and `bets` has none about (yours)"),
            "{said}"
        );
        assert!(said.contains("--facts") && said.contains("--replace"), "{said}");
    }
    let facts = dir.path().join("facts.json");
    fs::write(&facts, r#"{"bets": [["(yours)", 1.0, 7.0, 0.5, 100.0]], "chain_ts": 200}"#).unwrap();
    let mut run = mantis();
    run.args(["salience", "--json", "--computations", "0", "--ledger"])
        .arg(&ledger)
        .arg("--config")
        .arg(&config);
    let found = json(run.arg(&file).arg("--facts").arg(&facts));
    assert_eq!(found[0]["ticker"], "FLOW", "{found:#}");
}

fn a_young_column_is_young_in_the_report() {
    let world = World::new();
    world.file(
        "a.csv",
        &(table("") + &rows(300).lines().skip(20).map(|line| format!("{line}\n")).collect::<String>()),
    );
    let mut score = mantis();
    score.args(["score", "--only", "ETH", "--no-cache", "--ledger"]).arg(world.path("ledger.db"));
    score.arg("--config").arg(small_config(&world)).arg("--with").arg(world.path("a.csv"));
    stdout(score.arg("--report").arg(world.path("out.html")));
    let page = fs::read_to_string(world.path("out.html")).unwrap();
    assert!(page.contains("(yours)"), "the report does not have the column");
}
