//! Malformed payloads, each refused with a reason of its own. `cargo test malformed -- --nocapture` prints the table.

use super::keys::{binding, seal_box, wrap_key};
use super::*;
use crate::beacon::{Scheme, signing::BeaconKey};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use x25519_dalek::{PublicKey, StaticSecret};

const ME: &str = "5FpjvVN9fkYjNvNwzZYxLFNz2UVDmeZ8ZvD47A1dLMnsVgo6";
const ROUND: u64 = 1000;
const NEWEST: u64 = 1010;

struct World {
    beacon: BeaconKey,
    scheme: Scheme,
    owner: OwnerSecret,
}

/// What a sealer controls; the default is sound.
struct Parts {
    round: u64,
    lock_round: u64,
    ske: [u8; 32],
    wrapped_ske: Option<[u8; 32]>,
    key: [u8; 32],
    wrapped_key: Option<[u8; 32]>,
    content_key: Option<[u8; 32]>,
    plaintext: Vec<u8>,
    digits: Option<[u8; timelock::TEXT]>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            round: ROUND,
            lock_round: ROUND,
            ske: [3; 32],
            wrapped_ske: None,
            key: [4; 32],
            wrapped_key: None,
            content_key: None,
            plaintext: json!({"ETH": [0.5, 0.5], "hotkey": ME}).to_string().into_bytes(),
            digits: None,
        }
    }
}

impl World {
    fn new() -> Self {
        let beacon = BeaconKey::from_seed(&[1; 32]).unwrap();
        let scheme = Scheme::new(&beacon.public_key(), 0, 3).unwrap();
        Self { beacon, scheme, owner: OwnerSecret::new([2; 32]) }
    }

    /// Seals step by step, so that each step can be done wrong.
    fn sealed(&self, parts: &Parts) -> Value {
        let owner = self.owner.public_key();
        let ske = StaticSecret::from(parts.ske);
        let pke = PublicKey::from(&ske).to_bytes();
        let binding = binding(ME, parts.round, &owner, &pke);
        let wrap_key = wrap_key(&ske, &owner, "owner key").unwrap();
        let content = seal_box(&parts.content_key.unwrap_or(parts.key), &[5; 12], &parts.plaintext, &binding);
        let wrap = seal_box(&wrap_key, &[6; 12], &parts.wrapped_key.unwrap_or(parts.key), &binding);
        let digits = parts.digits.unwrap_or_else(|| {
            let digits = hex::encode(parts.wrapped_ske.unwrap_or(parts.ske)) + &hex::encode(parts.key);
            digits.as_bytes().try_into().unwrap()
        });
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let time = timelock::seal(&digits, parts.lock_round, &self.scheme, timelock::Size::Long, &mut rng);
        json!({
            "v": 2, "round": parts.round, "hk": ME, "owner_pk": hex::encode(owner),
            "C": {"nonce": hex::encode([5; 12]), "ct": hex::encode(content.unwrap())},
            "W_owner": {"pke": hex::encode(pke), "nonce": hex::encode([6; 12]), "ct": hex::encode(wrap.unwrap())},
            "W_time": {"ct": hex::encode(time.unwrap())},
            "binding": hex::encode(binding), "alg": Suite::Network.label(),
        })
    }

    fn judge(&self, payload: &[u8]) -> Result<Plaintext, PayloadRejection> {
        self.judge_up_to(13 << 20, payload)
    }

    fn judge_up_to(&self, plaintext_bytes: usize, payload: &[u8]) -> Result<Plaintext, PayloadRejection> {
        let rules = EnvelopeRules::new(self.owner.public_key(), NEWEST, plaintext_bytes);
        let envelope = Envelope::parse(payload, ME, &rules)?;
        envelope.open(&self.beacon.sign(envelope.round()))
    }

    fn text(&self, plaintext: impl Into<Vec<u8>>) -> Vec<u8> {
        let plaintext = plaintext.into();
        self.sealed(&Parts { plaintext, ..Parts::default() }).to_string().into_bytes()
    }
}

/// A sound payload with one value replaced.
fn with(payload: &Value, pointer: &str, value: Value) -> Vec<u8> {
    let mut payload = payload.clone();
    *payload.pointer_mut(pointer).unwrap() = value;
    payload.to_string().into_bytes()
}

