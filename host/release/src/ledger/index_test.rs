//! What of a `ledger.toml` is taken, and what is not.

use super::{
    LARGEST_LEDGER_INDEX, LedgerIndex, LedgerRejection, ListedChallenge, ListedFacts, ListedPart, MOST_PARTS,
    Seen,
};
use crate::Digest;
use crate::signature::Signed;
use crate::signature::to_file;
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey};

const PUBLISHER: &str = "5Publisher";

fn part(day: i64) -> ListedPart {
    ListedPart {
        day,
        is_final: true,
        first: 7200 * day,
        last: 7200 * day + 7195,
        blocks: 1440,
        rows: 2880,
        size: 100,
        bytes: 1000,
        sha256: Digest::of(&day.to_le_bytes()),
        content: Digest::of(b"content"),
    }
}

fn index(days: &[i64]) -> LedgerIndex {
    let eth = ListedChallenge {
        ticker: "ETH".into(),
        dim: 2,
        blocks_ahead: 300,
        storage: "f16".into(),
        lag: 300,
        prices_from: None,
        assets: Vec::new(),
    };
    let both = ListedChallenge { ticker: "PAIR".into(), assets: vec!["A".into(), "B".into()], ..eth.clone() };
    let challenges = vec![eth, both];
    LedgerIndex {
        netuid: 123,
        publisher: PUBLISHER.into(),
        number: 7,
        unix: 1_760_000_000,
        sample_every: 5,
        part_blocks: 7200,
        layout: ListedChallenge::digest(&challenges),
        facts: Some(ListedFacts { size: 5, bytes: 9, sha256: Digest::of(b"f"), content: Digest::of(b"g") }),
        challenges,
        parts: days.iter().map(|day| part(*day)).collect(),
    }
}

fn key(seed: u8) -> Keypair {
    MiniSecretKey::from_bytes(&[seed; 32]).unwrap().expand_to_keypair(ExpansionMode::Ed25519)
}

fn sign(key: &Keypair, text: &str) -> String {
    to_file(&key.sign_simple(b"substrate", &Signed::Ledger.message(text.as_bytes())).to_bytes())
}

#[test]
fn what_is_written_is_read_back() {
    let index = index(&[970, 971, 973]);
    assert_eq!(LedgerIndex::parse(index.to_text().unwrap().as_bytes()).unwrap(), index);
    let many = LedgerIndex { parts: (0..MOST_PARTS as i64).map(part).collect(), ..index };
    assert!((many.to_text().unwrap().len() as u64) < LARGEST_LEDGER_INDEX);
}

