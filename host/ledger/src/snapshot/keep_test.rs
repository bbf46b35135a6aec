//! Histories that are kept against snapshots that are built anew.

use super::keep::{Extended, Together};
use super::{KeptHistory, Manifest, Snapshot, SnapshotError, SnapshotRequest};
use crate::published::{Day, ListedFile, Origin, PartHead};
use crate::{Ledger, Matured, NewRow, Sample, SampledBlock, Vector};
use mantis_config::{Block, Sidx};
use mantis_plugin_api::{History, Market, f16};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const NAMES: [&str; 5] = ["5A", "5B", "5C", "5D", "5E"];
const DIM: usize = 2;
/// Rows to a part.
const RUN: usize = 4;

/// What happens to a ledger between two snapshots.
#[derive(Clone, Debug)]
enum Event {
    /// So many blocks are sampled; the bits say who sends, which may be the number zero.
    Append(usize, u8),
    /// Another program writes rows, without checksums.
    Foreign(usize, u8),
    /// A sampled block waits for its payloads.
    Wait,
    /// The oldest that waits is opened.
    Mature(u8),
    /// A delayed payload comes into a row, counted from the end.
    Late(usize, u8),
    /// Another program changes a row in place.
    Edit(usize),
    /// The oldest rows go.
    Prune(usize),
    /// The newest go.
    Rewind(usize),
    /// A kept file is damaged, counted in the folder; or is cut off.
    Damage(usize, usize, bool),
    /// A row's vectors are no vectors.
    Spoil(usize),
    /// So many blocks are not sampled here.
    Away(usize, u8),
    /// Those are fetched from a publisher who has them.
    Fetch,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1_usize..9, any::<u8>()).prop_map(|(n, who)| Event::Append(n, who)),
        1 => (1_usize..4, any::<u8>()).prop_map(|(n, who)| Event::Foreign(n, who)),
        1 => Just(Event::Wait),
        1 => any::<u8>().prop_map(Event::Mature),
        1 => (0_usize..20, any::<u8>()).prop_map(|(row, who)| Event::Late(row, who)),
        1 => (0_usize..20).prop_map(Event::Edit),
        2 => (1_usize..7).prop_map(Event::Prune),
        1 => (1_usize..7).prop_map(Event::Rewind),
        2 => (0_usize..8, any::<usize>(), any::<bool>()).prop_map(|(file, at, cut)| Event::Damage(file, at, cut)),
        1 => (0_usize..10).prop_map(Event::Spoil),
        1 => (1_usize..5, any::<u8>()).prop_map(|(n, who)| Event::Away(n, who)),
        1 => Just(Event::Fetch),
    ]
}

/// A ledger with two tickers: `T`, and `P`, which has prices and lacks a row now and then.
struct World {
    dir: tempfile::TempDir,
    ledger: Ledger,
    next: i64,
    /// What was not sampled here.
    missed: Vec<SampledBlock>,
}