/// A sound payload without one field.
fn without(payload: &Value, parent: &str, key: &str) -> Vec<u8> {
    let mut payload = payload.clone();
    payload.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    payload.to_string().into_bytes()
}

/// A sound payload with one digit of a field changed to another.
fn flipped(payload: &Value, pointer: &str, at: usize) -> Vec<u8> {
    let mut digits = payload.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let other = if &digits[at..=at] == "0" { "1" } else { "0" };
    digits.replace_range(at..=at, other);
    with(payload, pointer, digits.into())
}

/// The time-lock's digits with those from `at` (a byte) on replaced.
fn timelock_with(payload: &Value, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut digits = payload["W_time"]["ct"].as_str().unwrap().to_owned();
    digits.replace_range(2 * at..2 * (at + bytes.len()), &hex::encode(bytes));
    with(payload, "/W_time/ct", digits.into())
}

/// A point of the curve of G2 outside the group, compressed.
fn outside_g2() -> [u8; 96] {
    let candidates = (1..200).map(|x| {
        let mut point = [0; 96];
        (point[0], point[95]) = (0x80, x);
        point
    });
    let on_curve = |point: &[u8; 96]| {
        blst::min_sig::PublicKey::uncompress(point)
            .is_ok_and(|p| p.validate() == Err(blst::BLST_ERROR::BLST_POINT_NOT_IN_GROUP))
    };
    candidates.into_iter().find(on_curve).unwrap()
}

fn timelock_cases(world: &World, sound: &Value) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let ct = sound["W_time"]["ct"].as_str().unwrap();
    let mut neutral = [0; 96];
    neutral[0] = 0xc0;
    let not_on_curve = (1..200).map(|x| {
        let mut point = [0; 96];
        (point[0], point[95]) = (0x80, x);
        point
    });
    let not_on_curve =
        not_on_curve.into_iter().find(|p| blst::min_sig::PublicKey::uncompress(p).is_err()).unwrap();
    let other_u: [u8; 96] = BeaconKey::from_seed(&[77; 32]).unwrap().public_key();
    let huge = u64::MAX.to_le_bytes();
    let sealed = |parts: Parts| world.sealed(&parts).to_string().into_bytes();
    vec![
        ("time-lock: empty", "length", with(sound, "/W_time/ct", "".into())),
        ("time-lock: cut short", "length", with(sound, "/W_time/ct", ct[..700].into())),
        ("time-lock: a byte too many", "length", with(sound, "/W_time/ct", format!("{ct}00").into())),
        ("time-lock: odd digits", "length", with(sound, "/W_time/ct", ct[1..].into())),
        ("time-lock: no digits", "hex", with(sound, "/W_time/ct", "z".repeat(744).into())),
        (
            "time-lock: 356 bytes of the long form",
            "timelock_layout",
            with(sound, "/W_time/ct", ct[..712].into()),
        ),
        ("time-lock: v of 2^64-1 bytes", "timelock_layout", timelock_with(sound, 96, &huge)),
        ("time-lock: w of 0 bytes", "timelock_layout", timelock_with(sound, 136, &[0; 8])),
        ("time-lock: body of 2^64-1 bytes", "timelock_layout", timelock_with(sound, 176, &huge)),
        ("time-lock: text of 143 bytes", "timelock_layout", timelock_with(sound, 184, &[143])),
        ("time-lock: nonce of 2^32 bytes", "timelock_layout", timelock_with(sound, 336, &[0, 0, 0, 0, 1])),
        ("time-lock: mark of 7 bytes", "timelock_layout", timelock_with(sound, 356, &[7])),
        ("time-lock: another mark", "timelock_layout", timelock_with(sound, 364, b"CHACHA20")),
        ("time-lock: point with no flags", "timelock_point", timelock_with(sound, 0, &[0; 96])),
        ("time-lock: point with all bits", "timelock_point", timelock_with(sound, 0, &[0xff; 96])),
        ("time-lock: neutral point", "timelock_point", timelock_with(sound, 0, &neutral)),
        ("time-lock: point off the curve", "timelock_point", timelock_with(sound, 0, &not_on_curve)),
        ("time-lock: point outside the group", "timelock_point", timelock_with(sound, 0, &outside_g2())),
        ("time-lock: another point", "timelock_proof", timelock_with(sound, 0, &other_u)),
        ("time-lock: v changed", "timelock_proof", timelock_with(sound, 104, &[0; 32])),
        ("time-lock: w changed", "timelock_proof", timelock_with(sound, 144, &[0; 32])),
        (
            "time-lock: for another round",
            "timelock_proof",
            sealed(Parts { lock_round: 999, ..Parts::default() }),
        ),
        ("time-lock: text changed", "timelock_cipher", timelock_with(sound, 200, &[0; 4])),
        ("time-lock: nonce changed", "timelock_cipher", timelock_with(sound, 345, &[0; 4])),
        (
            "time-lock: holds no digits",
            "timelock_content",
            sealed(Parts { digits: Some([b'x'; 128]), ..Parts::default() }),
        ),
        (
            "time-lock: holds no text",
            "timelock_content",
            sealed(Parts { digits: Some([0xff; 128]), ..Parts::default() }),
        ),
        (
            "time-lock: another secret",
            "pke_mismatch",
            sealed(Parts { wrapped_ske: Some([9; 32]), ..Parts::default() }),
        ),
    ]
}

