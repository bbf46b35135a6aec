//! The validator as a service on the chain's real runtime.

use mantis::demo::Crowd;
use mantis::simulation::{Simulation, Simulator};
use mantis_config::Config;
use mantis_ledger::{Computation, Ledger, SampledBlock, Sent};
use mantis_network::chain::{Chain, ChainSettings, Subtensor};
use mantis_network::wallet::Hotkey;
use mantis_tests::localnet::{self, Localnet, free_port};
use mantis_tests::need::Need;
use mantis_tests::proxy::{Mode, Proxy};
use mantis_tests::stage::{Running, Stage, VALIDATOR, keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{note, root, runtime, trial};
use mantis_weights::Scored;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(it_works_on_the_real_runtime_and_outlives_its_node).needs(Need::Chopsticks).takes(160)]
}

const SEED: u64 = 9;
const HISTORY: usize = 6 * 1440;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn small(table: &mut Table) {
    keep(table, &["ETH", "ETHHITFIRST"]);
    let intervals = [
        ("weight_calc_interval", 100),
        ("weight_set_interval", 40),
        ("task_interval", 25),
        ("lag", 6),
        // Blocks come faster than every 12 s: an hour's lock would not be over in time.
        ("suggested_lock", 30),
        ("young_blocks", 100),
    ];
    for (key, value) in intervals {
        set(table, "network", key, value);
    }
    set(table, "", "solver", "exact");
    // A block every half second, each 12 s later by its own time.
    set(table, "network", "clock", "chain");
}

fn it_works_on_the_real_runtime_and_outlives_its_node() {
    let tools = localnet::tools().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let hotkeys: Vec<String> =
            (1..=6).map(|i| Hotkey::from_uri(&format!("//Miner{i}")).unwrap().address().to_owned()).collect();
        let stage = Stage::set(dir.path(), 6, SEED, &hotkeys, small).await;
        let config = stage.world.config();
        let simulation = Simulation {
            config: &config,
            only: None,
            rows: HISTORY + 400,
            miners: &stage.miners,
            seed: SEED,
        };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        prepare(&stage, &mut simulator);

        let port = free_port();
        let url = stage.world.store.public_url();
        let options = ["--tempo", "0", "--block-ms", "500", "--url", url.as_str()];
        let mut node = Localnet::start(&tools, port, &options);
        let proxy = Proxy::start(port);
        let network = format!("ws://127.0.0.1:{}", proxy.port);
        let mut running = Running::start(stage.validator(Some(&network)).args(["--hotkey-uri", VALIDATOR]));

        // Miners act and the market moves beside whatever else happens, at the chain's own time.
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        let client = subtensor(port);
        let play = async {
            while let Some(step) = simulator.step() {
                stage.world.show(&step);
                if let Ok(head) = client.head().await {
                    stage.world.set_head(head);
                    crowd.act(&step, head, true).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(1500)).await;
            }
            panic!("the play is over");
        };
        let watch = async {
            wait(&mut running, "weights set", 240).await;
            sets_what_was_computed(&stage, port).await;
            collects(&mut running).await;
            moves_from_date_to_date(&stage, &mut running).await;

            node.signal("-STOP");
            tokio::time::sleep(seconds(60)).await;
            node.signal("-CONT");
            recovers(&mut running, "frozen for a minute").await;

            proxy.set(Mode::Replace(b"\"result\"".to_vec(), b"\"rezult\"".to_vec()));
            wait(&mut running, "the chain does not answer", 180).await;
            proxy.set(Mode::Pass);
            recovers(&mut running, "garbage for an answer").await;

            running.read();
            let since = running.log.len();
            // Takes a while, in which it is noticed.
            node.stop();
            running.wait_for("the chain does not answer", since, seconds(180)).await;
            node = Localnet::start(&tools, port, &options);
            let (code, _) = recovers(&mut running, "killed, and a new one").await;
            assert_eq!(code, Some(0));
            node.stop();
        };
        tokio::select! {
            () = play => {}
            () = watch => {}
        }
        stage.world.stop().await;
    });
}

