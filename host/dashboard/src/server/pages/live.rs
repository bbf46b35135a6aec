//! What goes on now: a part of the overview that is fetched again every few seconds.

use super::now;
use super::tile::{Note, Tile};
use crate::sections::RenderError;
use crate::sections::filters;
use crate::sections::text::{clean, count, percent, plural};
use crate::sections::time::{Moment, duration_of_blocks};
use crate::standing::Standing;
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::Block;
use mantis_ledger::{Ledger, LedgerError, PayloadTotals};
use mantis_validator::{JobStatus, ReleaseStatus, Status};

/// Reasons that are named.
const REASONS: usize = 6;

/// What wants attention, then a tile for each thing that goes on.
#[derive(Template)]
#[template(path = "pages/live.html")]
pub(super) struct Live {
    /// What wants attention; `None` without a validator.
    faults: Option<Vec<String>>,
    tiles: Vec<Tile>,
    /// Jobs of the batch engine.
    jobs: Vec<Job>,
    /// Why payloads were refused, most frequent first: stage, code, how often.
    reasons: Vec<(String, String, u64)>,
}

impl HtmlSafe for Live {}

/// What wants attention, then a tile for each thing that goes on. Changes every few seconds.
///
/// # Errors
/// If the ledger cannot be read.
pub fn live(standing: &Standing, status: Option<&Status>, ledger: &Ledger) -> Result<String, RenderError> {
    Ok(Live::read(standing, status, ledger)?.render()?)
}

impl Live {
    pub(super) fn read(
        standing: &Standing,
        status: Option<&Status>,
        ledger: &Ledger,
    ) -> Result<Self, LedgerError> {
        let mut tiles = Vec::new();
        tiles.extend(status.into_iter().flat_map(following));
        tiles.extend(status.and_then(collected));
        tiles.extend(payloads(ledger, &ledger.totals()?)?);
        tiles.extend(status.into_iter().flat_map(around));
        tiles.extend(status.into_iter().flat_map(due));
        tiles.push(last_weights(standing, ledger)?);
        tiles.extend(status.map(configuration));
        tiles.extend(status.and_then(|status| status.release.as_ref()).map(release));
        let mut reasons = ledger.refusals_by_code()?;
        reasons.truncate(REASONS);
        let sentences = |status: &Status| status.faults().iter().map(|fault| capital(fault)).collect();
        let batch = status.and_then(|status| status.batch.as_ref());
        let jobs = batch.into_iter().flat_map(|batch| &batch.jobs).map(Job::new).collect();
        Ok(Self { faults: status.map(sentences), tiles, jobs, reasons })
    }
}

/// A job of the batch engine.
struct Job {
    ticker: String,
    state: &'static str,
    node: String,
    attempt: u32,
    since: Moment,
    why: String,
}

impl Job {
    fn new(job: &JobStatus) -> Self {
        let state = match job.state.as_str() {
            "queued" => "waits for room",
            "running" => "runs",
            "done" => "is done",
            "here" => "done by this machine",
            _ => "failed",
        };
        Self {
            ticker: clean(&job.ticker),
            state,
            node: job.node.as_deref().map_or_else(|| "–".into(), clean),
            attempt: job.attempt,
            since: Moment::new(job.since, now()),
            why: job.why.as_deref().map_or_else(String::new, clean),
        }
    }
}

/// The chain's head, and the newest sample.
fn following(status: &Status) -> [Tile; 2] {
    let (chain, sampling) = (&status.chain, &status.sampling);
    let head = Tile::new("block", "Block", block(chain.block)).note(chain.block_time.map(ago));
    let sample = Tile::new("sample", "Last sample", block(sampling.block))
        .note(sampling.at.map(ago))
        .note(sampling.seconds.map(|seconds| Note::Text(format!("took {seconds:.1} s"))))
        .note(
            sampling
                .late
                .filter(|&late| late > 0)
                .map(|late| Note::Text(format!("{} blocks late", count(late)))),
        )
        .note((sampling.missed > 0).then(|| Note::Text(format!("{} missed", count(sampling.missed)))));
    [head, sample]
}

