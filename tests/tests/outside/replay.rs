//! `mantis replay`: history computed once more, as it was and by others.

use mantis_config::Block;
use mantis_ledger::Ledger;
use mantis_tests::need::Need;
use mantis_tests::owner::Owner;
use mantis_tests::stage::{keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, note, root, stdout, tiny_ledger, trial};
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(history_comes_out_as_the_demo_computed_it_bit_for_bit).takes(60),
        trial!(what_differs_from_the_record_is_said).takes(60),
        trial!(a_sweep_and_a_second_run_score_nothing).takes(60),
        trial!(damage_and_changes_are_scored_again).takes(60),
        trial!(candidates_are_compared_and_written_out).takes(60),
        trial!(ended_at_any_instant_it_goes_on).takes(60),
        trial!(without_a_record_it_says_who_counts).takes(10),
        trial!(what_cannot_be_is_refused).takes(10),
        trial!(a_release_is_checked_on_a_ledger).needs(Need::Wasm).takes(60),
    ]
}

const TICKERS: [&str; 4] = ["ETH", "CADUSD", "MULTIBREAKOUT", "MULTIXSEC"];

fn table() -> Table {
    let text = fs::read_to_string(root().join("challenges.toml")).unwrap();
    let mut table: Table = toml::from_str(&text).unwrap();
    keep(&mut table, &TICKERS);
    table
}

/// The folder of a demo of a few days, which is played once per test run, with its configuration.
fn played() -> &'static Path {
    static PLAYED: OnceLock<PathBuf> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let dir = super::demo::folder("replay-demo");
        fs::create_dir_all(&dir).unwrap();
        let config = dir.join("small.toml");
        fs::write(&config, table().to_string()).unwrap();
        json(super::demo::demo(&dir, "16", "70").arg("--config").arg(&config));
        dir
    })
}

/// A folder of a test's own, with a copy of what was played in it.
pub(crate) fn copied(name: &str) -> (PathBuf, PathBuf) {
    let played = played();
    let dir = super::demo::folder(name);
    fs::create_dir_all(&dir).unwrap();
    for file in ["ledger.db", "small.toml", "demo.json"] {
        fs::copy(played.join(file), dir.join(file)).unwrap();
    }
    // What is not in the file itself yet.
    let journal = "ledger.db-wal";
    if played.join(journal).exists() {
        fs::copy(played.join(journal), dir.join(journal)).unwrap();
    }
    (dir.join("ledger.db"), dir)
}

fn replay(ledger: &Path, base: &Path) -> Command {
    let mut command = mantis();
    command.args(["replay", "--ledger"]).arg(ledger).arg("--base").arg(base);
    command
}

/// What the ledger has recorded, by block: hotkeys and weights.
fn recorded(ledger: &Path) -> Vec<(Block, Vec<(String, f64)>)> {
    let ledger = Ledger::read(ledger).unwrap();
    let blocks = ledger.computed_blocks(Block::MIN..=Block::MAX).unwrap();
    let of = |block: Block| {
        let steps = ledger.settlements(block).unwrap().into_iter();
        (block, steps.map(|step| (step.hotkey, step.weight)).collect())
    };
    blocks.into_iter().map(of).collect()
}

