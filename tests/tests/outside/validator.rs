//! The validator as a service, seen from outside: a process beside a simulated world whose time runs 240 times faster.

use async_trait::async_trait;
use mantis::demo::Crowd;
use mantis::simulation::{Simulation, Simulator};
use mantis_config::Block;
use mantis_ledger::{Ledger, Sent};
use mantis_network::chain::{Chain, ChainError, Head, Hyperparameters, Neuron, OfflineChain, Receipt};
use mantis_network::wallet::Hotkey;
use mantis_scoring::worker::Launcher;
use mantis_tests::need::Need;
use mantis_tests::stage::{Running, Stage, VALIDATOR, keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, failure, failure_with, runtime, trial};
use mantis_validator::{Board, HotReload, Service, ServiceOptions, Status, TakeOver};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(it_samples_scores_sets_and_goes_on_where_it_was).takes(35),
        trial!(a_dry_run_touches_no_key_and_sends_nothing).needs(Need::Wasm).takes(15),
        trial!(of_two_hosts_with_one_hotkey_one_sets_weights).takes(45),
        trial!(what_cannot_start_says_why),
        trial!(committed_weights_count_when_the_chain_shows_them).takes(20),
        trial!(what_the_chain_refuses_is_named_and_tried_again).takes(18),
    ]
}

const SEED: u64 = 5;
const HISTORY: usize = 6 * 1440;
const TICK: Duration = Duration::from_millis(250);

fn small(table: &mut Table) {
    keep(table, &["ETH", "ETHHITFIRST"]);
    for (key, value) in [
        ("weight_calc_interval", 100),
        ("weight_set_interval", 50),
        ("task_interval", 25),
        ("lag", 10),
        ("young_blocks", 100),
    ] {
        set(table, "network", key, value);
    }
    set(table, "", "solver", "exact");
}

fn it_samples_scores_sets_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 24, SEED, &[], small).await;
        let config = stage.world.config();
        let simulation = Simulation {
            config: &config,
            only: None,
            rows: HISTORY + 160,
            miners: &stage.miners,
            seed: SEED,
        };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        simulator.write(HISTORY, &mut Ledger::open(stage.ledger()).unwrap(), |_| {}).unwrap();
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        let mut play = async |rows: usize| {
            for _ in 0..rows {
                let step = simulator.step().unwrap();
                crowd.act(&step, stage.world.advance(&step), true).await.unwrap();
                stage.advance(&step);
                tokio::time::sleep(TICK).await;
            }
        };
        // The first row is there before the validator is.
        play(1).await;
        let start = || Running::start(stage.validator(None).args(["--hotkey-uri", VALIDATOR]));
        let mut running = start();
        running.wait_for("sampled", 0, Duration::from_secs(20)).await;
        let refused = failure(stage.validator(None).args(["--hotkey-uri", VALIDATOR]));
        assert!(refused.contains(&format!("another validator (process {})", running.id())), "{refused}");

        play(60).await;
        running.read();
        assert!(
            running.count("weights computed") >= 2 && running.count("weights set") >= 3,
            "{:#?}",
            running.tail()
        );
        // Killed while it works: what was sampled stays, and the two blocks before the next are caught up.
        running.kill();
        play(2).await;
        running = start();
        running.wait_for("sampled", 0, Duration::from_secs(20)).await;
        play(20).await;
        // The owner doubles a weight, then makes a mistake: the first is taken, the second is not, and it works on.
        let file = stage.dir.join("challenges.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("weight = 2.5", "weight = 5.0")).unwrap();
        play(5).await;
        std::fs::write(&file, text.replace("weight = 2.5", "weight = -1.0")).unwrap();
        play(15).await;
        running.read();
        let said = |message: &str| {
            let line = running.log.iter().find(|line| line["message"] == message);
            line.unwrap_or_else(|| panic!("no `{message}`: {:#?}", running.tail())).to_string()
        };
        // The chain shows weights by now: ours alone, so that they are the consensus.
        let compared = Ledger::read(stage.ledger()).unwrap().last_agreement().unwrap().expect("a comparison");
        let distance = compared.distance.expect("a distance");
        assert!(distance < 1e-9 && compared.validator_trust > 1.0 - 1e-9, "{compared:?}");
        said("weights compared");
        let taken = said("the changed configuration is taken");
        assert!(taken.contains("ETHHITFIRST") && taken.contains('5'), "{taken}");
        let kept = said("the changed configuration is not taken; the old one runs on");
        assert!(kept.contains("challenges.toml:") && kept.contains("-1"), "{kept}");
        let (code, took) = running.terminate();
        assert_eq!(code, Some(0), "{:#?}", running.tail());
        assert!(took < Duration::from_secs(10), "{took:?}");

        let ledger = Ledger::read(stage.ledger()).unwrap();
        ledger.check_integrity().unwrap();
        let blocks = ledger.blocks().unwrap();
        assert_eq!(blocks.len(), HISTORY + 103, "not every block was sampled");
        assert!(blocks.windows(2).all(|pair| pair[1] - pair[0] == 5), "a block was missed");
        assert!(ledger.totals().unwrap().opened > 500, "{:?}", ledger.totals());

        let last = ledger.last_weights().unwrap().unwrap();
        let sum: f64 = last.settlements.iter().map(|step| step.weight).sum();
        assert!((sum - 1.0).abs() < 1e-9);
        assert!(last.settlements.iter().any(|step| step.previous.is_some_and(|previous| previous > 0.0)));
        assert_eq!(last.block, last.block.floor_to(100));
        let attempts = ledger.attempts(100).unwrap();
        assert!(attempts.iter().all(|attempt| attempt.sent == Sent::Set), "{attempts:?}");
        let gaps: Vec<i64> = attempts.windows(2).map(|pair| pair[0].block - pair[1].block).collect();
        assert!(gaps.iter().all(|gap| (50..=60).contains(gap)), "{gaps:?}");
        // What is on the chain is what the ledger says was computed.
        let on_chain = stage.chain.weights().unwrap().pop().unwrap();
        let newest = &attempts[0];
        let recorded: BTreeMap<u16, u16> =
            newest.weights.iter().map(|(uid, _, weight)| (*uid, *weight)).collect();
        assert_eq!(on_chain.weights, recorded);
        let computed = ledger.settlements(newest.computed).unwrap();
        let largest = computed.iter().map(|step| step.weight).fold(0.0, f64::max);
        for step in &computed {
            let expected = step.weight / largest;
            let found = f64::from(recorded.get(&step.uid).copied().unwrap_or(0)) / 65_535.0;
            assert!((expected - found).abs() < 1e-4, "{step:?}: {found}");
        }
        stage.world.stop().await;
    });
}

