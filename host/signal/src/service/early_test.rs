use super::desk::digest_of;
use super::early::{Opened, digests, judge_early};
use super::last_rows::last_rows;
use crate::store::Store;
use mantis_config::{Block, Config, Sidx};
use mantis_ledger::{Ledger, NewRow, SampledBlock, Vector};
use mantis_plugin_api::Storage;
use std::collections::BTreeMap;
use std::path::Path;

const CHALLENGES: &str = "[[challenge]]\nname = \"A-1H\"\nticker = \"A\"\nplugin = \"binary\"\ndim = 2\n\
    blocks_ahead = 300\nweight = 1.0\nprice_key = \"A\"\n";

fn config() -> Config {
    Config::parse(CHALLENGES, Path::new("challenges.toml")).unwrap()
}

/// A row: its index, its price, who sent what.
type TestRow<'a> = (i64, f64, &'a [(&'a str, [f32; 2])]);

fn ledger(folder: &Path, rows: &[TestRow<'_>]) -> Ledger {
    let mut ledger = Ledger::open(folder.join("ledger.db")).unwrap();
    for (sidx, price, sent) in rows {
        let submissions =
            sent.iter().map(|(hotkey, numbers)| ((*hotkey).into(), Vector::new(numbers, Storage::F16)));
        let row = NewRow {
            ticker: "A".into(),
            dim: 2,
            blocks_ahead: 300,
            price: Some(*price),
            submissions: submissions.collect(),
            ..NewRow::default()
        };
        let block = SampledBlock { block: Block(5 * sidx), sidx: Sidx(*sidx), rows: vec![row] };
        ledger.append(&block).unwrap();
    }
    ledger
}

/// Who tells the owner something else than everybody, or gives the owner nothing that opens, is counted by name.
#[test]
fn what_was_opened_early_is_compared_with_what_came_out() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(
        dir.path(),
        &[(10, 1.0, &[("same", [0.25, 0.5]), ("other", [0.25, 0.5]), ("shut", [0.5, 0.5])])],
    );
    let store = Store::open(&dir.path().join("signal")).unwrap();
    let numbers = |all: &[(&str, [f32; 2])]| -> BTreeMap<String, Vec<f32>> {
        all.iter().map(|(hotkey, numbers)| ((*hotkey).to_owned(), numbers.to_vec())).collect()
    };
    let sent = numbers(&[
        ("same", [0.25, 0.5]),
        ("other", [0.75, 0.5]),
        ("gone", [0.5, 0.25]),
        // All zeros count as absent, and are not stored.
        ("silent", [0.0, 0.0]),
    ]);
    let opened = Opened {
        vectors: [("A".to_owned(), sent)].into(),
        unopened: [("shut", "no"), ("stranger", "no")].map(|(who, why)| (who.into(), why.into())).into(),
        ..Opened::default()
    };
    let of_fit = |hotkey: &str| if hotkey == "shut" { vec!["A"] } else { Vec::new() };
    store.add_early(&digests(Sidx(10), &opened, of_fit)).unwrap();
    let (rows, mut differ) = judge_early(&config(), &ledger, &store, 10).unwrap();
    differ.sort();
    assert_eq!(rows, 1);
    assert_eq!(differ, [("A", "other"), ("A", "shut")].map(|(a, b)| (a.to_owned(), b.to_owned())));
    let counts: BTreeMap<String, (i64, i64, i64)> = store
        .early_counts(Some("A"), 10)
        .unwrap()
        .into_iter()
        .map(|count| (count.hotkey, (count.equal, count.differs, count.unopened)))
        .collect();
    let expected = [("gone", (0, 0, 1)), ("other", (0, 1, 0)), ("same", (1, 0, 0)), ("shut", (0, 1, 0))];
    assert_eq!(counts, expected.map(|(who, n)| (who.to_owned(), n)).into());
    // A row is judged once.
    assert_eq!(judge_early(&config(), &ledger, &store, 10).unwrap(), (0, Vec::new()));
    assert_ne!(digest_of(&[0.0]), digest_of(&[-0.0]), "bits, not numbers");
}

#[test]
fn a_forecasts_market_ends_with_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path(), &[(7, 1.5, &[]), (8, 0.0, &[]), (10, 2.5, &[])]);
    let challenge = &config().challenges[0];
    let rows = |to, count| last_rows(&ledger, challenge, Sidx(to), count).unwrap();
    assert_eq!((rows(10, 1).sidx, rows(10, 1).prices), (vec![10], vec![Some(2.5)]));
    // The feed's word for no price is 0; a row that the ledger lacks stays out, but the last one is there.
    assert_eq!((rows(10, 4).sidx, rows(10, 4).prices), (vec![7, 8, 10], vec![Some(1.5), None, Some(2.5)]));
    assert_eq!((rows(9, 2).sidx, rows(9, 2).prices), (vec![8, 9], vec![None, None]));
    assert_eq!(rows(10, usize::MAX).sidx, [7, 8, 10]);
}
