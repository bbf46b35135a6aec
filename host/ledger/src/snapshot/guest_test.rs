//! A guest's column is as if the ledger had it, and the ledger does not.

use super::{Guest, KeptHistory, Snapshot, SnapshotError, SnapshotRequest};
use crate::{Ledger, NewRow, SampledBlock, Vector};
use mantis_config::{Block, Sidx};
use mantis_plugin_api::{History, Market, Storage};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

const NAMES: [&str; 4] = ["5A", "5C", "5D", "5E"];
const DIM: usize = 2;
const RUN: usize = 7;

/// What each of [`NAMES`] sends in a row: nothing, zeros, or numbers.
type Sent = [u8; 4];

/// A ledger of ticker T, whose prices may be those of P, which lacks some rows.
fn ledger(path: &Path, rows: &[Sent], storage: Storage, without: Option<usize>) -> Ledger {
    let mut ledger = Ledger::open(path).unwrap();
    for (k, sent) in (100_i64..).zip(rows) {
        let row = |ticker: &str, submissions| NewRow {
            ticker: ticker.into(),
            dim: 2,
            blocks_ahead: 300,
            price: Some(k as f64),
            submissions,
            ..NewRow::default()
        };
        let sends = |(who, what): (usize, &u8)| {
            (Some(who) != without && *what > 0)
                .then(|| (NAMES[who].to_owned(), vector(k, who, *what, storage)))
        };
        let mut rows = vec![row("T", sent.iter().enumerate().filter_map(sends).collect())];
        if k % 5 != 0 {
            rows.push(row("P", Vec::new()));
        }
        let block = Block(5 * k);
        ledger.append(&SampledBlock { block, sidx: block.sidx(5), rows }).unwrap();
    }
    ledger
}

fn vector(row: i64, who: usize, what: u8, storage: Storage) -> Vector {
    Vector::new(
        &[row as f32 + who as f32 / 8.0, f32::from(what)].map(|x| if what > 1 { x } else { 0.0 }),
        storage,
    )
}

/// What one of [`NAMES`] sends, as a guest.
fn guest(rows: &[Sent], who: usize, storage: Storage, in_place: bool) -> Arc<Guest> {
    let sent = (100_i64..).zip(rows).filter(|(_, sent)| sent[who] > 1);
    let vectors = sent.map(|(k, sent)| (Sidx(k), vector(k, who, sent[who], storage))).collect();
    Arc::new(Guest { name: NAMES[who].into(), vectors, in_place })
}

fn request(storage: Storage) -> SnapshotRequest {
    SnapshotRequest {
        ticker: "T".into(),
        storage_dim: DIM,
        storage,
        sample_every: 5,
        ..SnapshotRequest::default()
    }
}

/// All that a worker reads, bit by bit.
fn content(snapshot: &Snapshot) -> (Market, BTreeMap<String, Vec<u32>>, BTreeMap<String, Block>) {
    let (shape, market) = (snapshot.shape(), snapshot.market().unwrap());
    let numbers = |miner: usize| {
        let mut out = vec![0.0; shape.rows * shape.dim];
        snapshot.read_f32(miner..miner + 1, 0..shape.rows, &mut out).unwrap();
        out.into_iter().map(f32::to_bits).collect()
    };
    let columns = snapshot.hotkeys().iter().enumerate().map(|(miner, name)| (name.clone(), numbers(miner)));
    let first = snapshot.first_seen().into_iter().map(|(name, block)| (name.to_owned(), block)).collect();
    (market, columns.collect(), first)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_column_that_is_taken_out_and_put_back_changes_no_bit(
        rows in proptest::collection::vec(proptest::array::uniform4(0_u8..4), 1..40),
        who in 0_usize..4,
        two in any::<bool>(),
        single in any::<bool>(),
        in_place in any::<bool>(),
        behind in 0_i64..6,
    ) {
        let storage = if single { Storage::F32 } else { Storage::F16 };
        let dir = tempfile::tempdir().unwrap();
        let whole = ledger(&dir.path().join("whole.db"), &rows, storage, None);
        let request = SnapshotRequest {
            price_source: two.then(|| "P".into()),
            max_block: (behind > 0).then(|| Block(5 * (99 + rows.len() as i64 - behind))),
            ..request(storage)
        };
        let built = |ledger: &Ledger, request: &SnapshotRequest| {
            content(&Snapshot::build_in_runs(ledger, request, &dir.path().join("made"), RUN).unwrap())
        };
        let expected = built(&whole, &request);
        // Beside a ledger that never had it; and in its place, where its own vectors are passed over.
        let with = SnapshotRequest { guest: Some(guest(&rows, who, storage, in_place)), ..request };
        let without = ledger(&dir.path().join("without.db"), &rows, storage, Some(who));
        prop_assert_eq!(&built(&without, &with), &expected);
        if in_place {
            prop_assert_eq!(&built(&whole, &with), &expected);
        } else {
            let others = NAMES.iter().enumerate().filter(|(place, _)| *place != who);
            let active: BTreeSet<String> = others.map(|(_, name)| (*name).to_owned()).collect();
            prop_assert_eq!(&built(&whole, &SnapshotRequest { active: Some(active), ..with }), &expected);
        }
    }
}

#[test]
fn a_name_that_is_taken_and_numbers_of_another_form_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [[2; 4]; 9];
    let ledger = ledger(&dir.path().join("a.db"), &rows, Storage::F16, None);
    let refused = |guest: Arc<Guest>| {
        let request = SnapshotRequest { guest: Some(guest), ..request(Storage::F16) };
        Snapshot::build(&ledger, &request, &dir.path().join("made")).unwrap_err().to_string()
    };
    let said = refused(guest(&rows, 1, Storage::F16, false));
    assert!(said.contains("the ledger has a hotkey 5C, which is also the guest's name"), "{said}");
    let said = refused(guest(&rows, 1, Storage::F32, true));
    assert!(said.contains("at sidx 100 is 2 numbers of f32, not 2 of f16"), "{said}");
}

#[test]
fn what_is_kept_holds_no_guest() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [[2; 4]; 9];
    let path = dir.path().join("a.db");
    let ledger = ledger(&path, &rows, Storage::F16, None);
    let history = KeptHistory::take(&KeptHistory::folder(&path), "T").unwrap().unwrap();
    let with = SnapshotRequest { guest: Some(guest(&rows, 1, Storage::F16, true)), ..request(Storage::F16) };
    let error = history.snapshot(&ledger, &with).unwrap_err();
    assert!(matches!(&error, SnapshotError::SnapshotRequest { .. }), "{error}");
    assert_eq!(std::fs::read_dir(history.path()).unwrap().count(), 1, "more than the lock");
}

#[test]
fn everybody_with_a_vector_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(&dir.path().join("a.db"), &[[0, 2, 0, 0], [2, 0, 0, 1]], Storage::F16, None);
    assert_eq!(ledger.hotkeys("T", Sidx::MAX).unwrap(), ["5A", "5C"]);
    assert_eq!(ledger.hotkeys("T", Sidx(100)).unwrap(), ["5C"]);
    assert_eq!(ledger.hotkeys("P", Sidx::MAX).unwrap(), [""; 0]);
}