fn of_two_hosts_with_one_hotkey_one_sets_weights() {
    const PATIENCE: Duration = Duration::from_secs(20);
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 8, SEED, &[], |table| {
            small(table);
            keep(table, &["ETH"]);
        })
        .await;
        let config = stage.world.config();
        let simulation = Simulation {
            config: &config,
            only: None,
            rows: HISTORY + 200,
            miners: &stage.miners,
            seed: SEED,
        };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        simulator.write(HISTORY, &mut Ledger::open(stage.ledger()).unwrap(), |_| {}).unwrap();
        let copy = stage.dir.join("standby.db");
        std::fs::copy(stage.ledger(), &copy).unwrap();
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        let mut play = async |rows: usize| {
            for _ in 0..rows {
                let step = simulator.step().unwrap();
                crowd.act(&step, stage.world.advance(&step), true).await.unwrap();
                stage.advance(&step);
                tokio::time::sleep(TICK).await;
            }
        };
        let first = stage.ledger();
        let start = |ledger: &Path| {
            Running::start(stage.validator_with(None, ledger).args(["--hotkey-uri", VALIDATOR]))
        };
        let sent = |ledger: &Path| {
            let attempts = Ledger::read(ledger).unwrap().attempts(100).unwrap();
            attempts.iter().filter(|attempt| attempt.sent == Sent::Set).count()
        };
        play(1).await;
        let mut leader = start(&first);
        leader.wait_for("weights set", 0, PATIENCE).await;
        // A copy of the ledger from before knows nothing of it, however often it is started.
        for _ in 0..10 {
            let mut standby = start(&copy);
            // A refusal counts for 25 blocks.
            play(6).await;
            standby.wait_for("weights not set", 0, PATIENCE).await;
            standby.kill();
        }
        let mut standby = start(&copy);
        play(40).await;
        let refused = standby.wait_for("weights not set", 0, PATIENCE).await;
        let why = refused["why"].as_str().unwrap();
        assert!(why.contains("another host") && why.contains("--take-over"), "{why}");
        assert_eq!(sent(&copy), 0);
        assert_eq!(stage.chain.weights().unwrap().len(), sent(&first));
        // It samples and computes all the while.
        standby.wait_for("weights computed", 0, PATIENCE).await;

        leader.kill();
        let led = sent(&first);
        // Twice the interval of 50 blocks, and five minutes until the next look.
        play(27).await;
        standby.wait_for("weights set", 0, PATIENCE).await;
        // What was the leader is the standby now.
        leader = start(&first);
        play(30).await;
        leader.wait_for("weights not set", 0, PATIENCE).await;
        assert_eq!(sent(&first), led);
        assert!(sent(&copy) >= 3, "{}", sent(&copy));
        leader.kill();
        // The operator knows better.
        let taken = stage.validator_with(None, &first);
        leader = Running::start({ taken }.args(["--hotkey-uri", VALIDATOR, "--take-over"]));
        play(10).await;
        leader.wait_for("weights set", 0, PATIENCE).await;
        stage.world.stop().await;
    });
}

