//! Parts into ledgers: what was sampled here stays, holes are filled, what comes again is replaced, and everything that knows
//! rows by their checksums goes on.

use super::{Comparison, Day, ListedFile, Merged, Origin, PartHead};
use crate::snapshot::{KeptHistory, Snapshot, SnapshotRequest};
use crate::{Accepted, Arrival, Ledger, Matured, NewRow, Sample, SampledBlock, Vector};
use half::f16;
use mantis_config::{Block, Sidx};
use mantis_plugin_api::History;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Rows from one to the next: a day has 36.
const EVERY: u32 = 200;
const FIRST: i64 = 2;

fn tickers() -> BTreeSet<String> {
    ["A", "B"].map(String::from).into()
}

fn step(k: i64, seed: i64) -> SampledBlock {
    let numbers =
        |miner: i64| Vector::from(vec![f16::from_f32((k * miner + seed) as f32 / 7.0 + 1.0), f16::ONE]);
    let a = NewRow {
        ticker: "A".into(),
        dim: 2,
        blocks_ahead: 300,
        price: Some(k as f64),
        submissions: vec![("5A".into(), numbers(1)), ("5B".into(), numbers(2))],
        ..NewRow::default()
    };
    let b = NewRow {
        ticker: "B".into(),
        dim: 1,
        price_data: Some(vec![("X".into(), k as f64)]),
        ..NewRow::default()
    };
    let sidx = Sidx(k);
    SampledBlock { block: sidx.block(EVERY), sidx, rows: vec![a, b] }
}

/// The rows of some days.
fn rows(days: std::ops::Range<i64>) -> std::ops::Range<i64> {
    36 * days.start..36 * days.end
}

struct World {
    dir: tempfile::TempDir,
    publisher: Ledger,
}

impl World {
    /// A publisher who has six days.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut publisher = Ledger::open(dir.path().join("publisher.db")).unwrap();
        publisher.append_many(rows(FIRST..FIRST + 6).map(|k| step(k, 0)).collect::<Vec<_>>(), 500).unwrap();
        Self { dir, publisher }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn ledger(&self, name: &str, of: impl IntoIterator<Item = i64>) -> Ledger {
        let mut ledger = Ledger::open(self.path(name)).unwrap();
        ledger.append_many(of.into_iter().map(|k| step(k, 0)).collect::<Vec<_>>(), 500).unwrap();
        ledger
    }

    /// Merges a day of a ledger into another.
    fn merge(&self, from: &Ledger, into: &mut Ledger, day: i64, origin: &Origin) -> Merged {
        let head = PartHead { netuid: 1, sample_every: EVERY, day: Day(day) };
        let file = self.path("part");
        let (contents, packed) = from.write_part(head, &tickers(), &file).unwrap().unwrap();
        let listed = ListedFile {
            size: packed.size,
            sha256: packed.sha256,
            bytes: contents.bytes,
            content: contents.sha256,
        };
        into.merge_part(&file, head, &listed, origin).unwrap()
    }
}

fn origin(publisher: &str, is_final: bool) -> Origin {
    let challenges = [("A".to_owned(), (2, 300)), ("B".to_owned(), (1, 0))].into();
    Origin { publisher: publisher.into(), number: 1, is_final, unix: 1, challenges }
}

fn difference(a: &Ledger, b: &Ledger) -> Option<String> {
    let all = Comparison { sample_every: EVERY, tickers: BTreeSet::new(), blocks: Block(0)..=Block::MAX };
    let found = all.run(a, b, |_| ()).unwrap();
    assert_eq!(found.is_equal(), found.first.is_none());
    if found.is_equal() {
        assert_eq!(found.digests[0], found.digests[1]);
    }
    found.first.map(|first| format!("{} {:?} {}", first.block, first.ticker, first.what))
}

