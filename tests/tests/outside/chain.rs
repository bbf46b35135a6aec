//! The chain, against its real runtime.
//!
//! One chain for all cases, in one test: what one case leaves behind is what the next one finds.

use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use mantis_config::Block;
use mantis_network::chain::{Chain, ChainError, ChainSettings, Hyperparameters, NodeLimits, Subtensor};
use mantis_network::loopback::ObjectServer;
use mantis_network::wallet::Hotkey;
use mantis_tests::localnet::{self, Localnet, Tools, free_port};
use mantis_tests::need::Need;
use mantis_tests::proxy::{Mode, Proxy};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json as json_of, mantis, note, root, runtime, trial};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(the_chain_is_read_and_written_and_failures_are_named_and_survived)
            .needs(Need::Chopsticks)
            .takes(75),
    ]
}

const NETUID: u16 = 123;
const URL: &str = "http://127.0.0.1:9000";
/// As `set_weights` wants them.
const WEIGHTS: [(u16, u16); 4] = [(0, 65_535), (2, 30_000), (3, 4_096), (7, 1)];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn settings() -> ChainSettings {
    let limits = NodeLimits {
        connect: seconds(3),
        request: seconds(5),
        read: seconds(20),
        confirm: seconds(40),
        stalled: seconds(60),
    };
    ChainSettings { limits, ..ChainSettings::new(NETUID, 0) }
}

fn client(port: u16, settings: ChainSettings, uri: &str) -> Subtensor {
    let key = Hotkey::from_uri(uri).unwrap();
    Subtensor::new(&format!("ws://127.0.0.1:{port}"), settings, Some(key)).unwrap()
}

/// Writes to the chain's storage, until it is seen there: a block that is made at the same time does not take it up.
async fn put(port: u16, entry: &str, value: Value, seen: impl Fn(Hyperparameters) -> bool) {
    let node = WsClientBuilder::new().build(format!("ws://127.0.0.1:{port}")).await.unwrap();
    let reader = client(port, settings(), "//Validator");
    let storage = json!({ "SubtensorModule": { entry: value } });
    for _ in 0..20 {
        let _: Value = node.request("dev_setStorage", rpc_params![&storage]).await.unwrap();
        let _: Value = node.request("dev_newBlock", rpc_params![json!({ "count": 1 })]).await.unwrap();
        if seen(reader.hyperparameters().await.unwrap()) {
            return;
        }
    }
    panic!("{storage} cannot be set");
}

fn refusal(result: Result<impl std::fmt::Debug, ChainError>) -> (String, String) {
    match result {
        Err(ChainError::Refused { name, cure, .. }) => (name, cure),
        other => panic!("no refusal: {other:?}"),
    }
}

fn the_chain_is_read_and_written_and_failures_are_named_and_survived() {
    let tools = localnet::tools().unwrap();
    runtime().block_on(async {
        let port = free_port();
        let options = ["--tempo", "0", "--block-ms", "500", "--url", URL];
        let mut chain = Localnet::start(&tools, port, &options);
        reads(&chain).await;
        commits(port).await;
        owns(port).await;
        refuses(port).await;
        sets(port).await;
        sends_slowly(port).await;
        lacks(port).await;
        mines(port).await;
        chain = recovers(chain, &tools, &options).await;
        chain.stop();
    });
}

async fn reads(chain: &Localnet) {
    let client = client(chain.port, settings(), "//Validator");
    let neurons = client.metagraph().await.unwrap();
    let expected = chain.ready["neurons"].as_array().unwrap();
    assert_eq!((neurons.len(), expected.len()), (8, 8));
    for (neuron, expected) in neurons.iter().zip(expected) {
        assert_eq!(json!(neuron.uid), expected["uid"]);
        assert_eq!(json!(neuron.hotkey), expected["hotkey"]);
        let cold = format!("{}Cold", expected["hot"].as_str().unwrap());
        assert_eq!(neuron.coldkey, Hotkey::from_uri(&cold).unwrap().address());
        // This chain's epochs give permits to others too.
        assert!(neuron.validator_permit || expected["role"] != "validator", "{neuron:?}");
    }
    let commitments = client.commitments(None).await.unwrap();
    assert_eq!(commitments.len(), 6);
    for neuron in &neurons[2..] {
        assert_eq!(commitments[&neuron.hotkey], format!("{URL}/{}", neuron.hotkey));
    }
    let head = client.head().await.unwrap();
    assert!(head.block >= Block(1) && head.unix > 1_600_000_000, "{head:?}");
    let rules = client.hyperparameters().await.unwrap();
    assert_eq!((rules.version_key, rules.weights_rate_limit, rules.commit_reveal), (0, 0, false));
    note!("8 neurons, 6 commitments, head {head:?}, {rules:?}");
}

