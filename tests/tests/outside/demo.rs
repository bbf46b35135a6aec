//! `mantis demo`: the whole loop on one machine, and what happens to it when it is killed.

use mantis_config::Block;
use mantis_ledger::Ledger;
use mantis_tests::suite::Trial;
use mantis_tests::{json, mantis, root, trial};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(miners_earn_what_they_deserve_and_are_told_why_not).takes(120),
        trial!(killed_at_any_time_it_goes_on_to_the_same_ledger).takes(55),
        trial!(where_payloads_wait_for_a_week_some_are_opened_and_others_wait).takes(40),
    ]
}

pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

pub(crate) fn demo(dir: &Path, days: &str, minutes: &str) -> Command {
    let mut command = mantis();
    command.args(["demo", "--json", "--seed", "1", "--days", days, "--minutes", minutes, "--dir"]).arg(dir);
    command
}

fn miners_earn_what_they_deserve_and_are_told_why_not() {
    let dir = folder("demo-whole");
    let document = json(&mut demo(&dir, "40", "130"));
    let total = |hotkey: &str| document["scores"]["total"][hotkey].as_f64().unwrap_or(0.0);
    let mut by_kind: BTreeMap<&str, Vec<(&str, f64)>> = BTreeMap::new();
    for (hotkey, about) in document["miners"].as_object().unwrap() {
        let about = about.as_str().unwrap();
        // Those who have clones share with them.
        let is_cloned = document["miners"].as_object().unwrap().values().any(|other| {
            let other = other.as_str().unwrap();
            other.contains("clone of") && other.contains(&hotkey[..6])
        });
        let kind = if is_cloned { "cloned" } else { about.split([' ', ':', ',']).next().unwrap() };
        by_kind.entry(kind).or_default().push((hotkey, total(hotkey)));
    }
    let least = |kind: &str| by_kind[kind].iter().map(|(_, x)| *x).fold(f64::INFINITY, f64::min);
    let most = |kind: &str| by_kind[kind].iter().map(|(_, x)| *x).fold(0.0, f64::max);
    assert_eq!(document["scores"]["skipped"], serde_json::json!({}), "every challenge pays");
    assert!(least("skilled") > most("noise"), "{by_kind:#?}");
    for kind in ["copier", "stale", "constant", "malformed", "all"] {
        for (hotkey, total) in &by_kind[kind] {
            assert_eq!(*total, 0.0, "{kind} {hotkey}");
            assert_eq!(document["weights"][hotkey].as_f64(), Some(0.0), "{kind} {hotkey}");
        }
    }
    // The one who has two clones, and they, earn the same.
    let clones = [&by_kind["clone"][..], &by_kind["cloned"]].concat();
    let near = clones.iter().filter(|(_, x)| (x / by_kind["clone"][0].1 - 1.0).abs() < 0.2).count();
    assert!(near >= 3, "{clones:?}");

    let why = |kind: &str| -> Vec<&str> {
        by_kind[kind].iter().map(|(hotkey, _)| document["why_nothing"][hotkey].as_str().unwrap()).collect()
    };
    assert!(why("copier")[0].contains("collected for"), "{}", why("copier")[0]);
    assert!(why("constant")[0].contains("never changes") && why("stale")[0].contains("never changes"));
    assert!(why("malformed").iter().all(|why| why.contains("refused")), "{:?}", why("malformed"));
    let payloads = &document["payloads"];
    assert!(payloads["opened"].as_u64().unwrap() > 1_000 && payloads["stale"].as_u64().unwrap() >= 129);
    let ledger = Ledger::read(dir.join("ledger.db")).unwrap();
    let computed: Vec<Block> = ledger.attempts(20).unwrap().iter().map(|attempt| attempt.computed).collect();
    let days = |days: i64| Block(5_000_000 + days * 7_200);
    assert_eq!(computed[1..], [35, 30, 25, 20, 15, 10, 5].map(days), "weights of the history");
    let sum: f64 = document["weights"].as_object().unwrap().values().map(|w| w.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    explanations_are_what_was_set(&dir, &ledger);
    std::fs::remove_dir_all(dir).unwrap();
}

/// `mantis explain` says of every miner, and of an older computation too, what was sent to the chain, and its steps
/// follow from each other.
fn explanations_are_what_was_set(dir: &Path, ledger: &Ledger) {
    let attempts = ledger.attempts(2).unwrap();
    for (attempt, is_newest) in attempts.iter().zip([true, false]) {
        let sent: BTreeMap<&str, u16> =
            attempt.weights.iter().map(|(_, hotkey, weight)| (hotkey.as_str(), *weight)).collect();
        for settlement in ledger.settlements(attempt.computed).unwrap().iter().skip(1) {
            let mut command = mantis();
            command.args(["explain", &settlement.hotkey, "--json", "--ledger"]).arg(dir.join("ledger.db"));
            if !is_newest {
                command.args(["--block", &attempt.computed.to_string()]);
            }
            let said = json(&mut command);
            let number = |value: &Value| value.as_f64().unwrap();
            assert_eq!(said["source"]["block"], attempt.computed.0);
            assert_eq!(
                number(&said["u16"]) as u16,
                sent.get(settlement.hotkey.as_str()).copied().unwrap_or(0)
            );
            let contributions = said["challenges"].as_array().unwrap().iter().map(|part| {
                assert_eq!((&part["solver"], &part["runtime"]), (&"exact".into(), &"native".into()));
                number(&part["share_of_weights"]) * number(&part["salience"])
            });
            let total: f64 = contributions.sum();
            let (step, rules) = (&said["weight"], &said["rules"]);
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}: {said:#}");
            near(total, number(&said["total"]));
            near(total, number(&step["salience"]));
            if step["young"] == false {
                near(number(&step["burned"]), number(&step["share"]) * (1.0 - number(&rules["burn"])));
            }
        }
    }
}

/// All rows of all tables, without the columns that say when something was done and how long it took.
pub(crate) fn content(dir: &Path) -> BTreeMap<String, Vec<Vec<Cell>>> {
    let connection = Connection::open(dir.join("ledger.db")).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let tables: Vec<String> = connection
        .prepare(tables)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let rows = |table: &String| {
        let mut query = connection.prepare(&format!("SELECT *, 1 FROM {table} ORDER BY 1, 2")).unwrap();
        let names: Vec<String> = query.column_names().map(String::from).collect();
        let is_time = |name: &&String| matches!(name.as_str(), "unix" | "seconds");
        let lasting: Vec<&str> = names.iter().filter(|name| !is_time(name)).map(String::as_str).collect();
        let cells = |row: &rusqlite::Row<'_>| lasting.iter().map(|name| row.get(*name)).collect();
        query.query_map([], cells).unwrap().map(Result::unwrap).collect()
    };
    tables.into_iter().map(|table| (table.clone(), rows(&table))).collect()
}

fn killed_at_any_time_it_goes_on_to_the_same_ledger() {
    let (whole, killed) = (folder("demo-undisturbed"), folder("demo-killed"));
    json(&mut demo(&whole, "6", "90"));
    let expected = content(&whole);
    let live = |name: &str| expected[name].len();
    assert!(live("host_cycles") == 2 && live("host_weight_history") == 2);
    assert!(live("drand_cache") >= 25 && live("host_rejections") >= 6 && live("raw_payloads") > 1_000);
    let blocks = || -> i64 {
        let connection = Connection::open(killed.join("ledger.db"));
        connection.and_then(|c| c.query_row("SELECT COUNT(*) FROM blocks", [], |row| row.get(0))).unwrap_or(0)
    };
    let mut kills = 0;
    // Each time after some more blocks: in the history, while its weights are computed, and in the live part.
    for until in [1, 5_000, 8_640, 8_641, 8_670, 8_705, 8_720] {
        let mut child = demo(&killed, "6", "90").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while blocks() < until && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(3));
        }
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills >= 4, "{kills}");
    let document: Value = json(&mut demo(&killed, "6", "90"));
    assert!(document["scores"]["per_challenge"].is_object());
    let found = content(&killed);
    for (table, rows) in &expected {
        assert_eq!(rows.len(), found[table].len(), "{table}");
        for (a, b) in rows.iter().zip(&found[table]) {
            assert_eq!(a, b, "{table}");
        }
    }
    for dir in [whole, killed] {
        std::fs::remove_dir_all(dir).unwrap();
    }
}

