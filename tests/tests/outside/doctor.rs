//! `mantis doctor` on a stage where all is well, and on the same stage with one thing broken at a time.

use mantis_config::{Block, Sidx};
use mantis_ledger::{Ledger, Lock, NewRow, SampledBlock};
use mantis_network::chain::Head;
use mantis_network::loopback::beacon::BeaconServer;
use mantis_payload::beacon::Scheme;
use mantis_payload::beacon::signing::BeaconKey;
use mantis_tests::localnet::{self, Localnet, free_port};
use mantis_tests::need::Need;
use mantis_tests::stage::{Stage, VALIDATOR, keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{runtime, trial};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(all_is_well_and_nothing_is_written),
        trial!(people_read_what_to_do),
        trial!(configuration_and_plugins),
        trial!(the_ledger),
        trial!(the_beacon),
        trial!(a_server_that_never_answers_does_not_hang_it),
        trial!(the_market_feed),
        trial!(the_clock),
        trial!(chain_and_hotkey),
        trial!(the_machine),
        trial!(the_real_runtime_is_understood).needs(Need::Chopsticks),
    ]
}

const BLOCK: i64 = 6_000_000;
const ROWS: i64 = 400;
const PRICES: &str =
    r#"{"prices": {"ETH": 3000.0, "BTC": 60000.0, "TAO": 300.0, "SOL": 150.0}, "funding_rates": {}}"#;

/// Checks that depend on the machine that the test runs on.
const MACHINE: [&str; 4] = ["ledger_disk", "scratch_disk", "memory", "walls"];

/// What the feed answers.
#[derive(Clone)]
struct Answer {
    body: String,
    /// Seconds since the document was written.
    age: u64,
    /// Seconds by which its clock is behind.
    behind: u64,
}

/// Everything that a validator needs, and the means to break it.
struct Ward {
    stage: Stage,
    dir: TempDir,
    beacon: BeaconServer,
    /// Seconds by which the beacon is behind.
    late: Arc<AtomicU64>,
    answer: Arc<Mutex<Answer>>,
    feed: String,
    runtime: tokio::runtime::Runtime,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Ward {
    fn new() -> Self {
        let runtime = runtime();
        let dir = tempfile::tempdir().unwrap();
        let tickers = ["ETH", "ETHHITFIRST", "TRADEMIX"];
        let stage = runtime.block_on(Stage::set(dir.path(), 2, 3, &[], |table| keep(table, &tickers)));
        let config = stage.world.config();
        let (late, answer) = (Arc::new(AtomicU64::new(0)), Answer { body: PRICES.into(), age: 5, behind: 0 });
        let answer = Arc::new(Mutex::new(answer));
        let key = BeaconKey::from_seed(&[7; 32]).unwrap();
        let scheme = Scheme::new(&key.public_key(), config.beacon.genesis, config.beacon.period).unwrap();
        let public = key.public_key();
        let behind = late.clone();
        let clock = Arc::new(move || now() - behind.load(Ordering::Relaxed));
        let beacon = runtime.block_on(BeaconServer::start(key, scheme, clock)).unwrap();
        let feed = runtime.block_on(serve(answer.clone()));
        let ward = Self { stage, dir, beacon, late, answer, feed, runtime };
        let (base, feed) = (ward.beacon.base(), ward.feed.clone());
        ward.edit(|table| {
            set(table, "beacon", "api", vec![base]);
            set(
                table,
                "beacon",
                "public_key",
                public.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            );
            set(table, "market", "url", feed);
        });
        ward.write_ledger();
        ward.chain_at(BLOCK, 0);
        ward
    }

    fn write_ledger(&self) {
        let first = BLOCK / 5 - ROWS + 1;
        let record =
            |ticker: &str| NewRow { ticker: ticker.into(), dim: 2, price: Some(1.0), ..NewRow::default() };
        let step = |sidx: i64| SampledBlock {
            block: Block(5 * sidx),
            sidx: Sidx(sidx),
            rows: ["ETH", "ETHHITFIRST", "TRADEMIX"].map(record).into(),
        };
        let steps: Vec<SampledBlock> = (first..first + ROWS).map(step).collect();
        Ledger::open(self.stage.ledger()).unwrap().append_many(&steps, 100).unwrap();
    }

    fn chain_at(&self, block: i64, seconds_ago: u64) {
        let head = Head { block: Block(block), unix: now() - seconds_ago };
        self.stage.chain.set_head(head).unwrap();
    }

    fn config(&self) -> std::path::PathBuf {
        self.dir.path().join("challenges.toml")
    }

    fn edit(&self, edit: impl FnOnce(&mut Table)) {
        let mut table: Table = toml::from_str(&fs::read_to_string(self.config()).unwrap()).unwrap();
        edit(&mut table);
        fs::write(self.config(), table.to_string()).unwrap();
    }

    fn arguments(&self, command: &mut Command) {
        let chain = format!("offline:{}", self.dir.path().join("chain.json").display());
        command.arg("doctor").arg("--config").arg(self.config());
        command.arg("--network").arg(chain);
    }

    /// Runs it with more arguments; gives its exit code and its document.
    fn ask(&self, more: &[&str]) -> (i32, Value) {
        let mut command = mantis_tests::mantis();
        self.arguments(&mut command);
        if !more.contains(&"--ledger") {
            command.arg("--ledger").arg(self.stage.ledger());
        }
        if !more
            .iter()
            .any(|argument| argument.starts_with("--hotkey-uri") || argument.starts_with("--wallet"))
        {
            command.args(["--hotkey-uri", VALIDATOR]);
        }
        if !more.contains(&"--scratch") {
            command.arg("--scratch").arg(self.dir.path());
        }
        document(command.arg("--json").args(more))
    }

    /// What it finds must be this fault and no other, with a cure, and a word that `what` has.
    fn expect(&self, more: &[&str], check: &str, word: &str) -> Value {
        let (code, document) = self.ask(more);
        let faults: Vec<&Value> = found(&document, "fault");
        let names: Vec<&str> = faults.iter().map(|fault| fault["check"].as_str().unwrap()).collect();
        assert_eq!(names, [check], "{document:#}");
        assert!(faults[0]["what"].as_str().unwrap().contains(word), "{word}: {:#}", faults[0]);
        assert!(faults[0]["cure"].as_str().is_some_and(|cure| !cure.is_empty()), "{:#}", faults[0]);
        assert_eq!((code, &document["ok"]), (1, &Value::Bool(false)));
        document
    }

    fn set_answer(&self, change: impl FnOnce(&mut Answer)) {
        change(&mut self.answer.lock().unwrap());
    }
}

fn document(command: &mut Command) -> (i32, Value) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("panicked"), "{text}");
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    (output.status.code().unwrap(), document)
}