fn subtensor(port: u16) -> Subtensor {
    Subtensor::new(&format!("ws://127.0.0.1:{port}"), ChainSettings::new(123, 0), None).unwrap()
}

/// Writes the history, as that of a chain whose block 0 comes after it.
fn prepare(stage: &Stage, simulator: &mut Simulator<'_>) {
    let mut steps: Vec<SampledBlock> = (0..HISTORY).map(|_| simulator.step().unwrap()).collect();
    let shift = steps.last().unwrap().sidx.0 + 1;
    for step in &mut steps {
        step.sidx = step.sidx - shift;
        step.block = step.block - 5 * shift;
    }
    Ledger::open(stage.ledger()).unwrap().append_many(&steps, 500).unwrap();
}

async fn wait(running: &mut Running, message: &str, patience: u64) -> serde_json::Value {
    running.read();
    let since = running.log.len();
    running.wait_for(message, since, seconds(patience)).await
}

/// Waits until the chain answers again and the next block is sampled; after the last fault, also ends the validator.
async fn recovers(running: &mut Running, what: &str) -> (Option<i32>, Duration) {
    let start = Instant::now();
    let since = running.log.len();
    running.wait_for("the chain answers again", since, seconds(240)).await;
    let answered = start.elapsed();
    if what.starts_with("killed") {
        // The new chain starts from block 1: only what comes after the ledger's last block is sampled.
        note!("{what}: the chain answers after {:.1} s", answered.as_secs_f64());
        return tokio::task::block_in_place(|| running.terminate());
    }
    let since = running.log.len();
    running.wait_for("sampled", since, seconds(240)).await;
    note!(
        "{what}: the chain answers after {:.1} s, the next sample after {:.1} s",
        answered.as_secs_f64(),
        start.elapsed().as_secs_f64()
    );
    (None, start.elapsed())
}

async fn sets_what_was_computed(stage: &Stage, port: u16) {
    let on_chain: BTreeMap<u16, u16> = subtensor(port).weights_of(1).await.unwrap().into_iter().collect();
    let ledger = Ledger::read(stage.ledger()).unwrap();
    let attempt = ledger.attempts(1).unwrap().pop().unwrap();
    assert_eq!(attempt.sent, Sent::Set, "{attempt:?}");
    assert!(attempt.transaction.as_ref().is_some_and(|hash| hash.len() == 66), "{attempt:?}");
    let steps = ledger.settlements(attempt.computed).unwrap();
    assert_eq!(steps.len(), 8);
    let chains: f64 = on_chain.values().map(|&weight| f64::from(weight)).sum();
    let mut paid = 0;
    for step in &steps {
        let found = f64::from(on_chain.get(&step.uid).copied().unwrap_or(0)) / chains;
        assert!(
            (found - step.weight).abs() < 1e-4,
            "UID {}: {found} on chain, {} computed",
            step.uid,
            step.weight
        );
        paid += usize::from(step.uid > 1 && found > 0.0);
    }
    assert!(paid >= 2, "{on_chain:?}");
    note!("on chain: {on_chain:?}");
}

/// Payloads of the chain's miners are collected and opened.
async fn collects(running: &mut Running) {
    // The first blocks may be older than what the miners sent.
    for _ in 0..20 {
        let opened = wait(running, "opened", 240).await;
        if opened["opened"].as_u64().is_some_and(|n| n >= 5) {
            return;
        }
    }
    panic!("the payloads of the chain's miners are not opened: {:?}", running.tail());
}

