//! A miner's rounds against a real store over HTTP, and what a validator then collects.

use super::{Check, Checks, Embeddings, MinerError, Seal, Uploader};
use mantis_config::Collect;
use mantis_network::bucket::{Bucket, BucketSettings};
use mantis_network::chain::{Chain, Neuron, OfflineChain};
use mantis_network::collect::{Collector, UrlRules};
use mantis_network::loopback::ObjectServer;
use serde_json::{Map, Value};
use std::time::Duration;

const HOTKEY: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// Seals nothing, but shows what it was given.
struct Open;

impl Seal for Open {
    fn seal(&self, plaintext: &Map<String, Value>, hotkey: &str, opens: u64) -> Result<Vec<u8>, String> {
        if plaintext.is_empty() {
            return Err("there is nothing in it".into());
        }
        Ok(serde_json::json!({ "text": plaintext, "hk": hotkey, "late": opens > 1_700_000_000 })
            .to_string()
            .into())
    }
}

fn bucket(server: &ObjectServer) -> Bucket {
    let settings = BucketSettings {
        endpoint: server.endpoint(),
        bucket: ObjectServer::BUCKET.into(),
        region: "auto".into(),
        public_url: server.public_url(),
    };
    Bucket::with_key(&settings, ObjectServer::ACCESS_KEY, "secret").unwrap()
}

fn chain() -> OfflineChain {
    OfflineChain::new(vec![Neuron { hotkey: HOTKEY.into(), ..Neuron::default() }]).signing_as(HOTKEY)
}

fn miner<'a>(server: &ObjectServer, line: &str, chain: &'a dyn Chain, allow_loopback: bool) -> Uploader<'a> {
    Uploader {
        hotkey: HOTKEY.into(),
        embeddings: Embeddings::from_argument(line, Duration::from_secs(30)),
        lock_seconds: 30,
        seal: &Open,
        bucket: bucket(server),
        commit: Some((chain, UrlRules { hosts: vec![".r2.dev".into()], allow_loopback })),
        checks: None,
    }
}

/// Takes what is for ETH alone.
struct OnlyEth;

impl Check for OnlyEth {
    fn check(&self, plaintext: &Map<String, Value>) -> Result<Vec<String>, String> {
        if plaintext.contains_key("ETH") {
            Ok(plaintext.keys().filter(|key| *key != "ETH").cloned().collect())
        } else {
            Err("ETH is missing".into())
        }
    }
}

fn checks() -> Checks<'static> {
    let collect = Collect { allow_loopback: true, ..Collect::default() };
    Checks { plaintext: &OnlyEth, rules: (&collect).into(), readers: Collector::new(&collect).unwrap() }
}

#[tokio::test]
async fn what_validators_would_not_store_is_not_uploaded() {
    let server = ObjectServer::start().await.unwrap();
    let chain = chain();
    let mut refused = miner(&server, "echo '{\"BTC\": [1]}'", &chain, true);
    refused.checks = Some(checks());
    let fault = refused.once().await.unwrap_err().to_string();
    assert!(fault.contains("ETH is missing") && fault.contains("--force"), "{fault}");
    assert!(server.objects().keys().is_empty());
    let mut taken = miner(&server, "echo '{\"ETH\": [1], \"BTC\": [1]}'", &chain, true);
    taken.checks = Some(checks());
    assert_eq!(taken.once().await.unwrap().warnings, ["BTC"]);
    server.stop().await;
}