/// What the newest sample collected.
fn collected(status: &Status) -> Option<Tile> {
    let sampling = &status.sampling;
    let value = plural(sampling.accepted?, "payload", "payloads");
    let refused = format!("{} not there or refused", count(sampling.refused.unwrap_or(0)));
    Some(Tile::new("collected", "Collected last", value).text(refused))
}

/// Payloads of all time.
fn payloads(ledger: &Ledger, totals: &PayloadTotals) -> Result<[Tile; 3], LedgerError> {
    let stale = if totals.accepted > 0 { totals.stale as f64 / totals.accepted as f64 } else { 0.0 };
    let opened = format!("of {} taken, {} served unchanged", count(totals.accepted), percent(stale));
    let first =
        ledger.first_pending()?.map_or(String::new(), |first| format!(", the first at {}", count(first)));
    let pending = plural(ledger.pending()?.len(), "block", "blocks");
    Ok([
        Tile::new("opened", "Opened", count(totals.opened)).text(opened),
        Tile::new("waiting", "Sealed", pending).text(format!("wait to be opened{first}")),
        Tile::new("refused", "Refused", count(totals.refused)).text("not there, or refused as a whole"),
    ])
}

/// Chain, beacon and feed.
fn around(status: &Status) -> [Tile; 3] {
    let chain = &status.chain;
    let hotkey = match (&status.hotkey, chain.registered, chain.permit) {
        (None, ..) => Some("no hotkey of our own"),
        (_, Some(false), _) => Some("our hotkey is not registered"),
        (_, _, Some(false)) => Some("no validator permit"),
        (_, Some(true), _) => Some("our hotkey is registered"),
        _ => None,
    };
    let beacon = match (&status.opening.fault, status.opening.waiting, status.opening.delayed) {
        (Some(fault), ..) => clean(fault),
        (None, 0, 0) => "nothing waits for it".into(),
        (None, 0, delayed) => {
            format!("{} wait for rounds that it does not give", plural(delayed, "payload", "payloads"))
        }
        (None, waiting, _) => format!("{} wait for it", plural(waiting, "block", "blocks")),
    };
    let feed = match &status.sampling.feed_fault {
        Some(fault) => clean(fault),
        None => "prices with the last sample".into(),
    };
    [
        Tile::state("chain", format!("Chain {}", clean(&status.network)), chain.fault.is_some())
            .note(chain.neurons.map(|n| Note::Text(plural(n, "neuron", "neurons"))))
            .note(hotkey.map(|text| Note::Text(text.into())))
            .note(chain.answered.map(ago)),
        Tile::state("beacon", "Beacon", status.opening.fault.is_some()).text(beacon),
        Tile::state("feed", "Market feed", status.sampling.feed_fault.is_some()).text(feed),
    ]
}

/// What is due next.
fn due(status: &Status) -> [Tile; 2] {
    let weights = &status.weights;
    let at = |due: Option<Block>| match (due, status.chain.block) {
        (Some(due), Some(block)) => {
            let left = due - block;
            let text = if left > 0 {
                format!("in {} blocks, about {}", count(left), duration_of_blocks(left))
            } else {
                "due now".into()
            };
            (count(due), text)
        }
        (Some(due), None) => (count(due), String::new()),
        (None, Some(_)) => ("–".into(), "none is due".into()),
        (None, None) => ("–".into(), "not yet known".into()),
    };
    let (next, mut text) = at(weights.next_computation);
    if let Some(computing) = weights.computing {
        text = format!("running now for block {}", count(computing));
    }
    let computation = Tile::new("computation", "Next computation", next).text(text);
    let (next, mut text) = at(weights.next_setting);
    if status.dry_run {
        text += "; a dry run, nothing is sent";
    }
    if weights.stands_by {
        text += "; nothing is set: the subnet takes the weights of one validator alone, which is another";
    }
    [computation, Tile::new("setting", "Next setting", next).text(text)]
}