/// Who owns the subnet is read as it is now: the hotkey, and the coldkey where no hotkey is named.
async fn owns(port: u16) {
    let reader = client(port, settings(), "//Validator");
    let address = |uri: &str| Hotkey::from_uri(uri).unwrap().address().to_owned();
    let (cold, hot, heir) = (address("//OwnerCold"), address("//Owner"), address("//Heir"));
    for (entry, value, owner) in [
        ("SubnetOwnerHotkey", json!(hot), &hot),
        ("SubnetOwnerHotkey", json!(heir), &heir),
        ("SubnetOwner", json!(cold), &heir),
        ("SubnetOwnerHotkey", Value::Null, &cold),
    ] {
        let mut found = None;
        for _ in 0..20 {
            put(port, entry, json!([[[NETUID], value]]), |_| true).await;
            found = reader.owner().await.unwrap();
            if found.as_ref() == Some(owner) {
                break;
            }
        }
        assert_eq!(found.as_ref(), Some(owner), "{entry} is {value}");
    }
}

async fn commits(port: u16) {
    let miner = client(port, settings(), "//Miner1");
    miner.commit("https://example.com/new").await.unwrap();
    let address = Hotkey::from_uri("//Miner1").unwrap().address().to_owned();
    assert_eq!(miner.commitments(None).await.unwrap()[&address], "https://example.com/new");
    let stranger = client(port, settings(), "//Stranger");
    let (name, cure) = refusal(stranger.commit("https://example.com").await);
    note!("commit of a stranger: {name}; {cure}");
}

async fn refuses(port: u16) {
    let validator = client(port, settings(), "//Validator");
    let named = async |uri: &str| {
        let (name, cure) = refusal(client(port, settings(), uri).set_weights(&WEIGHTS).await);
        note!("{uri}: {name}; {cure}");
        name
    };
    assert_eq!(named("//Stranger").await, "HotKeyNotRegisteredInSubNet");

    put(port, "WeightsVersionKey", json!([[[NETUID], 7]]), |rules| rules.version_key == 7).await;
    let (name, cure) = refusal(validator.set_weights(&WEIGHTS).await);
    assert_eq!(name, "IncorrectWeightVersionKey");
    assert!(cure.contains("version 7 or later and ours is 0"), "{cure}");
    put(port, "WeightsVersionKey", json!([[[NETUID], 0]]), |rules| rules.version_key == 0).await;

    put(port, "WeightsMinStake", json!(1_000_000_000_000_000u64), |rules| rules.min_stake > 0).await;
    let (name, cure) = refusal(validator.set_weights(&WEIGHTS).await);
    note!("low stake: {name}; {cure}");
    assert_eq!(name, "NotEnoughStakeToSetWeights");
    put(port, "WeightsMinStake", json!(0), |rules| rules.min_stake == 0).await;

    put(port, "CommitRevealWeightsEnabled", json!([[[NETUID], true]]), |rules| rules.commit_reveal).await;
    let (name, cure) = refusal(validator.set_weights(&WEIGHTS).await);
    assert_eq!(name, "CommitRevealEnabled");
    assert!(cure.contains("this runtime (spec 218) has no commit_timelocked_weights"), "{cure}");
    put(port, "CommitRevealWeightsEnabled", json!([[[NETUID], false]]), |rules| !rules.commit_reveal).await;

    // What only the chain itself finds, in a block.
    assert_eq!(refusal(validator.set_weights(&[(0, 1), (0, 2)]).await).0, "DuplicateUids");
    assert_eq!(refusal(validator.set_weights(&[(0, 1), (99, 2)]).await).0, "UidVecContainInvalidOne");
}