fn cases(world: &World) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let sound = &world.sealed(&Parts::default());
    let text = sound.to_string();
    let bytes = |text: &str| text.as_bytes().to_vec();
    let insert = |field: &str| text.replacen('{', &format!("{{{field},"), 1).into_bytes();
    let other = "5EASTaokxirHhjuMC4KYjxxpCqh8HcFkaDUnyqKbT7Wj5hWP";
    let sealed = |parts: Parts| world.sealed(&parts).to_string().into_bytes();
    let low_order = {
        let mut payload = sound.clone();
        let owner = world.owner.public_key();
        payload["W_owner"]["pke"] = hex::encode([0; 32]).into();
        payload["binding"] = hex::encode(binding(ME, ROUND, &owner, &[0; 32])).into();
        payload.to_string().into_bytes()
    };
    let mut owner_swap = sound.clone();
    owner_swap["owner_pk"] = hex::encode([7; 32]).into();
    let other_binding =
        hex::encode(binding(ME, ROUND, &[7; 32], &PublicKey::from(&StaticSecret::from([3; 32])).to_bytes()));
    let mut cases = vec![
        ("empty", "not_json", vec![]),
        ("white space", "not_json", bytes(" \n\t")),
        ("no JSON", "not_json", bytes("hello")),
        ("HTML", "not_json", bytes("<html></html>")),
        ("cut short", "not_json", bytes(&text[..text.len() / 2])),
        ("junk behind", "not_json", bytes(&format!("{text}junk"))),
        ("two payloads", "not_json", bytes(&format!("{text}{text}"))),
        ("zero bytes", "not_json", vec![0; 100]),
        ("no UTF-8", "not_json", insert("\"x\": \"\u{1}\"")),
        ("broken UTF-8", "not_json", [b"{\"\xff\xfe\": 1,", &text.as_bytes()[1..]].concat()),
        ("26 MiB, 16 KiB and a byte", "too_large", vec![b' '; (26 << 20) + (16 << 10) + 1]),
        ("25 MiB of brackets", "too_deep", vec![b'['; 25 << 20]),
        (
            "deep in an unknown field",
            "too_deep",
            insert(&format!("\"x\": {}{}", "[".repeat(50), "]".repeat(50))),
        ),
        ("a million values", "too_many_values", insert(&format!("\"x\": [{}0]", "0,".repeat(1_000_000)))),
        ("a key twice", "duplicate_key", insert("\"v\": 2")),
        ("a key twice, escaped", "duplicate_key", insert("\"\\u0068k\": 2")),
        (
            "a key twice inside",
            "duplicate_key",
            bytes(&text.replace("\"W_time\":{", "\"W_time\":{\"ct\":\"\",")),
        ),
        ("round NaN", "not_a_number", bytes(&text.replace("\"round\":1000", "\"round\":NaN"))),
        ("round -Infinity", "not_a_number", bytes(&text.replace("\"round\":1000", "\"round\":-Infinity"))),
        ("round 1e400", "number_range", bytes(&text.replace("\"round\":1000", "\"round\":1e400"))),
        ("a list", "not_an_object", bytes("[]")),
        ("a number", "not_an_object", bytes("2")),
        ("null", "not_an_object", bytes("null")),
        ("an empty object", "missing_field", bytes("{}")),
        ("v missing", "missing_field", without(sound, "", "v")),
        ("v 1", "version", with(sound, "/v", 1.into())),
        ("v 2.0", "version", with(sound, "/v", json!(2.0))),
        ("v \"2\"", "version", with(sound, "/v", "2".into())),
        ("v true", "version", with(sound, "/v", true.into())),
        ("round missing", "missing_field", without(sound, "", "round")),
        ("round 0", "round", with(sound, "/round", 0.into())),
        ("round -1", "round", with(sound, "/round", (-1).into())),
        ("round 1000.5", "round", with(sound, "/round", json!(1000.5))),
        ("round 2^64", "round", bytes(&text.replace("\"round\":1000", "\"round\":18446744073709551616"))),
        ("round \"1000\"", "wrong_type", with(sound, "/round", "1000".into())),
        ("round true", "wrong_type", with(sound, "/round", true.into())),
        ("round of another payload", "binding", with(sound, "/round", 999.into())),
        ("round not out in time", "round_too_late", sealed(Parts { round: NEWEST + 1, ..Parts::default() })),
        ("round of the far future", "round_too_late", sealed(Parts { round: u64::MAX, ..Parts::default() })),
        ("hk missing", "missing_field", without(sound, "", "hk")),
        ("hk another's", "wrong_hotkey", with(sound, "/hk", other.into())),
        ("hk empty", "wrong_hotkey", with(sound, "/hk", "".into())),
        ("hk of a megabyte", "wrong_hotkey", with(sound, "/hk", "5".repeat(1 << 20).into())),
        ("hk a list", "wrong_type", with(sound, "/hk", json!([ME]))),
        ("C missing", "missing_field", without(sound, "", "C")),
        ("C a string", "wrong_type", with(sound, "/C", "00".into())),
        ("C.nonce missing", "missing_field", without(sound, "/C", "nonce")),
        ("C.nonce of 11 bytes", "length", with(sound, "/C/nonce", "00".repeat(11).into())),
        ("C.nonce changed", "aead", flipped(sound, "/C/nonce", 0)),
        ("C.ct missing", "missing_field", without(sound, "/C", "ct")),
        ("C.ct a number", "wrong_type", with(sound, "/C/ct", 5.into())),
        ("C.ct shorter than a tag", "length", with(sound, "/C/ct", "00".repeat(15).into())),
        ("C.ct odd", "length", with(sound, "/C/ct", "0".repeat(101).into())),
        ("C.ct no digits", "hex", with(sound, "/C/ct", "0x".repeat(50).into())),
        ("C.ct not ASCII", "hex", with(sound, "/C/ct", "é".repeat(50).into())),
        ("C.ct changed", "aead", flipped(sound, "/C/ct", 0)),
        ("C of another key", "aead", sealed(Parts { content_key: Some([9; 32]), ..Parts::default() })),
        ("W_owner missing", "missing_field", without(sound, "", "W_owner")),
        ("W_owner null", "wrong_type", with(sound, "/W_owner", Value::Null)),
        ("W_owner.pke missing", "missing_field", without(sound, "/W_owner", "pke")),
        ("W_owner.pke of 33 bytes", "length", with(sound, "/W_owner/pke", "00".repeat(33).into())),
        ("W_owner.pke changed", "binding", flipped(sound, "/W_owner/pke", 0)),
        ("W_owner.pke of small order", "pke_mismatch", low_order),
        ("W_owner.nonce missing", "missing_field", without(sound, "/W_owner", "nonce")),
        ("W_owner.nonce changed", "owner_wrap", flipped(sound, "/W_owner/nonce", 3)),
        ("W_owner.ct missing", "missing_field", without(sound, "/W_owner", "ct")),
        ("W_owner.ct of 47 bytes", "length", with(sound, "/W_owner/ct", "00".repeat(47).into())),
        ("W_owner.ct changed", "owner_wrap", flipped(sound, "/W_owner/ct", 95)),
        (
            "W_owner holds another key",
            "key_mismatch",
            sealed(Parts { wrapped_key: Some([9; 32]), ..Parts::default() }),
        ),
        ("W_time missing", "missing_field", without(sound, "", "W_time")),
        ("W_time.ct missing", "missing_field", without(sound, "/W_time", "ct")),
        ("binding missing", "missing_field", without(sound, "", "binding")),
        ("binding of 31 bytes", "length", with(sound, "/binding", "00".repeat(31).into())),
        ("binding changed", "binding", flipped(sound, "/binding", 63)),
        ("binding of another owner", "binding", with(sound, "/binding", other_binding.into())),
        ("owner_pk another's", "owner_key", owner_swap.to_string().into_bytes()),
        ("owner_pk null", "wrong_type", with(sound, "/owner_pk", Value::Null)),
        ("owner_pk of 0 bytes", "length", with(sound, "/owner_pk", "".into())),
        ("alg missing", "missing_field", without(sound, "", "alg")),
        ("alg none", "alg", with(sound, "/alg", "none".into())),
        ("alg false", "wrong_type", with(sound, "/alg", false.into())),
        ("plaintext empty", "plaintext_not_json", world.text("")),
        ("plaintext no JSON", "plaintext_not_json", world.text("\u{1f980}")),
        ("plaintext with junk", "plaintext_not_json", world.text("{} {}")),
        ("plaintext deep", "plaintext_too_deep", world.text("[".repeat(100_000))),
        (
            "plaintext of a million values",
            "plaintext_too_many_values",
            world.text(format!("[{}0]", "0,".repeat(1_000_000))),
        ),
        (
            "plaintext with a key twice",
            "plaintext_duplicate_key",
            world.text(format!("{{\"ETH\":1,\"ETH\":2,\"hotkey\":\"{ME}\"}}")),
        ),
        ("plaintext a list", "plaintext_not_an_object", world.text("[[0.5, 0.5]]")),
        ("plaintext true", "plaintext_not_an_object", world.text("true")),
        ("plaintext NaN", "plaintext_not_an_object", world.text("NaN")),
        ("plaintext without hotkey", "plaintext_hotkey", world.text("{\"ETH\": [1, 0]}")),
        (
            "plaintext of another hotkey",
            "plaintext_hotkey",
            world.text(format!("{{\"hotkey\":\"{other}\"}}")),
        ),
        ("plaintext hotkey 1e400", "plaintext_hotkey", world.text("{\"hotkey\": 1e400}")),
    ];
    cases.extend(timelock_cases(world, sound));
    cases
}

