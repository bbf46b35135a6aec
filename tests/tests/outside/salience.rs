//! `mantis salience` and `mantis score --with`: a column from outside is scored as if the ledger had it.

use mantis_config::{Block, Sidx};
use mantis_ledger::{Ledger, LedgerError, NewRow, Row, SampledBlock, Vector};
use mantis_tests::need::{Need, numpy};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, note, root, stdout, timeless, trial};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    let mut tests = vec![
        trial!(a_copy_is_treated_as_one_in_the_ledger).takes(20),
        trial!(nothing_beside_it_changes).takes(8),
        trial!(ranks_and_marks_are_those_of_the_scores).takes(10),
        trial!(competitors_are_drawn_by_the_seed).takes(8),
        trial!(uniqueness_is_what_numpy_says).needs(Need::Numpy).takes(8),
        trial!(the_page_for_miners_can_be_followed).needs(Need::Numpy).takes(10),
    ];
    for world in [&MAY, &SEPTEMBER] {
        let name =
            |what: &str| format!("a_column_taken_out_and_put_back_changes_no_bit_{}_{what}", world.name);
        for solver in ["exact", "network"] {
            let run = move || world.is_unchanged(&["--solver", solver]);
            tests.push(Trial::new(module_path!(), &name(solver), run).takes(40));
        }
        let run = || world.is_unchanged(&["--solver", "exact", "--runtime", "wasm"]);
        tests.push(Trial::new(module_path!(), &name("wasm"), run).needs(Need::Wasm).takes(60));
    }
    tests
}

/// A simulated ledger of all challenges of a configuration, made once per test run.
struct World {
    name: &'static str,
    config: &'static str,
    ledger: OnceLock<PathBuf>,
}

static MAY: World = World { name: "may", config: "challenges.toml", ledger: OnceLock::new() };
static SEPTEMBER: World =
    World { name: "september", config: "profiles/2026-09.toml", ledger: OnceLock::new() };

impl World {
    fn ledger(&self) -> &Path {
        self.ledger.get_or_init(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("salience-{}", self.name));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            let path = folder.join("ledger.db");
            let mut command = mantis();
            command.args(["simulate", "--seed", "5", "--rows", "45500", "--miners", "6"]);
            stdout(command.arg("--config").arg(root().join(self.config)).arg("--out").arg(&path));
            path
        })
    }

    fn score(&self, args: &[&str]) -> Command {
        let mut command = mantis();
        command.args(["score", "--json", "--no-cache", "--config"]).arg(root().join(self.config));
        command.arg("--ledger").arg(self.ledger()).args(args);
        command
    }

    /// Takes out the hotkey that earns most, and, where there is one, another that FLOW pays; puts it back.
    fn is_unchanged(&self, args: &[&str]) {
        let whole = timeless(json(&mut self.score(args)));
        let best = |of: &Value| {
            let all = of.as_object().unwrap().iter().map(|(hotkey, x)| (x.as_f64().unwrap(), hotkey.clone()));
            all.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, hotkey)| hotkey)
        };
        let tickers: Vec<&str> =
            whole["per_challenge"].as_object().unwrap().keys().map(String::as_str).collect();
        assert!(tickers.len() >= 12, "{tickers:?}, {:#}", whole["skipped"]);
        let (flow, others): (Vec<&str>, Vec<&str>) = tickers.iter().partition(|ticker| **ticker == "FLOW");
        let mut compared = 0;
        for (of, tickers) in [(&whole["total"], others), (&whole["per_challenge"]["FLOW"], flow)] {
            if tickers.is_empty() {
                continue;
            }
            let hotkey = best(of).expect("somebody earns");
            let dir = TempDir::new().unwrap();
            let file = dir.path().join("column.csv");
            take_out(self.ledger(), self.config, &hotkey, &file);
            let only = tickers.join(",");
            let registered = dir.path().join("registered");
            let all = whole["total"].as_object().unwrap().keys().filter(|other| **other != hotkey);
            fs::write(&registered, all.cloned().collect::<Vec<_>>().join("\n")).unwrap();
            let mut command = self.score(args);
            command.args(["--only", &only, "--as", &hotkey, "--replace", "--with"]).arg(&file);
            let with = json(&mut command);
            for ticker in tickers {
                assert_eq!(
                    with["per_challenge"][ticker], whole["per_challenge"][ticker],
                    "{ticker} {hotkey}"
                );
                assert_eq!(with["burn"].get(ticker), whole["burn"].get(ticker), "{ticker}");
                compared +=
                    usize::from(with["per_challenge"][ticker][&hotkey].as_f64().is_some_and(|x| x > 0.0));
            }
        }
        note!("{} {args:?}: {compared} challenges pay the column", self.name);
        assert!(compared >= 8, "{compared} challenges pay the column: too few to tell");
    }
}

