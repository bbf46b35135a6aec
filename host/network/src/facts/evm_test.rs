//! Reading events of a contract from nodes that are honest, slow, dead or lie.

use super::{FactClient, FactError, FactUpdate, Known};
use crate::http::HttpError;
use crate::loopback::evm::{CONTRACT, EVENT, EvmChain, EvmServer, Reply};
use mantis_config::FactSource;
use mantis_plugin_api::FactRow;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NOW: u64 = 1_800_000_000;
const MINER: [u8; 32] = [7; 32];

fn source(nodes: &[&EvmServer]) -> FactSource {
    let mut urls = nodes.iter().map(|node| node.url());
    FactSource {
        name: "bets".into(),
        url: urls.next().unwrap(),
        others: urls.collect(),
        chain_id: Some(964),
        contract: Some(CONTRACT),
        event: Some(EVENT),
        from_block: 1000,
        request_blocks: 500,
        confirmations: 20,
        numbers: ["topic2>>32", "topic2&4294967295", "data0/1e9"].map(String::from).into(),
        timeout: Duration::from_secs(2),
        max_bytes: 1 << 20,
        ..FactSource::default()
    }
}

/// A list that is read look by look.
struct Reader {
    client: FactClient,
    known: Known,
    rows: Vec<FactRow>,
}

impl Reader {
    fn new(source: &FactSource) -> Self {
        Self { client: FactClient::new(source).unwrap(), known: Known::default(), rows: Vec::new() }
    }

    async fn look(&mut self) -> Result<FactUpdate, FactError> {
        let (client, known) = (self.client.clone(), self.known.clone());
        // As the validator does, beside all else.
        let update = tokio::spawn(async move { client.read(&known, NOW).await }).await.unwrap()?;
        let list = update.list.clone();
        self.known = Known { block: list.block, time: list.time, hash: update.hash.clone() };
        self.rows.extend(list.rows);
        Ok(update)
    }

    fn found(&self) -> Vec<(i64, [f64; 3])> {
        let row = |row: &FactRow| (row.block.unwrap(), row.numbers.clone().try_into().unwrap());
        self.rows.iter().map(row).collect()
    }
}

/// Bets on trade after trade, in these blocks.
fn chain(latest: i64, blocks: impl IntoIterator<Item = i64>) -> EvmChain {
    let mut chain = EvmChain::of(latest);
    for (id, block) in (1_u64..).zip(blocks) {
        chain.post(block, MINER, (2 << 32) + id, 1_500_000_000 * id);
    }
    chain
}

fn pieces(node: &EvmServer) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let logs = node.asked().into_iter().filter(|(method, _)| method == "eth_getLogs");
    logs.map(|(_, params)| (text(&params[0]["fromBlock"]), text(&params[0]["toBlock"]))).collect()
}

#[tokio::test]
async fn an_honest_node_is_read_on_and_on() {
    let node = EvmServer::start(chain(2203, [1000, 1000, 1700, 2200, 2201])).await.unwrap();
    let mut reader = Reader::new(&source(&[&node]));
    let update = reader.look().await.unwrap();
    assert!(update.is_complete && update.stopped.is_none() && update.faults.is_empty());
    let hex = |from: i64, to: i64| (format!("0x{from:x}"), format!("0x{to:x}"));
    assert_eq!(pieces(&node), [hex(1000, 1499), hex(1500, 1999), hex(2000, 2200)]);
    let first =
        [(1000, [2.0, 1.0, 1.5]), (1000, [2.0, 2.0, 3.0]), (1700, [2.0, 3.0, 4.5]), (2200, [2.0, 4.0, 6.0])];
    assert_eq!(reader.found(), first);
    assert_eq!((reader.known.block, reader.known.time), (Some(2200), Some(1_700_000_000.0 + 26_400.0)));
    assert_eq!(reader.rows[0].time, Some(1_700_000_000.0 + 12_000.0));
    assert_eq!(reader.rows[0].hotkey, "5CDvHBym6RLoxTdX9MS1acpaDbNxaFagqM5LpBiFGjWT6o1n");
    // Nothing new; then a block more, and a post of a key that was posted before: both stay, in their order.
    assert_eq!(reader.look().await.unwrap().list.rows, []);
    assert_eq!(pieces(&node), []);
    {
        let mut chain = node.chain();
        (chain.latest, chain.finalized) = (2210, Some(2207));
        chain.post(2205, MINER, (2 << 32) + 1, 9_000_000_000);
    }
    reader.look().await.unwrap();
    assert_eq!(reader.found()[4..], [(2201, [2.0, 5.0, 7.5]), (2205, [2.0, 1.0, 9.0])]);
    assert_eq!(pieces(&node), [hex(2201, 2207)]);
}