#[test]
fn every_malformed_payload_has_its_reason() {
    let world = World::new();
    let sound = world.sealed(&Parts::default());
    world.judge(sound.to_string().as_bytes()).unwrap();
    let cases = cases(&world);
    assert!(cases.len() >= 40);
    let mut messages = std::collections::BTreeSet::new();
    println!("name | code | message\n---|---|---");
    for (name, code, payload) in &cases {
        let refusal = world.judge(payload).expect_err(name);
        println!("{name} | {} | {refusal}", refusal.code());
        assert_eq!(refusal.code(), *code, "{name}: {refusal}");
        assert!(refusal.to_string().len() < 400, "{name}: {refusal}");
        messages.insert(refusal.to_string());
    }
    println!("{} payloads, {} messages", cases.len(), messages.len());
    // Payloads with the same fault in the same place share a message.
    assert!(messages.len() > 60);
}

/// As much JSON as is asked for, and the hotkey.
fn text_of(bytes: usize, piece: &str) -> String {
    let ends = format!("{{\"hotkey\":\"{ME}\",\"x\":[]}}").len();
    let pieces = vec![piece; (bytes - ends + 1) / (piece.len() + 1)].join(",");
    let blanks = " ".repeat(bytes - ends - pieces.len());
    format!("{{\"hotkey\":\"{ME}\",\"x\":[{pieces}]{blanks}}}")
}

