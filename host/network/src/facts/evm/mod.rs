//! Events of a contract, from nodes of a chain of Ethereum's kind, up to a block that is final.
//!
//! Blocks are read in pieces, each with its last block's header: what is had stays had, wherever a look ends. An event counts
//! only if it names the hash that its block's header has, so events and times are of one chain.

mod event;
mod hex;
mod nodes;

use super::{FactClient, FactError, FactUpdate, Known};
use event::Event;
use mantis_config::bare_url;
use mantis_plugin_api::{FactList, FactRow};
use nodes::{BlockHead, Nodes};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Pieces that one look reads at the most; what is left comes with the next one.
const MOST_PIECES: usize = 40;
/// Facts after which a look ends.
const MOST_FACTS: usize = 20_000;
/// Blocks with events that one piece has at the most: each one's header is asked for.
const MOST_BLOCKS: usize = 256;
/// A look begins no further piece after this.
const LOOK: Duration = Duration::from_secs(30);
/// No look takes longer, whatever its nodes do.
const LONGEST_LOOK: Duration = Duration::from_secs(300);

/// The facts of some blocks, and the last of these.
struct Piece {
    rows: Vec<FactRow>,
    last: BlockHead,
}

pub(super) async fn read(client: &FactClient, known: &Known, now: u64) -> Result<FactUpdate, FactError> {
    let began = Instant::now();
    let deadline = began + LONGEST_LOOK;
    let late = |_| FactError::Slow { url: bare_url(&client.source().url), seconds: LONGEST_LOOK.as_secs() };
    let mut nodes = Nodes::new(client);
    let last = timeout_at(deadline, nodes.last_final(known, now)).await.map_err(late)??;
    let (mut rows, mut reached, mut stopped) = (Vec::new(), known.clone(), None);
    for _ in 0..MOST_PIECES {
        let is_first = reached.block == known.block;
        let enough = rows.len() >= MOST_FACTS || began.elapsed() >= LOOK;
        if reached.block.is_some_and(|block| block >= last) || (enough && !is_first) {
            break;
        }
        match timeout_at(deadline, piece(&mut nodes, client, &reached, last)).await.map_err(late).flatten() {
            Ok(Piece { rows: mut more, last }) => {
                rows.append(&mut more);
                let hash = Some(::hex::encode(last.hash.0));
                reached = Known { block: Some(last.number), time: Some(last.time), hash };
            }
            Err(error) if is_first => return Err(error),
            Err(error) => {
                stopped = Some(error);
                break;
            }
        }
    }
    let Known { block, time, hash } = reached;
    Ok(FactUpdate {
        list: FactList { name: client.source().name.clone(), block, time, rows },
        hash,
        is_whole: false,
        is_complete: block.is_some_and(|block| block >= last),
        stopped,
        faults: nodes.faults,
    })
}

/// The next blocks after those that are known.
async fn piece(
    nodes: &mut Nodes<'_>,
    client: &FactClient,
    known: &Known,
    last: i64,
) -> Result<Piece, FactError> {
    let source = client.source();
    let from = known.block.map_or(0, |block| block.saturating_add(1)).max(source.from_block.into());
    let to = last.min(from.saturating_add(i64::from(source.request_blocks) - 1));
    // A chain that has not come to the contract yet has none of its events.
    let (events, to) = if from <= to { nodes.events(from, to).await? } else { (Vec::new(), last) };
    let (events, to) = shortened(events, to);
    let mut numbers: Vec<i64> = events.iter().map(|event| event.block).chain([to]).collect();
    numbers.dedup();
    let heads = nodes.heads(&numbers).await?;
    let wrong = |what: String| FactError::Answer { url: bare_url(&source.url), what };
    let mut before = known.time.unwrap_or_default();
    for head in &heads {
        if head.time < before {
            return Err(wrong(format!(
                "block {} is of the time {}, and one before of {before}",
                head.number, head.time
            )));
        }
        before = head.time;
    }
    let row = |event: Event| {
        let at = heads.binary_search_by_key(&event.block, |head| head.number).ok();
        let head = at.map(|at| heads[at]).filter(|head| head.hash == event.hash);
        let Event { block, hotkey, numbers, .. } = event;
        head.map(|head| FactRow { hotkey, block: Some(block), time: Some(head.time), numbers })
            .ok_or_else(|| wrong(format!("an event names another block {block} than the chain has")))
    };
    let rows = events.into_iter().map(row).collect::<Result<_, _>>()?;
    let last = heads.last().copied().ok_or_else(|| wrong(format!("it does not tell of block {to}")))?;
    Ok(Piece { rows, last })
}

/// The first of some events, as many as one piece may have, and up to which block they are all.
fn shortened(mut events: Vec<Event>, to: i64) -> (Vec<Event>, i64) {
    let firsts = events.iter().enumerate().filter(|(i, event)| *i == 0 || events[i - 1].block != event.block);
    let Some((end, next)) = firsts.map(|(i, event)| (i, event.block)).nth(MOST_BLOCKS) else {
        return (events, to);
    };
    events.truncate(end);
    (events, next - 1)
}
