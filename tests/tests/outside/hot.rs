//! A running demo whose configuration and plugins are changed: no restart, no rebuild.

use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, mantis, trial};
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(libraries_come_and_go_while_the_demo_runs).takes(50),
        trial!(components_come_and_go_while_the_demo_runs).needs(Need::Wasm).takes(50),
        trial!(the_network_moves_by_its_file_alone).takes(50),
    ]
}

const HEAD: &str = "runtime = \"RUNTIME\"\n";
const ETH: &str = r#"
[[challenge]]
name = "ETH-1H-BINARY"
ticker = "ETH"
plugin = "binary"
dim = 2
blocks_ahead = 300
weight = 1.0
"#;
/// The one that is to go.
const GOES: &str = r#"
[[challenge]]
name = "CADUSD-1H-BINARY"
ticker = "CADUSD"
plugin = "binary"
dim = 2
blocks_ahead = 300
weight = 1.0
"#;
/// The one that comes, on a price that nobody asked for before, with a plugin that was not there.
const COMES: &str = r#"
[[challenge]]
name = "GOLD-10M"
ticker = "GOLD"
plugin = "newcomer"
price_key = "XAUUSD"
dim = 2
blocks_ahead = 50
weight = 3.0
[challenge.params]
min_rows = 100
segment_rows = 50
embargo_rows = 10
"#;
const ROWS_OF_HISTORY: i64 = 1440;
const LAG: i64 = 60;

/// A demo that runs.
struct Running {
    child: Child,
    notices: Receiver<String>,
    /// What it prints, until that is read.
    stdout: Option<JoinHandle<String>>,
    ledger: PathBuf,
}

impl Running {
    fn start(dir: &Path) -> Self {
        let mut command = mantis();
        command.args([
            "demo",
            "--json",
            "--seed",
            "1",
            "--days",
            "1",
            "--minutes",
            "700",
            "--listen",
            "off",
            "--dir",
        ]);
        command.arg(dir.join("demo")).arg("--config").arg(dir.join("challenges.toml"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, notices) = channel();
        thread::spawn(move || {
            // How far it is, is said too.
            let is_progress = |line: &String| {
                let phases = ["history: ", "past weights: ", "live: ", "scoring"];
                phases.iter().any(|phase| line.starts_with(phase))
            };
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            for line in lines.filter(|line| !is_progress(line)) {
                let _ = sender.send(line);
            }
        });
        let stdout = thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, notices, stdout: Some(stdout), ledger: dir.join("demo/ledger.db") }
    }

