//! A node of a chain of Ethereum's kind, with events of one contract, which lies as it is told.

use super::serve::Server;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::post;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An event `TradePosted` of the contract.
#[derive(Clone, Debug)]
pub struct Post {
    /// Its block.
    pub block: i64,
    /// The miner's public key.
    pub hotkey: [u8; 32],
    /// Regime and number of the trade.
    pub key: u64,
    /// What is bet, in rao.
    pub rao: u64,
}

/// What the node knows.
#[derive(Clone, Debug)]
pub struct EvmChain {
    /// The number of the chain.
    pub chain_id: u64,
    /// The newest block.
    pub latest: i64,
    /// The newest block that is final; `None` where the node does not know the word.
    pub finalized: Option<i64>,
    /// When block 0 was, Unix seconds; one is 12 s.
    pub began: i64,
    /// From this block on, hashes are those of another fork.
    pub fork: i64,
    /// The events in their order.
    pub posts: Vec<Post>,
}

/// An answer in the place of the honest one.
pub enum Reply {
    /// This result.
    Result(Value),
    /// These bytes.
    Text(String),
    /// A byte now and then, for ever.
    Drip,
    /// As many bytes as are taken.
    Endless,
}

type Lie = dyn Fn(&str, &Value, Value) -> Reply + Send + Sync;

/// Shared by the node and who leads it.
struct Node {
    chain: Mutex<EvmChain>,
    lie: Mutex<Option<Box<Lie>>>,
    asked: Mutex<Vec<(String, Value)>>,
}

/// A running node.
pub struct EvmServer {
    server: Server,
    node: Arc<Node>,
}

/// The contract whose events these are.
pub const CONTRACT: [u8; 20] = [0xd9; 20];
/// The event, its first topic.
pub const EVENT: [u8; 32] = [0xab; 32];

impl EvmServer {
    /// Serves a chain at [`EvmServer::url`].
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(chain: EvmChain) -> io::Result<Self> {
        let node =
            Arc::new(Node { chain: Mutex::new(chain), lie: Mutex::default(), asked: Mutex::default() });
        let router = Router::new().route("/", post(answer)).with_state(node.clone());
        Ok(Self { server: Server::start(router).await?, node })
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.server.address)
    }

    /// The chain, to be changed.
    pub fn chain(&self) -> MutexGuard<'_, EvmChain> {
        self.node.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, answers are what this makes of the method, its parameters and the honest answer.
    pub fn lies(&self, lie: impl Fn(&str, &Value, Value) -> Reply + Send + Sync + 'static) {
        *self.node.lie.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(lie));
    }

    /// From now on, answers are honest.
    pub fn is_honest(&self) {
        *self.node.lie.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What was asked since the last time, method and parameters.
    #[must_use]
    pub fn asked(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.node.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stops it.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

async fn answer(State(node): State<Arc<Node>>, body: Bytes) -> Body {
    let question: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (id, params) = (&question["id"], &question["params"]);
    let method = question["method"].as_str().unwrap_or_default();
    let honest = node.chain.lock().unwrap_or_else(PoisonError::into_inner).answer(method, params);
    node.asked.lock().unwrap_or_else(PoisonError::into_inner).push((method.into(), params.clone()));
    let lie = node.lie.lock().unwrap_or_else(PoisonError::into_inner);
    let reply = match &*lie {
        Some(lie) => lie(method, params, honest),
        None => Reply::Result(honest),
    };
    match reply {
        Reply::Result(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string().into(),
        Reply::Text(text) => text.replace("$id", &id.to_string()).into(),
        Reply::Drip => {
            let byte = |()| async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Ok::<_, Infallible>(" "), ()))
            };
            Body::from_stream(stream::unfold((), byte))
        }
        Reply::Endless => {
            Body::from_stream(stream::repeat(Bytes::from_static(&[b' '; 65_536])).map(Ok::<_, Infallible>))
        }
    }
}

impl EvmChain {
    /// A chain of so many blocks without events, all of which are final but the last three.
    #[must_use]
    pub fn of(latest: i64) -> Self {
        let finalized = Some(latest - 3);
        Self { chain_id: 964, latest, finalized, began: 1_700_000_000, fork: i64::MAX, posts: Vec::new() }
    }

    /// A bet of a miner on a trade.
    pub fn post(&mut self, block: i64, hotkey: [u8; 32], key: u64, rao: u64) {
        self.posts.push(Post { block, hotkey, key, rao });
    }

    fn hash(&self, block: i64) -> String {
        let mut hasher = Sha256::new();
        hasher.update(block.to_be_bytes());
        hasher.update(if block >= self.fork { self.fork } else { 0 }.to_be_bytes());
        format!("0x{}", hex::encode(hasher.finalize()))
    }

    fn answer(&self, method: &str, params: &Value) -> Value {
        match method {
            "eth_chainId" => json!(format!("0x{:x}", self.chain_id)),
            "eth_getBlockByNumber" => {
                let number = match params[0].as_str() {
                    Some("latest") => Some(self.latest),
                    Some("finalized") => self.finalized,
                    number => number.and_then(number_of),
                };
                number
                    .filter(|number| *number <= self.latest)
                    .map_or(Value::Null, |number| self.header(number))
            }
            "eth_getLogs" => {
                let bound = |key: &str| params[0][key].as_str().and_then(number_of).unwrap_or_default();
                let span = bound("fromBlock")..=bound("toBlock");
                let posts = self.posts.iter().enumerate().filter(|(_, post)| span.contains(&post.block));
                posts.map(|(index, post)| self.log(index, post)).collect()
            }
            _ => Value::Null,
        }
    }

    fn header(&self, number: i64) -> Value {
        json!({
            "number": format!("0x{number:x}"), "hash": self.hash(number),
            "timestamp": format!("0x{:x}", self.began + 12 * number), "transactions": [],
        })
    }

    fn log(&self, index: usize, post: &Post) -> Value {
        json!({
            "address": format!("0x{}", hex::encode(CONTRACT)), "blockNumber": format!("0x{:x}", post.block),
            "blockHash": self.hash(post.block), "logIndex": format!("0x{index:x}"), "removed": false,
            "topics": [
                format!("0x{}", hex::encode(EVENT)), format!("0x{}", hex::encode(post.hotkey)),
                format!("0x{:064x}", post.key),
            ],
            "data": format!("0x{:064x}{:064x}", post.rao, 0),
        })
    }
}

fn number_of(text: &str) -> Option<i64> {
    i64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}
