//! What either side seals, the other opens.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_payload::beacon::{Scheme, signing::BeaconKey};
use mantis_payload::timelock::{self, Size};
use mantis_timelock_tests::{open, seal};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const TEXT: [u8; timelock::TEXT] = [b'7'; timelock::TEXT];

fn beacon(seed: u8) -> (BeaconKey, Scheme) {
    let key = BeaconKey::from_seed(&[seed; 32]).unwrap();
    let scheme = Scheme::new(&key.public_key(), 0, 3).unwrap();
    (key, scheme)
}

#[test]
fn the_crates_open_here() {
    for seed in 1..40 {
        let (key, _) = beacon(seed as u8);
        let round = seed * 1_000_003;
        let sealed = seal(&TEXT, round, &key.public_key(), seed).unwrap();
        assert_eq!(sealed.len(), 356);
        assert_eq!(*timelock::open(&sealed, round, &key.sign(round)).unwrap(), TEXT);
        assert!(timelock::open(&sealed, round, &key.sign(round + 1)).is_err());
    }
}

#[test]
fn ours_open_in_the_crate() {
    for seed in 1..40 {
        let (key, scheme) = beacon(seed as u8);
        let round = seed * 999_983;
        let signature = key.sign(round);
        for size in [Size::Short, Size::Long] {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let sealed = timelock::seal(&TEXT, round, &scheme, size, &mut rng).unwrap();
            let short = match size {
                Size::Short => sealed,
                // The longer form is the shorter one with a length of 32 before each of the masked values.
                Size::Long => {
                    assert_eq!(sealed.len(), 372);
                    assert_eq!([&sealed[96..104], &sealed[136..144]], [32_u64.to_le_bytes(); 2]);
                    [&sealed[..96], &sealed[104..136], &sealed[144..]].concat()
                }
            };
            assert_eq!(open(&short, &signature).unwrap(), TEXT);
            assert!(open(&short, &key.sign(round + 1)).is_err());
        }
    }
}

#[test]
fn both_take_the_networks_payloads() {
    let text = include_str!("../../../host/payload/tests/fixtures/network.json");
    let list: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    let bytes = |digits: &str| -> Vec<u8> {
        (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    for entry in list {
        let payload: serde_json::Value = serde_json::from_str(entry["payload"].as_str().unwrap()).unwrap();
        let sealed = bytes(payload["W_time"]["ct"].as_str().unwrap());
        let signature: [u8; 48] = bytes(entry["signature"].as_str().unwrap()).try_into().unwrap();
        let round = payload["round"].as_u64().unwrap();
        let ours = timelock::open(&sealed, round, &signature).unwrap();
        let short = [&sealed[..96], &sealed[104..136], &sealed[144..]].concat();
        assert_eq!(open(&short, &signature).unwrap(), *ours);
        assert_eq!(*timelock::open(&short, round, &signature).unwrap(), *ours);
    }
}
