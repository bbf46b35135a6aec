//! What others had a hand in (a plugin, a file that is replaced, kept machine code, a published ledger, readers of the
//! dashboard) does not harm the host, and sees nothing that is secret.

use half::f16;
use mantis_config::{Block, Config, Sidx};
use mantis_ledger::{Ledger, NewRow, SampledBlock};
use mantis_scoring::plugins::digest;
use mantis_tests::http::{ask, get};
use mantis_tests::need::Need;
use mantis_tests::record::write;
use mantis_tests::served::Served;
use mantis_tests::stage::{Running, Stage, VALIDATOR, keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, json, mantis, root, runtime, tiny_ledger, trial};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_plugin_finds_nothing_of_its_host),
        trial!(a_program_that_is_replaced_goes_on_with_what_it_is).takes(5),
        trial!(a_library_that_is_swapped_is_the_pinned_one_or_none).takes(20),
        trial!(damaged_machine_code_changes_no_number).needs(Need::Wasm).takes(30),
        trial!(a_secret_is_shown_nowhere).takes(8),
        trial!(only_its_own_names_are_answered),
        trial!(slow_readers_do_not_keep_others_out).takes(3),
        trial!(a_ledger_that_is_taken_away_is_missed).takes(8),
        trial!(a_ledger_that_runs_code_is_not_scored),
        trial!(a_hotkey_writes_no_commands_for_the_terminal),
    ]
}

/// One challenge of `tests/plugins/hostile` for each way to fail.
fn hostile(dir: &Path, how: &[&str], more: &str) -> PathBuf {
    let entry = |how: &&str| {
        let ticker = how.to_uppercase();
        format!(
            "[[challenge]]\nname = \"{how}\"\nticker = \"{ticker}\"\nplugin = \"hostile\"\ndim = 2\nblocks_ahead = 300\n\
             weight = 1.0\n{more}[challenge.params]\nhow = \"{how}\"\n"
        )
    };
    let path = dir.join("challenges.toml");
    fs::write(&path, how.iter().map(entry).collect::<String>()).unwrap();
    path
}

fn score(program: &mut Command, config: &Path, ledger: &Path) -> Output {
    program.args(["score", "--json", "--threads", "1", "--config"]).arg(config).arg("--ledger").arg(ledger);
    program.output().unwrap()
}

fn document(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Which walls this system has, as `mantis doctor` says.
fn has_all_walls() -> bool {
    let output = mantis().args(["doctor", "--offline", "--json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut checks = document["checks"].as_array().unwrap().iter();
    let walls = checks.find(|check| check["check"] == "walls").unwrap();
    assert!(walls["what"].as_str().unwrap().contains("resource limits"), "{walls:#}");
    walls["status"] == "ok"
}

fn a_plugin_finds_nothing_of_its_host() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["PRY"], 20);
    let config = hostile(dir.path(), &["pry"], "");
    let mut command = mantis();
    command.env("MANTIS_WALLET_PASSWORD", "canary").env("AWS_SECRET_ACCESS_KEY", "canary");
    let output = score(&mut command, &config, &ledger);
    assert_eq!(document(&output)["per_challenge"]["PRY"]["5Bob"], 1.0 / 3.0);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("PRY: pried, with a thread"), "{said}");
    for name in said.lines().filter_map(|line| line.strip_prefix("PRY: environment ")) {
        assert!(["XDG_CACHE_HOME", "MALLOC_ARENA_MAX"].contains(&name), "{said}");
    }
    if has_all_walls() {
        assert!(!said.contains("could"), "{said}");
    }
}

/// A copy of the program that scores the slow challenge first; `then` is done while that one is at work.
fn score_meanwhile(program: &Path, config: &Path, ledger: &Path, then: impl FnOnce()) -> (Value, String) {
    let mut command = Command::new(program);
    command.current_dir(root()).env("XDG_CACHE_HOME", bin_dir().join("cache"));
    command.args(["score", "--json", "--threads", "1", "--config"]).arg(config).arg("--ledger").arg(ledger);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(running.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("SLOW: at work") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended early: {said}");
    }
    then();
    let mut document = String::new();
    running.stdout.take().unwrap().read_to_string(&mut document).unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(running.wait().unwrap().success(), "{said}");
    (serde_json::from_str(&document).unwrap(), said)
}

fn a_program_that_is_replaced_goes_on_with_what_it_is() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["SLOW", "NONE"], 20);
    let config = hostile(dir.path(), &["slow", "none"], "");
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    fs::copy(bin_dir().join("libmantis_hostile.so"), plugins.join("libmantis_hostile.so")).unwrap();
    let program = dir.path().join("mantis");
    fs::copy(bin_dir().join("mantis"), &program).unwrap();
    // As an update does: another file of the same name.
    let (document, said) = score_meanwhile(&program, &config, &ledger, || {
        fs::copy("/bin/true", dir.path().join("new")).unwrap();
        fs::rename(dir.path().join("new"), &program).unwrap();
    });
    assert_eq!(document["skipped"], serde_json::json!({}), "{said}");
    assert_eq!(document["per_challenge"]["NONE"]["5Bob"], 1.0 / 3.0, "{document:#}");
}

