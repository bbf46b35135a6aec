//! What the targets share: a beacon, an owner, and payloads that are almost sound.
//!
//! An input is JSON text, taken as it is; or a recipe: after a byte 0xfe come edits of a payload sealed on the spot,
//! so that the fuzzer gets behind the binding, which no mutation of bytes would.

#![allow(missing_docs)]

use mantis_payload::beacon::{Scheme, signing::BeaconKey};
use mantis_payload::{
    Envelope, EnvelopeRules, OwnerSecret, PayloadRejection, SealOptions, seal, timelock::Size,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value};
use std::sync::OnceLock;

pub const HOTKEY: &str = "5FpjvVN9fkYjNvNwzZYxLFNz2UVDmeZ8ZvD47A1dLMnsVgo6";
pub const ROUND: u64 = 1000;

pub struct World {
    pub signature: [u8; 48],
    pub owner: OwnerSecret,
    pub rules: EnvelopeRules,
    pub sealed: [Value; 2],
}

pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let key = BeaconKey::from_seed(&[1; 32]).expect("a key");
        let scheme = Scheme::new(&key.public_key(), 0, 3).expect("a beacon");
        let owner = OwnerSecret::new([2; 32]);
        let plaintext: Map<String, Value> =
            serde_json::from_str(r#"{"ETH": [0.25, -0.5], "MULTIXSEC": {"BTC": 0.5}}"#).expect("JSON");
        let sealed = [Size::Long, Size::Short].map(|size| {
            let options = SealOptions { size, ..SealOptions::default() };
            let mut rng = ChaCha20Rng::seed_from_u64(1);
            let bytes = seal(&plaintext, HOTKEY, ROUND, &owner.public_key(), &scheme, options, &mut rng);
            serde_json::from_slice(&bytes.expect("sealed")).expect("JSON")
        });
        let rules = EnvelopeRules::new(owner.public_key(), ROUND, 1 << 16);
        World { signature: key.sign(ROUND), owner, rules, sealed }
    })
}

/// Opens by both paths; where both open, they must agree.
pub fn open(payload: &[u8]) -> Result<(), PayloadRejection> {
    let world = world();
    let envelope = Envelope::parse(payload, HOTKEY, &world.rules)?;
    assert_eq!(envelope.hotkey(), HOTKEY);
    assert!((1..=ROUND).contains(&envelope.round()));
    let by_owner = envelope.open_as_owner(&world.owner);
    let opened = envelope.open(&world.signature)?;
    assert_eq!(by_owner.as_ref(), Ok(&opened));
    Ok(())
}

/// The places of a payload that an edit can go to.
const PLACES: [&str; 10] = [
    "/W_time/ct",
    "/W_time/ct",
    "/W_time/ct",
    "/C/ct",
    "/C/nonce",
    "/W_owner/ct",
    "/W_owner/nonce",
    "/W_owner/pke",
    "/binding",
    "/owner_pk",
];

/// A payload made by a recipe: which of the sealed ones, then edits of five bytes each (place, where, value, kind).
pub fn cooked(recipe: &[u8]) -> Vec<u8> {
    let Some((&which, edits)) = recipe.split_first() else { return Vec::new() };
    let mut payload = world().sealed[usize::from(which) % 2].clone();
    for edit in edits.chunks_exact(5).take(8) {
        let place = PLACES[usize::from(edit[0]) % PLACES.len()];
        let Some(field) = payload.pointer_mut(place) else { continue };
        let mut digits = field.as_str().unwrap_or_default().as_bytes().to_vec();
        if digits.is_empty() {
            continue;
        }
        let at = 2 * (usize::from(u16::from_le_bytes([edit[1], edit[2]])) % (digits.len() / 2).max(1));
        let byte = format!("{:02x}", edit[3]).into_bytes();
        match edit[4] % 8 {
            0..=3 => digits[at..at + 2].copy_from_slice(&byte),
            4 => digits.truncate(at),
            5 => digits.extend_from_slice(&byte),
            6 => digits[at] = edit[3] & 0x7f,
            _ => digits[at..].make_ascii_uppercase(),
        }
        *field = String::from_utf8_lossy(&digits).into_owned().into();
    }
    payload.to_string().into_bytes()
}