/// The same client goes on after each refusal.
async fn sets(port: u16) {
    let validator = client(port, settings(), "//Validator");
    let start = Instant::now();
    let receipt = validator.set_weights(&WEIGHTS).await.unwrap();
    note!("weights set in {:?}: {receipt:?}", start.elapsed());
    assert!(receipt.revealed && receipt.block > Block(0) && receipt.transaction.len() == 66);
    let shown = validator.weights_of(1).await.unwrap();
    let largest = |weights: &[(u16, u16)]| f64::from(weights.iter().map(|(_, w)| *w).max().unwrap());
    let (ours, theirs) = (largest(&WEIGHTS), largest(&shown));
    assert_eq!(shown.len(), WEIGHTS.len());
    for ((uid, our), (shown_uid, their)) in WEIGHTS.iter().zip(&shown) {
        assert_eq!(uid, shown_uid);
        assert!((f64::from(*our) / ours - f64::from(*their) / theirs).abs() < 1e-4, "{uid}: {our} {their}");
    }
    let neurons = validator.metagraph().await.unwrap();
    assert_eq!(neurons[1].last_update, receipt.block);

    put(port, "WeightsSetRateLimit", json!([[[NETUID], 100]]), |rules| rules.weights_rate_limit == 100).await;
    let (name, cure) = refusal(validator.set_weights(&WEIGHTS).await);
    assert_eq!(name, "SettingWeightsTooFast");
    assert!(cure.contains(&format!("try again at block {}", receipt.block + 100)), "{cure}");
    // chopsticks takes 0 for the default.
    put(port, "WeightsSetRateLimit", json!([[[NETUID], 1]]), |rules| rules.weights_rate_limit == 1).await;
    let newer = ChainSettings { version_key: 7, ..settings() };
    client(port, newer, "//Validator").set_weights(&[(2, 1), (3, 3)]).await.unwrap();
    assert_eq!(validator.weights_of(1).await.unwrap(), [(2, 21_845), (3, 65_535)]);
}

/// Where blocks are final at once and come faster than answers do, a transaction is still born in a block that the chain has.
async fn sends_slowly(port: u16) {
    let proxy = Proxy::start(port);
    let miner = client(proxy.port, settings(), "//Miner3");
    miner.head().await.unwrap();
    proxy.set(Mode::Slow(Duration::from_millis(700)));
    miner.commit("https://example.com/slow").await.unwrap();
}

async fn lacks(port: u16) {
    let missing = |result: Result<(), ChainError>| match result {
        Err(ChainError::Missing { what }) => what,
        other => panic!("nothing missing: {other:?}"),
    };
    let elsewhere = client(port, ChainSettings { netuid: 99, ..settings() }, "//Validator");
    assert_eq!(missing(elsewhere.metagraph().await.map(|_| ())), "subnet 99");
    assert_eq!(missing(elsewhere.set_weights(&WEIGHTS).await.map(|_| ())), "subnet 99");

    // A runtime without the pallet: its name is another in the metadata.
    let proxy = Proxy::start(port);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    proxy.set(Mode::Replace(hex("SubtensorModule"), hex("SubtensorModulf")));
    let without = client(proxy.port, settings(), "//Validator");
    assert_eq!(missing(without.metagraph().await.map(|_| ())), "pallet SubtensorModule");
    assert_eq!(missing(without.set_weights(&WEIGHTS).await.map(|_| ())), "pallet SubtensorModule");
    assert!(without.head().await.is_ok());
}