/// The newest attempt to set weights.
fn last_weights(standing: &Standing, ledger: &Ledger) -> Result<Tile, LedgerError> {
    let Some(attempt) = ledger.attempts(1)?.into_iter().next() else {
        let computed = match &standing.computed {
            Some(computed) => format!("computed at {}, {:.1} s", count(computed.block), computed.seconds),
            None => "nothing computed yet".into(),
        };
        return Ok(Tile::new("weights", "Last weights", "none sent").text(computed));
    };
    let at = Note::At { block: count(attempt.block), moment: Moment::new(attempt.unix, now()) };
    Ok(Tile::new("weights", "Last weights", attempt.sent.as_str())
        .note(Some(at))
        .note(attempt.transaction.map(Note::Hash))
        .note(attempt.error.map(|error| Note::Text(clean(&error)))))
}

/// The configuration, and its file.
fn configuration(status: &Status) -> Tile {
    let configuration = &status.configuration;
    let file = configuration.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let tile = match &configuration.fault {
        None => Tile::new("configuration", "Configuration", "taken").note(Some(ago(configuration.taken))),
        Some(fault) => Tile::fault("configuration", "Configuration", "refused")
            .text(format!("{}; the one of before runs", clean(fault))),
    };
    tile.text(clean(file))
}

/// The release of the subnet's owner that counts, and those that are to come.
fn release(release: &ReleaseStatus) -> Tile {
    let value = release.number.map_or_else(|| "none yet".into(), |number| number.to_string());
    let tile = match &release.fault {
        None => Tile::new("release", "Release", value),
        Some(fault) => Tile::fault("release", "Release", value).text(clean(fault)),
    };
    let coming = release.staged.iter().map(|staged| {
        let asked = if staged.agreed { "" } else { ", if you agree to it" };
        Note::Text(format!("{} from block {}{asked}", staged.number, count(staged.activate)))
    });
    coming.fold(tile, |tile, note| tile.note(Some(note)))
}

fn ago(unix: u64) -> Note {
    Note::Moment(Moment::new(unix, now()))
}

fn block(block: Option<Block>) -> String {
    block.map_or("–".into(), count)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::pages::test_world::{PageWorld, by_id, parse, plain};
    use roxmltree::Node;

    #[test]
    fn sentences_begin_with_a_capital() {
        assert_eq!((capital("no prices"), capital("")), ("No prices".into(), String::new()));
    }

    #[test]
    fn attention_comes_first_and_the_fragment_is_in_order() {
        let world = PageWorld::new(plain, 12, 6, "x");
        let part = live(&world.standing, Some(&world.status), &world.ledger).unwrap();
        let whole = format!("<div>{part}</div>");
        let document = parse("live", &whole);
        let first = document.root_element().first_element_child().unwrap();
        assert_eq!(first.attribute("class"), Some("alert"));
        assert!(part.contains("No prices: the feed does not answer: x"), "{part}");
        assert!(part.contains("in 580 blocks, about 1.9 h"), "{part}");
        let jobs = by_id(&document, "jobs");
        let cell = |row: usize, column: usize| {
            let row = jobs.descendants().filter(|node| node.has_tag_name("tr")).nth(row + 1).unwrap();
            let cell = row.children().filter(|node| node.has_tag_name("td")).nth(column).unwrap();
            cell.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect::<String>()
        };
        assert_eq!([cell(0, 0), cell(1, 1), cell(1, 2)], ["ETH", "runs", "node x"]);
        assert_eq!([cell(4, 1), cell(4, 3), cell(4, 5)], ["done by this machine", "2", "it ended early: x"]);
        let mut well = world.status.clone();
        well.sampling.feed_fault = None;
        assert!(live(&world.standing, Some(&well), &world.ledger).unwrap().contains("All is well."));
        // Without a validator there is no live state, but what the ledger knows is there.
        let part = live(&world.standing, None, &world.ledger).unwrap();
        assert!(!part.contains("Next computation") && part.contains("Opened"), "{part}");
    }
}
