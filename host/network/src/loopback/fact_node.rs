//! A node of a chain of Ethereum's kind: its blocks go by a clock, its events are those that it is told.

use super::serve::Server;
use crate::chain::{BLOCK_SECONDS, Head};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use mantis_config::{Block, EventNumber, EventWord, FactSource};
use mantis_plugin_api::FactRow;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use subxt::utils::AccountId32;

/// Bytes of a word of an event.
const WORD: usize = 32;

/// An event of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    block: i64,
    contract: [u8; 20],
    topics: Vec<[u8; WORD]>,
    data: Vec<[u8; WORD]>,
}

impl LogEvent {
    /// The event from which a reader of this source has this fact; `None` if the fact has no block, or other numbers than the
    /// source has, or if its hotkey is no address.
    #[must_use]
    pub fn stating(source: &FactSource, row: &FactRow) -> Option<Self> {
        let numbers = source.event_numbers();
        if numbers.len() != row.numbers.len() {
            return None;
        }
        let (mut topics, mut data) = (vec![source.event?], Vec::new());
        let hotkey = AccountId32::from_str(&row.hotkey).ok()?.0;
        *word(&mut topics, &mut data, source.event_hotkey()) = hotkey;
        for (number, &value) in numbers.iter().zip(&row.numbers) {
            let word = word(&mut topics, &mut data, number.word);
            let shifted = digits(number, value);
            word[WORD / 2..].iter_mut().zip(shifted.to_be_bytes()).for_each(|(byte, other)| *byte |= other);
        }
        Some(Self { block: row.block?, contract: source.contract?, topics, data })
    }

    /// As a node tells of it, the `index`-th event of its block.
    fn document(&self, index: usize, head: Head) -> Value {
        let text = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        json!({
            "address": text(&self.contract),
            "topics": self.topics.iter().map(|topic| text(topic)).collect::<Vec<_>>(),
            "data": text(&self.data.concat()),
            "blockNumber": format!("0x{:x}", self.block),
            "blockHash": hash_of(self.block),
            "blockTimestamp": format!("0x{:x}", time_of(self.block, head)),
            "logIndex": format!("0x{index:x}"),
            "removed": false,
        })
    }
}

/// A word of an event, which is made as long as it must be.
fn word<'a>(
    topics: &'a mut Vec<[u8; WORD]>,
    data: &'a mut Vec<[u8; WORD]>,
    which: EventWord,
) -> &'a mut [u8; WORD] {
    let (words, at) = match which {
        EventWord::Topic(at) => (topics, at),
        EventWord::Data(at) => (data, at),
    };
    if words.len() <= at {
        words.resize(at + 1, [0; WORD]);
    }
    &mut words[at]
}

/// What of a word a number is read from: the other way round.
fn digits(number: &EventNumber, value: f64) -> u128 {
    ((value * number.divisor).round() as u128
        & if number.mask == u64::MAX { u128::MAX } else { number.mask.into() })
        << number.shift.min(127)
}

/// Unix time of a block, as they come every 12 seconds.
fn time_of(block: i64, head: Head) -> u64 {
    head.unix.saturating_sub((head.block - Block(block)).max(0).cast_unsigned() * BLOCK_SECONDS)
}

/// The hash of a block, which is its number's: there are no forks.
fn hash_of(block: i64) -> String {
    format!("0x{}", hex::encode(Sha256::digest(block.to_be_bytes())))
}

/// Tells the chain's newest block.
pub type HeadClock = Arc<dyn Fn() -> Head + Send + Sync>;

#[derive(Clone)]
struct Shared {
    clock: HeadClock,
    events: Arc<Mutex<Vec<LogEvent>>>,
}

/// A running node.
pub struct FactNode {
    server: Server,
    shared: Shared,
}

impl FactNode {
    /// Serves the blocks up to the clock's; all of them are final.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(clock: HeadClock) -> io::Result<Self> {
        let shared = Shared { clock, events: Arc::default() };
        let router = Router::new().route("/{chain}", post(answer)).with_state(shared.clone());
        Ok(Self { server: Server::start(router).await?, shared })
    }

    /// Where it is asked; a `/` and the number of a chain behind it, and it answers as a node of that chain.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Adds events; those of one block stand in the order in which they come.
    pub fn add(&self, events: impl IntoIterator<Item = LogEvent>) {
        self.shared.events.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
    }

    /// Stops it.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

