//! Strategies that try to see what comes. On a random walk none may be better than chance, and none may harm the host.

use crate::strategies::{ROWS, auc, evaluate, fixture, prices, world};
use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, note, root, trial};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    // Labels of one row do not overlap, so an AUC of 0.52 is 4.9 standard deviations of chance away: 1 / sqrt(12 x 20,000 / 4).
    let peeks = PEEKS.map(|name| {
        let run = move || peeks_in_vain(name);
        let trial = Trial::new(module_path!(), &format!("{name}_sees_no_more_than_chance"), run);
        trial.needs(Need::Bwrap).needs(Need::Numpy).takes(5)
    });
    let breaks = BREAKS.map(|(name, says)| {
        let run = move || breaks_itself_alone(name, says);
        Trial::new(module_path!(), &format!("{name}_harms_itself_alone"), run).needs(Need::Bwrap).takes(3)
    });
    let mut tests: Vec<Trial> = peeks.into_iter().chain(breaks).collect();
    tests.push(trial!(cheats_work_where_nothing_holds_them).needs(Need::Numpy).takes(10));
    tests.push(
        trial!(what_a_run_leaves_behind_its_next_does_not_find)
            .needs(Need::Bwrap)
            .needs(Need::Numpy)
            .takes(8),
    );
    tests.push(trial!(a_folder_with_the_ledger_is_not_shown).needs(Need::Bwrap).needs(Need::Numpy).takes(2));
    tests.push(trial!(no_process_is_left).needs(Need::Bwrap).takes(3));
    tests
}

/// Those that answer as they should, and look for more.
const PEEKS: [&str; 14] = [
    "attributes",
    "collector",
    "memory",
    "ctypes_scan",
    "ledger",
    "parent",
    "network",
    "environment",
    "newest_bar",
    "scaled",
    "labels",
    "ahead",
    "left_behind",
    "rights",
];

/// Those that break the protocol, and what is said of them.
const BREAKS: [(&str, &str); 9] = [
    ("late", "the strategy gave no answer for row 0 within 2 s"),
    ("other_row", "asked about row 0, it answered for row 1"),
    ("huge", "it sent a record of 4294967295 bytes; the longest that is taken here has 65536"),
    ("garbage", "the strategy broke the protocol"),
    ("silent", "the strategy gave no answer for row 0 within 2 s and was ended"),
    ("deaf", "the strategy gave no answer for the greeting within 2 s"),
    ("flood", "the strategy gave no answer for row 0 within 2 s"),
    ("dies", "the strategy ended early (exit status: 137), saying:\nno more  [31mtoday"),
    ("infinite", "its answer for row 0 has the number inf at place 1; all must be finite"),
];

/// A server that tells all prices, and how many asked it.
struct Oracle {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Oracle {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        thread::spawn(move || {
            let lines = prices(11, 0.0)
                .into_iter()
                .enumerate()
                .map(|(row, price)| format!("{} {price}\n", 1_000_000 + row));
            let text: String = lines.collect();
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.and_then(|mut stream| stream.write_all(text.as_bytes()));
            }
        });
        Self { port, asked }
    }
}

/// A cheat with what it is told of this machine.
fn written(dir: &Path, name: &str, oracle: &Oracle) -> PathBuf {
    let text = fs::read_to_string(fixture("cheats").join(name).with_extension("py")).unwrap();
    let text = text.replace("@LEDGER@", world().walk.to_str().unwrap());
    let text = text.replace("@PORT@", &oracle.port.to_string()).replace("@FOLDER@", dir.to_str().unwrap());
    let file = dir.join("model.py");
    fs::write(&file, text).unwrap();
    file
}

fn run(file: &Path, arguments: &[&str]) -> Value {
    let mut command = evaluate(file, &world().walk);
    json(command.env("SECRET_KEY", "SECRET").args(arguments))
}