#[tokio::test]
async fn many_pieces_take_several_looks_and_come_to_the_same_list() {
    let node = EvmServer::start(chain(30_000, (1000..30_000).step_by(700))).await.unwrap();
    let mut reader = Reader::new(&source(&[&node]));
    let update = reader.look().await.unwrap();
    assert!(!update.is_complete && update.stopped.is_none());
    assert_eq!(update.list.block, Some(20_999));
    assert!(reader.look().await.unwrap().is_complete);
    let blocks: Vec<i64> = reader.found().iter().map(|row| row.0).collect();
    assert_eq!(blocks, (1000..29_998).step_by(700).collect::<Vec<_>>());
    // Another validator, another size of its pieces, another clock.
    let source = FactSource { request_blocks: 10_000, ..source(&[&node]) };
    let mut other = Reader::new(&source);
    assert!(other.look().await.unwrap().is_complete);
    assert_eq!((other.rows, other.known), (reader.rows, reader.known));
}

#[tokio::test]
async fn a_contract_that_is_not_there_yet_has_no_events() {
    let node = EvmServer::start(chain(500, [])).await.unwrap();
    let mut reader = Reader::new(&source(&[&node]));
    assert_eq!(reader.look().await.unwrap().list.block, Some(497));
    let next = chain(1200, [1000, 1100]);
    *node.chain() = next;
    reader.look().await.unwrap();
    assert_eq!(reader.found().len(), 2);
    assert_eq!(pieces(&node), [("0x3e8".into(), "0x4ad".into())]);
}

#[tokio::test]
async fn only_final_blocks_are_read_and_another_fork_is_not_followed() {
    let mut first = chain(1100, [1000, 1090, 1099]);
    first.finalized = None;
    let node = EvmServer::start(first).await.unwrap();
    let mut reader = Reader::new(&source(&[&node]));
    reader.look().await.unwrap();
    assert_eq!((reader.known.block, reader.found().len()), (Some(1080), 1));
    // What was replaced had not been read.
    {
        let mut chain = node.chain();
        (chain.latest, chain.fork) = (1120, 1085);
        chain.posts.truncate(1);
        chain.post(1095, MINER, 5, 1_000_000_000);
    }
    reader.look().await.unwrap();
    assert_eq!(reader.found()[1..], [(1095, [0.0, 5.0, 1.0])]);
    // A chain that goes back further than it may is noticed, and the list stays.
    node.chain().fork = 1050;
    let fault = reader.look().await.unwrap_err().to_string();
    assert!(fault.contains("block 1100 is another one"), "{fault}");
}

/// What a lie comes to: nothing is had, and the fault says why.
async fn refused(lie: impl Fn(&str, &Value, Value) -> Reply + Send + Sync + 'static) -> String {
    let node = EvmServer::start(chain(1400, [1000, 1100])).await.unwrap();
    let mut reader = Reader::new(&source(&[&node]));
    node.chain().finalized = Some(1050);
    reader.look().await.unwrap();
    let before = (reader.known.clone(), reader.rows.clone());
    node.chain().finalized = Some(1397);
    node.lies(lie);
    let fault = reader.look().await.expect_err("a lie").to_string();
    assert_eq!((reader.known.clone(), reader.rows.clone()), before);
    // It is no node that is not believed ever after.
    node.is_honest();
    reader.look().await.unwrap();
    assert_eq!(reader.found().len(), 2);
    fault
}

/// Changes the honest answer to one method.
async fn changed(method: &'static str, change: impl Fn(&mut Value) + Send + Sync + 'static) -> String {
    refused(move |asked, _, mut honest| {
        if asked == method {
            change(&mut honest);
        }
        Reply::Result(honest)
    })
    .await
}