/// A name that no file in a folder has.
fn new_name(dir: &tempfile::TempDir) -> usize {
    fs::read_dir(dir.path()).unwrap().count()
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        Self { dir, ledger, next: 100, missed: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("a.db")
    }

    fn vectors(&self, who: u8) -> Vec<(String, Vector)> {
        let sends = |place: usize| who.rotate_left(self.next as u32) >> place & 1 == 1;
        let number = |place: usize| f16::from_f32(self.next as f32 + place as f32 / 8.0);
        let named = NAMES.iter().enumerate().filter(|(place, _)| sends(*place));
        named.map(|(place, name)| ((*name).to_owned(), vec![number(place), f16::ZERO].into())).collect()
    }

    fn step(&mut self, submissions: Vec<(String, Vector)>) -> SampledBlock {
        let block = Block(5 * self.next);
        let row = |ticker: &str, price, submissions| NewRow {
            ticker: ticker.into(),
            dim: 2,
            blocks_ahead: 300,
            price: Some(price),
            submissions,
            ..NewRow::default()
        };
        let mut rows = vec![row("T", self.next as f64, submissions)];
        if self.next % 5 != 0 {
            rows.push(row("P", 0.5 + self.next as f64, Vec::new()));
        }
        self.next += 1;
        SampledBlock { block, sidx: block.sidx(5), rows }
    }

    fn sql(&self, sql: &str, params: impl rusqlite::Params) {
        self.ledger.raw().execute(sql, params).unwrap();
    }

    fn fetch(&mut self) {
        let path = self.dir.path().join("part");
        let mut publisher =
            Ledger::open(self.dir.path().join(format!("{}.db", new_name(&self.dir)))).unwrap();
        publisher.append_many(&self.missed, 100).unwrap();
        let head = PartHead { netuid: 1, sample_every: 5, day: Day(0) };
        let tickers = ["T", "P"].map(String::from).into();
        let Some((contents, packed)) = publisher.write_part(head, &tickers, &path).unwrap() else { return };
        let listed = ListedFile {
            size: packed.size,
            sha256: packed.sha256,
            bytes: contents.bytes,
            content: contents.sha256,
        };
        let origin = Origin {
            publisher: "5P".into(),
            number: 1,
            is_final: true,
            unix: 1,
            challenges: BTreeMap::new(),
        };
        self.ledger.merge_part(&path, head, &listed, &origin).unwrap();
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Append(count, who) => {
                for _ in 0..count {
                    let vectors = self.vectors(who);
                    let step = self.step(vectors);
                    self.ledger.append(&step).unwrap();
                }
            }
            Event::Foreign(count, who) => {
                let first = self.next;
                self.happen(&Event::Append(count, who));
                self.sql("DELETE FROM host_sums WHERE sidx >= ?1", [first]);
                // Such a program also stores zeros.
                let zeros = [&b"[\"5A\", \"5Z\"]\0"[..], &[0; 4 * DIM]].concat();
                self.sql(
                    "UPDATE challenge_data SET embeddings = ?2 WHERE ticker = 'T' AND sidx = ?1",
                    (first, zeros),
                );
            }
            Event::Wait => {
                let step = self.step(Vec::new());
                let arrival = crate::Arrival {
                    hotkey: "5A".into(),
                    accepted: Some(crate::Accepted {
                        payload: b"x".to_vec(),
                        sha256: [0; 32],
                        round: 1,
                        early: false,
                    }),
                };
                let sample =
                    Sample { step, arrivals: vec![arrival], rejections: Vec::new(), doubtful: Vec::new() };
                self.ledger.sample(&sample).unwrap();
            }
            Event::Mature(who) => {
                if let Some(pending) = self.ledger.pending().unwrap().first() {
                    let matured = Matured {
                        ts: pending.ts,
                        block: pending.block,
                        sidx: pending.block.sidx(5),
                        vectors: [("T".to_owned(), self.vectors(who))].into(),
                        ..Matured::default()
                    };
                    self.ledger.mature(&matured).unwrap();
                }
            }
            Event::Late(back, who) => {
                let vectors = self.vectors(who);
                let sorted: Vec<(&str, &Vector)> =
                    vectors.iter().map(|(name, v)| (name.as_str(), v)).collect();
                let sidx = Sidx(self.next - 1 - back as i64);
                crate::append::replace_vectors(self.ledger.raw(), "T", sidx, &sorted).unwrap();
            }
            Event::Edit(back) => {
                let sidx = self.next - 1 - back as i64;
                self.sql("UPDATE challenge_data SET price = price + 1000 WHERE sidx = ?1", [sidx]);
                self.sql("DELETE FROM host_sums WHERE sidx = ?1", [sidx]);
            }
            Event::Prune(count) => {
                let first = self.ledger.tickers().unwrap().iter().filter_map(|t| t.sidx).map(|x| x.0.0).min();
                let to = first.unwrap_or_default() + count as i64;
                for table in ["challenge_data", "host_sums"] {
                    self.sql(&format!("DELETE FROM {table} WHERE sidx < ?1"), [to]);
                }
            }
            Event::Rewind(count) => {
                self.next = (self.next - count as i64).max(100);
                self.ledger.rewind(Block(5 * (self.next - 1)), 5).unwrap();
                let next = self.next;
                self.missed.retain(|step| step.sidx.0 < next);
            }
            Event::Damage(file, at, cut) => {
                let Ok(folder) = fs::read_dir(KeptHistory::folder(&self.path()).join("T")) else { return };
                let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
                files.sort();
                let path = &files[file % files.len()];
                let mut bytes = fs::read(path).unwrap();
                if !bytes.is_empty() {
                    let at = at % bytes.len();
                    if cut {
                        bytes.truncate(at)
                    } else {
                        bytes[at] ^= 1
                    }
                    fs::write(path, bytes).unwrap();
                }
            }
            Event::Away(count, who) => {
                for _ in 0..count {
                    let vectors = self.vectors(who);
                    let step = self.step(vectors);
                    self.missed.push(step);
                }
            }
            Event::Fetch => self.fetch(),
            Event::Spoil(back) => {
                let sidx = self.next - 1 - back as i64;
                self.sql(
                    "UPDATE challenge_data SET embeddings = x'00' WHERE ticker = 'T' AND sidx = ?1",
                    [sidx],
                );
                self.sql("DELETE FROM host_sums WHERE sidx = ?1", [sidx]);
            }
        }
    }
}

/// All that a worker reads, and what was left out.
type Content = (Manifest, Market, Vec<u16>, crate::Warnings);