#[test]
fn the_largest_payload_opens_and_what_is_larger_or_grows_does_not() {
    let world = World::new();
    let limit = 1 << 16;
    let judge = |plaintext: String| world.judge_up_to(limit, &world.text(plaintext));
    let numbers = text_of(limit, "0.123456789");
    assert_eq!(numbers.len(), limit);
    judge(numbers).unwrap();
    let more = judge(text_of(limit + 1, "0.5")).unwrap_err();
    assert_eq!(more.code(), "plaintext_too_large");
    assert!(more.to_string().contains("65537 bytes where at most 65536 are allowed"), "{more}");
    let nested = judge(text_of(limit, &format!("{}1{}", r#"{"a":"#.repeat(13), "}".repeat(13)))).unwrap_err();
    assert_eq!(nested.code(), "plaintext_too_much_memory", "{nested}");
    // What stands beside the sealed part is bounded, too.
    let mut padded = world.sealed(&Parts::default());
    padded["note"] = "x".repeat(2 * limit + (16 << 10)).into();
    let padded = world.judge_up_to(limit, padded.to_string().as_bytes()).unwrap_err();
    assert_eq!(padded.code(), "too_large", "{padded}");
}

#[test]
fn the_owners_path_refuses_too() {
    let world = World::new();
    let sound = world.sealed(&Parts::default());
    let judge = |payload: &Value| {
        let rules = EnvelopeRules::new(world.owner.public_key(), NEWEST, 1 << 16);
        Envelope::parse(payload.to_string().as_bytes(), ME, &rules)?.open_as_owner(&world.owner)
    };
    judge(&sound).unwrap();
    // What the curve25519 library takes for a point of small order is not opened.
    for point in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let mut payload = sound.clone();
        payload["W_owner"]["pke"] = hex::encode(point).into();
        payload["binding"] = hex::encode(binding(ME, ROUND, &world.owner.public_key(), &point)).into();
        assert_eq!(judge(&payload).unwrap_err().code(), "low_order_point");
    }
    let rules = EnvelopeRules::new(world.owner.public_key(), NEWEST, 1 << 16);
    let envelope = Envelope::parse(sound.to_string().as_bytes(), ME, &rules).unwrap();
    assert_eq!(envelope.open_as_owner(&OwnerSecret::new([8; 32])).unwrap_err().code(), "owner_secret");
    assert_eq!(envelope.open(&[0; 48]).unwrap_err().code(), "beacon_signature");
    let low_order_owner = seal(
        &Map::new(),
        ME,
        1,
        &[0; 32],
        &world.scheme,
        SealOptions::default(),
        &mut ChaCha20Rng::seed_from_u64(1),
    );
    assert_eq!(low_order_owner, Err(SealError::OwnerKey));
}

#[test]
fn what_the_network_bears_is_borne() {
    let world = World::new();
    let sound = world.sealed(&Parts::default());
    let opened = world.judge(sound.to_string().as_bytes()).unwrap();
    let mut upper = sound.clone();
    for pointer in [
        "/C/nonce",
        "/C/ct",
        "/W_owner/pke",
        "/W_owner/nonce",
        "/W_owner/ct",
        "/W_time/ct",
        "/binding",
        "/owner_pk",
    ] {
        let field = upper.pointer_mut(pointer).unwrap();
        *field = field.as_str().unwrap().to_uppercase().into();
    }
    let mut bare = sound.clone();
    bare.as_object_mut().unwrap().remove("owner_pk");
    let mut more = sound.clone();
    more["note"] = json!({"client": ["1.0", null]});
    more["C"]["note"] = 1.into();
    for payload in [upper.to_string(), bare.to_string(), more.to_string(), format!("\n {sound:#}\r\n")] {
        assert_eq!(world.judge(payload.as_bytes()).unwrap(), opened, "{payload}");
    }
    let text = format!("{{\"ETH\": [NaN, 0.5], \"XSEC\": {{\"BTC\": [-1e400]}}, \"hotkey\": \"{ME}\"}}");
    let opened = world.judge(&world.text(text)).unwrap();
    assert_eq!(opened.object["ETH"], json!([null, 0.5]));
    assert_eq!(opened.object["XSEC"]["BTC"], json!([f64::MIN]));
    assert_eq!(opened.unfit_numbers, ["NaN", "-1e400"]);
}