fn a_library_that_is_swapped_is_the_pinned_one_or_none() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["NONE"], 20);
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let file = plugins.join("libmantis_hostile.so");
    let (pinned, other) = (bin_dir().join("libmantis_hostile.so"), bin_dir().join("libmantis_binary.so"));
    fs::copy(&pinned, &file).unwrap();
    let config = hostile(dir.path(), &["none"], &format!("sha256 = \"{}\"\n", digest(&pinned).unwrap()));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (mut scored, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0.. {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                let new = plugins.join("new");
                fs::copy(if i % 2 == 0 { &other } else { &pinned }, &new).unwrap();
                fs::rename(&new, &file).unwrap();
            }
        });
        for _ in 0..40 {
            let document = document(&score(&mut mantis(), &config, &ledger));
            match document["skipped"]["NONE"].as_str() {
                None => {
                    assert_eq!(document["per_challenge"]["NONE"]["5Bob"], 1.0 / 3.0, "{document:#}");
                    scored += 1;
                }
                // Another library's word about the challenge would mean that it ran.
                Some(reason) => {
                    assert!(reason.contains("but the configuration pins"), "{reason}");
                    refused += 1;
                }
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(scored > 0 && refused > 0, "{scored} scored, {refused} refused: nothing was swapped");
}

/// Files of machine code below a folder.
fn code(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.components().any(|part| part.as_os_str() == "modules")
                && path.extension().is_none()
            {
                found.push(path);
            }
        }
    }
    found
}

fn damaged_machine_code_changes_no_number() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["NONE"], 20);
    let config = hostile(dir.path(), &["none"], "runtime = \"wasm\"\n");
    let cache = dir.path().join("cache");
    let run = || document(&score(mantis().env("XDG_CACHE_HOME", &cache), &config, &ledger));
    let expected = run()["per_challenge"].clone();
    assert_eq!(expected["NONE"]["5Bob"], 1.0 / 3.0);
    let file = code(&cache).pop().expect("machine code is kept");
    let whole = fs::read(&file).unwrap();
    // A run by kept code leaves it as it is.
    assert_eq!((run()["per_challenge"].clone(), fs::read(&file).unwrap()), (expected.clone(), whole.clone()));
    let mut place: u64 = 0x9e37_79b9_7f4a_7c15;
    for round in 0..24 {
        let mut bytes = whole.clone();
        for _ in 0..1 + round % 3 {
            place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bit = (place >> 20) as usize % (8 * bytes.len());
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        if round == 7 {
            bytes.truncate(whole.len() / 2);
        }
        fs::write(&file, bytes).unwrap();
        let document = run();
        assert_eq!(document["per_challenge"], expected, "round {round}: {document:#}");
        assert_eq!(fs::read(&file).unwrap(), whole, "round {round}: it was not compiled anew");
    }
}

fn recorded(dir: &Path) -> PathBuf {
    let path = dir.join("ledger.db");
    tiny_ledger(&path, &["ETH", "CADUSD"], 40);
    let config = Config::load(root().join("challenges.toml")).unwrap();
    write(&mut Ledger::open(&path).unwrap(), &config, 6, 5, Block(5_000_000));
    path
}

const PAGES: [&str; 20] = [
    "/",
    "/live",
    "/leaderboard",
    "/challenges",
    "/challenges/ETH",
    "/weights",
    "/configuration",
    "/metrics",
    "/healthz",
    "/readyz",
    "/api/v1/status",
    "/api/v1/leaderboard",
    "/api/v1/challenges",
    "/api/v1/challenges/ETH",
    "/api/v1/computations",
    "/api/v1/weight-submissions",
    "/api/v1/refusals",
    "/api/v1/configuration",
    "/api/v1/openapi.json",
    "/nowhere",
];

