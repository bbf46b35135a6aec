//! What a node, a network's name and an old ledger say that is not so: the built program says it, and loses nothing.

use mantis::simulation::{Simulation, Simulator};
use mantis_config::{Block, Sidx};
use mantis_ledger::{Ledger, SampledBlock};
use mantis_network::chain::Head;
use mantis_tests::stage::{Running, Stage, keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, failure_with, mantis, runtime, stdout, trial};
use std::time::Duration;
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(one_wrong_block_number_costs_nothing).takes(10),
        trial!(a_ledger_of_a_block_that_never_was_is_set_back).takes(10),
        trial!(a_network_that_is_misspelt_is_named_with_the_known_ones),
    ]
}

const SEED: u64 = 7;
const HISTORY: usize = 60;
const GRAVE: &str = "the chain is not believed: nothing is sampled, computed, set or forgotten";
const PATIENCE: Duration = Duration::from_secs(20);

fn small(table: &mut Table) {
    keep(table, &["ETH"]);
    set(table, "", "solver", "exact");
}

fn one_wrong_block_number_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 2, SEED, &[], small).await;
        let config = stage.world.config();
        let simulation =
            Simulation { config: &config, only: None, rows: HISTORY + 20, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        simulator.write(HISTORY, &mut Ledger::open(stage.ledger()).unwrap(), |_| {}).unwrap();
        let mut honest = stage.advance(&simulator.step().unwrap());
        let mut running = Running::start(stage.validator(None).arg("--dry-run"));
        running.wait_for("sampled", 0, PATIENCE).await;
        for wrong in [1_000_000_000, i64::MAX, 1, honest.block.0 + 40] {
            let since = running.log.len();
            stage.chain.set_head(Head { block: Block(wrong), ..honest }).unwrap();
            let message = if wrong == 1 { GRAVE } else { "the chain is not believed" };
            running.wait_for(message, since, PATIENCE).await;
            honest = stage.advance(&simulator.step().unwrap());
            running.wait_for("the chain is believed", since, PATIENCE).await;
            running.wait_for("sampled", since, PATIENCE).await;
        }
        assert_eq!(running.terminate().0, Some(0));
        let blocks = Ledger::read(stage.ledger()).unwrap().blocks().unwrap();
        assert_eq!(blocks.len(), HISTORY + 5);
        assert!(blocks.windows(2).all(|pair| pair[1] - pair[0] == 5), "{blocks:?}");
        stage.world.stop().await;
    });
}

fn a_ledger_of_a_block_that_never_was_is_set_back() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 2, SEED, &[], small).await;
        let config = stage.world.config();
        let simulation =
            Simulation { config: &config, only: None, rows: HISTORY + 2, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        let mut ledger = Ledger::open(stage.ledger()).unwrap();
        simulator.write(HISTORY, &mut ledger, |_| {}).unwrap();
        let last = ledger.last_block().unwrap().unwrap();
        let wrong = Block(1_000_000_000);
        ledger.append(&SampledBlock { block: wrong, sidx: Sidx(200_000_000), rows: Vec::new() }).unwrap();
        drop(ledger);
        stage.advance(&simulator.step().unwrap());

        let mut running = Running::start(stage.validator(None).arg("--dry-run"));
        let line = running.wait_for(GRAVE, 0, PATIENCE).await;
        assert_eq!(line["level"], "ERROR", "{line}");
        assert!(line.to_string().contains("mantis rewind"), "{line}");
        assert_eq!((running.terminate().0, running.count("sampled")), (Some(0), 0));

        let rewind = |to: Block, yes: bool| {
            let mut command = mantis();
            command.args(["rewind", "--to", &to.to_string()]).args(yes.then_some("--yes"));
            command
                .arg("--config")
                .arg(stage.dir.join("challenges.toml"))
                .arg("--ledger")
                .arg(stage.ledger());
            command
        };
        let would = stdout(&mut rewind(last, false));
        assert!(would.contains("1 blocks, 0 rows") && would.contains("nothing is changed"), "{would}");
        assert_eq!(Ledger::read(stage.ledger()).unwrap().last_block().unwrap(), Some(wrong));
        let nothing = failure(&mut rewind(Block(3), true));
        assert!(nothing.contains("nothing would be left"), "{nothing}");
        stdout(&mut rewind(last, true));
        assert_eq!(Ledger::read(stage.ledger()).unwrap().last_block().unwrap(), Some(last));

        let mut running = Running::start(stage.validator(None).arg("--dry-run"));
        running.wait_for("sampled", 0, PATIENCE).await;
        assert_eq!(running.terminate().0, Some(0));
        stage.world.stop().await;
    });
}

fn a_network_that_is_misspelt_is_named_with_the_known_ones() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 2, SEED, &[], small).await;
        let said = failure_with(78, stage.validator(Some("fenney")).arg("--dry-run"));
        assert!(said.contains("`fenney` is no network; did you mean finney?"), "{said}");
        assert!(said.contains("finney, test, local") && !said.contains("trying again"), "{said}");
        stage.world.stop().await;
    });
}
