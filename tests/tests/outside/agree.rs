//! How a ledger's weights stand with those on a chain: `mantis agree`.

use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use mantis_config::Block;
use mantis_ledger::{Basis, Computation, Ledger};
use mantis_network::chain::{Chain, ChainSettings, EpochState, Given, Head, Neuron, OfflineChain, Subtensor};
use mantis_network::wallet::Hotkey;
use mantis_plugin_api::Salience;
use mantis_tests::localnet::{self, Localnet, free_port};
use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json as json_of, mantis, note, runtime, stdout, trial};
use mantis_weights::{Scored, SettleRules, Settlement};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_ledger_is_compared_with_every_row_on_the_chain),
        trial!(what_cannot_be_compared_is_said_with_its_cure),
        trial!(the_state_of_epochs_is_read_from_the_real_runtime).needs(Need::Chopsticks).takes(20),
    ]
}

/// Hotkeys of UIDs 0 to 2, which validate, and 3 to 6, which mine.
const HOTKEYS: [&str; 7] = ["5Owner", "5Large", "5Small", "5MinerA", "5MinerB", "5MinerC", "5MinerD"];

/// A chain in a file on which two validators weigh miners: the large one by `LARGE`, the small one otherwise.
struct World {
    dir: TempDir,
    chain: OfflineChain,
}

const LARGE: &[(u16, u16)] = &[(3, 30_000), (4, 20_000), (5, 10_000)];

impl World {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let chain = OfflineChain::open(&dir.path().join("chain.json")).unwrap();
        let neuron = |(uid, hotkey): (u16, &&str)| Neuron {
            uid,
            hotkey: (*hotkey).into(),
            validator_permit: (1..3).contains(&uid),
            ..Neuron::default()
        };
        chain.set_neurons((0..).zip(&HOTKEYS).map(neuron).collect()).unwrap();
        chain.set_stakes([("5Large".into(), 900), ("5Small".into(), 100)].into()).unwrap();
        let world = Self { dir, chain };
        world.at(1000);
        world
    }

    fn at(&self, block: i64) {
        self.chain.set_head(Head { block: Block(block), unix: 12 * block.cast_unsigned() }).unwrap();
    }

    fn set(&self, hotkey: &str, weights: &[(u16, u16)]) {
        let chain = OfflineChain::open(&self.dir.path().join("chain.json")).unwrap().signing_as(hotkey);
        runtime().block_on(chain.set_weights(weights)).unwrap();
    }

    fn ledger(&self) -> PathBuf {
        self.dir.path().join("a.db")
    }

    fn agree(&self) -> std::process::Command {
        let mut command = mantis();
        let network = format!("offline:{}", self.dir.path().join("chain.json").display());
        command.current_dir(self.dir.path()).args(["agree", "--network", &network]);
        command.arg("--ledger").arg(self.ledger());
        command
    }
}

/// A ledger whose newest computation gives these hotkeys these weights, by two challenges.
fn write_ledger(path: &Path, weights: &[(u16, &str, f64)]) {
    let scored = |ticker: &str, weight: f64, paid: &[usize]| {
        let mut salience = Salience::new(weights.len());
        paid.iter().filter(|place| **place < weights.len()).for_each(|place| salience.set(*place, 1.0));
        let hotkeys = weights.iter().map(|(_, hotkey, _)| (*hotkey).to_owned()).collect();
        Scored { ticker: ticker.into(), weight, hotkeys, salience: Some(salience), ..Scored::default() }
    };
    let step = |(uid, hotkey, weight): &(u16, &str, f64)| Settlement {
        uid: *uid,
        hotkey: (*hotkey).into(),
        salience: *weight,
        young: false,
        share: *weight,
        burned: *weight,
        previous: None,
        weight: *weight,
    };
    let rules = SettleRules { burn: 0.0, ..SettleRules::default() };
    let computation = Computation {
        block: Block(900),
        max_block: Block(500),
        unix: 1,
        basis: Some(Basis { config: "abcd".into(), rules }),
        scored: vec![scored("A", 3.0, &[0]), scored("B", 1.0, &[0, 1])],
        settlements: weights.iter().map(step).collect(),
        ..Computation::default()
    };
    Ledger::open(path).unwrap().store_computation(&computation).unwrap();
}

fn near(found: &Value, expected: f64) {
    let number = found.as_f64().unwrap_or_else(|| panic!("{found} is no number"));
    assert!((number - expected).abs() < 1e-4, "{number} is not {expected}");
}