fn history_comes_out_as_the_demo_computed_it_bit_for_bit() {
    let (ledger, dir) = copied("replay-same");
    let base = dir.join("small.toml");
    let document = json(replay(&ledger, &base).arg("--json"));
    let recorded = recorded(&ledger);
    assert_eq!(recorded.len(), 4, "days 5, 10 and 15, and the end");
    let computations = document["candidates"][0]["computations"].as_array().unwrap();
    assert_eq!(computations.len(), recorded.len(), "{document:#}");
    for (computed, (block, weights)) in computations.iter().zip(&recorded) {
        assert_eq!(computed["block"], block.0);
        // Every salience and every step, by the program's own comparison; every weight, by this one.
        assert_eq!(computed["recorded"]["same"], true, "{block}: {:#}", computed["recorded"]);
        assert_eq!(computed["weights"].as_object().unwrap().len(), weights.len());
        for (hotkey, weight) in weights {
            assert_eq!(
                computed["weights"][hotkey].as_f64().unwrap().to_bits(),
                weight.to_bits(),
                "{block} {hotkey}"
            );
        }
    }
    assert_eq!(document["notes"], serde_json::json!([]), "{document:#}");
    assert_eq!(document["cache"], serde_json::json!({ "found": 0, "scored": 16, "damaged": 0 }));
    // From its midst on, and each alone: smoothing goes on from what was recorded before.
    for range in [1..4, 2..3, 3..4] {
        let (from, to) = (recorded[range.start].0.0.to_string(), recorded[range.end - 1].0.0.to_string());
        let document = json(replay(&ledger, &base).args(["--json", "--from", &from, "--to", &to]));
        let computations = document["candidates"][0]["computations"].as_array().unwrap();
        assert_eq!(computations.len(), range.len());
        assert!(computations.iter().all(|one| one["recorded"]["same"] == true), "{range:?}");
    }
    // Without anything that was kept, and with other numbers of threads.
    let document = json(replay(&ledger, &base).args(["--json", "--no-cache", "--threads", "1"]));
    let again = document["candidates"][0]["computations"].as_array().unwrap();
    assert!(again.iter().all(|one| one["recorded"]["same"] == true));
    let text = stdout(&mut replay(&ledger, &base));
    assert!(text.contains("history: 4 of 4 computations are those of the ledger, bit for bit\n"), "{text}");
    assert!(!dir.join("ledger.db.replay/histories").exists());
    let mode = fs::metadata(dir.join("ledger.db.replay")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

fn what_differs_from_the_record_is_said() {
    let (ledger, dir) = copied("replay-differs");
    let base = dir.join("small.toml");
    let second = recorded(&ledger)[1].0.0;
    let next = |x: f64| f64::from_bits(x.to_bits() + 1);
    // The last bit of one salience; then of one weight.
    for (table, column) in [("host_saliences", "salience"), ("host_steps", "weight")] {
        let copy = dir.join(format!("{table}.db"));
        // All of it, whatever lies beside the file.
        Connection::open(&ledger).unwrap().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        let connection = Connection::open(&copy).unwrap();
        let largest = format!("SELECT MAX({column}) FROM {table} WHERE block = ?1");
        let found: f64 = connection.query_row(&largest, [second], |row| row.get(0)).unwrap();
        let change = format!("UPDATE {table} SET {column} = ?1 WHERE block = ?2 AND {column} = ?3");
        assert!(connection.execute(&change, (next(found), second, found)).unwrap() > 0);
        drop(connection);
        let document = json(replay(&copy, &base).args(["--json", "--cache"]).arg(dir.join("cache")));
        let computations = document["candidates"][0]["computations"].as_array().unwrap();
        let same: Vec<bool> =
            computations.iter().map(|one| one["recorded"]["same"].as_bool().unwrap()).collect();
        assert_eq!(same, [true, false, true, true], "{table}");
    }
    // Another configuration than the one that was recorded is noticed before anything else.
    let mut other = table();
    set(&mut other, "network", "burn", 0.31);
    let burns = dir.join("burns.toml");
    fs::write(&burns, other.to_string()).unwrap();
    let text = stdout(replay(&ledger, &burns).arg("--cache").arg(dir.join("cache")));
    assert!(text.contains("note: 4 of 4 computations were recorded with another configuration"), "{text}");
    assert!(text.contains("history: 0 of 4 computations are those of the ledger"), "{text}");
}

fn a_sweep_and_a_second_run_score_nothing() {
    let (ledger, dir) = copied("replay-sweep");
    let base = dir.join("small.toml");
    let first = json(replay(&ledger, &base).arg("--json"));
    assert_eq!(first["cache"]["scored"], 16);
    let started = Instant::now();
    let document = json(replay(&ledger, &base).args(["--json", "--sweep", "1000", "--seed", "5"]));
    note!("1,000 weightings of 4 computations: {:?}", started.elapsed());
    assert_eq!(document["cache"], serde_json::json!({ "found": 16, "scored": 0, "damaged": 0 }));
    assert_eq!(document["candidates"], first["candidates"]);
    let swept = document["sweep"].as_array().unwrap();
    assert_eq!(swept.len(), 1000);
    assert!(swept.iter().all(|one| one["distance"].as_f64().unwrap() > 0.0), "{:#}", swept[0]);
    // What a sweep says of a weighting, a configuration with it says, too.
    let weights = dir.join("w.csv");
    fs::write(&weights, "name,ETH,CADUSD\nas it is,,\nother,3,0.5\n").unwrap();
    let document = json(replay(&ledger, &base).arg("--json").arg("--weights").arg(&weights));
    assert_eq!(document["cache"]["scored"], 0);
    assert_eq!(document["sweep"][0]["distance"], 0.0);
    let mut other = table();
    for (challenge, weight) in other["challenge"].as_array_mut().unwrap().iter_mut().zip([3.0, 0.5]) {
        challenge.as_table_mut().unwrap().insert("weight".into(), weight.into());
    }
    let candidate = dir.join("other.toml");
    fs::write(&candidate, other.to_string()).unwrap();
    let compared = json(replay(&ledger, &base).arg("--json").arg("--config").arg(&candidate));
    assert_eq!(compared["cache"]["scored"], 0, "weights change no score");
    let computations = compared["candidates"][1]["computations"].as_array().unwrap();
    let last = computations.last().unwrap()["distance"].as_f64().unwrap();
    assert!(last > 0.01 && (document["sweep"][1]["last"].as_f64().unwrap() - last).abs() < 1e-12, "{last}");
    let gained = &compared["candidates"][1]["gains"][0];
    assert_eq!(gained["hotkey"], document["sweep"][1]["gains"][0]["hotkey"]);
}

/// The entries of a cache.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    all.sort();
    all
}

fn damage_and_changes_are_scored_again() {
    let (ledger, dir) = copied("replay-damage");
    let base = dir.join("small.toml");
    let run = |arguments: &[&str]| json(replay(&ledger, &base).arg("--json").args(arguments));
    let first = run(&[]);
    let folder = dir.join("ledger.db.replay");
    // Sixteen saliences, and since when each hotkey is there.
    assert_eq!(entries(&folder).len(), 17);
    for path in entries(&folder) {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 2;
        fs::write(&path, bytes).unwrap();
    }
    let mended = run(&[]);
    assert_eq!(mended["cache"], serde_json::json!({ "found": 0, "scored": 16, "damaged": 16 }));
    assert_eq!(mended["candidates"], first["candidates"]);
    assert_eq!(run(&[])["cache"]["found"], 16);
    // A parameter of one challenge; the others are found.
    let mut other = table();
    let challenge = other["challenge"].as_array_mut().unwrap()[0].as_table_mut().unwrap();
    let mut parameters = Table::new();
    parameters.insert("top_k".into(), 3.into());
    challenge.insert("params".into(), parameters.into());
    fs::write(dir.join("top.toml"), other.to_string()).unwrap();
    let candidate = dir.join("top.toml").display().to_string();
    let compared = run(&["--config", &candidate]);
    assert_eq!(
        compared["cache"],
        serde_json::json!({ "found": 28, "scored": 4, "damaged": 0 }),
        "{compared:#}"
    );
    // A row that counts for the last two of the computations.
    let recorded = recorded(&ledger);
    let sidx = (recorded[1].0.0 + 1000) / 5;
    let connection = Connection::open(&ledger).unwrap();
    let change = "UPDATE challenge_data SET price = price * 1.01 WHERE ticker = 'ETH' AND sidx = ?1";
    assert_eq!(connection.execute(change, [sidx]).unwrap(), 1);
    // Its checksum is that of what is there now.
    connection
        .execute("UPDATE host_sums SET prices = prices + 1 WHERE ticker = 'ETH' AND sidx = ?1", [sidx])
        .unwrap();
    drop(connection);
    let said = json(replay(&ledger, &base).arg("--json"));
    // A row whose checksum is wrong is not scored: what was kept of other rows is found, and the failure is said.
    assert_eq!(said["cache"]["found"], 14, "{said:#}");
    assert!(said["notes"].to_string().contains("ETH failed in 2 of 4 computations"), "{said:#}");
    // All of it goes where that is asked; little of it stays where there is little room.
    run(&["--cache-mib", "0"]);
    assert_eq!(entries(&folder).len(), 0);
    fs::write(folder.join("a").with_extension("txt"), "mine").unwrap();
    assert_eq!(run(&["--clear-cache"])["cache"]["found"], 0);
    assert!(folder.join("a.txt").exists());
}

fn candidates_are_compared_and_written_out() {
    let (ledger, dir) = copied("replay-out");
    let base = dir.join("small.toml");
    let mut other = table();
    set(&mut other, "network", "burn", 0.1);
    set(&mut other, "network", "ema", 0.5);
    let next = dir.join("next.toml");
    fs::write(&next, other.to_string()).unwrap();
    let out = dir.join("out");
    let command = || {
        let mut command = replay(&ledger, &base);
        command.arg("--config").arg(&base).arg("--config").arg(&next).arg("--out").arg(&out);
        command.args(["--group", "clones=clone,near", "--group", "noise=noise"]);
        command
    };
    let document = json(command().args(["--json", "--sweep", "5"]));
    let candidates = document["candidates"].as_array().unwrap();
    let names: Vec<&str> = candidates.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["history", "small", "next"]);
    // The same file in the place of history is history, fits and all.
    let rows = |at: usize| candidates[at]["computations"].as_array().unwrap();
    assert!(
        rows(1).iter().all(|one| one["distance"] == 0.0 && one["recorded"]["same"] == true),
        "{:#}",
        candidates[1]
    );
    for row in rows(2) {
        let number = |key: &str| row[key].as_f64().unwrap();
        assert!(number("distance") > 0.05 && number("burned") < 0.9, "{row:#}");
        assert!((0.0..1.0).contains(&number("gini")) && number("effective") >= 1.0);
        let sum: f64 = row["weights"].as_object().unwrap().values().map(|x| x.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
    assert_eq!(rows(2)[0]["turnover"], Value::Null);
    let earned = |row: &Value, group: &str| row["groups"][group].as_f64().unwrap();
    let last = rows(0).last().unwrap();
    assert!(earned(last, "clones") > 0.0, "{last:#}");
    let pages = ["weights", "parts", "measures", "groups", "sweep"]
        .map(|name| out.join(name).with_extension("parquet"));
    for file in &pages {
        let bytes = fs::read(file).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{}", file.display());
    }
    let page = fs::read_to_string(out.join("replay.html")).unwrap();
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    roxmltree::Document::parse_with_options(&page, options).unwrap();
    assert!(page.contains("What each would have paid") && page.contains("clones") && page.len() < 1 << 20);
    // Nothing is replaced unasked, and that is said before anything is computed.
    let refused = failure(&mut command());
    assert!(refused.contains("weights.parquet: the file is there already"), "{refused}");
    let text = stdout(command().arg("--force"));
    assert!(text.contains("next: who gains and who loses") && text.contains("replay.html"), "{text}");
    // Without history the first candidate is what others are compared with.
    let mut command = mantis();
    command.args(["replay", "--json", "--no-history", "--ledger"]).arg(&ledger);
    let document = json(command.arg("--config").arg(&next).arg("--config").arg(&base));
    assert_eq!(document["candidates"][0]["name"], "next");
    assert_eq!(document["candidates"][0]["computations"][1]["distance"], 0.0);
}

fn ended_at_any_instant_it_goes_on() {
    let (ledger, dir) = copied("replay-ended");
    let base = dir.join("small.toml");
    let whole = json(replay(&ledger, &base).args(["--json", "--cache"]).arg(dir.join("whole")));
    let folder = dir.join("ledger.db.replay");
    let count = || if folder.is_dir() { entries(&folder).len() } else { 0 };
    let mut cut = 0;
    for round in 0..6 {
        let before = count();
        let mut child = replay(&ledger, &base).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Once it has kept one more, or is done.
        while count() <= before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        if round % 2 == 0 {
            let _ = child.kill();
        } else {
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        }
        cut += usize::from(!child.wait().unwrap().success());
    }
    assert!(cut > 0, "none was cut short");
    let kept = entries(&folder).len();
    let document = json(replay(&ledger, &base).arg("--json"));
    assert_eq!(document["candidates"], whole["candidates"]);
    assert!(
        document["cache"]["found"].as_u64().unwrap() + 1 >= kept as u64 && kept > 0,
        "{kept}: {}",
        document["cache"]
    );
}

fn without_a_record_it_says_who_counts() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["ETH"], 600);
    let config = dir.path().join("c.toml");
    let mut own = table();
    keep(&mut own, &["ETH"]);
    for (key, value) in [("task_interval", 50), ("lag", 4), ("weight_calc_interval", 1000)] {
        set(&mut own, "network", key, value);
    }
    fs::write(&config, own.to_string()).unwrap();
    let document = json(replay(&ledger, &config).arg("--json"));
    let blocks = document["blocks"].as_array().unwrap();
    let numbers: Vec<i64> = blocks.iter().map(|one| one["block"].as_i64().unwrap()).collect();
    // By the first of three multiples of 1,000 one row was sampled.
    assert_eq!(numbers, [5_001_000, 5_002_000]);
    assert!(blocks.iter().all(|one| one["registered"] == "everybody"), "{document:#}");
    assert!(document["notes"].to_string().contains("the ledger has recorded no computation"));
    assert!(
        document["notes"].to_string().contains("left out, as fewer than 121 were sampled by then: 1"),
        "{document:#}"
    );
    let weights = document["candidates"][0]["computations"][1]["weights"].as_object().unwrap();
    assert_eq!(document["candidates"][0]["computations"][1]["recorded"], Value::Null);
    assert!(weights.contains_key("5Alice") || weights.is_empty(), "{document:#}");
}

