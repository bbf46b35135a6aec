//! An offline chain refuses what the real one refuses, and keeps the rest.

use super::{Chain, ChainError, ChainSettings, EpochState, Head, Neuron, OfflineChain, Signer, open};
use mantis_config::Block;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

fn neuron(uid: u16, validator_permit: bool) -> Neuron {
    Neuron {
        uid,
        hotkey: format!("hk{uid}"),
        coldkey: format!("ck{uid}"),
        validator_permit,
        last_update: Block(0),
    }
}

fn neurons() -> Vec<Neuron> {
    vec![neuron(0, true), neuron(1, false), neuron(2, false)]
}

fn head(block: i64) -> Head {
    Head { block: Block(block), unix: 12 * block.cast_unsigned() }
}

fn name(error: ChainError) -> String {
    match error {
        ChainError::Refused { name, .. } => name,
        other => other.to_string(),
    }
}

#[tokio::test]
async fn weights_are_kept_with_their_block() {
    let chain = OfflineChain::new(neurons()).signing_as("hk0");
    chain.set_head(head(1000)).unwrap();
    let receipt = chain.set_weights(&[(0, 30_000), (2, 65_535)]).await.unwrap();
    assert_eq!((receipt.block, receipt.revealed, receipt.transaction.len()), (Block(1000), true, 66));
    let kept = chain.weights().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].block, kept[0].hotkey.as_str()), (Block(1000), "hk0"));
    assert_eq!(kept[0].weights, [(0, 30_000), (2, 65_535)].into());
    assert_eq!(chain.metagraph().await.unwrap()[0].last_update, Block(1000));
}

#[tokio::test]
async fn weights_are_refused_by_the_chains_own_rules() {
    let chain = |hotkey| OfflineChain::new(neurons()).signing_as(hotkey);
    let set =
        async |hotkey, weights: &[(u16, u16)]| name(chain(hotkey).set_weights(weights).await.unwrap_err());
    assert_eq!(set("hk0", &[(0, 1), (7, 1)]).await, "UidVecContainInvalidOne");
    assert_eq!(set("hk0", &[(0, 1), (0, 1)]).await, "DuplicateUids");
    assert_eq!(set("hk1", &[(0, 1)]).await, "NeuronNoValidatorPermit");
    assert_eq!(set("hk9", &[(0, 1)]).await, "HotKeyNotRegisteredInSubNet");
    let unsigned = OfflineChain::new(neurons());
    assert_eq!(name(unsigned.set_weights(&[(0, 1)]).await.unwrap_err()), "NoSigner");
    assert!(unsigned.weights().unwrap().is_empty());
}

#[tokio::test]
async fn weights_have_a_rate_limit() {
    let chain = OfflineChain::new(neurons()).signing_as("hk0");
    chain.set_rate_limit(360).unwrap();
    for (block, fits) in [(5, true), (5, false), (364, false), (365, true), (366, false)] {
        chain.set_head(head(block)).unwrap();
        let result = chain.set_weights(&[(1, 1)]).await;
        assert_eq!(result.is_ok(), fits, "{block}");
        if let Err(error) = result {
            assert_eq!(name(error), "SettingWeightsTooFast");
        }
    }
    assert_eq!(chain.weights().unwrap().iter().map(|set| set.block.0).collect::<Vec<_>>(), [5, 365]);
}

#[tokio::test]
async fn commitments_are_the_newest_of_registered_hotkeys() {
    let chain = OfflineChain::new(neurons()).signing_as("hk1");
    chain.commit("old").await.unwrap();
    chain.commit("new").await.unwrap();
    chain.commit_as("hk2", &"x".repeat(128)).unwrap();
    assert_eq!(name(chain.commit(&"x".repeat(129)).await.unwrap_err()), "TooManyFieldsInCommitmentInfo");
    assert_eq!(name(chain.commit_as("hk9", "a").unwrap_err()), "AccountNotAllowedCommit");
    let commitments = chain.commitments(None).await.unwrap();
    assert_eq!(commitments, [("hk1".into(), "new".into()), ("hk2".into(), "x".repeat(128))].into());
}

