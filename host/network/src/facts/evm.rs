//! Events of a contract, from a node of a chain of Ethereum's kind, up to a block that is final.

use super::{FactClient, FactError, FactUpdate, Known, check_time};
use futures_util::future::join_all;
use mantis_config::{EventNumber, EventWord, bare_url};
use mantis_plugin_api::{FactList, FactRow};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use subxt::utils::AccountId32;

/// Requests for events that one look makes at the most; what is left comes with the next one.
const MOST_REQUESTS: usize = 40;

/// A block as a node tells of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct BlockHead {
    number: i64,
    time: f64,
}

/// An event that was asked for.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    block: i64,
    index: i64,
    /// What the node says of its block's time, if it does.
    time: Option<f64>,
    hotkey: String,
    numbers: Vec<f64>,
}

pub(super) async fn read(client: &FactClient, known: Known, now: u64) -> Result<FactUpdate, FactError> {
    let urls: Vec<&str> = client.urls().collect();
    let heads = join_all(urls.iter().map(|url| final_head(client, url, known, now))).await;
    let mut nodes = Vec::new();
    let mut faults = Vec::new();
    for (url, head) in urls.into_iter().zip(heads) {
        match head {
            Ok(head) => nodes.push((url, head)),
            Err(error) => faults.push(error),
        }
    }
    // Up to where all that answer know it.
    let Some(last) = nodes.iter().map(|(_, head)| head.number).min() else {
        return Err(faults.swap_remove(0));
    };
    let first = known.block.map_or(i64::from(client.source.from_block), |block| block + 1);
    let step = i64::from(client.source.request_blocks);
    let mut rows = Vec::new();
    let mut next = first;
    for _ in 0..MOST_REQUESTS {
        if next > last {
            break;
        }
        let to = last.min(next + step - 1);
        rows.extend(events(client, &nodes, next, to).await?);
        next = to + 1;
    }
    let complete = next - 1;
    let url = nodes[0].0;
    let mut times = BTreeMap::new();
    for number in rows.iter().filter(|event| event.time.is_none()).map(|event| event.block).chain([complete])
    {
        if !times.contains_key(&number) {
            times.insert(number, block_head(client, url, &json!(hex_number(number))).await?.time);
        }
    }
    let row = |event: Event| FactRow {
        hotkey: event.hotkey,
        block: Some(event.block),
        time: event.time.or_else(|| times.get(&event.block).copied()),
        numbers: event.numbers,
    };
    let list = FactList {
        name: client.source.name.clone(),
        block: Some(complete),
        time: times.get(&complete).copied(),
        rows: rows.into_iter().map(row).collect(),
    };
    Ok(FactUpdate { list, is_whole: false, more: complete < last, faults })
}

/// The newest block of a node that is final, if it is of the right chain and not behind what is known.
async fn final_head(client: &FactClient, url: &str, known: Known, now: u64) -> Result<BlockHead, FactError> {
    let wrong = |what: String| FactError::Answer { url: bare_url(url), what };
    let chain = client.ask(url, "eth_chainId", json!([])).await?;
    let chain = number(&chain).ok_or_else(|| wrong("it does not tell its chain".into()))?;
    let wanted = client.source.chain_id.unwrap_or_default();
    if u64::try_from(chain).ok() != Some(wanted) {
        return Err(wrong(format!("it is of chain {chain}, and {wanted} is wanted")));
    }
    let head = match block_head(client, url, &json!("finalized")).await {
        Ok(head) => head,
        Err(_) => {
            let latest = block_head(client, url, &json!("latest")).await?;
            let behind = latest.number - i64::from(client.source.confirmations);
            block_head(client, url, &json!(hex_number(behind.max(0)))).await?
        }
    };
    check_time(head.time, Known { block: None, time: None }, now).map_err(wrong)?;
    match known.block.filter(|known| head.number < *known) {
        Some(known) => Err(wrong(format!("it is at block {}, and {known} was read before", head.number))),
        None => Ok(head),
    }
}

async fn block_head(client: &FactClient, url: &str, which: &Value) -> Result<BlockHead, FactError> {
    let block = client.ask(url, "eth_getBlockByNumber", json!([which, false])).await?;
    let wrong = |what: String| FactError::Answer { url: bare_url(url), what };
    let head = number(&block["number"]).zip(number(&block["timestamp"]));
    let (found, time) = head.ok_or_else(|| wrong(format!("it does not tell of the block {which}")))?;
    if which.as_str().is_some_and(|asked| asked.starts_with("0x") && asked != hex_number(found)) {
        return Err(wrong(format!("asked for block {which}, it tells of {found}")));
    }
    Ok(BlockHead { number: found, time: time as f64 })
}

