//! The form of a part: rows there and back, the same bytes for the same rows, and bytes that are none.

use super::form::{PartItem, PartRow};
use super::{Day, ListedFile, Origin, PartHead, PartRejection, PartWriter, PublishedError, walk};
use crate::{Ledger, LedgerError, NewRow, SampledBlock, Vector};
use half::f16;
use mantis_config::{Block, Sidx};
use sha2::Digest as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const HEAD: PartHead = PartHead { netuid: 123, sample_every: 5, day: Day(2) };

fn tickers() -> BTreeSet<String> {
    ["A", "B"].map(String::from).into()
}

/// A ledger with blocks on either side of day 2.
fn ledger(path: &Path, skip: i64) -> Ledger {
    let mut ledger = Ledger::open(path).unwrap();
    let step = |k: i64| {
        let numbers = |seed: i64| Vector::from(vec![f16::from_f32((seed % 97) as f32 / 7.0 + 0.5), f16::ONE]);
        let a = NewRow {
            ticker: "A".into(),
            dim: 2,
            blocks_ahead: 300,
            price: Some(k as f64 / 3.0),
            submissions: vec![("5A".into(), numbers(k)), ("5B".into(), numbers(3 * k))],
            ..NewRow::default()
        };
        let many = vec![("X".to_owned(), k as f64), ("Y".to_owned(), 0.1)];
        let b = NewRow { ticker: "B".into(), dim: 1, price_data: Some(many), ..NewRow::default() };
        SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![a, b] }
    };
    let steps = (2700..4500).filter(|k| *k != skip).map(step).collect::<Vec<_>>();
    ledger.append_many(steps, 1000).unwrap();
    ledger
}

fn cut(ledger: &Ledger, to: &Path) -> ListedFile {
    let (contents, packed) = ledger.write_part(HEAD, &tickers(), to).unwrap().unwrap();
    ListedFile { size: packed.size, sha256: packed.sha256, bytes: contents.bytes, content: contents.sha256 }
}

fn origin() -> Origin {
    Origin { publisher: "5P".into(), number: 1, is_final: true, unix: 1, challenges: BTreeMap::new() }
}

fn rejection(error: PublishedError) -> PartRejection {
    match error {
        PublishedError::Rejected { rejection, .. } => rejection,
        other => panic!("{other}"),
    }
}

#[test]
fn the_same_rows_have_the_same_bytes_and_others_have_not() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two, three] = ["1", "2", "3"].map(|name| dir.path().join(name));
    let first = ledger(&dir.path().join("a.db"), 0);
    let listed = cut(&first, &one);
    // As the network's own program would, without checksums.
    let mut second = ledger(&dir.path().join("b.db"), 0);
    second.forget_sums().unwrap();
    assert_eq!(cut(&second, &two), listed);
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
    assert_ne!(cut(&ledger(&dir.path().join("c.db"), 3000), &three).content, listed.content);
    // Days of which there is nothing have no file.
    let nothing = PartHead { day: Day(9), ..HEAD };
    assert!(first.write_part(nothing, &tickers(), &three).unwrap().is_none() && !three.exists());
    let days: Vec<i64> = first.days(&tickers(), 5).unwrap().into_iter().map(|day| day.0).collect();
    assert_eq!(days, [1, 2, 3]);
}

#[test]
fn a_stamp_changes_with_the_rows_alone() {
    let dir = tempfile::tempdir().unwrap();
    let first = ledger(&dir.path().join("a.db"), 0);
    let stamp = |ledger: &Ledger| ledger.part_stamp(HEAD, &tickers()).unwrap();
    let before = stamp(&first);
    assert!(before.is_some());
    assert_eq!(stamp(&ledger(&dir.path().join("b.db"), 0)), before);
    assert_ne!(stamp(&ledger(&dir.path().join("c.db"), 3000)), before);
    assert_ne!(
        stamp(&ledger(&dir.path().join("d.db"), 0)),
        first.part_stamp(PartHead { day: Day(1), ..HEAD }, &tickers()).unwrap()
    );
    first.raw().execute("DELETE FROM host_sums WHERE ticker = 'B' AND sidx = 3000", []).unwrap();
    assert_eq!(stamp(&first), None);
}