fn a_secret_is_shown_nowhere() {
    let dir = TempDir::new().unwrap();
    let ledger = recorded(dir.path());
    let text = fs::read_to_string(root().join("challenges.toml")).unwrap();
    let mut table: toml::Table = toml::from_str(&text).unwrap();
    let url = |path: &str| format!("http://canary:canary@127.0.0.1:1/{path}?key=canary#canary");
    set(&mut table, "market", "url", url("prices"));
    set(&mut table, "beacon", "api", vec![url("beacon")]);
    set(&mut table, "datalog", "url", url("ledger").replace("http:", "https:"));
    let config = dir.path().join("challenges.toml");
    fs::write(&config, table.to_string()).unwrap();
    let network = "ws://canary:canary@127.0.0.1:1/canary?key=canary";
    let program = || {
        let mut command = mantis();
        for name in ["MANTIS_WALLET_PASSWORD", "AWS_SECRET_ACCESS_KEY", "MANTIS_FEED_KEY"] {
            command.env(name, "canary");
        }
        command
    };
    let mut outputs: Vec<(String, String)> = Vec::new();
    let mut keep_output = |command: &mut Command| {
        let Output { stdout, stderr, .. } = command.output().unwrap();
        outputs
            .push((format!("{command:?}"), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()));
    };
    let validator = |ledger: &Path| {
        let mut command = program();
        command.args(["validator", "--dry-run", "--network", network, "--log-level", "debug"]);
        command.args(["--log-format", "json", "--config"]).arg(&config).arg("--ledger").arg(ledger);
        command.args(["--listen", "127.0.0.1:0", "--poll", "0.1", "--scratch"]).arg(dir.path());
        command
    };
    for args in [["doctor", "--json"], ["doctor", "--limit=2"]] {
        keep_output(program().args(args).args(["--network", network, "--config"]).arg(&config));
    }
    keep_output(program().args(["config", "check"]).arg(&config));
    keep_output(
        program().args(["doctor", "--network", "http://canary:canary@x/?canary", "--config"]).arg(&config),
    );
    let broken = dir.path().join("broken.toml");
    for wrong in [url("prices").replace("http:", "ftp:"), url("prices") + "\" \""] {
        fs::write(&broken, format!("[market]\nurl = \"{wrong}\"\n")).unwrap();
        keep_output(program().args(["config", "check"]).arg(&broken));
    }
    let exported = dir.path().join("exported");
    keep_output(
        program().args(["export", "--format", "csv", "--ledger"]).arg(&ledger).arg("--out").arg(&exported),
    );

    runtime().block_on(async {
        let mut running = Running::start(&mut validator(&ledger));
        let line = running.wait_for("dashboard", 0, Duration::from_secs(60)).await;
        let server: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
        running.wait_for("the chain does not answer", 0, Duration::from_secs(60)).await;
        let until = Instant::now() + Duration::from_secs(60);
        while get(server, "/").status != 200 {
            assert!(Instant::now() < until, "{}", get(server, "/").text());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for page in PAGES {
            outputs.push((page.into(), get(server, page).text()));
        }
        let shown = get(server, "/api/v1/configuration").json();
        assert_eq!(shown["market"], "http://127.0.0.1:1/prices");
        running.terminate();
        outputs.extend(running.log.iter().map(|line| ("log".into(), line.to_string())));
    });
    for entry in fs::read_dir(&exported).into_iter().flatten() {
        let path = entry.unwrap().path();
        outputs.push((
            path.display().to_string(),
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
        ));
    }
    assert!(outputs.len() > 40, "{}", outputs.len());
    for (what, text) in outputs {
        // What was given on the command line is repeated in the name of the command only.
        assert!(!text.contains("canary"), "{what}: {text}");
    }
}

fn only_its_own_names_are_answered() {
    let dir = TempDir::new().unwrap();
    let ledger = recorded(dir.path());
    let mut command = mantis();
    command
        .args(["dashboard", "--listen", "127.0.0.1:0", "--host", "mantis.example.org", "--ledger"])
        .arg(&ledger);
    let site = Served::start(&mut command);
    let status = |page: &str, host: &str| {
        let request = format!("GET {page} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        let answer = ask(site.server, request.as_bytes()).unwrap();
        assert!(answer.headers.contains_key("content-security-policy"));
        if answer.status == 421 {
            assert!(answer.json()["detail"].as_str().unwrap().contains("--host NAME"), "{}", answer.text());
        }
        answer.status
    };
    for page in ["/", "/api/v1/configuration", "/metrics", "/healthz", "/nowhere"] {
        for host in ["evil.example.org", "evil.example.org:80", "localhost.evil.org", "10.0.0.1", ""] {
            assert_eq!(status(page, &format!("Host: {host}\r\n")), 421, "{page} {host}");
        }
        assert_eq!(status(page, "Host: localhost\r\nHost: evil.example.org\r\n") / 100, 4, "{page}");
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "mantis.example.org:443"] {
            assert_ne!(status(page, &format!("Host: {host}\r\n")), 421, "{page} {host}");
        }
    }
    assert_eq!(status("/api/v1/configuration", "Host: localhost\r\n"), 200);
}

fn slow_readers_do_not_keep_others_out() {
    let dir = TempDir::new().unwrap();
    let ledger = recorded(dir.path());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 128; exec \"$0\" \"$@\""]).arg(bin_dir().join("mantis"));
    command.current_dir(root()).args(["dashboard", "--listen", "127.0.0.1:0", "--ledger"]).arg(&ledger);
    let site = Served::start(&mut command);
    let mut slow = Vec::new();
    for i in 0..300 {
        let mut stream = TcpStream::connect(site.server).unwrap();
        // Some say nothing, some half a head, some ask for a page and never read it.
        let said: &[u8] = match i % 3 {
            0 => b"",
            1 => b"GET / HTTP/1.1\r\nHost: loc",
            _ => b"GET /leaderboard HTTP/1.1\r\nHost: localhost\r\n\r\n",
        };
        let _ = std::io::Write::write_all(&mut stream, said);
        slow.push(stream);
        if i % 30 == 29 {
            let since = Instant::now();
            assert_eq!(get(site.server, "/healthz").status, 200);
            assert!(since.elapsed() < Duration::from_secs(1), "{:?} beside {}", since.elapsed(), slow.len());
        }
    }
    // Those that are over are closed at their turn.
    let files = || fs::read_dir(format!("/proc/{}/fd", site.id())).unwrap().count();
    let until = Instant::now() + Duration::from_secs(10);
    while files() >= 110 {
        assert!(Instant::now() < until, "{} files are open", files());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(get(site.server, "/api/v1/status").status, 200);
}

