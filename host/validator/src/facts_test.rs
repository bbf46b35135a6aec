//! Lists of facts in a ledger, from nodes that are honest, die or lie.

use super::facts::{FactKeeper, FactStanding};
use mantis_config::{Config, Sidx};
use mantis_ledger::Ledger;
use mantis_network::loopback::evm::{CONTRACT, EVENT, EvmChain, EvmServer, Reply};
use mantis_plugin_api::FactRow;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

const MINER: [u8; 32] = [7; 32];
const NOW: u64 = 1_800_000_000;

/// A configuration with a list from these nodes; `keys` are added.
fn config(nodes: &[String], keys: &str) -> Config {
    let (contract, event) = (hex::encode(CONTRACT), hex::encode(EVENT));
    let url = &nodes[0];
    let others = if nodes.len() > 1 { format!("others={}\n", json!(nodes[1..])) } else { String::new() };
    let text = format!(
        "[[facts]]\nname=\"bets\"\nkind=\"evm_logs\"\nurl=\"{url}\"\n{others}chain_id=964\ncontract=\"{contract}\"\n\
         event=\"{event}\"\nfrom_block=1000\nnumbers=[\"data0\"]\ntimeout=1\nevery=5\n{keys}\n[[challenge]]\nname=\"A\"\n\
         ticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight=1\nfacts=[\"bets\"]"
    );
    Config::parse(&text, Path::new("a.toml")).unwrap()
}

fn chain(latest: i64, blocks: impl IntoIterator<Item = i64>) -> EvmChain {
    let mut chain = EvmChain::of(latest);
    for (rao, block) in (1..).zip(blocks) {
        chain.post(block, MINER, 1, rao);
    }
    chain
}

/// A validator's part that keeps lists.
struct Keeping {
    keeper: FactKeeper,
    ledger: Ledger,
    sidx: i64,
    dir: tempfile::TempDir,
}

impl Keeping {
    fn new(config: &Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let mut keeper = FactKeeper::default();
        keeper.set_config(config).unwrap();
        Self { keeper, ledger, sidx: 0, dir }
    }

    /// Samples until a look has ended.
    async fn look(&mut self) -> FactStanding {
        for _ in 0..1000 {
            self.sidx += 1;
            let mut standings = self.keeper.refresh(&mut self.ledger, Sidx(self.sidx), NOW).await;
            if let Some(standing) = standings.remove("bets") {
                return standing;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no look ended");
    }

    fn rows(&self) -> Vec<FactRow> {
        self.ledger.facts("bets").unwrap().map_or_else(Vec::new, |list| list.rows)
    }

    fn found(&self) -> Vec<(i64, f64)> {
        self.rows().iter().map(|row| (row.block.unwrap(), row.numbers[0])).collect()
    }
}

#[tokio::test]
async fn a_list_is_kept_over_restarts_and_deaths() {
    let node = EvmServer::start(chain(1203, [1000, 1100])).await.unwrap();
    let urls = [node.url()];
    let mut keeping = Keeping::new(&config(&urls, ""));
    let standing = keeping.look().await;
    assert_eq!((standing.block, standing.updated, standing.fault), (Some(1200), Some(NOW), None));
    assert_eq!(keeping.found(), [(1000, 1.0), (1100, 2.0)]);
    // Started again, it goes on where it was.
    let _ = node.asked();
    *node.chain() = chain(1303, [1000, 1100, 1250]);
    keeping.keeper = FactKeeper::default();
    keeping.keeper.set_config(&config(&urls, "")).unwrap();
    keeping.look().await;
    let from = node.asked().into_iter().find(|(method, _)| method == "eth_getLogs").unwrap().1;
    assert_eq!(from[0]["fromBlock"], json!("0x4b1"));
    assert_eq!(keeping.found(), [(1000, 1.0), (1100, 2.0), (1250, 3.0)]);
    // Another validator, with another clock and a new ledger, has the same list.
    let mut other = Keeping::new(&config(&urls, "request_blocks=7"));
    while other.look().await.updated.is_none_or(|_| other.rows().len() != 3) {}
    assert_eq!(other.rows(), keeping.rows());
    // The node dies: the last list stands, and it is said why, until it is back.
    let chain_then = node.chain().clone();
    node.stop().await;
    let standing = keeping.look().await;
    assert!(standing.fault.unwrap().contains("cannot be reached"));
    assert_eq!((standing.block, keeping.found().len()), (Some(1300), 3));
    let node = EvmServer::start(chain_then).await.unwrap();
    keeping.keeper.set_config(&config(&[node.url()], "")).unwrap();
    assert_eq!(keeping.look().await.fault, None);
    assert_eq!(keeping.found().len(), 3);
    assert!(keeping.dir.path().join("a.db").exists());
}

#[tokio::test]
async fn one_of_two_nodes_lies() {
    let (one, two) =
        (EvmServer::start(chain(1203, [1000])).await, EvmServer::start(chain(1203, [1000])).await);
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut keeping = Keeping::new(&config(&[one.url(), two.url()], ""));
    assert_eq!(keeping.look().await.fault, None);
    *one.chain() = chain(1303, [1000, 1250]);
    *two.chain() = chain(1303, [1000]);
    let standing = keeping.look().await;
    assert!(standing.fault.unwrap().contains("say different things of the blocks 1201 to 1300"));
    assert_eq!((standing.block, keeping.found().len()), (Some(1200), 1));
    // One that gives nothing is named, and the other is read.
    two.lies(|_, _, _| Reply::Text("busy".into()));
    let standing = keeping.look().await;
    assert!(standing.fault.unwrap().contains("others were asked in its place"));
    assert_eq!((standing.block, keeping.found().len()), (Some(1300), 2));
}

#[tokio::test]
async fn another_source_begins_anew_and_half_a_list_is_none() {
    let node = EvmServer::start(chain(30_003, [1000, 1500, 29_000])).await.unwrap();
    let urls = [node.url()];
    let mut keeping = Keeping::new(&config(&urls, ""));
    let standing = keeping.look().await;
    assert_eq!((standing.block, standing.fault), (Some(20_999), None));
    assert_eq!(keeping.ledger.facts("bets").unwrap(), None, "half a list is given");
    // The rest follows with the next sample.
    let sidx = keeping.sidx;
    keeping.look().await;
    assert!(keeping.sidx < sidx + 1000 && keeping.found().len() == 3);
    // How it is reached and how often does not matter; where it begins does. A look that is under way is dropped.
    node.lies(|_, _, honest| {
        std::thread::sleep(Duration::from_millis(50));
        Reply::Result(honest)
    });
    keeping.sidx += 5;
    keeping.keeper.refresh(&mut keeping.ledger, Sidx(keeping.sidx), NOW).await;
    keeping.keeper.set_config(&config(&urls, "request_blocks=10000")).unwrap();
    keeping.look().await;
    assert_eq!(keeping.found().len(), 3);
    node.is_honest();
    keeping.keeper.set_config(&config(&urls, "request_blocks=10000\nconfirmations=21")).unwrap();
    keeping.look().await;
    assert_eq!(keeping.found().len(), 3);
    // Nobody names it any more.
    keeping.keeper.set_config(&Config::parse(
        "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight=1",
        Path::new("a.toml"),
    ).unwrap()).unwrap();
    assert!(keeping.keeper.refresh(&mut keeping.ledger, Sidx(keeping.sidx + 9), NOW).await.is_empty());
}