fn content(snapshot: &Snapshot) -> Content {
    let (mut manifest, mut market) = (snapshot.manifest().clone(), snapshot.market().unwrap());
    (manifest.market, manifest.parts) = (String::new(), Vec::new());
    market.prices.iter_mut().for_each(|price| *price = if price.is_nan() { -1.0 } else { *price });
    let numbers = (0..snapshot.hotkeys().len()).flat_map(|miner| snapshot.miner(miner).unwrap());
    (manifest, market, numbers.map(f16::to_bits).collect(), snapshot.warnings())
}

/// The content of a snapshot whose every file is what was written.
fn checked(snapshot: &Snapshot, dir: &Path) -> Result<Content, SnapshotError> {
    Snapshot::open_checked(dir)?;
    Ok(content(snapshot))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_kept_changes_no_bit(
        events in proptest::collection::vec((event(), 0_i64..4, any::<bool>(), 0_i64..5), 1..24),
        two in any::<bool>(),
        active in proptest::option::of(proptest::sample::subsequence(NAMES.to_vec(), 0..5)),
    ) {
        let mut world = World::new();
        let folder = KeptHistory::folder(&world.path());
        let active: Option<BTreeSet<String>> =
            active.map(|names| names.into_iter().map(String::from).collect());
        for (event, behind, all, together) in events {
            world.happen(&event);
            let request = SnapshotRequest {
                ticker: "T".into(),
                price_source: two.then(|| "P".into()),
                storage_dim: DIM,
                sample_every: 5,
                max_block: (behind > 0).then(|| Block(5 * (world.next - behind))),
                active: if all { None } else { active.clone() },
                ..SnapshotRequest::default()
            };
            let ledger = Ledger::read(world.path()).unwrap();
            if together > 0 {
                let other = SnapshotRequest { ticker: "P".into(), price_source: None, ..request.clone() };
                let histories = [("T", &request), ("P", &other)]
                    .map(|(ticker, request)| (KeptHistory::take(&folder, ticker).unwrap().unwrap(), request.clone()));
                let rule = Together { run: Some(RUN), least: 1, stretch: together };
                rule.extend(&ledger, &histories, &|_| ()).unwrap();
            }
            let built = Snapshot::build_in_runs(&ledger, &request, &world.dir.path().join("new"), RUN);
            let history = KeptHistory::take(&folder, "T").unwrap().unwrap();
            let kept = history.snapshot_in_runs(&ledger, &request, RUN);
            // Newer rows are kept than those that are asked for.
            let Some(Extended { snapshot, .. }) = kept.unwrap() else { continue };
            let expected = content(&built.unwrap());
            match checked(&snapshot, history.path()) {
                Ok(found) => prop_assert_eq!(found, expected),
                // A part that was not read again is damaged: the worker says so, and it is made anew.
                Err(_) => {
                    history.forget().unwrap();
                    let Extended { snapshot, reused, .. } =
                        history.snapshot_in_runs(&ledger, &request, RUN).unwrap().unwrap();
                    prop_assert_eq!(reused, 0);
                    prop_assert_eq!(checked(&snapshot, history.path()).unwrap(), expected);
                }
            }
            drop(history);
            prop_assert_eq!(ledger.first_seen(Some(&folder), 5).unwrap(), ledger.first_seen(None, 5).unwrap());
        }
    }
}

fn request() -> SnapshotRequest {
    SnapshotRequest { ticker: "T".into(), storage_dim: DIM, sample_every: 5, ..SnapshotRequest::default() }
}

/// Rows that are kept, and reused.
fn extend(world: &World) -> (usize, usize) {
    let history = KeptHistory::take(&KeptHistory::folder(&world.path()), "T").unwrap().unwrap();
    let made = history.snapshot_in_runs(&Ledger::read(world.path()).unwrap(), &request(), RUN).unwrap();
    made.map(|made| (made.kept, made.reused)).unwrap()
}

#[test]
fn only_what_is_new_is_read() {
    let mut world = World::new();
    world.happen(&Event::Append(30, 0xff));
    assert_eq!(extend(&world), (0, 0));
    world.happen(&Event::Append(3, 0xff));
    assert_eq!(extend(&world), (30, 30));
    world.happen(&Event::Prune(5));
    assert_eq!(extend(&world), (33, 28));
    // What is wrong from a row on is read again from the beginning of its part.
    world.happen(&Event::Late(6, 0x55));
    assert_eq!(extend(&world), (28, 19));
    // What waits is not kept.
    world.happen(&Event::Wait);
    world.happen(&Event::Append(2, 0xff));
    assert_eq!(extend(&world), (28, 28));
    world.happen(&Event::Mature(0xff));
    assert_eq!(extend(&world), (28, 28));
    assert_eq!(extend(&world), (31, 31));
}