#[tokio::test]
async fn what_cannot_be_is_not_believed() {
    for (says, fault) in [
        ("is of chain 1,", changed("eth_chainId", |v| *v = json!("0x1")).await),
        ("no answer that can be read", changed("eth_chainId", |v| *v = json!(964)).await),
        ("no answer that can be read", changed("eth_chainId", |v| *v = json!("0x-3c4")).await),
        ("does not tell its chain", changed("eth_chainId", |v| *v = json!(null)).await),
        (
            "asked for block 1050, it tells of",
            changed("eth_getBlockByNumber", |v| v["number"] = json!("0x575")).await,
        ),
        (
            "it is at block 16, and 1050 was read",
            changed("eth_getBlockByNumber", |v| v["number"] = json!("0x10")).await,
        ),
        (
            "and it is 1800000000 now",
            changed("eth_getBlockByNumber", |v| v["timestamp"] = json!("0x7fffffffff")).await,
        ),
        ("one of 1700012600", changed("eth_getBlockByNumber", |v| v["timestamp"] = json!("0x1")).await),
        ("no answer that can be read", changed("eth_getBlockByNumber", |v| v["timestamp"] = json!(5)).await),
        (
            "another one than",
            changed("eth_getBlockByNumber", |v| v["hash"] = json!(format!("0x{}", "00".repeat(32)))).await,
        ),
        (
            "another contract",
            changed("eth_getLogs", |v| v[0]["address"] = json!(format!("0x{}", "11".repeat(20)))).await,
        ),
        ("another contract", changed("eth_getLogs", |v| v[0]["topics"] = json!([])).await),
        ("another contract", changed("eth_getLogs", |v| v[0]["removed"] = json!(true)).await),
        ("lacks a word", changed("eth_getLogs", |v| v[0]["data"] = json!("0x")).await),
        ("of another block", changed("eth_getLogs", |v| v[0]["blockNumber"] = json!("0x1")).await),
        (
            "names another block",
            changed("eth_getLogs", |v| v[0]["blockHash"] = json!(format!("0x{}", "00".repeat(32)))).await,
        ),
        (
            "there twice",
            changed("eth_getLogs", |v| {
                let log = v[0].clone();
                v.as_array_mut().unwrap().push(log);
            })
            .await,
        ),
        ("no answer that can be read", changed("eth_getLogs", |v| v[0]["logIndex"] = json!(0)).await),
        ("no answer that can be read", changed("eth_getLogs", |v| *v = json!("x".repeat(9000))).await),
        ("none are given", changed("eth_getLogs", |v| *v = json!(null)).await),
    ] {
        assert!(fault.contains(says) && fault.len() < 500, "{says}: {fault}");
    }
}

fn text(text: &'static str) -> impl Fn(&str, &Value, Value) -> Reply + Send + Sync {
    move |asked, _, honest| {
        if asked == "eth_getLogs" { Reply::Text(text.into()) } else { Reply::Result(honest) }
    }
}