/// Writes what a ledger has of a hotkey, as `mantis export` gives it.
fn take_out(ledger: &Path, config: &str, hotkey: &str, file: &Path) {
    let all = file.with_extension("all.csv");
    let mut command = mantis();
    command
        .args(["export", "--table", "submissions", "--ledger"])
        .arg(ledger)
        .arg("--config")
        .arg(root().join(config));
    stdout(command.arg("--out").arg(&all));
    let text = fs::read_to_string(&all).unwrap();
    let of = format!(",{hotkey},");
    let kept = text.lines().enumerate().filter(|(at, line)| *at == 0 || line.contains(&of));
    fs::write(file, kept.map(|(_, line)| format!("{line}\n")).collect::<String>()).unwrap();
    fs::remove_file(all).unwrap();
}

/// A small ledger of these challenges.
fn small(dir: &Path, config: &str, tickers: &str, rows: &str) -> PathBuf {
    let ledger = dir.join("ledger.db");
    let mut command = mantis();
    command.args(["simulate", "--rows", rows, "--miners", "9", "--only", tickers]);
    stdout(command.arg("--config").arg(root().join(config)).arg("--out").arg(&ledger));
    ledger
}

/// A command on a ledger.
fn on(ledger: &Path, config: &str, command: &str) -> Command {
    let mut run = mantis();
    run.arg(command).arg("--config").arg(root().join(config)).arg("--ledger").arg(ledger);
    run
}

/// Who earns most of a challenge, by a document of `mantis score`.
fn best(document: &Value, ticker: &str) -> String {
    let all = document["per_challenge"][ticker].as_object().unwrap().iter();
    all.max_by(|a, b| a.1.as_f64().unwrap().total_cmp(&b.1.as_f64().unwrap())).unwrap().0.clone()
}

/// Beside the original: the same as in a ledger that has both.
fn a_copy_is_treated_as_one_in_the_ledger() {
    for config in ["challenges.toml", "profiles/2026-07.toml"] {
        let dir = TempDir::new().unwrap();
        let ledger = small(dir.path(), config, "ETH", "12000");
        let scored = json(on(&ledger, config, "score").args(["--only", "ETH", "--json", "--no-cache"]));
        let original = best(&scored, "ETH");
        let file = dir.path().join("copy.csv");
        take_out(&ledger, config, &original, &file);
        // Before all hotkeys, as it is without --as, and after them.
        for name in ["(yours)", "zzz"] {
            let both = dir.path().join("both.db");
            for suffix in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(format!("{}{suffix}", both.display()));
            }
            add_copy(&ledger, &both, "ETH", &original, name);
            let arguments = ["--only", "ETH", "--json", "--no-cache"];
            let expected = json(on(&both, config, "score").args(arguments));
            let mut command = on(&ledger, config, "score");
            let found = json(command.args(arguments).args(["--as", name, "--with"]).arg(&file));
            assert_eq!(timeless(found.clone()), timeless(expected), "{config} {name}");
            let share = |hotkey: &str| found["per_challenge"]["ETH"][hotkey].as_f64().unwrap();
            note!(
                "{config}: {name} {} beside {}, alone {}",
                share(name),
                share(&original),
                scored["per_challenge"]["ETH"][&original]
            );
        }
    }
}