#[tokio::test]
async fn a_url_that_is_not_followed_is_named_without_a_commitment_too() {
    let server = ObjectServer::start().await.unwrap();
    let chain = chain();
    let mut miner = miner(&server, "echo '{\"ETH\": [1]}'", &chain, true);
    miner.commit = None;
    miner.checks = Some(Checks { rules: (&Collect::default()).into(), ..checks() });
    let fault = miner.once().await.unwrap_err();
    assert!(matches!(fault, MinerError::Url { .. }), "{fault}");
    assert!(server.objects().keys().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_is_asked_again() {
    let server = ObjectServer::start().await.unwrap();
    let chain = chain();
    let mut miner = miner(&server, "echo '{\"ETH\": [1]}'", &chain, true);
    miner.checks = Some(checks());
    server.fail_next(2, 503);
    miner.once().await.unwrap();
    server.fail_next(3, 500);
    let fault = miner.once().await.unwrap_err().to_string();
    assert!(fault.contains("status 500") && fault.contains("the store's own"), "{fault}");
    assert!(!fault.contains("access key"), "{fault}");
    server.fail_next(0, 500);
    server.stop().await;
}

#[tokio::test]
async fn what_is_read_at_the_public_url_is_compared() {
    let (server, other) = (ObjectServer::start().await.unwrap(), ObjectServer::start().await.unwrap());
    let chain = chain();
    let mut miner = miner(&server, "echo '{\"ETH\": [1]}'", &chain, true);
    miner.checks = Some(checks());
    let settings = BucketSettings {
        endpoint: server.endpoint(),
        bucket: ObjectServer::BUCKET.into(),
        region: "auto".into(),
        public_url: other.public_url(),
    };
    miner.bucket = Bucket::with_key(&settings, ObjectServer::ACCESS_KEY, "secret").unwrap();
    let fault = miner.once().await.unwrap_err().to_string();
    assert!(fault.contains("make the bucket public"), "{fault}");
    other.objects().put(HOTKEY, "another");
    let fault = miner.once().await.unwrap_err().to_string();
    assert!(fault.contains("a file of 7 bytes, not the one of"), "{fault}");
    server.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn what_a_miner_uploads_is_what_a_validator_collects() {
    let server = ObjectServer::start().await.unwrap();
    let chain = chain();
    let miner = miner(&server, "echo '{\"ETH\": [0.5, -0.5]}'", &chain, true);
    let first = miner.once().await.unwrap();
    let second = miner.once().await.unwrap();
    assert!(first.committed && !second.committed, "committed once");
    assert_eq!(first.url, format!("{}/{HOTKEY}", server.public_url()));

    let collector = Collector::new(&Collect { allow_loopback: true, ..Collect::default() }).unwrap();
    let collected = collector.round(&chain.commitments(None).await.unwrap(), &[HOTKEY.into()]).await;
    let body: Value = serde_json::from_slice(collected[0].outcome.as_ref().unwrap()).unwrap();
    let expected = serde_json::json!({ "text": {"ETH": [0.5, -0.5]}, "hk": HOTKEY, "late": true });
    assert_eq!(body, expected);
    server.stop().await;
}

#[tokio::test]
async fn a_failed_round_uploads_nothing_and_says_why() {
    let server = ObjectServer::start().await.unwrap();
    let chain = chain();
    let empty = miner(&server, "echo '{}'", &chain, true).once().await;
    assert!(matches!(&empty, Err(MinerError::Seal { reason }) if reason.contains("nothing")), "{empty:?}");
    let failed = miner(&server, "exit 1", &chain, true).once().await;
    assert!(matches!(failed, Err(MinerError::Embeddings(_))), "{failed:?}");
    let refused = miner(&server, "echo '{\"ETH\": [1]}'", &chain, false).once().await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("validators would not fetch http://127.0.0.1:"), "{text}");
    assert!(text.contains("commit one that begins with https://"), "{text}");
    assert!(server.objects().keys().is_empty());
    assert!(chain.commitments(None).await.unwrap().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_chain_that_refuses_does_not_keep_the_file_back() {
    let server = ObjectServer::start().await.unwrap();
    let stranger = OfflineChain::new(Vec::new()).signing_as(HOTKEY);
    let refused = miner(&server, "echo '{\"ETH\": [1]}'", &stranger, true).once().await;
    assert!(matches!(refused, Err(MinerError::Chain(_))), "{refused:?}");
    assert_eq!(server.objects().keys(), [HOTKEY]);
    server.stop().await;
}