fn count(ledger: &Ledger, sql: &str) -> i64 {
    ledger.raw().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn is_in_order(ledger: &Ledger) -> bool {
    ledger.blocks().unwrap().is_sorted()
}

#[test]
fn a_newcomer_has_what_the_publisher_has_in_whatever_order_it_comes() {
    let world = World::new();
    for (name, order) in [("a.db", [2, 3, 4, 5, 6, 7]), ("b.db", [7, 2, 5, 3, 6, 4])] {
        let mut ledger = world.ledger(name, []);
        for day in order {
            let merged = world.merge(&world.publisher, &mut ledger, day, &origin("5P", true));
            assert_eq!((merged.blocks, merged.rows, merged.again), (36, 72, 0));
        }
        assert_eq!(difference(&world.publisher, &ledger), None);
        assert!(is_in_order(&ledger));
        assert_eq!(count(&ledger, "SELECT COUNT(*) FROM host_sums"), 6 * 72);
        assert_eq!(ledger.tickers().unwrap(), world.publisher.tickers().unwrap());
        ledger.check_integrity().unwrap();
        // It goes on sampling.
        ledger.append(&step(36 * 8, 0)).unwrap();
    }
}

#[test]
fn what_was_sampled_here_stays_and_is_compared() {
    let world = World::new();
    let mut ours = world.ledger("a.db", rows(2..3).chain(110..115).chain(rows(6..7)));
    // A row of ours that differs, and one of a challenge that is not here.
    ours.raw()
        .execute_batch(
            "DELETE FROM host_sums; UPDATE challenge_data SET price = 7 WHERE ticker = 'A' AND sidx = 111;
        DELETE FROM challenge_data WHERE ticker = 'B' AND sidx = 112",
        )
        .unwrap();
    let before = (
        count(&ours, "SELECT CAST(SUM(price) AS INTEGER) FROM challenge_data WHERE sidx BETWEEN 110 AND 114"),
        10 - 1,
    );
    let merged = world.merge(&world.publisher, &mut ours, 2, &origin("5P", true));
    assert_eq!((merged.blocks, merged.rows, merged.equal, merged.different), (0, 0, 72, 0));
    let merged = world.merge(&world.publisher, &mut ours, 3, &origin("5P", true));
    assert_eq!(
        (merged.blocks, merged.rows, merged.equal, merged.different, merged.only_theirs),
        (36 - 5, 72 - 10, 8, 1, 1)
    );
    let [found] = &merged.examples[..] else { panic!("{merged:?}") };
    assert_eq!(
        (found.ticker.as_str(), found.block, &found.prices[..]),
        ("A", Block(111 * 200), &["price".to_owned()][..])
    );
    let after = (
        count(&ours, "SELECT CAST(SUM(price) AS INTEGER) FROM challenge_data WHERE sidx BETWEEN 110 AND 114"),
        count(&ours, "SELECT COUNT(*) FROM challenge_data WHERE sidx BETWEEN 110 AND 114"),
    );
    assert_eq!(after, before);
    for day in [4, 5] {
        world.merge(&world.publisher, &mut ours, day, &origin("5P", true));
    }
    assert!(is_in_order(&ours));
    assert_eq!(difference(&world.publisher, &ours).unwrap(), "22200 Some(\"A\") prices of price");
}

#[test]
fn a_part_that_was_not_final_is_replaced_and_a_final_one_by_its_publisher_alone() {
    let world = World::new();
    // The publisher's payloads of day 3 were not opened when it was published first.
    let mut early = world.ledger("early.db", []);
    for k in rows(3..4) {
        let mut step = step(k, 0);
        step.rows[0].submissions.clear();
        early.append(&step).unwrap();
    }
    let mut ours = world.ledger("a.db", 110..115);
    let first = world.merge(&early, &mut ours, 3, &origin("5P", false));
    assert_eq!((first.blocks, first.rows), (31, 62));
    assert_eq!(first.different, 5, "vectors that are here and not there");
    let again = world.merge(&world.publisher, &mut ours, 3, &origin("5Other", true));
    assert_eq!((again.blocks, again.rows, again.again, again.equal), (0, 31, 31, 31 + 10));
    assert_eq!(difference(&world.ledger("b.db", rows(3..4)), &ours), None);
    // A third one's rows are compared; the publisher's own are taken.
    let other = world.merge(&early, &mut ours, 3, &origin("5P", true));
    assert_eq!((other.rows, other.different, other.equal), (0, 36, 36));
    assert_eq!(ours.known_parts().unwrap()[&Day(3)].publisher, "5Other");
    let own = world.merge(&early, &mut ours, 3, &origin("5Other", true));
    assert_eq!((own.rows, own.again, own.different, own.equal), (31, 31, 5, 31 + 5));
    assert!(is_in_order(&ours));
    // What a later part lacks stays.
    let half = world.ledger("half.db", 108..120);
    let less = world.merge(&half, &mut ours, 3, &origin("5Other", true));
    assert_eq!((less.rows, less.again, less.equal), (7, 7, 7 + 10));
    assert_eq!(count(&ours, "SELECT COUNT(*) FROM challenge_data WHERE sidx BETWEEN 108 AND 143"), 72);
}

#[test]
fn payloads_that_wait_stay_with_their_blocks() {
    let world = World::new();
    let mut ours = world.ledger("a.db", rows(2..3));
    for k in rows(6..7) {
        let mut step = step(k, 0);
        step.rows[0].submissions.clear();
        let accepted =
            Accepted { payload: k.to_string().into_bytes(), sha256: [k as u8; 32], round: 1, early: false };
        let arrivals = vec![Arrival { hotkey: "5A".into(), accepted: Some(accepted) }];
        ours.sample(&Sample { step, arrivals, ..Sample::default() }).unwrap();
    }
    let mut waiting = Merged::default();
    for day in [3, 4, 5, 6] {
        waiting = world.merge(&world.publisher, &mut ours, day, &origin("5P", true));
    }
    assert_eq!((waiting.waiting, waiting.equal, waiting.different), (36, 36, 0));
    assert!(is_in_order(&ours));
    let pending = ours.pending().unwrap();
    assert_eq!(pending.len(), 36);
    for (pending, k) in pending.iter().zip(rows(6..7)) {
        assert_eq!(pending.block, Sidx(k).block(EVERY));
        assert_eq!(ours.payload(pending.ts, "5A").unwrap().unwrap(), k.to_string().into_bytes());
        let vectors = step(k, 0).rows.remove(0).submissions;
        let matured = Matured {
            ts: pending.ts,
            block: pending.block,
            sidx: Sidx(k),
            vectors: [("A".to_owned(), vectors)].into(),
            ..Matured::default()
        };
        ours.mature(&matured).unwrap();
    }
    assert_eq!(difference(&world.ledger("b.db", rows(2..7)), &ours), None);
    assert_eq!(world.publisher.first_waiting().unwrap(), None);
}

/// What a worker reads: rows with their prices, hotkeys, and their numbers.
fn content(snapshot: &Snapshot) -> (Vec<i64>, Vec<f64>, Vec<String>, Vec<u16>) {
    let market = snapshot.market().unwrap();
    let numbers = (0..snapshot.hotkeys().len()).flat_map(|miner| snapshot.miner(miner).unwrap());
    let numbers = numbers.map(f16::to_bits).collect();
    (market.sidx, market.prices, snapshot.hotkeys().to_vec(), numbers)
}

#[test]
fn a_kept_history_is_right_after_a_hole_in_its_middle_was_filled() {
    let world = World::new();
    let mut ours = world.ledger("a.db", rows(2..4).chain(rows(6..8)));
    let request = SnapshotRequest {
        ticker: "A".into(),
        storage_dim: 2,
        sample_every: EVERY,
        ..SnapshotRequest::default()
    };
    let folder = KeptHistory::folder(ours.path());
    let history = KeptHistory::take(&folder, "A").unwrap().unwrap();
    history.snapshot(&ours, &request).unwrap().unwrap();
    for day in [4, 5] {
        world.merge(&world.publisher, &mut ours, day, &origin("5P", true));
    }
    let kept = history.snapshot(&ours, &request).unwrap().unwrap();
    assert!(kept.damage.is_none());
    let fresh = world.path("fresh");
    let built = Snapshot::build(&ours, &request, &fresh).unwrap();
    assert_eq!(content(&kept.snapshot), content(&built));
    let whole = world.path("whole");
    let whole = Snapshot::build(&world.publisher, &request, &whole).unwrap();
    assert_eq!(content(&built), content(&whole));
    assert_eq!(
        ours.first_seen(Some(&folder), EVERY).unwrap(),
        world.publisher.first_seen(None, EVERY).unwrap()
    );
}

#[test]
fn a_rewound_ledger_forgets_what_it_fetched() {
    let world = World::new();
    let mut ours = world.ledger("a.db", rows(2..3));
    for day in [3, 4] {
        world.merge(&world.publisher, &mut ours, day, &origin("5P", true));
    }
    ours.rewind(Block(7200 * 4 - 1), EVERY).unwrap();
    assert_eq!(ours.known_parts().unwrap().into_keys().collect::<Vec<_>>(), [Day(3)]);
    assert_eq!(count(&ours, "SELECT MAX(sidx) FROM host_fetched"), 36 * 4 - 1);
    world.merge(&world.publisher, &mut ours, 4, &origin("5P", true));
    assert_eq!(difference(&world.ledger("b.db", rows(2..5)), &ours), None);
}

#[test]
fn lists_that_were_seen_are_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
    assert_eq!(ledger.seen_list("5P").unwrap(), None);
    for number in [7, 8] {
        let seen = super::SeenList { number, sha256: [number as u8; 32] };
        ledger.store_seen_list("5P", seen, 1).unwrap();
        assert_eq!(ledger.seen_list("5P").unwrap(), Some(seen));
    }
    assert_eq!(ledger.seen_list("5Q").unwrap(), None);
}