/// The program signs with a development key and with wallets.
async fn mines(port: u16) {
    let store = ObjectServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(root().join("challenges.toml")).unwrap();
    let config = folder.path().join("challenges.toml");
    fs::write(&config, text.replace("allow_loopback = false", "allow_loopback = true")).unwrap();
    let embeddings = folder.path().join("embeddings.json");
    fs::write(&embeddings, r#"{"ETH": [0.5, -0.5]}"#).unwrap();
    let hotkeys = folder.path().join("mine/hotkeys");
    fs::create_dir_all(&hotkeys).unwrap();
    let locked = fs::read(root().join("host/network/tests/fixtures/wallets/locked")).unwrap();
    fs::write(hotkeys.join("default"), locked).unwrap();
    fs::set_permissions(hotkeys.join("default"), fs::Permissions::from_mode(0o600)).unwrap();
    let miner = |key: &[&str], password: &str| {
        let mut command = mantis();
        command.args(["miner", "--once", "--commit", "--json", "--bucket", ObjectServer::BUCKET]);
        command.args(["--network", &format!("ws://127.0.0.1:{port}")]).args(key);
        command.args(["--endpoint", &store.endpoint(), "--public-url", &store.public_url()]);
        command.arg("--embeddings").arg(&embeddings).arg("--config").arg(&config);
        command.env("AWS_ACCESS_KEY_ID", ObjectServer::ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", "s");
        command.env("MANTIS_WALLET_PASSWORD", password);
        command
    };
    let done = tokio::task::block_in_place(|| json_of(&mut miner(&["--hotkey-uri", "//Miner2"], "")));
    assert_eq!(done["committed"], json!(true));
    let address = Hotkey::from_uri("//Miner2").unwrap().address().to_owned();
    let commitments = client(port, settings(), "//Validator").commitments(None).await.unwrap();
    assert_eq!(json!(commitments[&address]), done["url"]);

    let path = folder.path().display().to_string();
    let wallet = ["--wallet-name", "mine", "--wallet-path", &path];
    let refused = tokio::task::block_in_place(|| failure(&mut miner(&wallet, "correct horse")));
    // The wallet was opened: its key, //Alice, is not registered.
    assert!(refused.contains("AccountNotAllowedCommit"), "{refused}");
    let refused = tokio::task::block_in_place(|| failure(&mut miner(&wallet, "wrong horse")));
    assert!(refused.contains("mine/hotkeys/default: the password is wrong"), "{refused}");
    assert!(!refused.contains("wrong horse"), "{refused}");
    store.stop().await;
}

/// Asks for the head again and again, as a service does, until it is there; gives the time that took.
async fn time_to_head(client: &Subtensor, what: &str) -> Duration {
    let (start, mut last) = (Instant::now(), String::new());
    loop {
        let asked = Instant::now();
        match client.head().await {
            Ok(_) => break,
            Err(error) => last = error.to_string(),
        }
        assert!(asked.elapsed() < seconds(50), "{what}: a call took {:?}", asked.elapsed());
        assert!(start.elapsed() < seconds(60), "{what}: no recovery: {last}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    note!("{what}: recovered after {:.1} s; last error: {last}", start.elapsed().as_secs_f64());
    start.elapsed()
}

async fn recovers(chain: Localnet, tools: &Tools, options: &[&str]) -> Localnet {
    let mut chain = chain;
    let proxy = Proxy::start(chain.port);
    let client = client(proxy.port, settings(), "//Validator");
    client.head().await.unwrap();

    // Frozen, then thawed.
    chain.signal("-STOP");
    let asked = Instant::now();
    let error = client.head().await.unwrap_err();
    note!("frozen: an error after {:.1} s: {error}", asked.elapsed().as_secs_f64());
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
    tokio::time::sleep(seconds(3)).await;
    chain.signal("-CONT");
    time_to_head(&client, "frozen node").await;

    // Answers that make no sense: valid frames, other names in them.
    proxy.set(Mode::Replace(b"\"result\"".to_vec(), b"\"rezult\"".to_vec()));
    let error = client.head().await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
    proxy.set(Mode::Pass);
    time_to_head(&client, "node that answers garbage").await;
    proxy.set(Mode::Say(b"\x00\xff no node at all \r\n\r\n".to_vec()));
    chain.signal("-STOP");
    assert!(client.head().await.is_err());
    chain.signal("-CONT");
    proxy.set(Mode::Pass);
    time_to_head(&client, "something else on the port").await;

    // Killed, and started again with an empty chain.
    let port = chain.port;
    chain.stop();
    assert!(client.head().await.is_err());
    let chain = Localnet::start(tools, port, options);
    time_to_head(&client, "killed node").await;
    let receipt = client.set_weights(&WEIGHTS).await.unwrap();
    note!("weights set after all that: {receipt:?}");

    // The first of two endpoints is dead: the second one answers within the same call.
    let list = format!("ws://127.0.0.1:{},ws://127.0.0.1:{}", free_port(), chain.port);
    Subtensor::new(&list, settings(), None).unwrap().head().await.unwrap();

    tokio::time::sleep(seconds(1)).await;
    assert_eq!(proxy.open(), 1, "connections are left behind");
    drop(client);
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(proxy.open(), 0, "a dropped client leaves its connection");
    chain
}