#[test]
fn a_history_without_rows_is_gone_on_with() {
    let mut world = World::new();
    let damage = |world: &World| {
        let history = KeptHistory::take(&KeptHistory::folder(&world.path()), "T").unwrap().unwrap();
        let made = history.snapshot_in_runs(&Ledger::read(world.path()).unwrap(), &request(), RUN).unwrap();
        made.unwrap().damage.map(|damage| damage.to_string())
    };
    for _ in 0..3 {
        assert_eq!(damage(&world), None);
    }
    world.happen(&Event::Append(3, 0xff));
    assert_eq!([damage(&world), damage(&world)], [None, None]);
}

#[test]
fn several_are_begun_in_one_pass() {
    let mut world = World::new();
    world.happen(&Event::Append(30, 0xff));
    let histories = ["T", "P"].map(|ticker| {
        let history = KeptHistory::take(&KeptHistory::folder(&world.path()), ticker).unwrap().unwrap();
        (history, SnapshotRequest { ticker: ticker.into(), ..request() })
    });
    let heard = std::cell::RefCell::new(Vec::new());
    let rule = Together { run: Some(RUN), least: 1, stretch: 7 };
    rule.extend(&world.ledger, &histories, &|done| heard.borrow_mut().push(done)).unwrap();
    let heard = heard.into_inner();
    assert!(heard.is_sorted() && heard.first() == Some(&0.0) && heard.last() == Some(&1.0), "{heard:?}");
    drop(histories);
    assert_eq!(extend(&world), (30, 30));
}

#[test]
fn rows_without_checksums_are_believed_while_the_files_stay_as_they_are() {
    let mut world = World::new();
    world.happen(&Event::Foreign(10, 0xff));
    extend(&world);
    assert_eq!(extend(&world), (10, 10));
    world.happen(&Event::Append(1, 0xff));
    assert_eq!(extend(&world), (10, 0));
}

#[test]
fn a_history_has_one_user_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = KeptHistory::take(dir.path(), "A/../B").unwrap().unwrap();
    assert_eq!(first.path().parent(), Some(dir.path()));
    assert!(KeptHistory::take(dir.path(), "A/../B").unwrap().is_none());
    drop(first);
    assert!(KeptHistory::take(dir.path(), "A/../B").unwrap().is_some());
}

#[test]
fn only_the_ledgers_owner_this_user_and_the_superuser_are_believed() {
    let (this, owner, stranger) = (1000, 1001, 1002);
    let may = |link, folder, ledger| super::keep::is_believed([link, folder], this, ledger);
    assert!(may(this, this, None) && may(owner, owner, Some(owner)) && may(0, this, Some(owner)));
    assert!(!may(stranger, stranger, Some(owner)) && !may(owner, owner, None));
    // A link of a stranger's to a folder of ours, and one of ours to a stranger's.
    assert!(!may(stranger, this, Some(this)) && !may(this, stranger, Some(this)));
}

#[test]
fn what_is_half_written_is_not_gone_on_with() {
    // The files of every moment of two extensions, each in the place of what a kill leaves.
    let mut world = World::new();
    world.happen(&Event::Append(11, 0xff));
    extend(&world);
    let folder = KeptHistory::folder(&world.path()).join("T");
    let files = |folder: &Path| -> BTreeMap<PathBuf, Vec<u8>> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    };
    let before = files(&folder);
    world.happen(&Event::Append(9, 0x0f));
    extend(&world);
    let after = files(&folder);
    let expected = {
        let ledger = Ledger::read(world.path()).unwrap();
        content(&Snapshot::build_in_runs(&ledger, &request(), &world.dir.path().join("new"), RUN).unwrap())
    };
    let names: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    for choice in 0..300_u64 {
        let dice = choice.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (place, path) in names.iter().enumerate() {
            let _ = fs::remove_file(path);
            let state = match (dice >> (4 * place)) % 3 {
                0 => before.get(*path),
                1 => after.get(*path),
                _ => None,
            };
            if let Some(bytes) = state {
                fs::write(path, bytes).unwrap();
            }
        }
        let history = KeptHistory::take(folder.parent().unwrap(), "T").unwrap().unwrap();
        let ledger = Ledger::read(world.path()).unwrap();
        let found = history.snapshot_in_runs(&ledger, &request(), RUN);
        let made =
            match found.map(|made| made.unwrap().snapshot).and_then(|made| checked(&made, history.path())) {
                Ok(made) => made,
                Err(_) => {
                    history.forget().unwrap();
                    let made = history.snapshot_in_runs(&ledger, &request(), RUN).unwrap().unwrap();
                    checked(&made.snapshot, history.path()).unwrap()
                }
            };
        assert_eq!(made, expected, "{choice}");
    }
}
