//! Weights that are committed: their form, their round, and the call on a runtime that has it.

use super::sealed::{Clock, Commit, Schedule};
use super::settings::ChainSettings;
use super::weights::sealed;
use mantis_payload::beacon::Scheme;
use mantis_payload::beacon::signing::BeaconKey;
use mantis_payload::timelock::open_bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::path::Path;
use std::sync::Arc;
use subxt::client::OfflineClient;
use subxt::config::substrate::{SpecVersionForRange, SubstrateConfig};
use subxt::ext::codec::Decode;
use subxt::metadata::Metadata;

const HOTKEY: [u8; 32] = [7; 32];
const WEIGHTS: [(u16, u16); 2] = [(0, 100), (2, 65_535)];

/// A beacon of one's own, and its scheme.
fn beacon() -> (BeaconKey, Scheme) {
    let key = BeaconKey::from_seed(&[5; 32]).unwrap();
    let scheme = Scheme::new(&key.public_key(), 1_000_000, 3).unwrap();
    (key, scheme)
}

fn commit(round: u64) -> Commit {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    Commit::seal(&HOTKEY, &WEIGHTS, 9, round, &beacon().1, &mut rng).unwrap()
}

fn plain(sealed: &[u8], round: u64) -> (Vec<u8>, Vec<u16>, Vec<u16>, u64) {
    let text = open_bytes(sealed, round, &beacon().0.sign(round)).unwrap();
    let mut rest = &text[..];
    let plain = Decode::decode(&mut rest).unwrap();
    assert!(rest.is_empty());
    plain
}

#[test]
fn a_commit_opens_with_its_rounds_signature() {
    let commit = commit(77);
    // As many bytes as those of bittensor-drand 2.0.0 for as many weights.
    assert_eq!((commit.sealed.len(), commit.round), (295, 77));
    assert_eq!(plain(&commit.sealed, 77), (HOTKEY.to_vec(), vec![0, 2], vec![100, 65_535], 9));
    assert!(open_bytes(&commit.sealed, 77, &beacon().0.sign(78)).is_err());
}

#[test]
fn too_many_weights_are_not_sealed() {
    let many: Vec<(u16, u16)> = (0..1500).map(|uid| (uid, 1)).collect();
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    assert_eq!(Commit::seal(&HOTKEY, &many, 0, 1, &beacon().1, &mut rng), None);
    assert!(Commit::seal(&HOTKEY, &many[..1024], 0, 1, &beacon().1, &mut rng).is_some());
}

/// The blocks that bittensor-drand 2.0.0 and bittensor-core 0.1.5 (`get_encrypted_commit_v2`) reckon with.
#[test]
fn the_reveal_comes_in_the_block_that_the_networks_client_expects() {
    let cases = [
        // last epoch, pending, tempo, blocks since step, block, reveal period; reveal block
        ((1000, 0, 360, 20, 1020, 1), 1360),
        ((1000, 0, 360, 360, 1359, 1), 1720),
        ((1000, 0, 360, 359, 1358, 1), 1360),
        ((1000, 0, 360, 400, 1400, 1), 1761),
        ((1000, 1100, 360, 50, 1050, 1), 1100),
        ((1000, 1051, 360, 50, 1050, 2), 1771),
        ((10, 0, 50, 0, 10, 1), 60),
        ((1000, 0, 99, 20, 1020, 3), 1297),
        ((1000, 0, 360, 50_000, 50_999, 2), 51_720),
        ((500, 0, 1, 0, 500, 1), 502),
        // Forced, as none ran for 50,400 blocks.
        ((1_000_000, 0, 7200, 50_390, 1_000_100, 1), 1_000_112),
        ((1_000_000, 0, 7200, 50_390, 1_000_100, 2), 1_007_311),
        ((1_000_000, 0, 7200, 50_400, 1_000_100, 1), 1_000_102),
        ((1_000_000, 0, 7200, 50_400, 1_000_100, 2), 1_007_301),
        ((1_000_000, 0, 7200, 50_401, 1_000_100, 1), 1_007_301),
        ((1_000_000, 0, 7200, 50_401, 1_000_100, 2), 1_014_501),
    ];
    for ((last_epoch, pending, tempo, since_step, block, reveal_period), expected) in cases {
        let clock = Clock::State { last_epoch, pending, since_step };
        let schedule = Schedule { block, tempo, reveal_period, clock };
        assert_eq!(schedule.reveal_block(), Some(expected), "{schedule:?}");
    }
    let never = Schedule { block: 5, tempo: 0, reveal_period: 1, clock: Clock::Number { netuid: 1 } };
    assert_eq!(never.reveal_block(), None);
}