#[test]
fn a_list_that_makes_no_sense_is_refused() {
    let with = |change: &dyn Fn(&mut LedgerIndex)| {
        let mut index = index(&[970, 971]);
        change(&mut index);
        index.to_text().unwrap_err().to_string()
    };
    for (said, says) in [
        (with(&|index| index.number = 0), "the first list is 1"),
        (with(&|index| index.publisher = "a b".into()), "`publisher` is no hotkey"),
        (with(&|index| index.sample_every = 0), "`sample_every` 0"),
        (with(&|index| index.part_blocks = 2), "`part_blocks` is 2"),
        (with(&|index| index.parts.swap(0, 1)), "part 970 follows 971"),
        (with(&|index| index.parts[0].first = 0), "not that day's"),
        (with(&|index| index.parts[1].last += 5), "not that day's"),
        (with(&|index| index.parts[1].day = i64::MAX), "not that day's"),
        (with(&|index| index.parts[1].size = 0), "part 971 has 0 bytes"),
        (with(&|index| index.parts[1].size = 1 << 40), "536870912 and"),
        (with(&|index| index.parts[1].bytes = 1 << 40), "8589934592 are allowed"),
        (with(&|index| index.parts[1].rows = 1 << 40), "no room"),
        (with(&|index| index.parts = (0..5000).map(part).collect()), "5000 parts"),
        (with(&|index| index.challenges[1].ticker = "ETH".into()), "a ticker stands in it twice"),
        (with(&|index| index.challenges[1].ticker = "E\n".into()), "no name"),
        (with(&|index| index.challenges[1].dim = 3), "not the digest of the [[challenge]]s"),
        (with(&|index| index.challenges[1].dim = 0), "0 numbers"),
        (with(&|index| index.challenges[1].storage = "f64".into()), "another `storage`"),
        (with(&|index| index.facts.as_mut().unwrap().size = 1 << 40), "the facts have"),
    ] {
        assert!(said.contains(says) && said.len() < 500, "{says}: {said}");
    }
    let text = index(&[970]).to_text().unwrap();
    for (bad, says) in [
        (text.replacen("number = 7", "number = 7\nmore = 1", 1), "unknown field `more`"),
        (text.replacen("netuid = 123\n", "", 1), "missing field `netuid`"),
        (text.replacen("sha256:", "md5:", 1), "64 hexadecimal digits"),
        ("\u{0}".into(), "ledger.toml"),
    ] {
        let said = LedgerIndex::parse(bad.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(says), "{says}: {said}");
    }
    assert!(LedgerIndex::parse(b"\xff").unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn only_the_publishers_newest_list_for_this_subnet_is_taken() {
    let (publisher, other) = (key(1), key(2));
    let public = publisher.public.to_bytes();
    let text = index(&[970]).to_text().unwrap();
    let signature = sign(&publisher, &text);
    let digest = Digest::of(text.as_bytes());
    let judge = |text: &str, signature: &str, of: &str, network: (u16, u32), seen: Option<Seen>| {
        LedgerIndex::judge(text.as_bytes(), signature.as_bytes(), (of, &public), network, seen)
            .map(|index| index.number)
            .map_err(|error| error.to_string())
    };
    assert_eq!(judge(&text, &signature, PUBLISHER, (123, 5), None), Ok(7));
    assert_eq!(judge(&text, &signature, PUBLISHER, (123, 5), Some(Seen { number: 7, digest })), Ok(7));
    let older = Seen { number: 6, digest: Digest::of(b"older") };
    assert_eq!(judge(&text, &signature, PUBLISHER, (123, 5), Some(older)), Ok(7));
    let newer = Seen { number: 8, ..older };
    let again = Seen { number: 7, ..older };
    for (said, says) in [
        (
            judge(&text, &sign(&other, &text), PUBLISHER, (123, 5), None),
            "not signed by the publisher 5Publisher",
        ),
        (judge(&text, "", PUBLISHER, (123, 5), None), "not signed by"),
        (judge(&text, &signature, "5Other", (123, 5), None), "says that 5Publisher publishes it, and 5Other"),
        (
            judge(&text, &signature, PUBLISHER, (9, 5), None),
            "for subnet 123, and the configuration is of subnet 9",
        ),
        (judge(&text, &signature, PUBLISHER, (123, 10), None), "a row every 5 blocks"),
        (
            judge(&text, &signature, PUBLISHER, (123, 5), Some(newer)),
            "number 7, and number 8 was seen before",
        ),
        (judge(&text, &signature, PUBLISHER, (123, 5), Some(again)), "a publisher uses a number once"),
    ] {
        let said = said.unwrap_err();
        assert!(said.contains(says), "{says}: {said}");
    }
}

#[test]
fn no_flipped_bit_of_a_list_is_taken() {
    let publisher = key(1);
    let public = publisher.public.to_bytes();
    let text = index(&[970, 971, 972]).to_text().unwrap();
    let signature = sign(&publisher, &text);
    for i in 0..1000_u64 {
        let mut bytes = text.clone().into_bytes();
        let at = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (8 * bytes.len() as u64)) as usize;
        bytes[at / 8] ^= 1 << (at % 8);
        let judged = LedgerIndex::judge(&bytes, signature.as_bytes(), (PUBLISHER, &public), (123, 5), None);
        assert!(matches!(judged, Err(LedgerRejection::Signature { .. })), "bit {at}");
    }
}

#[test]
fn a_file_is_named_by_its_day_and_digest() {
    let (one, two) = (part(970), part(971));
    assert!(one.name().starts_with("parts/970-") && one.name().ends_with(".zst"), "{}", one.name());
    assert_ne!(one.name(), ListedPart { sha256: two.sha256, ..one }.name());
}