fn found<'a>(document: &'a Value, status: &str) -> Vec<&'a Value> {
    document["checks"].as_array().unwrap().iter().filter(|check| check["status"] == status).collect()
}

fn status<'a>(document: &'a Value, check: &str) -> &'a str {
    let checks = document["checks"].as_array().unwrap();
    let found = checks.iter().find(|found| found["check"] == check);
    found.unwrap_or_else(|| panic!("no {check}: {document:#}"))["status"].as_str().unwrap()
}

/// A feed that says when it was written; gives its URL.
async fn serve(answer: Arc<Mutex<Answer>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prices.json", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Answer { body, age, behind } = answer.lock().unwrap().clone();
            let time = |seconds: u64| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            let date = now() - behind;
            let text = format!(
                "HTTP/1.1 200 OK\r\nDate: {}\r\nLast-Modified: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                time(date),
                time(date - age),
                body.len()
            );
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    url
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn all_is_well_and_nothing_is_written() {
    let ward = Ward::new();
    let before = (names(ward.dir.path()), fs::read(ward.stage.ledger()).unwrap());
    let (code, document) = ward.ask(&[]);
    let checks = document["checks"].as_array().unwrap();
    for check in checks.iter().filter(|check| !MACHINE.contains(&check["check"].as_str().unwrap())) {
        assert_eq!(check["status"], "ok", "{check:#}");
        assert!(check["what"].as_str().is_some() && check["cure"].is_null() && check["seconds"].is_number());
    }
    assert_eq!(checks.len(), 28);
    let mut ids: Vec<&str> = checks.iter().map(|check| check["check"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 28, "a name twice");
    assert_eq!(code, i32::from(!found(&document, "fault").is_empty()));
    assert_eq!((names(ward.dir.path()), fs::read(ward.stage.ledger()).unwrap()), before);

    // Servers are left alone where that is asked for.
    let requests = ward.beacon.requests();
    let (_, document) = ward.ask(&["--offline"]);
    assert_eq!(ward.beacon.requests(), requests);
    for check in ["beacon", "market_feed", "market_prices", "clock"] {
        assert_eq!(status(&document, check), "skipped");
    }
    assert_eq!(status(&document, "hotkey_registered"), "ok");
}

fn people_read_what_to_do() {
    let ward = Ward::new();
    let mut command = mantis_tests::mantis();
    ward.arguments(&mut command);
    let output =
        command.args(["--hotkey-uri", "//Stranger", "--ledger"]).arg(ward.stage.ledger()).output().unwrap();
    let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(said.starts_with("error: 1 of 28 checks found a fault"), "{said}");
    assert!(
        !text.contains('\x1b') && text.lines().next().unwrap().starts_with("ok       configuration"),
        "{text}"
    );
    let cure =
        text.lines().find(|line| line.starts_with("    -> register it")).unwrap_or_else(|| panic!("{text}"));
    assert!(cure.contains("--netuid 123"), "{cure}");
}

fn configuration_and_plugins() {
    let ward = Ward::new();
    let good = fs::read_to_string(ward.config()).unwrap();
    fs::write(ward.config(), format!("nonsense = 1\n{good}")).unwrap();
    let document = ward.expect(&[], "configuration", "`nonsense`");
    for skipped in ["plugins", "beacon", "market_feed", "chain_nodes", "ledger_rows"] {
        assert_eq!(status(&document, skipped), "skipped");
    }
    assert_eq!(status(&document, "ledger"), "ok");
    let with = |from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        fs::write(ward.config(), text).unwrap();
    };
    with("plugin = \"binary\"", "plugin = \"nosuch\"");
    ward.expect(&[], "plugins", "no plugin `nosuch`");
    with("plugin = \"binary\"", &format!("plugin = \"binary\"\nsha256 = \"{}\"", "ab".repeat(32)));
    ward.expect(&[], "plugins", "the configuration pins abab");
    with("top_k = 50", "top_k = 0");
    ward.expect(&[], "plugins", "`params.top_k`: 0 is not allowed");
    fs::remove_file(ward.config()).unwrap();
    ward.expect(&[], "configuration", "cannot be read");
}

fn the_ledger() {
    let ward = Ward::new();
    let path = ward.stage.ledger();
    let absent = ward.dir.path().join("none.db").display().to_string();
    ward.expect(&["--ledger", &absent], "ledger", "no such ledger");
    // Nobody keeps it going: it falls behind, which is a warning; where somebody does, it is a fault.
    ward.chain_at(BLOCK + 500, 0);
    let (code, document) = ward.ask(&[]);
    assert_eq!((code, status(&document, "ledger_rows")), (0, "warning"), "{document:#}");
    let lock = Lock::take(&path).unwrap();
    ward.expect(&[], "ledger_rows", "500 blocks old (100 min), though a validator writes");
    drop(lock);
    ward.chain_at(BLOCK - 50, 0);
    ward.expect(&[], "ledger_rows", "the chain is at 5999950");
    ward.chain_at(BLOCK, 0);

    let good = fs::read(&path).unwrap();
    let mut damaged = good.clone();
    let end = damaged.len();
    damaged[end - 2 * 4096..].fill(0x5a);
    fs::write(&path, damaged).unwrap();
    ward.expect(&[], "ledger_pages", "damaged");
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    let document = ward.expect(&[], "ledger", "truncated");
    assert_eq!(status(&document, "ledger_pages"), "skipped");
    assert_eq!(status(&document, "ledger_rows"), "skipped");
    fs::write(&path, "not a ledger at all").unwrap();
    ward.expect(&[], "ledger", "not a SQLite file");
}

fn the_beacon() {
    let ward = Ward::new();
    ward.beacon.set_down(true);
    let document = ward.expect(&[], "beacon", "status 503");
    assert_eq!(status(&document, "beacon_key"), "skipped");
    ward.beacon.set_down(false);
    ward.late.store(50, Ordering::Relaxed);
    ward.expect(&[], "beacon", "one of a minute ago is");
    ward.late.store(0, Ordering::Relaxed);
    // drand's own key instead of the stage's.
    let shipped: Table =
        toml::from_str(&fs::read_to_string(mantis_tests::root().join("challenges.toml")).unwrap()).unwrap();
    let key = shipped["beacon"]["public_key"].clone();
    ward.edit(|table| set(table, "beacon", "public_key", key));
    ward.expect(&[], "beacon_key", "does not verify");
}

fn a_server_that_never_answers_does_not_hang_it() {
    let ward = Ward::new();
    // Bound, so that no other program has the port, and never answering.
    let silent = ward.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let base = format!("http://{}", silent.local_addr().unwrap());
    ward.edit(|table| set(table, "beacon", "api", vec![base]));
    let since = Instant::now();
    ward.expect(&["--limit", "2"], "beacon", "no answer in 2 s");
    assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
}

fn the_market_feed() {
    let ward = Ward::new();
    ward.set_answer(|answer| answer.age = 3600);
    ward.expect(&[], "market_fresh", "written 3600 s ago");
    ward.set_answer(|answer| (answer.age, answer.body) = (0, PRICES.replace("\"ETH\"", "\"ETC\"")));
    ward.expect(&[], "market_prices", "ETH: no prices of ETH");
    ward.set_answer(|answer| answer.body = "<html>".into());
    let document = ward.expect(&[], "market_feed", "the document is no");
    assert_eq!(status(&document, "market_prices"), "skipped");
    ward.edit(|table| set(table, "market", "url", "http://127.0.0.1:1/prices.json"));
    ward.expect(&[], "market_feed", "cannot be reached");
    ward.edit(|table| drop(table["market"].as_table_mut().unwrap().remove("url")));
    ward.expect(&[], "market_feed", "no market feed is configured");
}

fn the_clock() {
    let ward = Ward::new();
    // Two of three servers say that this machine is a minute ahead.
    ward.set_answer(|answer| answer.behind = 60);
    let (base, wrong) = (ward.beacon.base(), ward.feed.trim_end_matches("/prices.json").to_owned());
    ward.edit(|table| set(table, "beacon", "api", vec![base, wrong]));
    let document = ward.expect(&[], "clock", "60 s ahead of servers' clocks");
    assert_eq!(status(&document, "beacon"), "warning");
}

fn chain_and_hotkey() {
    let ward = Ward::new();
    let document =
        ward.expect(&["--hotkey-uri", "//Stranger"], "hotkey_registered", "is not registered in subnet 123");
    assert_eq!(status(&document, "validator_permit"), "skipped");
    ward.expect(&["--hotkey-uri", "//Owner"], "validator_permit", "no validator permit");
    ward.chain_at(BLOCK, 600);
    ward.expect(&[], "chain_block", "s old");
    ward.chain_at(BLOCK, 0);

    let wallets = ward.dir.path().join("wallets");
    let folder = wallets.to_str().unwrap().to_owned();
    let named = ["--wallet-path", &folder, "--wallet-name", "mine", "--wallet-hotkey", "default"];
    let document = ward.expect(&named, "wallet", "mine/hotkeys/default");
    assert_eq!(status(&document, "hotkey_registered"), "skipped");
    let file = wallets.join("mine/hotkeys/default");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::copy(mantis_tests::root().join("host/network/tests/fixtures/wallets/plain"), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    ward.expect(&named, "wallet", "its mode is 644");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let document =
        ward.expect(&named, "hotkey_registered", "5Ckqtg5KQmUwJSwRnhqHMn7JjQuwWFopKYQE3zeLtyEyHM6g");
    assert_eq!(status(&document, "wallet"), "ok");
    fs::copy(mantis_tests::root().join("host/network/tests/fixtures/wallets/locked"), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let (code, document) = ward.ask(&named);
    assert_eq!((code, status(&document, "wallet")), (0, "warning"), "{document:#}");
    assert_eq!(status(&document, "hotkey_registered"), "skipped");

    fs::remove_file(ward.dir.path().join("chain.json")).unwrap();
    let document = ward.expect(&[], "chain_nodes", "there is no such file");
    assert_eq!(status(&document, "subnet"), "skipped");
    assert!(!ward.dir.path().join("chain.json").exists());
}

fn the_machine() {
    let ward = Ward::new();
    ward.expect(&["--scratch", "/no/such/folder"], "scratch_disk", "/no/such/folder");
    let program = mantis_tests::bin_dir().join("mantis");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 200; exec \"$0\" \"$@\""]).arg(program);
    ward.arguments(&mut command);
    command.current_dir(mantis_tests::root()).args(["--hotkey-uri", VALIDATOR, "--json", "--ledger"]);
    let (code, document) = document(command.arg(ward.stage.ledger()));
    let faults = found(&document, "fault");
    assert_eq!((code, faults.len()), (1, 1), "{document:#}");
    assert_eq!(faults[0]["check"], "open_files");
}

fn the_real_runtime_is_understood() {
    let tools = localnet::tools().unwrap();
    let ward = Ward::new();
    let port = free_port();
    let mut node = Localnet::start(&tools, port, &["--block-ms", "500"]);
    let ask = |network: &str, more: &[&str]| {
        let mut command = mantis_tests::mantis();
        command.arg("doctor").arg("--config").arg(ward.config()).args(["--network", network, "--json"]);
        document(command.current_dir(ward.dir.path()).args(more)).1
    };
    let network = format!("ws://127.0.0.1:{port}");
    let well = ask(&network, &["--hotkey-uri", VALIDATOR]);
    for check in
        ["chain_nodes", "chain_runtime", "subnet", "weights_version", "hotkey_registered", "validator_permit"]
    {
        assert_eq!(status(&well, check), "ok", "{well:#}");
    }
    let nodes =
        &found(&well, "ok").into_iter().find(|check| check["check"] == "chain_nodes").unwrap()["what"];
    assert!(nodes.as_str().unwrap().contains("of the chain 0x"), "{nodes}");
    let one_dead = ask(&format!("ws://127.0.0.1:1,{network}"), &["--hotkey-uri", "//Stranger"]);
    assert_eq!(status(&one_dead, "chain_nodes"), "warning", "{one_dead:#}");
    assert_eq!(status(&one_dead, "hotkey_registered"), "fault", "{one_dead:#}");
    let elsewhere = ask(&network, &["--netuid", "999"]);
    assert_eq!(status(&elsewhere, "subnet"), "fault", "{elsewhere:#}");
    node.stop();
}