/// The events of some blocks: all nodes that answer must say the same.
async fn events(
    client: &FactClient,
    nodes: &[(&str, BlockHead)],
    from: i64,
    to: i64,
) -> Result<Vec<Event>, FactError> {
    let answers = join_all(nodes.iter().map(|(url, _)| events_of(client, url, from, to))).await;
    let mut agreed: Option<(&str, Vec<Event>)> = None;
    let mut fault = None;
    for ((url, _), answer) in nodes.iter().zip(answers) {
        match (answer, &agreed) {
            (Err(error), _) => fault = Some(error),
            (Ok(events), None) => agreed = Some((url, events)),
            (Ok(events), Some((one, before))) => {
                if !are_same(before, &events) {
                    let (one, other) = (bare_url(one), bare_url(url));
                    return Err(FactError::Disagree { one, other, from, to });
                }
            }
        }
    }
    match (agreed, fault) {
        (Some((_, events)), _) => Ok(events),
        (None, Some(fault)) => Err(fault),
        (None, None) => Ok(Vec::new()),
    }
}

/// Whether two nodes tell of the same events; not all tell their times.
fn are_same(one: &[Event], other: &[Event]) -> bool {
    let timeless = |event: &Event| Event { time: None, ..event.clone() };
    one.iter().map(timeless).eq(other.iter().map(timeless))
}

async fn events_of(client: &FactClient, url: &str, from: i64, to: i64) -> Result<Vec<Event>, FactError> {
    let source = &client.source;
    let contract = hex::encode(source.contract.unwrap_or_default());
    let event = hex::encode(source.event.unwrap_or_default());
    let filter = json!([{
        "address": format!("0x{contract}"), "topics": [format!("0x{event}")],
        "fromBlock": hex_number(from), "toBlock": hex_number(to),
    }]);
    let answer = client.ask(url, "eth_getLogs", filter).await?;
    let wrong = |what: &str| FactError::Answer {
        url: bare_url(url),
        what: format!("the events of the blocks {from} to {to}: {what}"),
    };
    let logs = answer.as_array().ok_or_else(|| wrong("no list"))?;
    let (word, numbers) = (source.event_hotkey(), source.event_numbers());
    let mut events = Vec::with_capacity(logs.len());
    for log in logs {
        let is = |value: &Value, digits: &str| {
            let found = value.as_str().and_then(|text| text.strip_prefix("0x"));
            found.is_some_and(|found| found.eq_ignore_ascii_case(digits))
        };
        let is_asked_for = is(&log["address"], &contract) && is(&log["topics"][0], &event);
        if !is_asked_for || log["removed"] == json!(true) {
            return Err(wrong("one of another contract or kind, or one that was taken back"));
        }
        let event = read_event(log, word, &numbers).ok_or_else(|| wrong("one that cannot be read"))?;
        if !(from..=to).contains(&event.block) {
            return Err(wrong("one of another block"));
        }
        events.push(event);
    }
    events.sort_by_key(|event| (event.block, event.index));
    if events.windows(2).any(|pair| (pair[0].block, pair[0].index) == (pair[1].block, pair[1].index)) {
        return Err(wrong("one that is there twice"));
    }
    Ok(events)
}

fn read_event(log: &Value, hotkey: EventWord, numbers: &[EventNumber]) -> Option<Event> {
    let data = hex::decode(log["data"].as_str()?.strip_prefix("0x")?).ok()?;
    let word = |which: EventWord| -> Option<[u8; 32]> {
        match which {
            EventWord::Topic(n) => {
                let digits = log["topics"][n].as_str()?.strip_prefix("0x")?;
                hex::decode(digits).ok()?.try_into().ok()
            }
            EventWord::Data(n) => data.get(32 * n..32 * n + 32)?.try_into().ok(),
        }
    };
    let value = |number: &EventNumber| Some(evaluate(word(number.word)?, number));
    Some(Event {
        block: number(&log["blockNumber"])?,
        index: number(&log["logIndex"])?,
        time: number(&log["blockTimestamp"]).map(|time| time as f64),
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

/// A number as nodes write them: `0x1f`.
fn number(value: &Value) -> Option<i64> {
    i64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

fn hex_number(number: i64) -> String {
    format!("0x{number:x}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(evaluate(word(0, u128::MAX), &number("data0")), 2.0_f64.powi(128));
        assert_eq!(evaluate(word(1, 0), &number("data0")), 2.0_f64.powi(128));
    }

    #[test]
    fn an_event_is_read_from_its_words() {
        let log = json!({
            "blockNumber": "0x10", "logIndex": "0x2",
            "topics": ["0x00", format!("0x{}", "11".repeat(32)), format!("0x{}", hex::encode(word(0, 1 << 32 | 7)))],
            "data": format!("0x{}{}", hex::encode(word(0, 2_500_000_000)), hex::encode(word(0, 9))),
        });
        let numbers: Vec<_> = ["topic2>>32", "topic2&4294967295", "data0/1e9", "data1"]
            .map(|text| EventNumber::parse(text).unwrap())
            .into();
        let event = read_event(&log, EventWord::Topic(1), &numbers).unwrap();
        assert_eq!((event.block, event.index, event.time), (16, 2, None));
        assert_eq!(event.numbers, [1.0, 7.0, 2.5, 9.0]);
        assert!(event.hotkey.starts_with('5'), "{}", event.hotkey);
        for (key, bad) in [("data", "0x00"), ("blockNumber", "16"), ("logIndex", "0xx")] {
            let mut log = log.clone();
            log[key] = json!(bad);
            assert_eq!(read_event(&log, EventWord::Topic(1), &numbers), None, "{key}");
        }
    }
}