    /// The next line of standard error.
    fn line(&self) -> String {
        match self.notices.recv_timeout(Duration::from_secs(120)) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no word of the change"),
            Err(RecvTimeoutError::Disconnected) => panic!("the demo has ended"),
        }
    }

    /// The next line, which tells of a change that is taken: from which block on, and what it is.
    fn taken(&self) -> (i64, String) {
        let line = self.line();
        let (_, rest) = line.split_once("challenges.toml: taken from block ").expect(&line);
        let (block, what) = rest.split_once(" on: ").unwrap();
        (block.parse().unwrap(), what.to_owned())
    }

    /// The next lines, which tell that a change is not taken, and why.
    fn kept(&self) -> String {
        let line = self.line();
        assert!(line.ends_with("challenges.toml: not taken, the one before runs on:"), "{line}");
        self.line()
    }

    fn number(&self, query: &str) -> i64 {
        let connection = Connection::open(&self.ledger);
        connection.and_then(|c| c.query_row(query, [], |row| row.get(0))).unwrap_or(0)
    }

    /// Waits until there are so many more sampled blocks.
    fn go_on(&mut self, blocks: i64) {
        let count = "SELECT COUNT(*) FROM blocks";
        let (until, deadline) = (self.number(count) + blocks, Instant::now() + Duration::from_secs(120));
        while self.number(count) < until {
            assert!(self.child.try_wait().unwrap().is_none(), "the demo ended early");
            assert!(Instant::now() < deadline, "the demo stands still");
            sleep(Duration::from_millis(5));
        }
    }

    fn end(mut self) -> Value {
        let status = self.child.wait().unwrap();
        let rest: Vec<String> = self.notices.iter().collect();
        assert!(status.success() && rest.is_empty(), "{status}: {rest:?}");
        serde_json::from_str(&self.stdout.take().unwrap().join().unwrap()).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn challenges_come_and_go(runtime: &str) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hot-{runtime}"));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("plugins")).unwrap();
    let file = |name: &str| match runtime {
        "wasm" => format!("mantis_{name}.wasm"),
        _ => format!("libmantis_{name}.so"),
    };
    let write = |parts: &[&str]| {
        let text = parts.concat().replace("RUNTIME", runtime);
        fs::write(dir.join("challenges.toml"), text).unwrap();
    };
    let plugin = |name: &str| dir.join("plugins").join(file(name));
    fs::copy(bin_dir().join(file("binary")), plugin("binary")).unwrap();
    write(&[HEAD, ETH, GOES]);
    let mut demo = Running::start(&dir);
    while demo.number("SELECT COUNT(*) FROM blocks") < ROWS_OF_HISTORY + 5 {
        assert!(demo.child.try_wait().unwrap().is_none(), "the demo ended early");
        sleep(Duration::from_millis(5));
    }

    // Its table first: without its plugin it is no use.
    write(&[HEAD, ETH, GOES, COMES]);
    let why = demo.kept();
    assert!(
        why.contains("challenges.toml:22: [[challenge]] \"GOLD-10M\": key `plugin`: no plugin `newcomer`"),
        "{why}"
    );
    fs::copy(bin_dir().join(file("binary")), plugin("newcomer")).unwrap();
    let (came, what) = demo.taken();
    assert!(what.starts_with(&format!("GOLD is new, scored by newcomer ({runtime}, ")), "{what}");
    demo.go_on(3);
    let first = |ticker: &str| format!("SELECT MIN(sidx) * 5 FROM challenge_data WHERE ticker = '{ticker}'");
    let last = |ticker: &str| format!("SELECT MAX(sidx) * 5 FROM challenge_data WHERE ticker = '{ticker}'");
    assert_eq!(demo.number(&first("GOLD")), came, "collected from the next sample on");

    // A bad edit, and a plugin that is broken: what ran before runs on.
    write(&[HEAD, ETH, GOES, &COMES.replace("min_rows = 100", "min_rows = 1")]);
    let why = demo.kept();
    assert!(
        why.contains(
            "challenges.toml:28: [[challenge]] \"GOLD-10M\": key `params.min_rows`: 1 is not allowed"
        ),
        "{why}"
    );
    demo.go_on(5);
    write(&[HEAD, ETH, GOES, COMES]);
    assert_eq!(demo.taken().1, "nothing: the files say again what runs");
    let whole = fs::read(plugin("newcomer")).unwrap();
    fs::write(plugin("newcomer"), &whole[..whole.len() / 2]).unwrap();
    let why = demo.kept();
    assert!(why.contains("key `plugin`:") && why.contains(plugin("newcomer").to_str().unwrap()), "{why}");
    demo.go_on(LAG + 5);
    fs::write(plugin("newcomer"), &whole).unwrap();
    assert_eq!(demo.taken().1, "nothing: the files say again what runs");

    // A challenge that goes, together with another weight.
    write(&[HEAD, ETH, &COMES.replace("weight = 3.0", "weight = 2")]);
    let (gone, what) = demo.taken();
    assert_eq!(what, "GOLD has weight 2, before weight 3; CADUSD is gone; its rows stay in the ledger");
    demo.go_on(3);
    assert_eq!(demo.number(&last("CADUSD")), gone - 5);

    let ledger = demo.ledger.clone();
    let document = demo.end();
    let number = |query: &str| -> i64 {
        Connection::open(&ledger).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
    };
    let newest = number("SELECT MAX(block) FROM blocks");
    // Every row was opened and decoded in its time, whatever lay in the folder of plugins.
    let empty = format!(
        "SELECT COUNT(*) FROM challenge_data WHERE ticker = 'GOLD' AND LENGTH(embeddings) < 40 AND sidx * 5 <= {}",
        newest - 5 * LAG
    );
    assert_eq!(number(&empty), 0);
    let rows =
        |ticker: &str| number(&format!("SELECT COUNT(*) FROM challenge_data WHERE ticker = '{ticker}'"));
    let of_blocks = |from: i64, to: i64| (to - from) / 5 + 1;
    assert_eq!(rows("GOLD"), of_blocks(came, newest));
    assert_eq!(rows("ETH"), ROWS_OF_HISTORY + 700);
    assert_eq!(rows("CADUSD"), of_blocks(number(&first("CADUSD")), gone - 5), "its rows stay");

    let scores = &document["scores"];
    let earned = scores["per_challenge"]["GOLD"].as_object().unwrap();
    let earned: f64 = earned.values().map(|share| share.as_f64().unwrap()).sum();
    assert!((earned - 1.0).abs() < 1e-9, "{scores}");
    assert!(scores["per_challenge"]["CADUSD"].is_null());
    assert!(document["weights"].as_object().unwrap().values().any(|weight| weight.as_f64() > Some(0.0)));
    fs::remove_dir_all(dir).unwrap();
}