fn peeks_in_vain(name: &str) {
    let (dir, oracle) = (TempDir::new().unwrap(), Oracle::start());
    let file = written(dir.path(), name, &oracle);
    let found = run(&file, &["--quick", "--answer-seconds", "30"]);
    note!("{name}: AUC {}", auc(&found));
    assert!((0.48..=0.52).contains(&auc(&found)), "{name}: {found:#}");
    assert!(found["headline"]["rows"].as_i64().unwrap() > ROWS * 9 / 10, "{name}: {found:#}");
    assert_eq!(oracle.asked.load(Ordering::SeqCst), 0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{name} wrote something");
}

/// The same strategies, run by one who does not mind: they would know it all.
fn cheats_work_where_nothing_holds_them() {
    for name in ["ledger", "network"] {
        let (dir, oracle) = (TempDir::new().unwrap(), Oracle::start());
        let file = written(dir.path(), name, &oracle);
        let found = run(&file, &["--quick", "--unsafe"]);
        assert!(auc(&found) > 0.99, "{name}: {found:#}");
        let causality = &found["causality"];
        assert_eq!((&causality["enforced"], &causality["sandbox"]), (&"none".into(), &"none".into()));
    }
    // What it wrote down in its first run is what it knows in the second; and the replay, a third one, is answered otherwise.
    let (dir, oracle) = (TempDir::new().unwrap(), Oracle::start());
    let file = written(dir.path(), "left_behind", &oracle);
    let first = run(&file, &["--quick", "--unsafe"]);
    assert!((0.48..=0.52).contains(&auc(&first)), "{first:#}");
    let second = run(&file, &["--quick", "--unsafe"]);
    assert!(auc(&second) > 0.9, "{second:#}");
    let mut command = evaluate(&file, &world().walk);
    let text = String::from_utf8(command.args(["--unsafe"]).output().unwrap().stdout).unwrap();
    let replayed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(replayed["causality"]["replayed_rows"], 64);
    for place in ["/tmp", "/var/tmp", "/dev/shm"] {
        let _ = fs::remove_file(Path::new(place).join(format!("mantis-left-behind-{}", oracle.port)));
    }
}

fn what_a_run_leaves_behind_its_next_does_not_find() {
    let (dir, oracle) = (TempDir::new().unwrap(), Oracle::start());
    let file = written(dir.path(), "left_behind", &oracle);
    run(&file, &["--quick"]);
    // The replay and the lag test are runs of their own, too.
    let found = run(&file, &[]);
    assert!((0.48..=0.52).contains(&auc(&found)), "{found:#}");
    assert_eq!(
        (&found["causality"]["replayed_rows"], &found["causality"]["differing"]),
        (&64.into(), &0.into())
    );
}

fn a_folder_with_the_ledger_is_not_shown() {
    let dir = TempDir::new().unwrap();
    fs::copy(fixture("ar1.py"), dir.path().join("model.py")).unwrap();
    let ledger = dir.path().join("own.db");
    fs::copy(&world().walk, &ledger).unwrap();
    let said = failure(evaluate(dir.path(), &ledger).arg("--quick"));
    assert!(said.contains("would show the strategy the ledger") && said.contains("own.db"), "{said}");
    let said = failure(evaluate(&fixture("ar1.py"), &ledger).arg("--quick").arg("--beside").arg(dir.path()));
    assert!(said.contains("would show the strategy the ledger"), "{said}");
    let said = failure(evaluate(&fixture("ar1.py"), &ledger).arg("--quick").arg("--beside").arg(&ledger));
    assert!(said.contains("would show the strategy the ledger"), "{said}");
    // A descriptor that a shell opened is handed on by every program that does not close it.
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg("exec 7<\"$0\"; exec \"$@\"").arg(&ledger);
    let command = evaluate(&fixture("ar1.py"), &ledger);
    let said = failure(shell.arg(command.get_program()).args(command.get_args()).current_dir(root()));
    assert!(said.contains("descriptor 7 is open on") && said.contains("7>&-"), "{said}");
    // The file alone is shown without what lies beside it.
    assert!(auc(&json(evaluate(&dir.path().join("model.py"), &ledger).arg("--quick"))) < 0.52);
}

/// A strategy that breaks off somewhere, after what all of them know of the protocol.
fn broken(dir: &Path, name: &str) -> PathBuf {
    let [talk, own] =
        ["talk.pl", &format!("cheats/{name}.pl")].map(|part| fs::read_to_string(fixture(part)).unwrap());
    let file = dir.join(name).with_extension("pl");
    fs::write(&file, format!("{talk}\n{own}")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
    file
}

fn breaks_itself_alone(name: &str, says: &str) {
    let (began, dir) = (Instant::now(), TempDir::new().unwrap());
    let file = broken(dir.path(), name);
    let said = failure(evaluate(&file, &world().walk).args(["--quick", "--answer-seconds", "2"]));
    note!("{name}: {said}");
    assert!(said.contains(says), "{name}: {said}");
    assert!(began.elapsed() < Duration::from_secs(30), "{name}: {:?}", began.elapsed());
}

fn no_process_is_left() {
    let dir = TempDir::new().unwrap();
    let file = broken(dir.path(), "forks");
    let said = failure(evaluate(&file, &world().walk).args(["--quick", "--answer-seconds", "2"]));
    assert!(said.contains("the strategy ended early (exit status: 0)"), "{said}");
    let is_left = |entry: fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("/strategy/forks.pl")
    };
    let left = || fs::read_dir("/proc").unwrap().flatten().any(is_left);
    let until = Instant::now() + Duration::from_secs(5);
    while left() && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(!left(), "a process of the strategy goes on");
}