fn what_cannot_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["ETH"], 600);
    let config = dir.path().join("c.toml");
    let mut own = table();
    keep(&mut own, &["ETH"]);
    fs::write(&config, own.to_string()).unwrap();
    let says = |arguments: &[&str]| failure(replay(&ledger, &config).args(arguments));
    for (arguments, expected) in [
        (&["--from", "7"][..], "--from 7: no such block in"),
        (&["--to", "9000000"], "which was sampled from block 5000000 to 5002995"),
        (&["--from", "5002000", "--to", "5001000"], "the range is empty"),
        (&["--from", "5001001", "--to", "5001002"], "no multiple of 1000"),
        (&["--config", "/no/such.toml"], "--config /no/such.toml: "),
        (&["--weights", "/no/such.csv"], "/no/such.csv: "),
        (&["--group", "a=5Nobody"], "--group a=5Nobody: neither a hotkey"),
        (&["--cache", "/proc/no"], "the cache /proc/no: "),
    ] {
        let said = says(arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    for (arguments, expected) in [
        (&["--every", "0"][..], "invalid value '0' for '--every"),
        (&["--every", "-5"], "unexpected argument"),
        (&["--sweep", "0"], "invalid value '0'"),
        (&["--seed", "3"], "--sweep"),
        (&["--group", "nobody"], "NAME=HOTKEY"),
        (&["--no-history"], "--config"),
        (&["--no-cache", "--cache", "x"], "cannot be used with"),
    ] {
        let output = replay(&ledger, &config).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{arguments:?}: {said}");
    }
    // A configuration that is none, and one whose plugin is missing.
    let broken = dir.path().join("broken.toml");
    fs::write(&broken, "[network]\nburn = 7\n").unwrap();
    assert!(
        says(&["--config", broken.to_str().unwrap()]).contains("[network]: key `burn`: 7"),
        "{}",
        says(&["--config", broken.to_str().unwrap()])
    );
    let mut missing = own.clone();
    missing["challenge"][0].as_table_mut().unwrap().insert("plugin".into(), "no-such".into());
    fs::write(dir.path().join("missing.toml"), missing.to_string()).unwrap();
    let said = says(&["--config", dir.path().join("missing.toml").to_str().unwrap()]);
    assert!(said.contains("missing: ETH: no plugin `no-such`"), "{said}");
    let weights = dir.path().join("w.csv");
    fs::write(&weights, "ETH\n-3\n").unwrap();
    assert!(says(&["--weights", weights.to_str().unwrap()]).contains("line 2: ETH is \"-3\""));
    // No ledger, and one without rows.
    let said = failure(&mut replay(&dir.path().join("none.db"), &config));
    assert!(said.contains("none.db"), "{said}");
    drop(Ledger::open(dir.path().join("empty.db")).unwrap());
    let said = failure(&mut replay(&dir.path().join("empty.db"), &config));
    assert!(said.contains("no block was sampled in it"), "{said}");
    // A cache that others may write to.
    let open = dir.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(says(&["--cache", open.to_str().unwrap()]).contains("others may write to it"));
}

fn a_release_is_checked_on_a_ledger() {
    let (ledger, dir) = copied("replay-release");
    let base = dir.join("small.toml");
    let owner = Owner::new(&dir.join("owner"), "//SubnetOwner");
    let mut other = table();
    let challenges = other["challenge"].as_array_mut().unwrap();
    challenges[0].as_table_mut().unwrap().insert("weight".into(), 9.0.into());
    let next = dir.join("next.toml");
    fs::write(&next, other.to_string()).unwrap();
    owner.make("release-1", None, &next, 1000, &[]);
    let release = owner.path("release-1");
    let check = || {
        let mut command = mantis();
        command
            .args(["release", "check"])
            .arg(&release)
            .arg("--ledger")
            .arg(&ledger)
            .arg("--base")
            .arg(&base);
        command
    };
    let document = json(check().arg("--json"));
    let winners = &document["winners"];
    let recorded = recorded(&ledger);
    let (block, weights) = recorded.last().unwrap();
    assert_eq!((&winners["block"], &winners["before"]), (&block.0.into(), &"history".into()), "{winners:#}");
    let miners = winners["miners"].as_array().unwrap();
    let change: f64 = miners.iter().map(|one| one["change"].as_f64().unwrap().abs()).sum();
    assert!(change > 0.01 && (change - winners["distance"].as_f64().unwrap()).abs() < 1e-12, "{winners:#}");
    for one in miners {
        let before = one["weight"].as_f64().unwrap() - one["change"].as_f64().unwrap();
        let known = weights.iter().find(|(hotkey, _)| one["hotkey"] == hotkey.as_str()).unwrap();
        assert!((before - known.1).abs() < 1e-12);
    }
    // The component and the shared library score to the same bits: by a candidate with this weight the same miners gain.
    let mut native = table();
    native["challenge"].as_array_mut().unwrap()[0]
        .as_table_mut()
        .unwrap()
        .insert("weight".into(), 9.0.into());
    fs::write(&next, native.to_string()).unwrap();
    let last = block.0.to_string();
    let document = json(replay(&ledger, &base).args(["--json", "--from", &last, "--config"]).arg(&next));
    let distance = &document["candidates"][1]["computations"][0]["distance"];
    assert_eq!(distance, &winners["distance"]);
    let text = stdout(&mut check());
    assert!(text.contains("release 1 beside history: the weights are") && text.contains("change"), "{text}");
    let empty = dir.join("empty.db");
    drop(Ledger::open(&empty).unwrap());
    let mut command = mantis();
    command.args(["release", "check"]).arg(&release).arg("--ledger").arg(&empty).arg("--base").arg(&base);
    assert!(failure(&mut command).contains("empty.db: it has no computation to compare with"));
}