#[tokio::test]
async fn answers_that_are_none_are_not_believed() {
    for (says, fault) in [
        ("pruned", refused(text(r#"{"id": $id, "error": {"code": -1, "message": "pruned"}}"#)).await),
        ("pruned", refused(text(r#"{"id": $id, "result": [], "error": {"message": "pruned"}}"#)).await),
        ("another question", refused(text(r#"{"id": 0, "result": []}"#)).await),
        ("another question", refused(text(r#"{"result": []}"#)).await),
        ("none are given", refused(text(r#"{"id": $id}"#)).await),
        ("no answer that can be read", refused(text("<html>")).await),
        ("larger than 1048576", refused(|_, _, _| Reply::Endless).await),
    ] {
        assert!(fault.contains(says), "{says}: {fault}");
    }
}

#[tokio::test]
async fn a_node_that_drips_or_is_dead_takes_no_longer_than_it_may() {
    let node = EvmServer::start(chain(1400, [1000])).await.unwrap();
    let source = FactSource { timeout: Duration::from_millis(300), ..source(&[&node]) };
    node.lies(|_, _, _| Reply::Drip);
    let began = Instant::now();
    let fault = Reader::new(&source).look().await.unwrap_err();
    assert!(matches!(fault, FactError::Http { fault: HttpError::TimedOut, .. }), "{fault}");
    assert!(began.elapsed() < Duration::from_secs(3));
    // A dripping one beside another is asked once.
    let honest = EvmServer::start(chain(9000, [1000])).await.unwrap();
    *node.chain() = chain(9000, [1000]);
    node.lies(|asked, _, honest| if asked == "eth_getLogs" { Reply::Drip } else { Reply::Result(honest) });
    let source = FactSource { others: vec![honest.url()], ..source };
    let mut reader = Reader::new(&source);
    let update = reader.look().await.unwrap();
    assert_eq!((update.is_complete, update.faults.len(), reader.found().len()), (true, 1, 1));
    assert_eq!((pieces(&node).len(), pieces(&honest).len()), (1, 16));
    // Nobody listens.
    let source = FactSource { url: "http://127.0.0.1:1/".into(), others: Vec::new(), ..source };
    let fault = Reader::new(&source).look().await.unwrap_err();
    assert!(matches!(fault, FactError::Http { fault: HttpError::Unreachable { .. }, .. }), "{fault}");
}

#[tokio::test]
async fn nodes_must_agree() {
    let [one, two] = [
        EvmServer::start(chain(1400, [1000, 1100])).await,
        EvmServer::start(chain(1300, [1000, 1100])).await,
    ];
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut reader = Reader::new(&source(&[&one, &two]));
    // Up to where both are.
    reader.look().await.unwrap();
    assert_eq!((reader.known.block, reader.found().len()), (Some(1297), 2));
    // One hides what the other has.
    for node in [&one, &two] {
        let mut chain = node.chain();
        (chain.latest, chain.finalized) = (1500, Some(1450));
        chain.post(1390, MINER, 9, 1);
    }
    two.chain().posts.pop();
    let fault = reader.look().await.unwrap_err();
    assert!(matches!(fault, FactError::Disagree { from: 1298, to: 1450, .. }), "{fault}");
    // It has more of it than was posted.
    two.chain().post(1390, MINER, 9, 2);
    assert!(matches!(reader.look().await.unwrap_err(), FactError::Disagree { .. }));
    // Other times and hashes.
    two.chain().posts[2].rao = 1;
    two.chain().began += 1;
    assert!(reader.look().await.is_err());
    two.chain().began -= 1;
    two.chain().fork = 1400;
    let fault = reader.look().await.unwrap_err();
    assert!(matches!(fault, FactError::Disagree { .. }), "{fault}");
    // One that has pruned what is asked for, and one that lags behind what was read, are left out, and it is said.
    two.chain().fork = i64::MAX;
    two.chain().finalized = Some(1000);
    let update = reader.look().await.unwrap();
    assert!(update.faults[0].to_string().contains("1297 was read before"), "{:?}", update.faults);
    assert_eq!(reader.found().len(), 3);
}

#[tokio::test]
async fn what_is_had_stays_where_a_look_breaks_off() {
    let node = EvmServer::start(chain(4000, (1000..4000).step_by(100))).await.unwrap();
    node.lies(|asked, params, honest| match params[0]["fromBlock"].as_str() {
        Some(from) if asked == "eth_getLogs" && from > "0x7cf" => Reply::Text("no".into()),
        _ => Reply::Result(honest),
    });
    let mut reader = Reader::new(&source(&[&node]));
    let update = reader.look().await.unwrap();
    assert_eq!((update.list.block, update.is_complete, update.stopped.is_some()), (Some(1999), false, true));
    node.is_honest();
    reader.look().await.unwrap();
    assert_eq!(reader.found().len(), 30);
}

#[tokio::test]
async fn a_flood_of_events_is_read_in_smaller_pieces() {
    // Some 1.5 MB in one answer: more than is taken. 300 blocks with events: more than one piece asks the times of.
    let node = EvmServer::start(chain(1399, (0..3000).map(|i| 1000 + i / 10))).await.unwrap();
    let mut reader = Reader::new(&source(&[&node]));
    while !reader.look().await.unwrap().is_complete {}
    let ids: Vec<f64> = reader.found().iter().map(|row| row.1[1]).collect();
    assert_eq!(ids, (1..=3000).map(f64::from).collect::<Vec<_>>());
    // One block that is too large for an answer cannot be read, and says so.
    let node = EvmServer::start(chain(1399, (0..3000).map(|_| 1000))).await.unwrap();
    let fault = Reader::new(&source(&[&node])).look().await.unwrap_err();
    assert!(matches!(fault, FactError::Http { fault: HttpError::TooLarge { .. }, .. }), "{fault}");
    // A look ends after so many facts.
    let many = chain(5000, (0..60_000).map(|i| 1000 + i / 60));
    let node = EvmServer::start(many).await.unwrap();
    let source = FactSource { max_bytes: 64 << 20, request_blocks: 100, ..source(&[&node]) };
    let update = Reader::new(&source).look().await.unwrap();
    assert_eq!((update.list.rows.len(), update.is_complete), (24_000, false));
}

#[tokio::test]
async fn a_head_that_is_wrong_once_costs_nothing() {
    let fault = refused(|asked, params, mut honest| {
        if asked == "eth_getBlockByNumber" && params[0] == json!("finalized") {
            honest["number"] = json!("0x7ffffffffffffffe");
        }
        Reply::Result(honest)
    })
    .await;
    assert!(fault.contains("does not tell of block"), "{fault}");
}
