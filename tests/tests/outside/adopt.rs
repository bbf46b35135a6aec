//! Moving over from the network's validator: its ledger and its saved weights.

use mantis::demo::Crowd;
use mantis::simulation::{Simulation, Simulator};
use mantis_config::Block;
use mantis_ledger::Ledger;
use mantis_tests::stage::{Running, Stage, keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, mantis, root, runtime, stdout, trial};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(the_next_weights_are_those_that_the_old_validator_would_have_set).takes(20),
        trial!(what_cannot_be_adopted_is_left_as_it_was),
    ]
}

const SEED: u64 = 11;
const HISTORY: usize = 6 * 1440;
/// As `tests/fixtures/saved_weights.py` has them.
const SAVED: [(&str, f32); 4] = [
    ("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", 0.3),
    ("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty", 0.45),
    ("5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y", 0.0),
    ("5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy", 0.25),
];
const BLOCK: i64 = 6_812_000;

/// The fixture, of another block.
fn saved_weights(path: &Path, block: i64) {
    let mut bytes = fs::read(root().join("tests/fixtures/saved_weights.pkl")).unwrap();
    let number = |block: i64| i32::try_from(block).unwrap().to_le_bytes();
    let at = bytes.windows(5).position(|found| found[0] == b'J' && found[1..] == number(BLOCK)).unwrap();
    bytes[at + 1..at + 5].copy_from_slice(&number(block));
    fs::write(path, bytes).unwrap();
}

/// Takes out what only this program stores.
fn as_the_networks(ledger: &Path) {
    let file = rusqlite::Connection::open(ledger).unwrap();
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'host\\_%' ESCAPE '\\'";
    let names: Vec<String> =
        file.prepare(names).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(names.len() > 10, "{names:?}");
    names.iter().for_each(|name| file.execute_batch(&format!("DROP TABLE {name}")).unwrap());
}

fn adopt(ledger: &Path, weights: &Path) -> Command {
    let mut command = mantis();
    command.arg("adopt").arg("--ledger").arg(ledger).arg("--weights").arg(weights);
    command
}

fn the_next_weights_are_those_that_the_old_validator_would_have_set() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let hotkeys = SAVED.map(|(hotkey, _)| hotkey.to_owned());
        let stage = Stage::set(dir.path(), 12, SEED, &hotkeys, |table| {
            keep(table, &["ETH"]);
            for (key, value) in [("weight_calc_interval", 100), ("task_interval", 25), ("lag", 10)] {
                set(table, "network", key, value);
            }
            set(table, "", "solver", "exact");
        })
        .await;
        let config = stage.world.config();
        let simulation =
            Simulation { config: &config, only: None, rows: HISTORY + 40, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        simulator.write(HISTORY, &mut Ledger::open(stage.ledger()).unwrap(), |_| {}).unwrap();
        as_the_networks(&stage.ledger());
        let newest = Ledger::read(stage.ledger()).unwrap().last_block().unwrap().unwrap();
        let weights = stage.dir.join("saved_weights.pkl");
        saved_weights(&weights, newest.0 - 700);

        let said = stdout(&mut adopt(&stage.ledger(), &weights));
        assert!(said.contains(&format!("{HISTORY} rows of another program have checksums now")), "{said}");
        assert!(
            said.contains("4 hotkeys, of which 3 have a weight") && said.contains("--take-over"),
            "{said}"
        );
        let again = failure(&mut adopt(&stage.ledger(), &weights));
        assert!(again.contains("they are not newer"), "{again}");

        let mut running = Running::start(stage.validator(None).arg("--dry-run"));
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        while let Some(step) = simulator.step() {
            crowd.act(&step, stage.world.advance(&step), true).await.unwrap();
            stage.advance(&step);
            tokio::time::sleep(Duration::from_millis(100)).await;
            running.read();
            if running.count("weights computed") > 0 {
                break;
            }
        }
        running.wait_for("weights computed", 0, Duration::from_secs(30)).await;
        running.kill();
        let first = Ledger::read(stage.ledger()).unwrap().last_weights().unwrap().unwrap();
        // The network's own formula.
        let before = |hotkey: &str| {
            SAVED.iter().find(|(saved, _)| *saved == hotkey).map_or(0.0, |(_, weight)| f64::from(*weight))
        };
        let smoothed = |burned: f64, hotkey: &str| 0.15 * burned + 0.85 * before(hotkey);
        let sum: f64 = first.settlements.iter().map(|step| smoothed(step.burned, &step.hotkey)).sum();
        for step in &first.settlements {
            let expected = smoothed(step.burned, &step.hotkey) / sum;
            assert!((step.weight - expected).abs() < 1e-6, "{step:?}: {expected}");
        }
        assert!(first.settlements.iter().filter(|step| step.weight > 0.2).count() >= 3, "{first:?}");
        stage.world.stop().await;
    });
}

fn what_cannot_be_adopted_is_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let missing = failure(&mut adopt(&at("none.db"), &at("none.pkl")));
    assert!(missing.contains("none.db") && !at("none.db").exists(), "{missing}");
    drop(Ledger::open(at("a.db")).unwrap());
    saved_weights(&at("saved.pkl"), BLOCK);
    let empty = failure(&mut adopt(&at("a.db"), &at("saved.pkl")));
    assert!(empty.contains("there is no block in it"), "{empty}");
    let none = failure(&mut adopt(&at("a.db"), &at("none.pkl")));
    assert!(none.contains("cannot read") && none.contains("none.pkl"), "{none}");
    fs::write(at("program.pkl"), b"\x80\x02}X\x07\0\0\0weightscposix\nsystem\nX\x08\0\0\0touch ab\x85Rs.")
        .unwrap();
    let program = failure(adopt(&at("a.db"), &at("program.pkl")).current_dir(dir.path()));
    assert!(program.contains("program.pkl") && program.contains("no tensor of PyTorch"), "{program}");
    assert!(!at("ab").exists());
    let block =
        mantis_ledger::SampledBlock { block: Block(5000), sidx: mantis_config::Sidx(1000), rows: Vec::new() };
    Ledger::open(at("a.db")).unwrap().append(&block).unwrap();
    let other = failure(&mut adopt(&at("a.db"), &at("saved.pkl")));
    assert!(other.contains("6812000") && other.contains("5000"), "{other}");
    assert_eq!(Ledger::read(at("a.db")).unwrap().previous_weights().unwrap(), None);
}