fn a_ledger_is_compared_with_every_row_on_the_chain() {
    let world = World::new();
    world.set("5Large", LARGE);
    world.at(1200);
    world.set("5Small", &[(3, 1), (6, 1)]);
    world.at(1250);
    // Exactly what the large one gives, to the 16 bits.
    write_ledger(
        &world.ledger(),
        &[(3, "5MinerA", 0.5), (4, "5MinerB", 1.0 / 3.0), (5, "5MinerC", 1.0 / 6.0), (9, "5Gone", 0.0)],
    );
    let ours = json_of(world.agree().args(["--json", "--hotkey", "5Small"]));
    assert_eq!((&ours["block"], &ours["computed"]), (&json!(1250), &json!(900)));
    assert_eq!((&ours["ours"]["uid"], &ours["ours"]["age"]), (&json!(2), &json!(50)));
    near(&ours["ours"]["stake"], 0.1);
    // On the chain, half of its row is for a miner of whom nobody else thinks.
    near(&ours["shown"]["consensus_distance"], 1.0);
    near(&ours["shown"]["clipped"], 0.5);
    near(&ours["shown"]["validator_trust"], 0.5);
    near(&ours["newest"]["consensus_distance"], 0.0);
    near(&ours["newest"]["validator_trust"], 1.0);
    // Bonds are shares of a miner by stake and clipped weight: of miner A's half, 0.1 * 0.5 of 0.9 * 0.5 + 0.1 * 0.5.
    near(&ours["shown"]["dividends_settled"], 0.1 * 0.5 / (1.0 - 0.1 * 0.5));
    near(&ours["newest"]["dividends"], 0.1);
    near(&ours["newest"]["dividends_settled"], 0.1);
    let large = &ours["validators"].as_array().unwrap()[0];
    assert_eq!((&large["hotkey"], &large["age"]), (&json!("5Large"), &json!(250)));
    near(&large["distance_shown"], 1.0);
    near(&large["distance_newest"], 0.0);

    // Without a hotkey the weights stand alone, and what was found of others stays.
    let alone = json_of(world.agree().arg("--json"));
    assert_eq!((&alone["ours"], &alone["shown"]), (&Value::Null, &Value::Null));
    assert_eq!(alone["newest"]["dividends"], Value::Null);
    near(&alone["newest"]["validator_trust"], 1.0);
    assert_eq!(alone["validators"].as_array().unwrap().len(), 2);

    // Other weights: where they differ, by whom, and the largest first.
    write_ledger(&world.ledger(), &[(3, "5MinerA", 0.75), (6, "5MinerD", 0.25)]);
    let other = json_of(world.agree().args(["--json", "--hotkey", "5Small"]));
    near(&other["newest"]["clipped"], 0.5);
    near(&other["newest"]["consensus_distance"], 1.0);
    let miners = other["miners"].as_array().unwrap();
    assert_eq!(miners.len(), 4, "{miners:?}");
    let of = |hotkey: &str| miners.iter().find(|miner| miner["hotkey"] == hotkey).unwrap();
    assert_eq!(miners[0]["hotkey"], "5MinerB");
    near(&of("5MinerA")["newest"], 0.75);
    near(&of("5MinerA")["consensus"], 0.5);
    near(&of("5MinerA")["shown"], 0.5);
    // A pays it 3 of 4, B half of the 4th.
    let reasons = &of("5MinerA")["reasons"];
    assert_eq!(reasons["challenges"][0][0], "A");
    near(&reasons["challenges"][0][1], 3.0 / 3.5);
    assert_eq!(
        (&of("5MinerC")["reasons"]["unknown"], &of("5MinerD")["reasons"]["unknown"]),
        (&json!(true), &json!(false))
    );

    let text = stdout(world.agree().args(["--hotkey", "5Small", "--limit", "2"]));
    for part in [
        "subnet 123 at block 1250, against the weights that the ledger holds for block 900",
        "5Small is UID 2, with 10.000% of the stake that counts; it set its weights 50 blocks (10 min) ago",
        "0 is the same, 2 has nothing in common",
        "A 86%, B 14%",
        "and 2 more: --limit 4 lists all",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    note!("{text}");
}

fn what_cannot_be_compared_is_said_with_its_cure() {
    let world = World::new();
    drop(Ledger::open(world.ledger()).unwrap());
    let says = |args: &[&str], part: &str| {
        let said = failure(world.agree().args(args));
        assert!(said.contains(part), "{part}\n{said}");
    };
    says(&[], "a.db: no computation that weights came of is recorded: run `mantis validator --dry-run`");
    write_ledger(&world.ledger(), &[(3, "5MinerA", 1.0)]);
    says(&[], "no validator with a permit and stake shows weights at block 1000");
    world.set("5Large", LARGE);
    says(&["--hotkey", "5Nobody"], "5Nobody is not registered at block 1000");
    says(&["--hotkey", "5MinerA"], "5MinerA, UID 3, has no validator permit at block 1000");
    write_ledger(&world.ledger(), &[(3, "5Stranger", 1.0)]);
    says(&[], "none of the hotkeys that the ledger's weights of block 900 are for is registered");
    let chain = |network: &str| {
        let mut command = mantis();
        command.current_dir(world.dir.path()).args(["agree", "--network", network]);
        failure(command.arg("--ledger").arg(world.ledger()))
    };
    let absent = world.dir.path().join("absent.json");
    let said = chain(&format!("offline:{}", absent.display()));
    assert!(said.contains("there is no chain in the file") && !absent.exists(), "{said}");
    let said = chain("fenney");
    assert!(said.contains("did you mean finney?"), "{said}");
    let said = chain(&format!("ws://127.0.0.1:{}", free_port()));
    assert!(said.contains("what validators' weights are on the chain is not known"), "{said}");
}

const NETUID: u16 = 123;

/// What is written to the runtime's storage, of three validators among eight neurons.
fn seeds() -> Value {
    let list = |values: Value| json!([[[NETUID], values]]);
    json!({ "SubtensorModule": {
        "StakeWeight": list(json!([0, 40_000, 25_535, 0, 0, 0, 0, 0])),
        "ValidatorPermit": list(json!([false, true, true, true, false, false, false, false])),
        "LastUpdate": list(json!([0, 1, 2, 2, 0, 0, 0, 0])),
        "BlockAtRegistration": [[[NETUID, 6], 1]],
        "Weights": [[[NETUID, 1], [[4, 65535], [5, 30000]]], [[NETUID, 2], [[4, 20000], [6, 65535]]]],
        "Bonds": [[[NETUID, 1], [[4, 65535]]], [[NETUID, 2], [[4, 1000], [5, 65535]]]],
        "Kappa": list(json!(30_000)),
        "Consensus": list(json!([0, 0, 0, 0, 45_000, 1, 0, 0])),
        "Incentive": list(json!([0, 0, 0, 0, 65_535, 0, 0, 0])),
        "Dividends": list(json!([0, 60_000, 5_535, 0, 0, 0, 0, 0])),
        "ValidatorTrust": list(json!([0, 64_000, 100, 0, 0, 0, 0, 0])),
    } })
}

fn the_state_of_epochs_is_read_from_the_real_runtime() {
    let tools = localnet::tools().unwrap();
    let port = free_port();
    // No block is made: epochs of this runtime would write over what is put there.
    let mut node = Localnet::start(&tools, port, &["--tempo", "0"]);
    let url = format!("ws://127.0.0.1:{port}");
    let state = runtime().block_on(async {
        let client = WsClientBuilder::new().build(&url).await.unwrap();
        let _: Value = client.request("dev_setStorage", rpc_params![seeds()]).await.unwrap();
        let reader = Subtensor::new(&url, ChainSettings::new(NETUID, 0), None).unwrap();
        reader.epoch_state().await.unwrap()
    });
    is_read(&state);
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("a.db");
    let hotkey = |uid: usize| state.neurons[uid].hotkey.clone();
    write_ledger(&ledger, &[(4, &hotkey(4), 0.5), (5, &hotkey(5), 0.25), (7, &hotkey(7), 0.25)]);
    let mut command = mantis();
    command.current_dir(dir.path()).args(["agree", "--json", "--network", &url, "--hotkey", &hotkey(1)]);
    let found = json_of(command.arg("--ledger").arg(&ledger));
    near(&found["ours"]["stake"], 40_000.0 / 65_535.0);
    near(&found["ours"]["validator_trust"], 64_000.0 / 65_535.0);
    near(&found["ours"]["dividends"], 60_000.0 / 65_535.0);
    // More than the part that it takes: the consensus is what we say.
    near(&found["newest"]["validator_trust"], 1.0);
    assert!(found["shown"]["validator_trust"].as_f64().unwrap() > 0.99, "{}", found["shown"]);
    note!("{}", found);
    node.stop();
}

/// What was put there is what is read, all of it.
fn is_read(state: &EpochState) {
    assert_eq!(state.neurons.iter().map(|n| n.uid).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    let rules = &state.rules;
    assert_eq!((rules.kappa, rules.bonds_moving_average, rules.activity_cutoff), (30_000, 990_000, 5000));
    assert_eq!((rules.yuma3, rules.commit_reveal, rules.one_decides), (false, false, false));
    // This runtime has no penalty: bonds follow clipped weights.
    assert_eq!((rules.bonds_penalty, rules.owner, &rules.liquid_alpha), (u16::MAX, Some(0), &None));
    let of = |uid: usize| &state.neurons[uid];
    assert_eq!(of(1).hotkey, Hotkey::from_uri("//Validator").unwrap().address());
    // This runtime says no more of stake than parts of all, as of the last epoch.
    assert_eq!([1, 2, 3].map(|uid| of(uid).stake), [40_000, 25_535, 0]);
    assert_eq!([0, 1, 2, 3, 4].map(|uid| of(uid).permit), [false, true, true, true, false]);
    assert_eq!((of(2).last_update, of(6).registered, of(5).registered), (Block(2), Block(1), Block(0)));
    assert_eq!(
        (&of(1).weights, &of(2).bonds),
        (&vec![(4, 65_535), (5, 30_000)], &vec![(4, 1000), (5, 65_535)])
    );
    assert!(of(3).weights.is_empty() && of(0).bonds.is_empty());
    let given = Given { dividends: 60_000, validator_trust: 64_000, ..Given::default() };
    assert_eq!(of(1).given, Some(given));
    let given = Given { consensus: 45_000, incentive: 65_535, ..Given::default() };
    assert_eq!(of(4).given, Some(given));
}