/// Writes a ledger again in which a second hotkey sends what a first one does.
fn add_copy(from: &Path, to: &Path, ticker: &str, original: &str, copy: &str) {
    let (from, mut to) = (Ledger::read(from).unwrap(), Ledger::open(to).unwrap());
    let mut steps = Vec::new();
    let visit = |row: Row<'_>| {
        let storage = row.submissions.storage();
        let mut submissions: Vec<(String, Vector)> = Vec::new();
        for (hotkey, bytes) in row.submissions {
            submissions.push((hotkey.to_owned(), Vector::from_bytes(bytes, storage)));
            if hotkey == original {
                submissions.push((copy.to_owned(), Vector::from_bytes(bytes, storage)));
            }
        }
        let price = row.price;
        let new = NewRow {
            ticker: ticker.into(),
            dim: 2,
            blocks_ahead: 300,
            price,
            submissions,
            ..NewRow::default()
        };
        steps.push(SampledBlock { block: row.sidx.block(5), sidx: row.sidx, rows: vec![new] });
        Ok::<_, LedgerError>(ControlFlow::Continue(()))
    };
    from.rows(ticker, Sidx(0)..=Sidx(i64::MAX), 2, visit).unwrap();
    to.append_many(&steps, 1000).unwrap();
}

/// Every file in a folder and in those within it, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => all.extend(files(&entry.path())),
            false => drop(all.insert(entry.path(), fs::read(entry.path()).unwrap())),
        }
    }
    all
}

fn nothing_beside_it_changes() {
    let dir = TempDir::new().unwrap();
    let config = "challenges.toml";
    let ledger = small(dir.path(), config, "ETH,ETHLBFGS", "8000");
    let connection = rusqlite::Connection::open(&ledger).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    // What is kept beside it is there already.
    let scored = json(on(&ledger, config, "score").args(["--only", "ETH,ETHLBFGS", "--json"]));
    let file = dir.path().join("column.csv");
    take_out(&ledger, config, &best(&scored, "ETH"), &file);
    let before = files(dir.path());
    assert!(
        before.keys().any(|path| path.ends_with("ledger.db.history/ETH/kept.json")),
        "{:?}",
        before.keys()
    );
    let mut command = on(&ledger, config, "salience");
    let found = json(command.arg(&file).args(["--json", "--computations", "0"]));
    assert_eq!(found.as_array().unwrap().len(), 2);
    json(on(&ledger, config, "score").args(["--json", "--only", "ETH,ETHLBFGS", "--with"]).arg(&file));
    let after = files(dir.path());
    assert!(before.keys().eq(after.keys()), "{:?}", after.keys());
    let changed: Vec<_> = before.keys().filter(|path| before[*path] != after[*path]).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

fn ranks_and_marks_are_those_of_the_scores() {
    let dir = TempDir::new().unwrap();
    let config = "challenges.toml";
    let ledger = small(dir.path(), config, "ETH,CADUSD", "12000");
    let arguments = ["--only", "ETH,CADUSD", "--json"];
    let scored = json(on(&ledger, config, "score").args(arguments));
    let original = best(&scored, "ETH");
    let file = dir.path().join("column.csv");
    take_out(&ledger, config, &original, &file);
    let salience = |args: &[&str]| {
        let mut command = on(&ledger, config, "salience");
        command.arg(&file).args(["--as", &original, "--replace"]).args(args);
        command
    };
    let found = json(&mut salience(&["--json", "--computations", "2", "--blocks-apart", "500"]));
    let of =
        |ticker: &str| found.as_array().unwrap().iter().find(|one| one["ticker"] == ticker).unwrap().clone();
    let (eth, cad) = (of("ETH"), of("CADUSD"));
    let last = Ledger::read(&ledger).unwrap().last_block().unwrap().unwrap();
    for (k, place) in eth["places"].as_array().unwrap().iter().enumerate() {
        let Block(block) = last - 500 * k as i64;
        assert_eq!(place["max_block"], block);
        let at = json(on(&ledger, config, "score").args(arguments).args(["--max-block", &block.to_string()]));
        let shares = at["per_challenge"]["ETH"].as_object().unwrap();
        let own = shares[&original].as_f64().unwrap();
        assert_eq!(place["salience"].as_f64().unwrap(), own, "at {block}");
        let others: Vec<f64> =
            shares.iter().filter(|(h, _)| **h != original).map(|(_, x)| x.as_f64().unwrap()).collect();
        let more = others.iter().filter(|other| **other > own).count();
        let less = others.iter().filter(|other| **other < own).count();
        assert_eq!(place["rank"], more + 1);
        assert_eq!(place["of"], others.len() + 1);
        assert_eq!(place["percentile"].as_f64().unwrap(), 100.0 * less as f64 / others.len() as f64);
    }
    assert_eq!((&eth["places"][0]["rank"], &eth["pass"]), (&1.into(), &true.into()), "{eth:#}");
    // What it is of all weights: two challenges of twelve, by their weights, and the burn.
    let weight = eth["weight"].as_f64().unwrap();
    assert!(weight > 0.0 && weight < 0.5, "{eth:#}");
    let of_weights = weight * eth["places"][0]["salience"].as_f64().unwrap();
    assert!((eth["of_weights"].as_f64().unwrap() - of_weights).abs() < 1e-15);
    assert!((eth["of_emission"].as_f64().unwrap() - 0.7 * of_weights).abs() < 1e-15);
    let unique = eth["uniqueness"]["value"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&unique), "{eth:#}");

    // For people, and for CI.
    let text = stdout(&mut salience(&["--challenge", "ETH-1H-BINARY"]));
    assert!(text.contains("rank 1 of ") && text.contains("in all 2 computations: PASS"), "{text}");
    assert!(!text.contains("CADUSD"), "{text}");
    stdout(&mut salience(&["--challenge", "ETH", "--computations", "0", "--min-percentile", "100"]));
    let percentile = cad["places"][0]["percentile"].as_f64().unwrap();
    let above = (percentile + 0.5).min(100.0);
    if percentile < 100.0 {
        let mut command =
            salience(&["--computations", "0", "--min-percentile", &above.to_string(), "--json"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap().is_array());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("error: below percentile {above}: CADUSD")), "{said}");
    }
    let said = failure(&mut salience(&["--computations", "1000", "--blocks-apart", "1000"]));
    assert!(said.contains("begin before the ledger") && said.contains("--computations"), "{said}");
}