/// The network's May becomes its July, and that its September, by the validator's file alone.
async fn moves_from_date_to_date(stage: &Stage, running: &mut Running) {
    let rows = |ticker: &str| {
        let tickers = Ledger::read(stage.ledger()).unwrap().tickers().unwrap();
        tickers.iter().find(|known| known.ticker == ticker).map_or(0, |known| known.rows)
    };
    let before = rows("ETH");
    let process = running.id();
    let digest = take(stage, running, july).await;
    let computed = computes_by(stage, running, &digest, "2026-07").await;
    let scored: Vec<&str> = computed.scored.iter().map(|scored| scored.ticker.as_str()).collect();
    assert_eq!(scored, ["ETH", "ETHHITFIRST"]);
    let facts = |scored: &Scored| scored.salience.as_ref().map_or(0, |salience| salience.miners.len());
    assert!(
        computed.scored.iter().all(|scored| scored.failure.is_none() && facts(scored) > 0),
        "{computed:#?}"
    );

    let digest = take(stage, running, september).await;
    let computed = computes_by(stage, running, &digest, "2026-09").await;
    let flow = computed.scored.iter().find(|scored| scored.ticker == "FLOW").unwrap();
    // A week goes by before anything of it is opened.
    assert_eq!((flow.failure, flow.skipped.as_deref()), (None, Some("no miner has stored anything")));
    wait(running, "sampled", 60).await;
    assert!(rows("FLOW") > 0 && rows("ETH") > before, "the ledger goes on");
    assert_eq!(running.id(), process);
}

/// Changes the validator's file, and waits until it is taken; gives its digest.
async fn take(stage: &Stage, running: &mut Running, edit: impl FnOnce(&mut Table)) -> String {
    let file = stage.dir.join("challenges.toml");
    let mut table: Table = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    edit(&mut table);
    running.read();
    let since = running.log.len();
    fs::write(file.with_extension("new"), table.to_string()).unwrap();
    fs::rename(file.with_extension("new"), &file).unwrap();
    let taken = running.wait_for("the changed configuration is taken", since, seconds(60)).await;
    taken["digest"].as_str().unwrap().to_owned()
}

/// Waits for weights that are computed by a configuration, and so by the network's rules of a date.
async fn computes_by(stage: &Stage, running: &mut Running, digest: &str, date: &str) -> Computation {
    let rules = Config::load(root().join(format!("profiles/{date}.toml"))).unwrap().network;
    for _ in 0..5 {
        wait(running, "weights computed", 120).await;
        let ledger = Ledger::read(stage.ledger()).unwrap();
        let mut computed = ledger.last_computation().unwrap().unwrap();
        let basis = computed.basis.clone().unwrap();
        // One may have been on its way by the rules of before.
        if basis.config == digest {
            assert_eq!((basis.rules.burn, basis.rules.ema), (rules.burn, rules.ema));
            computed.scored = ledger.scored(computed.block).unwrap();
            return computed;
        }
    }
    panic!("no weights by {digest}: {:?}", running.tail());
}

/// What July's file has other than May's, for the two challenges of this test.
fn july(table: &mut Table) {
    let profile = profile("2026-07");
    for key in ["burn", "ema"] {
        set(table, "network", key, profile["network"][key].clone());
    }
    set(table, "network", "weight_calc_interval", 20);
    let mut params = profile["params"].clone();
    // The history is short.
    params["binary"]["select_min_windows"] = 2.into();
    params["hitfirst"]["min_rows"] = 1000.into();
    table["params"] = params;
}

/// And September's than July's: a challenge comes, and payloads wait for a week.
fn september(table: &mut Table) {
    let mut profile = profile("2026-09");
    for key in ["burn", "ema", "maturity_blocks", "retain_blocks"] {
        set(table, "network", key, profile["network"][key].clone());
    }
    let mut flow = profile["challenge"].as_array_mut().unwrap().pop().unwrap();
    let keys = flow.as_table_mut().unwrap();
    keys.retain(|key, _| !["file", "facts"].contains(&key));
    keys["weight"] = 1.0.into();
    keys["params"]["skin"] = "none".into();
    table["challenge"].as_array_mut().unwrap().push(flow);
}

fn profile(date: &str) -> Table {
    toml::from_str(&fs::read_to_string(root().join(format!("profiles/{date}.toml"))).unwrap()).unwrap()
}