fn where_payloads_wait_for_a_week_some_are_opened_and_others_wait() {
    let dir = folder("demo-september");
    let mut command = demo(&dir, "16", "20");
    let document = json(command.arg("--config").arg(root().join("profiles/2026-09.toml")));
    let failed: Vec<_> = document["scores"]["skipped"].as_object().unwrap().iter().collect();
    assert!(!failed.iter().any(|(ticker, _)| *ticker == "FLOW"), "{failed:?}");
    let payloads = &document["payloads"];
    let (accepted, opened) = (payloads["accepted"].as_u64().unwrap(), payloads["opened"].as_u64().unwrap());
    assert!(opened > 150 && accepted > 2 * opened - 50, "{payloads}");

    let ledger = Ledger::open(dir.join("ledger.db")).unwrap();
    let last = ledger.last_block().unwrap().unwrap();
    let waiting: Vec<Block> = ledger.pending().unwrap().iter().map(|pending| pending.block).collect();
    assert_eq!(waiting, (0..10).map(|n| last - 45 + 5 * n).collect::<Vec<_>>());
    // The first of the live part, a week before the first of those that wait.
    assert_eq!(waiting[0] - 50_400, Block(5_000_000 + 16 * 7_200));
    let bets = ledger.facts("bets").unwrap().unwrap();
    assert!(bets.block == Some(last.0) && bets.rows.len() > 500, "{:?} {}", bets.block, bets.rows.len());

    let flow = ledger.scored(last).unwrap().into_iter().find(|scored| scored.ticker == "FLOW").unwrap();
    assert!(flow.burn_share() > 0.0 && flow.burn_share() < 1.0, "{}", flow.burn_share());
    let why: BTreeMap<&str, &str> = flow
        .hotkeys
        .iter()
        .filter_map(|hotkey| Some((hotkey.as_str(), flow.report(hotkey)?.why_zero.as_ref()?.code.as_str())))
        .collect();
    let about = document["miners"].as_object().unwrap();
    let near_clone = about.iter().find(|(_, about)| about.as_str().unwrap().starts_with("near")).unwrap().0;
    assert_eq!(why.get(near_clone.as_str()), Some(&"no_bet"), "{why:?}");
    std::fs::remove_dir_all(dir).unwrap();
}