fn a_ledger_that_is_taken_away_is_missed() {
    let dir = TempDir::new().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 2, 3, &[], |table| keep(table, &["ETH"])).await;
        let step = |row: i64| SampledBlock {
            block: Block(5 * (1_000_000 + row)),
            sidx: Sidx(1_000_000 + row),
            rows: Vec::new(),
        };
        stage.advance(&step(0));
        let mut command = stage.validator(None);
        command.args(["--hotkey-uri", VALIDATOR, "--listen", "127.0.0.1:0"]);
        let mut running = Running::start(&mut command);
        let line = running.wait_for("dashboard", 0, Duration::from_secs(60)).await;
        let server: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
        running.wait_for("sampled", 0, Duration::from_secs(60)).await;
        fs::rename(stage.ledger(), dir.path().join("elsewhere.db")).unwrap();
        stage.advance(&step(1));
        let line = running.wait_for("not sampled", 0, Duration::from_secs(60)).await;
        assert_eq!(line["level"], "ERROR", "{line}");
        assert!(line["error"].as_str().unwrap().contains("was deleted while it is written"), "{line}");
        let faults = get(server, "/api/v1/status").json()["faults"].to_string();
        assert!(faults.contains("not sampled") && faults.contains("was deleted"), "{faults}");
        assert_eq!(get(server, "/readyz").status, 503);
        // Put back, it goes on.
        fs::rename(dir.path().join("elsewhere.db"), stage.ledger()).unwrap();
        let since = running.log.len();
        running.wait_for("sampled", since, Duration::from_secs(60)).await;
    });
}

fn a_ledger_that_runs_code_is_not_scored() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["NONE"], 20);
    let config = hostile(dir.path(), &["none"], "");
    rusqlite::Connection::open(&ledger)
        .unwrap()
        .execute_batch("CREATE TRIGGER t AFTER INSERT ON blocks BEGIN DELETE FROM blocks; END")
        .unwrap();
    for command in [["score", "--json"], ["export", "--out=x"], ["explain", "5Bob"]] {
        let mut program = mantis();
        program.args(command).arg("--ledger").arg(&ledger);
        if command[0] != "export" {
            program.arg("--config").arg(&config);
        }
        let output = program.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("not to be trusted"), "{command:?}: {said}");
    }
}

fn a_hotkey_writes_no_commands_for_the_terminal() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("ledger.db");
    let step = |row: i64| {
        let sends =
            ["5Alice", "5B\u{1b}[2J\u{9b}\n"].map(|hotkey| (hotkey.to_owned(), vec![f16::ONE; 2].into()));
        let record = NewRow {
            ticker: "NONE".into(),
            dim: 2,
            blocks_ahead: 10,
            price: Some(1.0),
            price_data: None,
            submissions: sends.into_iter().collect(),
        };
        SampledBlock { block: Block(5 * row), sidx: Sidx(row), rows: vec![record] }
    };
    let steps: Vec<SampledBlock> = (1000..1020).map(step).collect();
    Ledger::open(&ledger).unwrap().append_many(&steps, 1000).unwrap();
    let config = hostile(dir.path(), &["none"], "");
    let mut command = mantis();
    command.args(["score", "--config"]).arg(&config).arg("--ledger").arg(&ledger);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(text.contains("5B\\u{1b}[2J"), "{text:?}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    let found = json(command.arg("--json"));
    let shares = found["per_challenge"]["NONE"].as_object().unwrap();
    assert!(shares.contains_key("5B\u{1b}[2J\u{9b}\n"), "{shares:?}");
}
