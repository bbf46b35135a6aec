//! Facts from outside: bets on a chain of Ethereum's kind, a real one and one that is scripted.

use mantis_config::{Block, Config, FactSource};
use mantis_ledger::{Ledger, NewRow, SampledBlock, Vector};
use mantis_network::chain::Chain;
use mantis_network::facts::{FactClient, FactUpdate, Known};
use mantis_network::loopback::evm::{CONTRACT, EVENT, EvmChain, EvmServer};
use mantis_tests::anvil::Anvil;
use mantis_tests::http::get;
use mantis_tests::localnet::free_port;
use mantis_tests::need::Need;
use mantis_tests::stage::{Running, Stage, VALIDATOR, set};
use mantis_tests::suite::Trial;
use mantis_tests::{root, runtime, trial};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use toml::{Table, Value as Toml};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(bets_of_a_real_chain_are_read).needs(Need::Evm).takes(5),
        trial!(a_bet_pays_and_goes_on_paying_when_its_node_dies).takes(40),
    ]
}

const BETTOR: &str = "5CDvHBym6RLoxTdX9MS1acpaDbNxaFagqM5LpBiFGjWT6o1n";
const IDLER: &str = "5CFEdGJJoSzzatSEsdvsQ1mgECHm3LAwxtuTfgXUXrJJZr1m";
const KEY: [u8; 32] = [7; 32];

/// The network's configuration of September with its list of bets changed.
fn september(edit: impl FnOnce(&mut Table)) -> Table {
    let text = fs::read_to_string(root().join("profiles/2026-09.toml")).expect("a profile");
    let mut table: Table = toml::from_str(&text).expect("TOML");
    edit(table["facts"][0].as_table_mut().expect("a list of facts"));
    table
}

fn read(source: &FactSource, known: &Known) -> Result<FactUpdate, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let client = FactClient::new(source).expect("a client");
    runtime().block_on(client.read(known, now)).map_err(|error| error.to_string())
}

fn known(update: &FactUpdate) -> Known {
    Known { block: update.list.block, time: update.list.time, hash: update.hash.clone() }
}

fn found(update: &FactUpdate) -> Vec<(&str, i64, &[f64])> {
    let rows = update.list.rows.iter();
    rows.map(|row| (row.hotkey.as_str(), row.block.unwrap_or_default(), row.numbers.as_slice())).collect()
}

fn bets_of_a_real_chain_are_read() {
    let anvil = Anvil::start(964);
    let contract = anvil.deploy();
    let table = september(|facts| {
        facts.insert("url".into(), anvil.url().into());
        facts.insert("contract".into(), contract[2..].to_owned().into());
        facts.insert("from_block".into(), 1.into());
    });
    let config = Config::parse(&table.to_string(), Path::new("2026-09.toml")).expect("a configuration");
    let source = &config.facts[0];

    let key = |regime: u64, id: u64| (regime << 32) + id;
    let first = anvil.post(&contract, KEY, key(0, 7), 1_500_000_000);
    anvil.close(&contract, KEY, key(0, 7));
    let second = anvil.post(&contract, [8; 32], key(3, 16_777_215), 1);
    let third = anvil.post(&contract, KEY, key(0, 7), u64::MAX);
    // None of it is final yet.
    let update = read(source, &Known::default()).unwrap();
    assert_eq!((found(&update), update.list.block), (vec![], Some(0)));
    anvil.mine(600);
    let update = read(source, &known(&update)).unwrap();
    let all: [(&str, i64, &[f64]); 3] = [
        (BETTOR, first, &[0.0, 7.0, 1.5]),
        (IDLER, second, &[3.0, 16_777_215.0, 1e-9]),
        (BETTOR, third, &[0.0, 7.0, u64::MAX as f64 / 1e9]),
    ];
    assert_eq!(found(&update), all);
    assert!(update.is_complete && update.faults.is_empty() && update.list.block == Some(third + 600 - 64));
    let header = anvil.call("eth_getBlockByNumber", &json!([format!("0x{first:x}"), false]));
    let time = update.list.rows[0].time.unwrap() as i64;
    assert_eq!(header["timestamp"], json!(format!("0x{time:x}")));

    // A fork takes away what is not final, and nothing of it was read.
    let before = anvil.call("evm_snapshot", &json!([]));
    let _ = anvil.post(&contract, KEY, key(1, 1), 5);
    let after = read(source, &known(&update)).unwrap();
    assert_eq!(found(&after), []);
    assert_eq!(anvil.call("evm_revert", &json!([before])), json!(true));
    let other = anvil.post(&contract, KEY, key(1, 2), 6);
    anvil.mine(100);
    let after = read(source, &known(&after)).unwrap();
    assert_eq!(found(&after), [(BETTOR, other, &[1.0, 2.0, 6e-9][..])]);
    // One that takes away what was final is not followed.
    let _ = anvil.call("anvil_rollback", &json!([90]));
    let behind = read(source, &known(&after)).unwrap_err();
    assert!(behind.contains("was read before"), "{behind}");
    let _ = anvil.post(&contract, KEY, key(1, 3), 7);
    anvil.mine(200);
    let forked = read(source, &known(&after)).unwrap_err();
    assert!(forked.contains("is another one than the one that was read before"), "{forked}");
    // Another chain.
    let source = FactSource { chain_id: Some(1), ..source.clone() };
    assert!(read(&source, &Known::default()).unwrap_err().contains("it is of chain 964"));
}