fn a_dry_run_touches_no_key_and_sends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 8, SEED, &[], |table| {
            small(table);
            // Components here, libraries in the other tests.
            set(table, "", "runtime", "wasm");
        })
        .await;
        let config = stage.world.config();
        let simulation =
            Simulation { config: &config, only: None, rows: HISTORY + 40, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        simulator.write(HISTORY, &mut Ledger::open(stage.ledger()).unwrap(), |_| {}).unwrap();
        let mut running = Running::start(stage.validator(None).arg("--dry-run").args([
            "--wallet-path",
            "/nonexistent",
            "--wallet-name",
            "none",
        ]));
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        while let Some(step) = simulator.step() {
            crowd.act(&step, stage.world.advance(&step), true).await.unwrap();
            stage.advance(&step);
            tokio::time::sleep(TICK).await;
        }
        running.wait_for("weights would be set: this is a dry run", 0, Duration::from_secs(60)).await;
        assert_eq!(running.terminate().0, Some(0));
        assert!(stage.chain.weights().unwrap().is_empty());
        let attempts = Ledger::read(stage.ledger()).unwrap().attempts(10).unwrap();
        assert!(attempts.iter().all(|attempt| attempt.sent == Sent::DryRun && !attempt.weights.is_empty()));
        stage.world.stop().await;
    });
}

fn what_cannot_start_says_why() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 2, SEED, &[], small).await;
        let nobody = failure_with(78, &mut stage.validator(None));
        assert!(nobody.contains("--wallet-name") && nobody.contains("--dry-run"), "{nobody}");
        let network = failure_with(78, stage.validator(Some("nowhere")).arg("--dry-run"));
        assert!(network.contains("nowhere"), "{network}");
        std::fs::write(stage.ledger(), "no ledger").unwrap();
        let foreign = failure(stage.validator(None).arg("--dry-run"));
        assert!(foreign.contains("not a SQLite file"), "{foreign}");
        stage.world.stop().await;
    });
}

/// A chain that shows weights only some time after they were committed, as commit-reveal does.
struct Late {
    chain: Arc<OfflineChain>,
    committed: Mutex<Option<Vec<(u16, u16)>>>,
    shown: AtomicBool,
}

#[async_trait]
impl Chain for Late {
    fn has_own_time(&self) -> bool {
        true
    }
    async fn head(&self) -> Result<Head, ChainError> {
        self.chain.head().await
    }
    async fn metagraph(&self) -> Result<Vec<Neuron>, ChainError> {
        self.chain.metagraph().await
    }
    async fn commitments(&self, at: Option<Block>) -> Result<BTreeMap<String, String>, ChainError> {
        self.chain.commitments(at).await
    }
    async fn hyperparameters(&self) -> Result<Hyperparameters, ChainError> {
        self.chain.hyperparameters().await
    }
    async fn weights_of(&self, _uid: u16) -> Result<Vec<(u16, u16)>, ChainError> {
        let shown = self.shown.load(Ordering::SeqCst);
        Ok(self.committed.lock().unwrap().clone().filter(|_| shown).unwrap_or_default())
    }
    async fn commit(&self, text: &str) -> Result<(), ChainError> {
        self.chain.commit(text).await
    }
    async fn set_weights(&self, weights: &[(u16, u16)]) -> Result<Receipt, ChainError> {
        *self.committed.lock().unwrap() = Some(weights.to_vec());
        Ok(Receipt { transaction: "0x00".into(), block: self.chain.head().await?.block, revealed: false })
    }
}

