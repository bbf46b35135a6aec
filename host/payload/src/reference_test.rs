//! Payloads of the network's own client, and our own, open by both paths.

use super::*;
use crate::beacon::{Scheme, signing::BeaconKey};
use mantis_config as config;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};

struct Reference {
    hotkey: String,
    payload: Vec<u8>,
    signature: [u8; 48],
    secret: OwnerSecret,
    plaintext: Map<String, Value>,
}

fn references() -> Vec<Reference> {
    let text = include_str!("../tests/fixtures/network.json");
    let list: Vec<Value> = serde_json::from_str(text).unwrap();
    let read = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().unwrap();
        let mut signature = [0; 48];
        hex::decode_to_slice(text("signature"), &mut signature).unwrap();
        Reference {
            hotkey: text("hotkey").into(),
            payload: text("payload").into(),
            signature,
            secret: OwnerSecret::from_hex(text("owner_secret")).unwrap(),
            plaintext: entry["plaintext"].as_object().unwrap().clone(),
        }
    };
    list.iter().map(read).collect()
}

#[test]
fn the_networks_payloads_open_by_both_paths() {
    let quicknet = Scheme::from_config(&config::Beacon::default()).unwrap();
    let mut sizes = Vec::new();
    for reference in references() {
        let rules = EnvelopeRules::new(reference.secret.public_key(), 657_413, 1 << 16);
        let envelope = Envelope::parse(&reference.payload, &reference.hotkey, &rules).unwrap();
        assert!(quicknet.verify(envelope.round(), &reference.signature));
        let opened = envelope.open(&reference.signature).unwrap();
        assert_eq!(opened.object, reference.plaintext);
        assert!(opened.unfit_numbers.is_empty());
        assert_eq!(envelope.open_as_owner(&reference.secret).unwrap(), opened);
        sizes.push(envelope.timelock_len());
    }
    assert_eq!(sizes, [372, 372, 372]);
}

#[test]
fn what_we_seal_opens_by_both_paths() {
    let key = BeaconKey::from_seed(&[7; 32]).unwrap();
    let beacon = Scheme::new(&key.public_key(), 0, 3).unwrap();
    let owner = OwnerSecret::new([9; 32]);
    let plaintext = json!({"ETH": [0.25, -0.5], "é": {"\"": [1e-300, 1]}}).as_object().unwrap().clone();
    for suite in Suite::ALL {
        for (size, bytes) in [(timelock::Size::Long, 372), (timelock::Size::Short, 356)] {
            let mut rng = ChaCha20Rng::seed_from_u64(1);
            let options = SealOptions { suite, size };
            let mut sealed =
                || seal(&plaintext, "5Me", 77, &owner.public_key(), &beacon, options, &mut rng).unwrap();
            let (payload, other) = (sealed(), sealed());
            assert_ne!(payload, other);
            let envelope =
                Envelope::parse(&payload, "5Me", &EnvelopeRules::new(owner.public_key(), 77, 1 << 16))
                    .unwrap();
            if suite == Suite::Network {
                assert_eq!(envelope.timelock_len(), bytes);
            }
            let opened = envelope.open(&key.sign(77)).unwrap();
            assert_eq!(opened, envelope.open_as_owner(&owner).unwrap());
            let mut expected = plaintext.clone();
            expected.insert("hotkey".into(), "5Me".into());
            assert_eq!(opened.object, expected);
            assert_eq!(envelope.open(&key.sign(78)).unwrap_err().code(), "timelock_proof");
        }
    }
}

#[test]
fn the_same_random_numbers_seal_the_same() {
    let beacon = Scheme::from_config(&config::Beacon::default()).unwrap();
    let owner = OwnerSecret::new([9; 32]).public_key();
    let sealed = |seed| {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        seal(&Map::new(), "5Me", 1, &owner, &beacon, SealOptions::default(), &mut rng).unwrap()
    };
    assert_eq!(sealed(3), sealed(3));
    assert_ne!(sealed(3), sealed(4));
}

#[test]
fn secrets_are_not_shown() {
    assert_eq!(format!("{:?}", OwnerSecret::new([9; 32])), "OwnerSecret(redacted)");
}