/// Rows of history, and those between two trades. It is eight days and eight hours long: a miner is paid from a week after
/// its first trade on, for the mean of 24 hours.
const HISTORY: i64 = 12_000;
const TRADE: i64 = 200;

/// A row in which both miners send the same trade, which pays.
fn row(first: Block, at: i64, with_miners: bool) -> SampledBlock {
    let block = first + 5 * at;
    let intent = [1.0, 0.1, 0.05, 0.01, 0.02, 2.0, (at / TRADE + 1) as f32];
    let vector: Vec<f32> = intent.into_iter().chain([0.0; 21]).collect();
    let price = 100.0 + 3.0 * ((at % TRADE) as f64 / 60.0).min(1.0);
    let miners = if with_miners { vec![BETTOR, IDLER] } else { Vec::new() };
    let row = NewRow {
        ticker: "FLOW".into(),
        dim: 28,
        price_data: Some(vec![("BTC".into(), price)]),
        submissions: miners.into_iter().map(|miner| (miner.into(), Vector::F32(vector.clone()))).collect(),
        ..NewRow::default()
    };
    SampledBlock { block, sidx: block.sidx(5), rows: vec![row] }
}

fn a_bet_pays_and_goes_on_paying_when_its_node_dies() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let node = EvmServer::start(EvmChain::of(0)).await.unwrap();
        let (url, contract, event) = (node.url(), hex(&CONTRACT), hex(&EVENT));
        let listed = september(|facts| {
            let keys: [(&str, Toml); 5] = [
                ("url", url.into()),
                ("contract", contract.into()),
                ("event", event.into()),
                ("from_block", 5_000_000.into()),
                ("every", 1.into()),
            ];
            facts.extend(keys.map(|(key, value)| (key.to_owned(), value)));
        });
        let hotkeys = [BETTOR, IDLER].map(String::from);
        let stage = Stage::set(dir.path(), 2, 5, &hotkeys, |table| {
            for (key, value) in [
                ("weight_calc_interval", 50),
                ("weight_set_interval", 50),
                ("task_interval", 25),
                ("lag", 10),
                ("young_blocks", 100),
            ] {
                set(table, "network", key, value);
            }
            table.insert("facts".into(), listed["facts"].clone());
            let mut flow = listed["challenge"].as_array().unwrap().last().unwrap().clone();
            let keys = flow.as_table_mut().unwrap();
            keys.insert("weight".into(), 1.0.into());
            keys.remove("file");
            keys["params"].as_table_mut().unwrap().insert("bet_time".into(), "block".into());
            table.insert("challenge".into(), vec![flow].into());
        })
        .await;
        let first = stage.world.chain.head().await.unwrap().block;
        {
            let latest = first.0 + 5 * HISTORY;
            let mut chain = EvmChain { began: 1_700_000_000 - 12 * latest, ..EvmChain::of(latest) };
            for trade in 0..HISTORY / TRADE {
                chain.post(first.0 + 5 * TRADE * trade + 3, KEY, trade.cast_unsigned() + 1, 2_500_000_000);
            }
            *node.chain() = chain;
        }
        let mut ledger = Ledger::open(stage.ledger()).unwrap();
        ledger.append_many((0..HISTORY).map(|at| row(first, at, true)), 500).unwrap();
        drop(ledger);
        let mut at = HISTORY;
        let mut play = async |rows: i64| {
            for _ in 0..rows {
                stage.advance(&row(first, at, false));
                at += 1;
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        };
        play(1).await;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = stage.validator(None);
        command.args(["--hotkey-uri", VALIDATOR, "--listen", &address.to_string()]);
        let mut running = Running::start(&mut command);
        running.wait_for("sampled", 0, Duration::from_secs(20)).await;
        play(40).await;
        let paid = |what: &str| -> BTreeMap<String, f64> {
            let ledger = Ledger::read(stage.ledger()).unwrap();
            let last = ledger.last_weights().unwrap().unwrap_or_else(|| panic!("{what}: no weights"));
            last.settlements.iter().map(|step| (step.hotkey.clone(), step.salience)).collect()
        };
        let before = paid("at first");
        // All but what goes to those who have not passed the gate, of whom there are none.
        let all = 0.98;
        assert!((before[BETTOR] - all).abs() < 1e-9 && before[IDLER] == 0.0, "{before:?}");
        let computed = Ledger::read(stage.ledger()).unwrap().last_weights().unwrap().unwrap().block;
        let facts = Ledger::read(stage.ledger()).unwrap().facts("bets").unwrap().unwrap();
        assert_eq!(facts.rows.len(), 60);
        assert!(get(address, "/api/v1/status").json()["faults"].to_string().find("facts").is_none());

        // Its node dies: the list of before is used, and it is said.
        node.stop().await;
        play(25).await;
        running
            .wait_for(
                "the list of facts is not brought up to date, the one before stands",
                0,
                Duration::from_secs(20),
            )
            .await;
        let faults = get(address, "/api/v1/status").json()["faults"].to_string();
        assert!(faults.contains("the facts `bets` are not brought up to date"), "{faults}");
        let ledger = Ledger::read(stage.ledger()).unwrap();
        assert!(ledger.last_weights().unwrap().unwrap().block > computed, "{:#?}", running.tail());
        assert_eq!(ledger.facts("bets").unwrap().unwrap(), facts);
        let after = paid("after its death");
        assert!((after[BETTOR] - all).abs() < 1e-9 && after[IDLER] == 0.0, "{after:?}");
        assert_eq!(running.terminate().0, Some(0));
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