#[test]
fn a_row_that_was_changed_on_the_disk_is_not_published() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(&dir.path().join("a.db"), 0);
    ledger
        .raw()
        .execute("UPDATE challenge_data SET price = 7 WHERE ticker = 'A' AND sidx = 3000", [])
        .unwrap();
    let error = ledger.write_part(HEAD, &tickers(), &dir.path().join("1")).unwrap_err();
    assert!(matches!(error, PublishedError::Ledger(LedgerError::Changed { .. })), "{error}");
}

#[test]
fn no_flipped_bit_is_merged() {
    let dir = tempfile::tempdir().unwrap();
    let [good, bad] = ["good", "bad"].map(|name| dir.path().join(name));
    let listed = cut(&ledger(&dir.path().join("a.db"), 0), &good);
    let bytes = fs::read(&good).unwrap();
    let mut into = Ledger::open(dir.path().join("b.db")).unwrap();
    let origin = origin();
    for i in 0..1000_u64 {
        let mut flipped = bytes.clone();
        let at = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (8 * bytes.len() as u64)) as usize;
        flipped[at / 8] ^= 1 << (at % 8);
        fs::write(&bad, &flipped).unwrap();
        let refused = rejection(into.merge_part(&bad, HEAD, &listed, &origin).unwrap_err());
        assert!(matches!(refused, PartRejection::Digest { .. }), "bit {at}: {refused}");
    }
    // Also where the digest of the file was signed by mistake: what is in it has one of its own.
    for i in 0..1000_u64 {
        let mut flipped = bytes.clone();
        let at = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (8 * bytes.len() as u64)) as usize;
        flipped[at / 8] ^= 1 << (at % 8);
        fs::write(&bad, &flipped).unwrap();
        let signed = ListedFile { sha256: sha2::Sha256::digest(&flipped).into(), ..listed };
        match into.merge_part(&bad, HEAD, &signed, &origin) {
            // A bit of the frame that changes nothing of what is in it.
            Ok(_) => into = Ledger::open(dir.path().join(format!("b{i}.db"))).unwrap(),
            Err(error) => drop(rejection(error)),
        }
    }
    for cut in [0, 1, 100, bytes.len() - 1] {
        fs::write(&bad, &bytes[..cut]).unwrap();
        let refused = rejection(into.merge_part(&bad, HEAD, &listed, &origin).unwrap_err());
        assert!(matches!(refused, PartRejection::Size { .. }), "{refused}");
    }
    assert_eq!(into.sampled_blocks().unwrap(), 0);
    into.merge_part(&good, HEAD, &listed, &origin).unwrap();
    assert_eq!(into.sampled_blocks().unwrap(), 1440);
}

#[test]
fn what_unpacks_to_more_than_is_listed_is_read_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb");
    // Eight rows of 64 MiB of zeros each, in a few kilobytes.
    let zeros = vec![0; 64 << 20];
    let rows = |count: i64| {
        let file = fs::File::create(&path).unwrap();
        let packer = zstd::stream::write::Encoder::new(file, 3).unwrap();
        let mut writer = PartWriter::begin(packer, HEAD, &[]).unwrap();
        for sidx in 2880..2880 + count {
            writer.row(&PartRow { blob: &zeros, ..row("A", sidx) }).unwrap();
        }
        writer.end().unwrap().0.finish().unwrap();
    };
    rows(8);
    let file = fs::read(&path).unwrap();
    assert!(file.len() < 1 << 20, "{}", file.len());
    let listed = ListedFile {
        size: file.len() as u64,
        sha256: sha2::Sha256::digest(&file).into(),
        bytes: 1000,
        content: [0; 32],
    };
    let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
    let origin = origin();
    let begun = std::time::Instant::now();
    let refused = rejection(ledger.merge_part(&path, HEAD, &listed, &origin).unwrap_err());
    assert_eq!(refused, PartRejection::TooLarge { limit: 1000 });
    assert!(begun.elapsed().as_secs() < 5);
    // A window that would take more memory than is granted.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(27).unwrap();
    std::io::Write::write_all(&mut encoder, &zeros).unwrap();
    std::io::Write::write_all(&mut encoder, &zeros).unwrap();
    std::io::Write::write_all(&mut encoder, &zeros).unwrap();
    fs::write(&path, encoder.finish().unwrap()).unwrap();
    let file = fs::read(&path).unwrap();
    let listed = ListedFile {
        size: file.len() as u64,
        sha256: sha2::Sha256::digest(&file).into(),
        bytes: 1 << 31,
        ..listed
    };
    let refused = rejection(ledger.merge_part(&path, HEAD, &listed, &origin).unwrap_err());
    assert!(matches!(refused, PartRejection::Packed { .. }), "{refused}");
}