/// Two challenges of the network of May, July and September: what differs is in the file.
fn network_of(date: &str) -> String {
    let (network, select, rest) = match date {
        "2026-05" => ("burn = 0.30\nema = 0.15", "half", TRADEMIX.replace("SHARE", "0.15")),
        "2026-07" => (
            "burn = 0.35\nema = 0.3",
            "daily",
            TRADEMIX.replace("SHARE", "0.10") + "[challenge.params]\nmechanism = \"evidence\"\nfee = 0.001\n",
        ),
        _ => {
            let waits = "burn = 0.35\nema = 0.3\nmaturity_blocks = 50400\nretain_blocks = 50400";
            (waits, "daily", FLOW.to_owned())
        }
    };
    format!("[network]\n{network}\n{ETH}[challenge.params]\nselect = \"{select}\"\n{rest}")
}

const TRADEMIX: &str = r#"
[[challenge]]
name = "TRADE-MIX"
ticker = "TRADEMIX"
plugin = "trademix"
assets = ["BTC", "ETH", "TAO", "SOL"]
dim = 1
blocks_ahead = 300
share = SHARE
"#;
const FLOW: &str = r#"
[[challenge]]
name = "FLOW-BTC"
ticker = "FLOW"
plugin = "flow"
assets = ["BTC"]
dim = 28
storage = "f32"
history_rows = 432000
weight = 1.0
[challenge.params]
skin = "none"
"#;

fn the_network_moves_by_its_file_alone() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hot-dates");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("plugins")).unwrap();
    for plugin in ["binary", "trademix", "flow"] {
        let file = format!("libmantis_{plugin}.so");
        fs::copy(bin_dir().join(&file), dir.join("plugins").join(&file)).unwrap();
    }
    let write = |date: &str| fs::write(dir.join("challenges.toml"), network_of(date)).unwrap();
    write("2026-05");
    let mut demo = Running::start(&dir);
    while demo.number("SELECT COUNT(*) FROM blocks") < ROWS_OF_HISTORY + 5 {
        assert!(demo.child.try_wait().unwrap().is_none(), "the demo ended early");
        sleep(Duration::from_millis(5));
    }
    write("2026-07");
    let (_, what) = demo.taken();
    for part in ["TRADEMIX has share 0.1, before share 0.15", "mechanism", "`network.burn` is 0.35", "daily"]
    {
        assert!(what.contains(part), "{part}: {what}");
    }
    demo.go_on(LAG + 5);
    write("2026-09");
    let (came, what) = demo.taken();
    for part in ["FLOW is new", "TRADEMIX is gone", "`network.maturity_blocks` is 50400, before none"] {
        assert!(what.contains(part), "{part}: {what}");
    }
    demo.go_on(5);

    let ledger = demo.ledger.clone();
    let document = demo.end();
    let number = |query: &str| -> i64 {
        Connection::open(&ledger).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
    };
    let rows =
        |ticker: &str| number(&format!("SELECT COUNT(*) FROM challenge_data WHERE ticker = '{ticker}'"));
    assert_eq!(rows("ETH"), ROWS_OF_HISTORY + 700, "the ledger is kept");
    let newest = number("SELECT MAX(block) FROM blocks");
    assert_eq!(rows("FLOW"), (newest - came) / 5 + 1);
    assert!(rows("TRADEMIX") > ROWS_OF_HISTORY + LAG);
    // From then on payloads wait for a week.
    assert!(number("SELECT COUNT(DISTINCT ts) FROM raw_payloads WHERE LENGTH(payload) > 2") > 300);
    // Nothing of the new challenge is opened yet, so it has no miner to pay.
    assert_eq!(document["scores"]["skipped"]["FLOW"], "no miner has stored anything", "{document:#}");
    fs::remove_dir_all(dir).unwrap();
}

fn libraries_come_and_go_while_the_demo_runs() {
    challenges_come_and_go("native");
}

fn components_come_and_go_while_the_demo_runs() {
    challenges_come_and_go("wasm");
}
