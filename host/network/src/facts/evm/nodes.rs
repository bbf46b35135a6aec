//! Several nodes asked the same: what they say must agree, and one that gives nothing is left out of the look.

use super::event::{Event, Log, read_events};
use super::hex::{Fixed, Quantity, written};
use crate::facts::{FactClient, FactError, Known, check_time};
use crate::http::HttpError;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use mantis_config::bare_url;
use serde::Deserialize;
use serde_json::{Value, json};

/// Headers that a node is asked for at the same time.
const AT_ONCE: usize = 8;

/// A block as a node tells of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BlockHead {
    pub(super) number: i64,
    pub(super) time: f64,
    pub(super) hash: Fixed<32>,
}

#[derive(Deserialize)]
struct Header {
    number: Quantity,
    timestamp: Quantity,
    hash: Fixed<32>,
}

/// The nodes of a source that answer.
pub(super) struct Nodes<'a> {
    client: &'a FactClient,
    urls: Vec<&'a str>,
    /// What those that were left out did.
    pub(super) faults: Vec<FactError>,
}

impl<'a> Nodes<'a> {
    pub(super) fn new(client: &'a FactClient) -> Self {
        Self { client, urls: client.urls().collect(), faults: Vec::new() }
    }

    /// The newest block that is final for all that answer.
    pub(super) async fn last_final(&mut self, known: &Known, now: u64) -> Result<i64, FactError> {
        let heads = join_all(self.urls.iter().map(|url| final_head(self.client, url, known, now))).await;
        let heads = self.keep(heads)?;
        Ok(heads.iter().map(|head| head.number).min().unwrap_or_default())
    }

    /// The headers of some blocks.
    pub(super) async fn heads(&mut self, numbers: &[i64]) -> Result<Vec<BlockHead>, FactError> {
        let heads = join_all(self.urls.iter().map(|url| heads_of(self.client, url, numbers))).await;
        let heads = self.keep(heads)?;
        let span = (numbers.iter().min(), numbers.iter().max());
        self.agree(heads, span.0.copied().unwrap_or_default(), span.1.copied().unwrap_or_default())
    }

    /// The events of some blocks, from the first on, and up to which: of fewer where they are too many for an answer.
    pub(super) async fn events(&mut self, from: i64, mut to: i64) -> Result<(Vec<Event>, i64), FactError> {
        loop {
            let asked = self.urls.iter().map(|url| events_of(self.client, url, from, to));
            let answers = join_all(asked).await;
            if from < to && answers.iter().any(|answer| answer.as_ref().is_err_and(is_too_much)) {
                to = from + (to - from) / 2;
                continue;
            }
            let events = self.keep(answers)?;
            return Ok((self.agree(events, from, to)?, to));
        }
    }

    /// Leaves out the nodes that gave nothing.
    ///
    /// # Errors
    /// If none is left, what the first of them did.
    fn keep<T>(&mut self, answers: Vec<Result<T, FactError>>) -> Result<Vec<T>, FactError> {
        let (mut urls, mut kept, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (url, answer) in self.urls.iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    urls.push(*url);
                    kept.push(answer);
                }
                Err(fault) => faults.push(fault),
            }
        }
        if urls.is_empty() && !faults.is_empty() {
            // They are asked again in the next look.
            return Err(faults.swap_remove(0));
        }
        self.urls = urls;
        self.faults.append(&mut faults);
        Ok(kept)
    }

    /// What all nodes say, if they say the same.
    fn agree<T: PartialEq>(&self, answers: Vec<T>, from: i64, to: i64) -> Result<T, FactError> {
        let mut answers = answers.into_iter().zip(&self.urls);
        let none =
            || FactError::Answer { url: self.client.source().name.clone(), what: "no node is left".into() };
        let (agreed, one) = answers.next().ok_or_else(none)?;
        match answers.find(|(answer, _)| *answer != agreed) {
            Some((_, other)) => {
                Err(FactError::Disagree { one: bare_url(one), other: bare_url(other), from, to })
            }
            None => Ok(agreed),
        }
    }
}

