//! What an event says: its words, cut to the numbers of a fact.

use super::hex::{Bytes, Fixed, Quantity};
use mantis_config::{EventNumber, EventWord, FactSource};
use serde::Deserialize;
use subxt::utils::AccountId32;

/// An event as a node tells of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    address: Fixed<20>,
    topics: Vec<Fixed<32>>,
    data: Bytes,
    block_number: Quantity,
    block_hash: Fixed<32>,
    log_index: Quantity,
    #[serde(default)]
    removed: Option<bool>,
}

/// An event that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) block: i64,
    /// The hash of its block.
    pub(super) hash: Fixed<32>,
    index: i64,
    pub(super) hotkey: String,
    pub(super) numbers: Vec<f64>,
}

/// The events of a node's answer in their order.
///
/// # Errors
/// What is wrong, if one of them was not asked for, is there twice, or cannot be read.
pub(super) fn read_events(
    logs: &[Log],
    source: &FactSource,
    from: i64,
    to: i64,
) -> Result<Vec<Event>, &'static str> {
    let (hotkey, numbers) = (source.event_hotkey(), source.event_numbers());
    let is_asked_for = |log: &Log| {
        Some(log.address.0) == source.contract
            && log.topics.first().map(|topic| topic.0) == source.event
            && log.removed != Some(true)
    };
    let mut events = Vec::with_capacity(logs.len());
    for log in logs {
        if !is_asked_for(log) {
            return Err("one of another contract or kind, or one that was taken back");
        }
        let event = read_event(log, hotkey, &numbers).ok_or("one that lacks a word")?;
        if !(from..=to).contains(&event.block) {
            return Err("one of another block");
        }
        events.push(event);
    }
    events.sort_by_key(|event| (event.block, event.index));
    if events.windows(2).any(|pair| (pair[0].block, pair[0].index) == (pair[1].block, pair[1].index)) {
        return Err("one that is there twice");
    }
    Ok(events)
}

fn read_event(log: &Log, hotkey: EventWord, numbers: &[EventNumber]) -> Option<Event> {
    let word = |which: EventWord| -> Option<[u8; 32]> {
        match which {
            EventWord::Topic(n) => log.topics.get(n).map(|topic| topic.0),
            EventWord::Data(n) => log.data.0.get(32 * n..32 * n + 32)?.try_into().ok(),
        }
    };
    let value = |number: &EventNumber| Some(evaluate(word(number.word)?, number));
    Some(Event {
        block: log.block_number.0,
        hash: log.block_hash,
        index: log.log_index.0,
        hotkey: AccountId32(word(hotkey)?).to_string(),
        numbers: numbers.iter().map(value).collect::<Option<_>>()?,
    })
}

/// An unsigned word of 32 bytes, cut and divided.
fn evaluate(word: [u8; 32], number: &EventNumber) -> f64 {
    // As numbers of 64 bits, the lowest last.
    let (limbs, _) = word.as_chunks::<8>();
    let limbs: Vec<u64> = limbs.iter().map(|&limb| u64::from_be_bytes(limb)).collect();
    let bit = |at: u32| at < 256 && limbs[3 - (at / 64) as usize] >> (at % 64) & 1 == 1;
    if number.mask != u64::MAX {
        let low = (0..64).filter(|&at| bit(at + number.shift)).fold(0_u64, |low, at| low | 1 << at);
        return (low & number.mask) as f64 / number.divisor;
    }
    // From the highest bit on: exact below 2^53, and rounded once above, as far as a double reaches.
    let top = (0..256 - number.shift).rev().find(|&at| bit(at + number.shift));
    let Some(top) = top else { return 0.0 };
    let cut = top.saturating_sub(63);
    let high = (cut..=top).fold(0_u64, |high, at| high | u64::from(bit(at + number.shift)) << (at - cut));
    let sticky = (0..cut).any(|at| bit(at + number.shift));
    let scale = (0..cut).fold(1.0, |scale, _| scale * 2.0);
    (high | u64::from(sticky)) as f64 * scale / number.divisor
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn word(high: u128, low: u128) -> [u8; 32] {
        [high.to_be_bytes(), low.to_be_bytes()].concat().try_into().unwrap()
    }

    #[test]
    fn words_are_cut_and_divided() {
        let number = |text: &str| EventNumber::parse(text).unwrap();
        let key = (3_u128 << 32) + 40;
        assert_eq!(evaluate(word(0, key), &number("topic2>>32")), 3.0);
        assert_eq!(evaluate(word(0, key), &number("topic2&4294967295")), 40.0);
        assert_eq!(evaluate(word(0, 1_500_000_000), &number("data0/1e9")), 1.5);
        assert_eq!(evaluate(word(0, 0), &number("data0")), 0.0);
        assert_eq!(evaluate(word(0, (1 << 53) + 1), &number("data0")), 9_007_199_254_740_992.0);
        assert_eq!(
            evaluate(word(0, u128::MAX), &number("data0")),
            340_282_366_920_938_463_463_374_607_431_768_211_456.0
        );
        assert_eq!(
            evaluate(word(1, 0), &number("data0")),
            340_282_366_920_938_463_463_374_607_431_768_211_456.0
        );
    }

    #[test]
    fn an_event_is_read_from_its_words() {
        let text = |word: [u8; 32]| format!("0x{}", hex::encode(word));
        let log = json!({
            "address": format!("0x{}", "aa".repeat(20)), "blockNumber": "0x10", "blockHash": text([7; 32]),
            "logIndex": "0x2", "topics": [text([0; 32]), text([0x11; 32]), text(word(0, 1 << 32 | 7))],
            "data": format!("{}{}", text(word(0, 2_500_000_000)), hex::encode(word(0, 9))), "more": {},
        });
        let numbers: Vec<_> = ["topic2>>32", "topic2&4294967295", "data0/1e9", "data1"]
            .map(|text| EventNumber::parse(text).unwrap())
            .into();
        let read = |log: &serde_json::Value| serde_json::from_value::<Log>(log.clone());
        let event = read_event(&read(&log).unwrap(), EventWord::Topic(1), &numbers).unwrap();
        assert_eq!((event.block, event.index, event.hash), (16, 2, Fixed([7; 32])));
        assert_eq!(event.numbers, [1.0, 7.0, 2.5, 9.0]);
        assert!(event.hotkey.starts_with('5'), "{}", event.hotkey);
        let mut short = log.clone();
        short["data"] = json!("0x00");
        assert_eq!(read_event(&read(&short).unwrap(), EventWord::Topic(1), &numbers), None);
        assert_eq!(read_event(&read(&log).unwrap(), EventWord::Topic(3), &numbers), None);
        for (key, bad) in [
            ("blockNumber", json!("16")),
            ("blockNumber", json!(16)),
            ("logIndex", json!("0xx")),
            ("blockHash", json!(null)),
        ] {
            let mut log = log.clone();
            log[key] = bad;
            assert!(read(&log).is_err(), "{key}");
        }
    }
}