fn competitors_are_drawn_by_the_seed() {
    let dir = TempDir::new().unwrap();
    let config = "challenges.toml";
    let ledger = small(dir.path(), config, "ETH", "8000");
    let scored = json(on(&ledger, config, "score").args(["--only", "ETH", "--json", "--no-cache"]));
    let file = dir.path().join("column.csv");
    take_out(&ledger, config, &best(&scored, "ETH"), &file);
    let drawn = |seed: &str, count: &str| {
        let mut command = on(&ledger, config, "salience");
        command.arg(&file).args(["--json", "--computations", "0", "--competitors", count, "--seed", seed]);
        let mut found = json(&mut command);
        found[0]["places"][0]["seconds"] = Value::Null;
        found
    };
    let some = drawn("7", "4");
    assert_eq!(some[0]["places"][0]["of"], 5, "{some:#}");
    assert_eq!(some, drawn("7", "4"));
    let all: Vec<Value> = (1..9).map(|seed| drawn(&seed.to_string(), "4")).collect();
    assert!(all.iter().any(|other| other[0]["places"][0]["salience"] != all[0][0]["places"][0]["salience"]));
    // As many as there are: all of them.
    assert_eq!(drawn("1", "500"), drawn("2", "500"));
}

/// By the formula of docs/miners.md, from what `mantis export` writes: file, ticker's `dim`, assets, hotkey.
const RIDGE: &str = r#"
import csv, json, sys
import numpy as np
file, dim, assets, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
sent = {}
with open(file, newline="") as lines:
    for line in csv.DictReader(lines):
        sent.setdefault(line["hotkey"], {})[int(line["sidx"])] = json.loads(line["vector"])
