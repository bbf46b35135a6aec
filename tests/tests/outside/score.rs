//! `mantis score` on simulated ledgers: the same bits however it runs, and kept results.

use mantis_config::Config;
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, json, l1, mantis, root, stdout, timeless, trial};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The tests of this file, some of them once for each ledger.
pub(crate) fn tests() -> Vec<Trial> {
    let mut tests =
        vec![trial!(results_are_the_kept_ones).takes(45), trial!(missing_plugins_are_said_and_skipped)];
    for world in [&SHORT, &LONG] {
        let name = format!("threads_and_repetition_change_no_byte_{}", world.name);
        tests.push(
            Trial::new(module_path!(), &name, move || threads_and_repetition_change_no_byte(world)).takes(25),
        );
        let name = format!("nothing_after_the_newest_block_counts_but_as_a_label_{}", world.name);
        tests.push(Trial::new(module_path!(), &name, move || only_labels_come_later(world)).takes(15));
    }
    tests
}

/// A simulated ledger that is made once per test run, and what of it is scored.
struct World {
    name: &'static str,
    rows: i64,
    miners: u32,
    tickers: &'static [&'static str],
    ledger: OnceLock<PathBuf>,
    /// What two threads make of it, for each of [`SOLVERS`].
    scored: [OnceLock<Value>; 2],
}

/// Everything that is scored after a few days.
static SHORT: World = World {
    name: "short",
    rows: 16_000,
    miners: 12,
    tickers: &[
        "ETH",
        "CADUSD",
        "NZDUSD",
        "CHFUSD",
        "XAGUSD",
        "ETHHITFIRST",
        "ETHLBFGS",
        "BTCLBFGS",
        "MULTIBREAKOUT",
        // Not paid yet; its prices are those of the breakouts.
        "MULTIXSEC",
    ],
    ledger: OnceLock::new(),
    scored: [OnceLock::new(), OnceLock::new()],
};

/// What is scored after a month.
static LONG: World = World {
    name: "long",
    rows: 45_500,
    miners: 8,
    tickers: &["MULTIXSEC", "FUNDINGXSEC", "TRADEMIX"],
    ledger: OnceLock::new(),
    scored: [OnceLock::new(), OnceLock::new()],
};

const FIRST_SIDX: i64 = 1_000_000;
const SOLVERS: [&str; 2] = ["exact", "network"];

impl World {
    fn ledger(&self) -> &Path {
        self.ledger.get_or_init(|| {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("simulated-{}.db", self.name));
            for suffix in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(format!("{}{suffix}", path.display()));
            }
            let mut command = mantis();
            command.args(["simulate", "--seed", "3", "--only", &self.tickers.join(",")]);
            command.args(["--rows", &self.rows.to_string(), "--miners", &self.miners.to_string(), "--out"]);
            stdout(command.arg(&path));
            path
        })
    }

    fn score_of(&self, ledger: &Path, args: &[&str]) -> Value {
        let mut command = mantis();
        command.args(["score", "--json", "--only", &self.tickers.join(","), "--ledger"]).arg(ledger);
        json(command.args(args))
    }

    fn score(&self, args: &[&str]) -> Value {
        timeless(self.score_of(self.ledger(), args))
    }

    fn scored(&self, solver: &str) -> &Value {
        let place = SOLVERS.iter().position(|other| *other == solver).unwrap();
        self.scored[place].get_or_init(|| self.score(&["--solver", solver, "--threads", "2"]))
    }
}

fn threads_and_repetition_change_no_byte(world: &World) {
    let text = |document: &Value| serde_json::to_string_pretty(document).unwrap();
    for solver in SOLVERS {
        let once = text(&world.score(&["--solver", solver, "--threads", "1"]));
        assert!(once.contains("per_challenge"));
        assert_eq!(once, text(world.scored(solver)));
    }
}

fn results_are_the_kept_ones() {
    let path = root().join("tests/fixtures/simulated.json");
    let mut kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut paid = BTreeSet::new();
    for solver in SOLVERS {
        for world in [&SHORT, &LONG] {
            let document = world.scored(solver);
            for ticker in world.tickers {
                if document["skipped"].get(ticker).is_some() {
                    continue;
                }
                paid.insert(*ticker);
                let found = &document["per_challenge"][ticker];
                if std::env::var_os("UPDATE_KEPT").is_some() {
                    kept[solver][ticker] = found.clone();
                }
                let distance = l1(found, &kept[solver][ticker]);
                assert!(distance < 1e-9, "{solver} {ticker}: {distance}");
            }
        }
    }
    if std::env::var_os("UPDATE_KEPT").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&kept).unwrap() + "\n").unwrap();
    }
    assert_eq!(paid.len(), 12, "{paid:?}");
}

/// Nothing after the newest block counts, but for prices of labels.
fn only_labels_come_later(world: &World) {
    let config = Config::load(root().join("challenges.toml")).unwrap();
    let last = FIRST_SIDX + world.rows - 1_000;
    let block = (5 * last).to_string();
    let whole = world.score(&["--max-block", &block]);
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cut-{}.db", world.name));
    fs::copy(world.ledger(), &copy).unwrap();
    let connection = rusqlite::Connection::open(&copy).unwrap();
    // All that miners sent later is gone, and all prices beyond one horizon later.
    for challenge in config.challenges.iter().filter(|c| world.tickers.contains(&c.ticker.as_str())) {
        let horizon = i64::from(challenge.blocks_ahead / config.network.sample_every);
        let ticker = &challenge.ticker;
        let blank = |what: &str, from: i64| {
            let sql = format!("UPDATE challenge_data SET {what} WHERE ticker = ?1 AND sidx > ?2");
            assert!(connection.execute(&sql, (ticker, from)).unwrap() > 0, "{ticker} has no such rows");
        };
        blank("hotkeys = '[]', embeddings = x''", last);
        blank("price = price * 2, price_data = '{}'", last + horizon);
    }
    connection.execute("DELETE FROM host_sums", []).unwrap();
    drop(connection);
    assert_eq!(whole, timeless(world.score_of(&copy, &["--max-block", &block])));
    fs::remove_file(copy).unwrap();
}

fn missing_plugins_are_said_and_skipped() {
    let mut command = mantis();
    let text = "[[challenge]]\nname = \"A\"\nticker = \"A\"\nplugin = \"no-such\"\ndim = 2\nblocks_ahead = 300\n\
                weight = 1.0\n";
    let dir = tempfile::TempDir::new().unwrap();
    fs::write(dir.path().join("c.toml"), text).unwrap();
    let document = json(
        command
            .args(["score", "--json", "--ledger"])
            .arg(SHORT.ledger())
            .arg("--config")
            .arg(dir.path().join("c.toml")),
    );
    let reason = document["skipped"]["A"].as_str().unwrap();
    assert!(reason.contains("no plugin `no-such`"), "{reason}");
    assert!(reason.contains(&bin_dir().display().to_string()), "{reason}");
}