#[test]
fn older_runtimes_count_by_the_blocks_number() {
    // An epoch runs where (block + netuid + 1) is a multiple of (tempo + 1).
    for block in 990..1_120 {
        let schedule = Schedule { block, tempo: 99, reveal_period: 2, clock: Clock::Number { netuid: 9 } };
        let reveal = schedule.reveal_block().unwrap();
        assert_eq!((reveal + 10) % 100, 0, "{block}");
        let first = (block + 1..).find(|block| (block + 10) % 100 == 0).unwrap();
        let epochs = if first == block + 1 { 2 } else { 1 };
        assert_eq!(reveal, first + 100 * epochs, "{block}");
    }
}

#[test]
fn the_round_is_out_before_the_chain_needs_it() {
    let scheme = beacon().1;
    let clock = Clock::State { last_epoch: 1000, pending: 0, since_step: 20 };
    let schedule = Schedule { block: 1020, tempo: 360, reveal_period: 1, clock };
    let now = 2_000_000;
    let round = schedule.reveal_round(now, 12_000, &scheme).unwrap();
    let out = scheme.published_at(round);
    let at = now + (1360 + 3 - 1020) * 12;
    assert!(out <= at && out + 3 > at, "{out} {at}");
}

#[test]
fn the_call_is_encoded_by_a_runtime_that_has_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/metadata");
    let bytes = std::fs::read(folder.join("spec-351.scale")).unwrap();
    let metadata = Arc::new(Metadata::decode_from(&bytes).unwrap());
    let range = SpecVersionForRange { block_range: 0..10, spec_version: 351, transaction_version: 1 };
    let config = SubstrateConfig::builder()
        .set_metadata_for_spec_versions([(351, metadata)])
        .set_spec_version_for_block_ranges([range])
        .build();
    let at = OfflineClient::new_with_config(config).at_block(1u64).unwrap();
    let commit = commit(4_242);
    let settings = |mechanism| ChainSettings { mechanism, ..ChainSettings::new(123, 9) };
    let of = |mechanism| sealed(at.metadata_ref(), &settings(mechanism), &commit).unwrap();
    let data = at.tx().call_data(&of(1)).unwrap();
    // Pallet and call; netuid, mechanism, length and bytes of the commit, round, version.
    let expected = (123u16, 1u8, commit.sealed.clone(), 4_242u64, 4u16);
    assert_eq!(<(u16, u8, Vec<u8>, u64, u16)>::decode(&mut &data[2..]).unwrap(), expected);
    assert_eq!(data.len(), 2 + 2 + 1 + 2 + commit.sealed.len() + 8 + 2);
    let decoded = at.tx().from_call_data_bytes(&data).unwrap();
    assert_eq!(decoded.call_data().len(), 5);
    assert_eq!(plain(&expected.2, 4_242).1, [0, 2]);
    let data = at
        .tx()
        .call_data(&super::weights::plain(at.metadata_ref(), &settings(2), &WEIGHTS).unwrap())
        .unwrap();
    let (uids, weights): (Vec<u16>, Vec<u16>) = WEIGHTS.into_iter().unzip();
    type Plain = (u16, u8, Vec<u16>, Vec<u16>, u64);
    assert_eq!(Plain::decode(&mut &data[2..]).unwrap(), (123, 2, uids, weights, 9));
}