rows = sorted(sent[name])
column = lambda hotkey: np.array([sent[hotkey].get(row, [0.0] * (dim * assets)) for row in rows])
own, others = column(name), [column(hotkey) for hotkey in sorted(sent) if hotkey != name]
scale = lambda x: ((x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1))[:, x.std(0) > 0]
left = []
for asset in range(assets):
    part = slice(asset * dim, (asset + 1) * dim)
    x, y = scale(np.hstack([other[:, part] for other in others])), scale(own[:, part])
    n = len(rows)
    beta = np.linalg.solve(x.T @ x / n + 1e-3 * np.eye(x.shape[1]), x.T @ y / n)
    left.extend(((y - x @ beta) ** 2).mean(0))
print(np.mean(left))
"#;

fn uniqueness_is_what_numpy_says() {
    let dir = TempDir::new().unwrap();
    let config = "challenges.toml";
    let ledger = small(dir.path(), config, "ETH,ETHLBFGS,MULTIBREAKOUT", "4000");
    let scored = json(on(&ledger, config, "score").args(["--only", "ETH", "--json", "--no-cache"]));
    let hotkeys = scored["per_challenge"]["ETH"].as_object().unwrap().keys();
    for hotkey in hotkeys.step_by(2) {
        let file = dir.path().join("column.csv");
        take_out(&ledger, config, hotkey, &file);
        let mut command = on(&ledger, config, "salience");
        command.arg(&file).args(["--as", hotkey, "--replace", "--json", "--computations", "0"]);
        for one in json(&mut command).as_array().unwrap() {
            let ticker = one["ticker"].as_str().unwrap();
            let all = dir.path().join(format!("{ticker}.csv"));
            let mut export = mantis();
            export.args(["export", "--force", "--table", "submissions", "--ticker", ticker, "--ledger"]);
            stdout(export.arg(&ledger).arg("--out").arg(&all));
            let (dim, assets) = match ticker {
                "ETH" => ("2", "1"),
                "ETHLBFGS" => ("17", "1"),
                _ => ("2", "33"),
            };
            let mut python = Command::new(numpy());
            let expected = stdout(python.args(["-c", RIDGE]).arg(&all).args([dim, assets, hotkey]));
            let expected: f64 = expected.trim().parse().unwrap();
            let found = one["uniqueness"]["value"].as_f64().unwrap();
            note!("{ticker} {hotkey}: {found} by NumPy {expected}");
            assert!((found - expected).abs() < 1e-9, "{ticker} {hotkey}: {found} {expected}");
        }
    }
}

/// docs/miners.md, step by step, with its example.
fn the_page_for_miners_can_be_followed() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("sim.db");
    let page = fs::read_to_string(root().join("docs/miners.md")).unwrap();
    for step in [
        "mantis simulate --out sim.db --rows 30240 --miners 24 --only ETH",
        "mantis export --ledger sim.db --out prices.csv --table prices --ticker ETH",
        "python3 examples/embeddings/momentum.py prices.csv embeddings.csv",
        "mantis salience embeddings.csv --ledger sim.db",
    ] {
        assert!(page.contains(step), "docs/miners.md does not say `{step}`");
    }
    stdout(
        mantis()
            .args(["simulate", "--rows", "30240", "--miners", "24", "--only", "ETH", "--out"])
            .arg(&ledger),
    );
    let (prices, embeddings) = (dir.path().join("prices.csv"), dir.path().join("embeddings.csv"));
    let mut export = mantis();
    export.args(["export", "--table", "prices", "--ticker", "ETH", "--ledger"]).arg(&ledger);
    stdout(export.arg("--out").arg(&prices));
    let script = root().join("examples/embeddings/momentum.py");
    stdout(Command::new(numpy()).arg(script).arg(&prices).arg(&embeddings));
    let text = stdout(mantis().args(["salience", "--ledger"]).arg(&ledger).arg(&embeddings));
    note!("{text}");
    assert!(text.contains("ETH-1H-BINARY (ETH), (yours): 30180 of 30180 rows"), "{text}");
    assert!(
        text.contains("would earn ") && text.contains("of all weights ") && text.contains("uniqueness "),
        "{text}"
    );
}