async fn answer(
    State(shared): State<Shared>,
    Path(chain): Path<u64>,
    body: Bytes,
) -> Result<String, StatusCode> {
    let question: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let (head, params) = ((shared.clock)(), &question["params"]);
    let result = match question["method"].as_str() {
        Some("eth_chainId") => json!(format!("0x{chain:x}")),
        Some("eth_getBlockByNumber") => block(&params[0], head),
        Some("eth_getLogs") => {
            logs(&params[0], &shared.events.lock().unwrap_or_else(PoisonError::into_inner), head)
        }
        _ => return Err(StatusCode::NOT_IMPLEMENTED),
    };
    Ok(json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }).to_string())
}

fn block(which: &Value, head: Head) -> Value {
    let number = match which.as_str() {
        Some("latest" | "finalized") => Some(head.block.0),
        _ => number(which).filter(|number| (0..=head.block.0).contains(number)),
    };
    number.map_or(Value::Null, |number| {
        let time = format!("0x{:x}", time_of(number, head));
        json!({ "number": format!("0x{number:x}"), "hash": hash_of(number), "timestamp": time })
    })
}

/// The events that a filter asks for, up to the newest block.
fn logs(filter: &Value, events: &[LogEvent], head: Head) -> Value {
    let from = number(&filter["fromBlock"]).unwrap_or(0);
    let to = number(&filter["toBlock"]).unwrap_or(head.block.0).min(head.block.0);
    let is = |wanted: &Value, bytes: &[u8]| {
        wanted.as_str().and_then(|text| text.strip_prefix("0x")).is_none_or(|text| text == hex::encode(bytes))
    };
    let mut asked_for: Vec<(usize, &LogEvent)> = Vec::new();
    let (mut at, mut index) = (None, 0);
    let mut sorted: Vec<&LogEvent> =
        events.iter().filter(|event| (from..=to).contains(&event.block)).collect();
    sorted.sort_by_key(|event| event.block);
    for event in sorted {
        index = if at == Some(event.block) { index + 1 } else { 0 };
        at = Some(event.block);
        if is(&filter["address"], &event.contract) && is(&filter["topics"][0], &event.topics[0]) {
            asked_for.push((index, event));
        }
    }
    asked_for.into_iter().map(|(index, event)| event.document(index, head)).collect()
}

/// A number as it stands in a question: `0x1f`.
fn number(value: &Value) -> Option<i64> {
    i64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{FactClient, Known};

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    fn source(url: String) -> FactSource {
        FactSource {
            name: "bets".into(),
            url,
            chain_id: Some(964),
            contract: Some([7; 20]),
            event: Some([9; 32]),
            from_block: 100,
            numbers: ["topic2>>32", "topic2&4294967295", "data0/1e9", "data2"].map(String::from).into(),
            ..FactSource::default()
        }
    }

    fn fact(block: i64, numbers: [f64; 4]) -> FactRow {
        // Block 200 is of the time 10,000.
        let time = Some((10_000 - 12 * (200 - block)) as f64);
        FactRow { hotkey: ALICE.into(), block: Some(block), time, numbers: numbers.into() }
    }

    #[tokio::test]
    async fn a_reader_has_what_the_node_was_told() {
        let head = Arc::new(Mutex::new(Head { block: Block(150), unix: 9_400 }));
        let clock = head.clone();
        let node = FactNode::start(Arc::new(move || *clock.lock().unwrap())).await.unwrap();
        let source = source(format!("{}/964", node.url()));
        let facts = [fact(120, [3.0, 7.0, 1.5, 0.0]), fact(120, [0.0, 4e9, 1e9, 5.0]), fact(160, [1.0; 4])];
        node.add(facts.iter().filter_map(|fact| LogEvent::stating(&source, fact)));
        let other = FactSource { contract: Some([8; 20]), ..source.clone() };
        node.add(LogEvent::stating(&other, &facts[0]));
        let client = FactClient::new(&source).unwrap();
        let update = client.read(&Known::default(), 9_400).await.unwrap();
        assert_eq!((update.list.block, update.list.time), (Some(150), Some(9_400.0)));
        assert!(update.is_complete && update.stopped.is_none());
        assert_eq!(update.list.rows, facts[..2]);
        *head.lock().unwrap() = Head { block: Block(200), unix: 10_000 };
        let known = Known { block: update.list.block, time: update.list.time, hash: update.hash };
        assert_eq!(client.read(&known, 10_000).await.unwrap().list.rows, facts[2..]);
        node.stop().await;
    }

    #[test]
    fn a_fact_that_no_event_states_is_none() {
        let good = fact(120, [1.0; 4]);
        let source = source(String::new());
        assert!(LogEvent::stating(&source, &good).is_some());
        for bad in [
            FactRow { block: None, ..good.clone() },
            FactRow { numbers: vec![1.0; 3], ..good.clone() },
            FactRow { hotkey: "nobody".into(), ..good },
        ] {
            assert_eq!(LogEvent::stating(&source, &bad), None);
        }
    }
}