#[tokio::test]
async fn a_clock_says_what_the_newest_block_is() {
    let block = Arc::new(AtomicI64::new(7));
    let shared = block.clone();
    let clock = Arc::new(move || head(shared.load(Ordering::Relaxed)));
    let chain = OfflineChain::new(neurons()).signing_as("hk0").with_clock(clock);
    assert_eq!(chain.head().await.unwrap(), head(7));
    block.store(9, Ordering::Relaxed);
    assert_eq!(chain.set_weights(&[(0, 1)]).await.unwrap().block, Block(9));
}

#[tokio::test]
async fn a_file_keeps_everything_and_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.json");
    let network = format!("offline:{}", path.display());
    {
        let chain = OfflineChain::open(&path).unwrap().signing_as("hk0");
        chain.set_neurons(neurons()).unwrap();
        chain.set_head(head(50)).unwrap();
        chain.set_weights(&[(1, 65_535)]).await.unwrap();
    }
    let settings = || ChainSettings::new(123, 0);
    let one = open(&network, settings(), Signer::Address("hk1".into())).unwrap();
    let two = open(&network, settings(), Signer::ReadOnly).unwrap();
    one.commit("https://a").await.unwrap();
    assert_eq!(two.commitments(None).await.unwrap()["hk1"], "https://a");
    assert_eq!(two.head().await.unwrap(), head(50));
    assert_eq!(two.metagraph().await.unwrap()[0].last_update, Block(50));
    assert_eq!(two.weights_of(0).await.unwrap(), [(1, 65_535)]);
    assert_eq!(two.weights_of(1).await.unwrap(), []);
    assert_eq!(two.hyperparameters().await.unwrap().weights_rate_limit, 100);
    assert_eq!(OfflineChain::open(&path).unwrap().weights().unwrap().len(), 1);
}

#[test]
fn writers_do_not_lose_each_others_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.json");
    let all: Vec<_> = (0..8).map(|uid| neuron(uid, false)).collect();
    OfflineChain::open(&path).unwrap().set_neurons(all).unwrap();
    std::thread::scope(|scope| {
        for uid in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let chain = OfflineChain::open(path).unwrap();
                for text in 0..5 {
                    chain.commit_as(&format!("hk{uid}"), &text.to_string()).unwrap();
                }
            });
        }
    });
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(": \"4\"").count(), 8, "{text}");
}

#[test]
fn what_is_no_chain_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.json");
    std::fs::write(&path, "{\"neurons\": 1}").unwrap();
    let error = OfflineChain::open(&path).err().unwrap().to_string();
    assert!(error.contains("chain.json: opening it failed: invalid type: integer `1`"), "{error}");
    let error = open("mainnet", ChainSettings::new(123, 0), Signer::ReadOnly).err().unwrap().to_string();
    assert!(error.starts_with("`mainnet` is no network: allowed are finney"), "{error}");
    let error = OfflineChain::open(&folder.path().join("no/chain.json")).err().unwrap().to_string();
    assert!(error.contains("making it failed"), "{error}");
}

#[tokio::test]
async fn the_state_of_epochs_is_what_was_set() {
    let chain = OfflineChain::new(neurons()).signing_as("hk0");
    chain.set_head(head(1000)).unwrap();
    chain.set_weights(&[(1, 7)]).await.unwrap();
    chain.set_head(head(1200)).unwrap();
    chain.set_weights(&[(2, 65_535)]).await.unwrap();
    chain.set_head(head(1210)).unwrap();
    let state = chain.epoch_state().await.unwrap();
    assert_eq!((state.block, state.neurons.len()), (Block(1210), 3));
    let own = &state.neurons[0];
    assert_eq!((own.uid, own.hotkey.as_str(), own.permit), (0, "hk0", true));
    assert_eq!((&own.weights, own.last_update, own.given), (&vec![(2, 65_535)], Block(1200), None));
    assert!(own.last_update > state.neurons[2].registered, "weights count");
    let stakes = |state: &EpochState| state.neurons.iter().map(|neuron| neuron.stake).collect::<Vec<_>>();
    assert_eq!(stakes(&state), [1_000_000_000, 0, 0]);
    chain.set_stakes([("hk0".into(), 5), ("hk1".into(), 6)].into()).unwrap();
    assert_eq!(stakes(&chain.epoch_state().await.unwrap()), [5, 6, 0]);
}