/// The bytes of a part that is written by hand.
fn written(blocks: &[i64], rows: &[PartRow<'_>]) -> Vec<u8> {
    let blocks: Vec<Block> = blocks.iter().copied().map(Block).collect();
    let mut writer = PartWriter::begin(Vec::new(), HEAD, &blocks).unwrap();
    rows.iter().for_each(|row| writer.row(row).unwrap());
    writer.end().unwrap().0
}

fn row(ticker: &str, sidx: i64) -> PartRow<'_> {
    PartRow { ticker, sidx: Sidx(sidx), price: Some(1.5), price_data: Some("{}"), blob: b"[]\0" }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    let read = |bytes: &[u8]| {
        let mut rows = 0;
        walk(bytes, HEAD, 1 << 20, |item| {
            rows += u64::from(matches!(item, PartItem::Row(_)));
            Ok::<_, PartRejection>(())
        })
        .map(|contents| {
            assert_eq!(contents.rows, rows);
            contents.blocks
        })
    };
    let good = written(&[14_400, 21_595], &[row("A", 2880), row("A", 4319), row("B", 2880)]);
    assert_eq!(read(&good), Ok(2));
    for (bad, says) in [
        (written(&[14_399], &[]), "block 14399 has no place"),
        (written(&[14_401], &[]), "block 14401 has no place"),
        (written(&[21_600], &[]), "block 21600 has no place"),
        (written(&[14_405, 14_400], &[]), "block 14400 has no place"),
        (written(&[14_400, 14_400], &[]), "block 14400 has no place"),
        (written(&[], &[row("A", 2879)]), "the row 2879 of A has no place"),
        (written(&[], &[row("A", 4320)]), "the row 4320 of A has no place"),
        (written(&[], &[row("A", 2881), row("A", 2881)]), "the row 2881 of A has no place"),
        (written(&[], &[row("A", i64::MIN)]), "of A has no place"),
        (written(&[], &[row("B", 2881), row("A", 2882)]), "the challenge A has no place"),
        (written(&[], &[row("A b", 2881)]), "a ticker that is none"),
        (written(&[], &[row("", 2881)]), "a ticker that is none"),
        ([good.clone(), vec![0]].concat(), "more follows its end"),
        (good[..good.len() - 1].to_vec(), "it ends too early"),
        ([&good[..good.len() - 1], &[1, 1, b'C', 0]].concat(), "a 0 where no such thing can be"),
        ([&good[..good.len() - 1], &[9]].concat(), "a 9 where no such thing can be"),
        (b"SQLite format 3\0 and so on".to_vec(), "it begins otherwise"),
    ] {
        let said = read(&bad).unwrap_err().to_string();
        assert!(said.contains(says) && said.len() < 300, "{says}: {said}");
    }
    let other = PartHead { netuid: 9, ..HEAD };
    let said = walk(&good[..], other, 1 << 20, |_| Ok::<_, PartRejection>(())).unwrap_err().to_string();
    assert!(said.contains("it is day 2 of subnet 123"), "{said}");
    // A price that a ledger cannot hold, and one that is written otherwise.
    let at = good.windows(8).position(|bytes| bytes == 1.5_f64.to_bits().to_le_bytes()).unwrap();
    for price in [f64::NAN, f64::INFINITY, -1e301, -0.0] {
        let mut bad = good.clone();
        bad[at..at + 8].copy_from_slice(&price.to_bits().to_le_bytes());
        assert!(read(&bad).unwrap_err().to_string().contains("a price that is none"));
    }
    let mut long = good.clone();
    // The length of the prices of the first row.
    long[at + 8..at + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(read(&long).unwrap_err().to_string().contains("4194304 are allowed"));
}