fn committed_weights_count_when_the_chain_shows_them() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 8, SEED, &[], |table| {
            small(table);
            set(table, "network", "weight_set_interval", 10_000);
        })
        .await;
        let config = stage.world.config();
        let simulation =
            Simulation { config: &config, only: None, rows: HISTORY + 90, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        simulator.write(HISTORY, &mut Ledger::open(stage.ledger()).unwrap(), |_| {}).unwrap();
        let hotkey = Hotkey::from_uri(VALIDATOR).unwrap().address().to_owned();
        let file = stage.dir.join("challenges.toml");
        let launcher =
            Launcher { program: bin_dir().join("mantis").into(), deadline: Duration::from_secs(60) };
        let run = ServiceOptions {
            hotkey: Some(hotkey.clone()),
            dry_run: false,
            take_over: TakeOver::default(),
            poll: Duration::from_millis(50),
            threads: 1,
            histories: None,
            scratch: stage.dir.clone(),
            launcher: launcher.clone(),
        };
        let offline = OfflineChain::open(&stage.dir.join("chain.json")).unwrap().signing_as(&hotkey);
        let late =
            Late { chain: Arc::new(offline), committed: Mutex::default(), shown: AtomicBool::new(false) };
        let late = Arc::new(late);
        let live = HotReload::start(&file, launcher, Box::new(|_| {})).unwrap();
        let board = Board::new(Status::default(), live.current().clone());
        let ledger = Ledger::open(stage.ledger()).unwrap();
        let service = Service::new(run, live, late.clone(), ledger, board).unwrap();
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        let sent = || {
            let attempts = Ledger::read(stage.ledger()).unwrap().attempts(10).unwrap();
            attempts.iter().map(|attempt| attempt.sent).collect::<Vec<_>>()
        };
        let play = async {
            for row in 0..90 {
                let step = simulator.step().unwrap();
                crowd.act(&step, stage.world.advance(&step), true).await.unwrap();
                stage.advance(&step);
                tokio::time::sleep(Duration::from_millis(200)).await;
                if row == 40 {
                    assert_eq!(sent(), [Sent::Committed]);
                    late.shown.store(true, Ordering::SeqCst);
                }
            }
        };
        service.run(play).await.unwrap();
        assert_eq!(sent(), [Sent::Set]);
        stage.world.stop().await;
    });
}

fn what_the_chain_refuses_is_named_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 8, SEED, &[], small).await;
        let config = stage.world.config();
        let simulation =
            Simulation { config: &config, only: None, rows: HISTORY + 60, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        simulator.write(HISTORY, &mut Ledger::open(stage.ledger()).unwrap(), |_| {}).unwrap();
        // UID 1 belongs to somebody else, at first.
        let neurons = stage.chain.metagraph().await.unwrap();
        let mut without = neurons.clone();
        without[1].hotkey = Hotkey::from_uri("//Stranger").unwrap().address().to_owned();
        stage.chain.set_neurons(without).unwrap();
        let mut running = Running::start(stage.validator(None).args(["--hotkey-uri", VALIDATOR]));
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        for row in 0..60 {
            let step = simulator.step().unwrap();
            crowd.act(&step, stage.world.advance(&step), true).await.unwrap();
            stage.advance(&step);
            tokio::time::sleep(TICK).await;
            if row == 30 {
                running.read();
                assert!(running.count("our hotkey is not registered: weights cannot be set") > 0);
                assert!(running.count("weights not set; trying again") > 1, "{:#?}", running.tail());
                stage.chain.set_neurons(neurons.clone()).unwrap();
            }
        }
        running.wait_for("weights set", 0, Duration::from_secs(10)).await;
        assert_eq!(running.terminate().0, Some(0));
        let ledger = Ledger::read(stage.ledger()).unwrap();
        let blocks = ledger.blocks().unwrap();
        assert!(blocks.windows(2).all(|pair| pair[1] - pair[0] == 5), "a block was missed");
        let attempts = ledger.attempts(100).unwrap();
        let error = attempts.last().unwrap().error.clone().unwrap();
        assert!(error.contains("HotKeyNotRegisteredInSubNet") && error.contains("register"), "{error}");
        assert_eq!(attempts[0].sent, Sent::Set);
        stage.world.stop().await;
    });
}