/// Whether a node may give an answer to a smaller question: its own limits are not known, and ours holds bytes.
fn is_too_much(error: &FactError) -> bool {
    matches!(error, FactError::Refused { .. } | FactError::Http { fault: HttpError::TooLarge { .. }, .. })
}

/// The newest block of a node that is final, if it is of the right chain and goes on from what is known.
async fn final_head(client: &FactClient, url: &str, known: &Known, now: u64) -> Result<BlockHead, FactError> {
    let wrong = |what: String| FactError::Answer { url: bare_url(url), what };
    let chain = client.ask::<Quantity>(url, "eth_chainId", json!([])).await?;
    let chain = chain.ok_or_else(|| wrong("it does not tell its chain".into()))?.0;
    let wanted = client.source().chain_id.unwrap_or_default();
    if chain.cast_unsigned() != wanted {
        return Err(wrong(format!("it is of chain {chain}, and {wanted} is wanted")));
    }
    let head = match head(client, url, &json!("finalized")).await {
        // It does not know the word. One that cannot be reached says nothing of what is final.
        Ok(None) | Err(FactError::Refused { .. }) => {
            let latest = head(client, url, &json!("latest")).await?;
            let latest = latest.ok_or_else(|| wrong("it does not tell its newest block".into()))?;
            let behind = latest.number.saturating_sub(i64::from(client.source().confirmations));
            numbered(client, url, behind.max(0)).await?
        }
        Ok(Some(head)) => head,
        Err(error) => return Err(error),
    };
    if let Some(block) = known.block {
        if head.number < block {
            return Err(wrong(format!("it is at block {}, and {block} was read before", head.number)));
        }
        let again = numbered(client, url, block).await?;
        if known.hash.as_ref().is_some_and(|hash| *hash != hex::encode(again.hash.0)) {
            return Err(wrong(format!("its block {block} is another one than the one that was read before")));
        }
    }
    check_time(head.time, known.time, now).map_err(wrong)?;
    Ok(head)
}

async fn heads_of(client: &FactClient, url: &str, numbers: &[i64]) -> Result<Vec<BlockHead>, FactError> {
    let asked: Vec<_> = numbers.iter().map(|number| numbered(client, url, *number)).collect();
    stream::iter(asked).buffered(AT_ONCE).try_collect().await
}

/// The block of a number.
async fn numbered(client: &FactClient, url: &str, number: i64) -> Result<BlockHead, FactError> {
    let wrong = |what: String| FactError::Answer { url: bare_url(url), what };
    let head = head(client, url, &json!(written(number))).await?;
    let head = head.ok_or_else(|| wrong(format!("it does not tell of block {number}")))?;
    if head.number != number {
        return Err(wrong(format!("asked for block {number}, it tells of {}", head.number)));
    }
    Ok(head)
}

async fn head(client: &FactClient, url: &str, which: &Value) -> Result<Option<BlockHead>, FactError> {
    let header = client.ask::<Header>(url, "eth_getBlockByNumber", json!([which, false])).await?;
    let head =
        |Header { number, timestamp, hash }| BlockHead { number: number.0, time: timestamp.0 as f64, hash };
    Ok(header.map(head))
}

async fn events_of(client: &FactClient, url: &str, from: i64, to: i64) -> Result<Vec<Event>, FactError> {
    let source = client.source();
    let filter = json!([{
        "address": format!("0x{}", hex::encode(source.contract.unwrap_or_default())),
        "topics": [format!("0x{}", hex::encode(source.event.unwrap_or_default()))],
        "fromBlock": written(from), "toBlock": written(to),
    }]);
    let wrong = |what: &str| FactError::Answer {
        url: bare_url(url),
        what: format!("the events of the blocks {from} to {to}: {what}"),
    };
    let logs = client.ask::<Vec<Log>>(url, "eth_getLogs", filter).await?;
    read_events(&logs.ok_or_else(|| wrong("none are given"))?, source, from, to).map_err(wrong)
}
