//! Snapshots against a reader that holds everything in memory, and against damage.

use super::{Snapshot, SnapshotError, SnapshotRequest};
use crate::{Ledger, NewRow, SampledBlock, Vector};
use mantis_config::{Block, Sidx};
use mantis_plugin_api::{FactList, FactRow, History, Market, Shape, Storage, f16, is_present};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::subsequence;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const NAMES: [&str; 6] = ["5A", "5Ab", "5B", "5b", "5ü", "5z\\\""];
const ASSETS: [&str; 3] = ["X", "Y", "Z"];

/// One row of the ledger, before it is encoded.
#[derive(Clone, Debug)]
struct Line {
    price: Option<f64>,
    price_data: Option<BTreeMap<&'static str, f64>>,
    blob: Blob,
}

#[derive(Clone, Debug)]
enum Blob {
    Null,
    Vectors(BTreeMap<&'static str, Vec<u16>>),
    /// Vectors with a byte too many, or with a spoilt list.
    Long(BTreeMap<&'static str, Vec<u16>>),
    Spoilt(BTreeMap<&'static str, Vec<u16>>),
}

impl Blob {
    fn bytes(&self) -> Vec<u8> {
        let (Self::Vectors(vectors) | Self::Long(vectors) | Self::Spoilt(vectors)) = self else {
            return Vec::new();
        };
        let names: Vec<_> = vectors.keys().collect();
        let mut bytes = serde_json::to_vec(&names).unwrap();
        bytes.push(0);
        bytes.extend(vectors.values().flatten().flat_map(|bits| bits.to_le_bytes()));
        match self {
            Self::Long(_) => bytes.push(1),
            Self::Spoilt(_) => bytes[0] = b'{',
            _ => {}
        }
        bytes
    }

    fn vectors(&self) -> impl Iterator<Item = (&'static str, &Vec<u16>)> {
        let good = if let Self::Vectors(vectors) = self { Some(vectors) } else { None };
        good.into_iter().flatten().map(|(name, bits)| (*name, bits))
    }
}

type Lines = BTreeMap<i64, Line>;

/// Rows of one ticker. Some hotkeys come late: row `k` knows only as many as its place allows.
fn lines(dim: usize) -> impl Strategy<Value = Lines> {
    let bits = prop_oneof![3 => Just(0_u16), 1 => Just(0x8000), 1 => Just(0x7e00), 1 => Just(0x7c00), 4 => any::<u16>()];
    let vectors = || (subsequence(NAMES.to_vec(), 0..=6), vec(vec(bits.clone(), dim), 6));
    let vectors = move || vectors().prop_map(|(names, values)| names.into_iter().zip(values).collect());
    let blob = prop_oneof![
        1 => Just(Blob::Null),
        8 => vectors().prop_map(Blob::Vectors),
        1 => vectors().prop_map(Blob::Long),
        1 => vectors().prop_map(Blob::Spoilt),
    ];
    let price = prop_oneof![
        1 => Just(None), 1 => Just(Some(0.0)), 1 => Just(Some(f64::INFINITY)), 1 => Just(Some(f64::NAN)), 4 => (0.1..9.0).prop_map(Some)
    ];
    let prices = btree_map(proptest::sample::select(vec!["X", "Y", "Z", "W"]), 0.1..9.0, 0..4);
    let line = (price, proptest::option::of(prices), blob).prop_map(|(price, price_data, blob)| Line {
        price,
        price_data,
        blob,
    });
    btree_map(90_i64..140, line, 0..40).prop_map(|mut lines: Lines| {
        for (k, line) in lines.values_mut().enumerate() {
            if let Blob::Vectors(vectors) = &mut line.blob {
                vectors.retain(|name, _| NAMES.iter().position(|x| x == name) <= Some(k / 4));
            }
        }
        lines
    })
}

fn store(path: &Path, ticker: &str, lines: &Lines) {
    let ledger = Ledger::open(path).unwrap();
    let tx = ledger.raw().unchecked_transaction().unwrap();
    for (sidx, line) in lines {
        let json = line.price_data.as_ref().map(|prices| serde_json::to_string(prices).unwrap());
        tx.execute(
            "INSERT INTO challenge_data (ticker, sidx, price, price_data, embeddings) VALUES (?1, ?2, ?3, ?4, ?5)",
            (ticker, sidx, line.price, json, line.blob.bytes()),
        )
        .unwrap();
    }
    tx.commit().unwrap();
}

/// What a snapshot must hold.
struct Oracle {
    market: Market,
    hotkeys: Vec<String>,
    first_seen: BTreeMap<String, Block>,
    cells: BTreeMap<(usize, usize), Vec<u16>>,
}

fn oracle(own: &Lines, source: &Lines, request: &SnapshotRequest) -> Oracle {
    let block = |sidx: i64| Block(sidx * i64::from(request.sample_every));
    let scored = |sidx: &i64| request.max_block.is_none_or(|last| block(*sidx) <= last);
    let active = |name: &str| request.active.as_ref().is_none_or(|active| active.contains(name));
    let mut market = Market { assets: request.assets.len().max(1), ..Market::default() };
    let used: Vec<(usize, i64, &Line)> = source
        .keys()
        .enumerate()
        .filter(|(_, sidx)| scored(sidx))
        .filter_map(|(row, sidx)| Some((row, *sidx, own.get(sidx)?)))
        .collect();
    let names = used.iter().flat_map(|(_, _, line)| line.blob.vectors()).map(|(name, _)| name.to_string());
    let hotkeys: Vec<String> =
        names.filter(|name| active(name)).collect::<BTreeSet<_>>().into_iter().collect();
    market.sidx = source.keys().copied().collect();
    market.scored_rows = source.keys().filter(|sidx| scored(sidx)).count();
    market.submitted = vec![false; market.scored_rows];
    for line in source.values() {
        if request.assets.is_empty() {
            market.prices.push(line.price.unwrap_or(f64::NAN));
        }
        let price = |asset: &String| line.price_data.as_ref()?.get(asset.as_str()).copied();
        market.prices.extend(request.assets.iter().map(|asset| price(asset).unwrap_or(f64::NAN)));
    }
    let (mut cells, mut first_seen) = (BTreeMap::new(), BTreeMap::new());
    for (row, sidx, line) in used {
        for (name, bits) in line.blob.vectors() {
            let present = is_present(&bits.iter().map(|bits| f16::from_bits(*bits)).collect::<Vec<_>>());
            market.submitted[row] |= present;
            if let Ok(miner) = hotkeys.binary_search(&name.to_string()) {
                cells.insert((miner, row), bits.clone());
                if present {
                    first_seen.entry(name.to_string()).or_insert(block(sidx));
                }
            }
        }
    }
    Oracle { market, hotkeys, first_seen, cells }
}

fn bits(market: &Market) -> Vec<u64> {
    market.prices.iter().map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_block_equals_the_oracle(
        ((dim, own), other) in (1_usize..4).prop_flat_map(|dim| (Just(dim), lines(dim))).prop_flat_map(|x| (Just(x), lines(1))),
        two in any::<bool>(),
        multi in any::<bool>(),
        max_block in proptest::option::of(440_i64..710),
        active in proptest::option::of(subsequence(NAMES.to_vec(), 0..6)),
        run in 1_usize..9,
        windows in vec((0_usize..7, 0_usize..7, 0_usize..40, 0_usize..40), 12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("datalog.db");
        store(&path, "OWN", &own);
        store(&path, "OTHER", &other);
        let request = SnapshotRequest {
            guest: None,
            ticker: "OWN".into(),
            price_source: two.then(|| "OTHER".into()),
            assets: if multi { ASSETS.map(String::from).into() } else { Vec::new() },
            channels: Vec::new(),
            facts: Vec::new(),
            storage_dim: dim,
            storage: Storage::F16,
            max_block: max_block.map(Block),
            as_of: None,
            sample_every: 5,
            active: active.map(|names| names.into_iter().map(String::from).collect()),
            carry_breakouts: false,
        };
        let expected = oracle(&own, if two { &other } else { &own }, &request);
        let built = Snapshot::build_in_runs(&Ledger::read(&path).unwrap(), &request, &dir.path().join("snap"), run).unwrap();
        let bad = own.iter().filter(|(sidx, line)| {
            let (Blob::Long(_) | Blob::Spoilt(_)) = line.blob else { return false };
            max_block.is_none_or(|block| *sidx * 5 <= block) && (!two || other.contains_key(sidx))
        });
        prop_assert_eq!(built.warnings().bad_blobs.count as usize, bad.count());
        let snapshot = Snapshot::open(&dir.path().join("snap")).unwrap();
        let market = snapshot.market().unwrap();
        prop_assert_eq!(bits(&market), bits(&expected.market));
        prop_assert_eq!(Market { prices: Vec::new(), ..market }, Market { prices: Vec::new(), ..expected.market });
        prop_assert_eq!(snapshot.hotkeys(), &expected.hotkeys);
        let first: BTreeMap<String, Block> = snapshot.first_seen().into_iter().map(|(k, v)| (k.to_string(), v)).collect();
        prop_assert_eq!(first, expected.first_seen);
        let Shape { rows, miners, dim: read_dim } = snapshot.shape();
        prop_assert_eq!((rows, miners, read_dim), (market.scored_rows, expected.hotkeys.len(), dim));
        let whole = (0, miners, 0, rows);
        for (a, b, c, d) in windows.into_iter().chain([whole]) {
            let (a, b) = (a.min(b).min(miners), a.max(b).min(miners));
            let (c, d) = (c.min(d).min(rows), c.max(d).min(rows));
            let mut out = vec![f16::NAN; (b - a) * (d - c) * dim];
            snapshot.read(a..b, c..d, &mut out).unwrap();
            let absent = vec![0; dim];
            let cells = (a..b).flat_map(|miner| (c..d).map(move |row| (miner, row)));
            let cells = cells.flat_map(|cell| expected.cells.get(&cell).unwrap_or(&absent).clone());
            prop_assert_eq!(out.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), cells.collect::<Vec<_>>());
        }
    }

    #[test]
    fn damage_is_an_error_or_harmless(file in 0_usize..4, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        small(dir.path());
        let path = dir.path().join(["market.arrow", "part-00000.arrow", "part-00001.arrow", "snapshot.json"][file]);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        fs::write(&path, bytes).unwrap();
        let used = Snapshot::open(dir.path()).and_then(|snapshot| {
            for miner in 0..snapshot.shape().miners {
                let _ = snapshot.miner(miner);
            }
            snapshot.market()
        });
        prop_assert!(!cut || used.is_err());
    }
}

/// A snapshot of 7 rows in two parts.
fn small(dir: &Path) -> Snapshot {
    let source = tempfile::tempdir().unwrap();
    let path = source.path().join("datalog.db");
    let vectors = BTreeMap::from([("5A", vec![0x3c00, 1]), ("5B", vec![0, 0x3c00])]);
    let line = Line { price: Some(1.0), price_data: None, blob: Blob::Vectors(vectors) };
    store(&path, "OWN", &(1..=7).map(|sidx| (sidx, line.clone())).collect());
    let request = SnapshotRequest {
        ticker: "OWN".into(),
        storage_dim: 2,
        sample_every: 5,
        ..SnapshotRequest::default()
    };
    Snapshot::build_in_runs(&Ledger::read(&path).unwrap(), &request, dir, 4).unwrap()
}

#[test]
fn a_block_outside_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = small(dir.path());
    let mut out = vec![f16::ZERO; 14];
    assert!(snapshot.read(0..1, 0..7, &mut out).is_ok());
    for (miners, rows) in [(2..3, 0..7), (0..1, 1..8), (0..2, 0..7), (0..1, 0..6)] {
        assert!(snapshot.read(miners, rows, &mut out).is_err());
    }
}

#[test]
fn an_unfinished_snapshot_is_named_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let old = small(dir.path());
    fs::remove_file(dir.path().join("snapshot.json")).unwrap();
    assert!(matches!(Snapshot::open(dir.path()), Err(SnapshotError::Incomplete { .. })));
    // The one that was open before goes on; what is built in its place does not matter.
    small(dir.path());
    assert_eq!(old.market().unwrap(), small(dir.path()).market().unwrap());
    let manifest = fs::read_to_string(dir.path().join("snapshot.json")).unwrap();
    fs::write(dir.path().join("snapshot.json"), manifest.replace("\"format\":3", "\"format\":4")).unwrap();
    assert!(matches!(Snapshot::open(dir.path()), Err(SnapshotError::Format { found: 4, .. })));
}

#[test]
fn threads_may_share_a_snapshot() {
    fn shared<T: Send + Sync>(_: &T) {}
    let dir = tempfile::tempdir().unwrap();
    shared(&small(dir.path()));
}

#[test]
fn a_part_fits_the_budget_and_holds_enough_rows() {
    for dim in [1, 2, 3, 17, 20, 33, 66, 1000, 1 << 20] {
        let rows = super::parts::rows_per_part(dim, Storage::F16);
        assert!(rows.is_power_of_two() && (64..=16_384).contains(&rows));
        assert!(rows == 64 || rows * 256 * dim * 2 <= 32 << 20, "{dim}: {rows}");
    }
    let rows = |dim| super::parts::rows_per_part(dim, Storage::F16);
    assert_eq!([2, 33, 66].map(rows), [16_384, 1_024, 512]);
    assert_eq!(super::parts::rows_per_part(28, Storage::F32), 1_024);
}

#[test]
fn single_precision_channels_and_facts_come_through() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("datalog.db");
    let mut ledger = Ledger::open(&path).unwrap();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    for row in 0..5_i64 {
        let prices =
            [("LOW", 1.0), ("BTC", 2.0), ("HIGH", 3.0)].map(|(name, x)| (name.to_owned(), x + row as f64));
        let kept = prices.into_iter().filter(|(name, _)| row != 3 || name != "HIGH").collect();
        let record = NewRow {
            ticker: "F".into(),
            price_data: Some(kept),
            submissions: vec![("5A".into(), Vector::F32(vec![0.1 + row as f32, 1e-20]))],
            ..NewRow::default()
        };
        let block = Block(5 * row);
        ledger.append(&SampledBlock { block, sidx: Sidx(row), rows: vec![record] }).unwrap();
    }
    let fact = |hotkey: &str| FactRow { hotkey: hotkey.into(), numbers: vec![1.0], ..FactRow::default() };
    let list = FactList { name: "bets".into(), rows: vec![fact("5A"), fact("5Gone")], ..FactList::default() };
    let request = SnapshotRequest {
        ticker: "F".into(),
        assets: names(&["BTC"]),
        channels: names(&["HIGH", "LOW"]),
        facts: vec![list],
        storage_dim: 2,
        storage: Storage::F32,
        sample_every: 5,
        ..SnapshotRequest::default()
    };
    let folder = dir.path().join("snap");
    Snapshot::build_in_runs(&Ledger::read(&path).unwrap(), &request, &folder, 2).unwrap();
    let snapshot = Snapshot::open_checked(&folder).unwrap();
    let market = snapshot.market().unwrap();
    assert_eq!(market.prices, [2.0, 3.0, 4.0, 5.0, 6.0]);
    let channel = |row, c| market.channel(row, c, 2);
    assert_eq!(
        (channel(1, 0), channel(1, 1), channel(3, 0), channel(3, 1)),
        (Some(4.0), Some(2.0), None, Some(4.0))
    );
    assert_eq!(market.facts[0].rows, [fact("5A")]);
    let mut numbers = [0.0; 10];
    snapshot.read_f32(0..1, 0..5, &mut numbers).unwrap();
    assert_eq!((numbers[8], numbers[9]), (4.1, 1e-20));
    assert!(
        snapshot.read(0..1, 0..5, &mut [f16::ZERO; 10]).unwrap_err().to_string().contains("single precision")
    );

    // A challenge of half precision does not take in what was stored otherwise.
    let halves = SnapshotRequest { storage: Storage::F16, ..request };
    let built = Snapshot::build(&Ledger::read(&path).unwrap(), &halves, &folder).unwrap();
    assert_eq!(built.warnings().bad_blobs.count, 5);
}
