//! Tables in either form, from several programs' hands, and what is wrong with some.

use super::{At, GuestFileError, read};
use arrow_array::builder::{FixedSizeListBuilder, Float32Builder};
use arrow_array::{
    ArrayRef, Decimal128Array, DictionaryArray, Float16Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, UInt64Array,
};
use half::f16;
use mantis_config::{Block, Sidx};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What of a line is compared.
type Line = (u64, At, Option<String>, Option<String>, Vec<f64>);

fn lines(path: &Path) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    let read = read(path, |line| {
        let text = |text: Option<&str>| text.map(String::from);
        lines.push((line.row, line.at, text(line.challenge), text(line.hotkey), line.numbers.to_vec()));
        Ok::<_, GuestFileError>(())
    });
    read.map(|()| lines).map_err(|error| error.to_string())
}

fn csv(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("a.csv");
    fs::write(&path, text).unwrap();
    path
}

fn parquet(dir: &Path, columns: Vec<(&str, ArrayRef)>, compression: Compression) -> PathBuf {
    let path = dir.join("a.parquet");
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, c)| (name, c, true)));
    let batch = batch.unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn at(block: i64) -> At {
    At::Block(Block(block))
}

#[test]
fn a_column_to_a_number_or_a_list_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let expected = vec![
        (1, at(500), Some("ETH".to_owned()), None, vec![0.5, -0.25]),
        (2, at(505), Some("MULTI".to_owned()), None, vec![1.0, 0.0, 0.125]),
        (3, at(510), Some("ETH".to_owned()), None, vec![]),
    ];
    let wide = "\u{feff}block, ticker,v0,v1,v2\n500,ETH,0.5,-0.25,\n505,MULTI,1,0,1.25e-1\n510,ETH,,,\n";
    assert_eq!(lines(&csv(dir, wide)).unwrap(), expected);
    let list = "ticker,vector,block\nETH,\"[0.5,-0.25]\",500\nMULTI,\"[1, 0, 0.125]\",505\nETH,,510\n";
    assert_eq!(lines(&csv(dir, list)).unwrap(), expected);

    let tickers: ArrayRef = Arc::new(StringArray::from(vec!["ETH", "MULTI", "ETH"]));
    let blocks: ArrayRef = Arc::new(Int64Array::from(vec![500, 505, 510]));
    let v = |numbers: [Option<f64>; 3]| -> ArrayRef { Arc::new(Float64Array::from(numbers.to_vec())) };
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())]
    {
        let columns = vec![
            ("v1", v([Some(-0.25), Some(0.0), None])),
            ("v0", v([Some(0.5), Some(1.0), None])),
            ("v2", v([None, Some(0.125), None])),
            ("challenge", tickers.clone()),
            ("block", blocks.clone()),
        ];
        assert_eq!(lines(&parquet(dir, columns, compression)).unwrap(), expected);
    }
}

#[test]
fn types_of_other_programs_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let names: DictionaryArray<arrow_array::types::Int8Type> = ["ETH", "ETH", "BTC"].into_iter().collect();
    let mut list = FixedSizeListBuilder::new(Float32Builder::new(), 2);
    for number in [0.5, 1.0, 2.0, 3.0, 4.0, 5.0] {
        list.values().append_value(number);
        if number as i32 % 2 == 1 {
            list.append(true);
        }
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("sidx", Arc::new(UInt64Array::from(vec![100, 101, 102]))),
        ("ticker", Arc::new(names)),
        ("hotkey", Arc::new(StringArray::from(vec!["5A"; 3]))),
        ("vector", Arc::new(list.finish())),
    ];
    let read = lines(&parquet(dir, columns, Compression::SNAPPY)).unwrap();
    let hotkey = || Some("5A".to_owned());
    assert_eq!(read[0], (1, At::Sidx(Sidx(100)), Some("ETH".into()), hotkey(), vec![0.5, 1.0]));
    assert_eq!(read[2], (3, At::Sidx(Sidx(102)), Some("BTC".into()), hotkey(), vec![4.0, 5.0]));
    let halves: ArrayRef = Arc::new(Float16Array::from(vec![f16::from_f32(0.1), f16::from_f32(-2.0)]));
    let columns: Vec<(&str, ArrayRef)> =
        vec![("block", Arc::new(Int32Array::from(vec![5, 10]))), ("v0", halves)];
    let read = lines(&parquet(dir, columns, Compression::UNCOMPRESSED)).unwrap();
    assert_eq!(read[0].4, [f64::from(f16::from_f32(0.1))]);
    assert_eq!(read[1], (2, at(10), None, None, vec![-2.0]));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (text, says) in [
        ("block,v0\n5,0.5\n10,nan\n", "a.csv: row 2: number 1 is NaN; only finite numbers can be sent"),
        ("block,v0\n5,inf\n", "row 1: number 1 is inf"),
        ("block,v0\n5,1e999\n", "row 1: number 1 is inf"),
        ("block,v0\n5,x\n", "row 1: `v0` is `x`, no number"),
        ("block,v0\nx,1\n", "row 1: `block` is `x`, no whole number"),
        ("block,v0\n5.0,1\n", "row 1: `block` is `5.0`, no whole number"),
        ("block,v0\n,1\n", "row 1: it says neither `block` nor `sidx`"),
        ("block,v0,v1\n5,,1\n", "row 1: number 1 is missing, and there are later ones"),
        ("block,v0\n5,1,2\n", "not read as CSV: line 2: 3 values where the header has 2"),
        ("block,vector\n5,\"[1,\"\n", "row 1: `vector` is no JSON list of numbers"),
        ("block,vector\n5,\"[1,null]\"\n", "row 1: `vector` is no JSON list of numbers"),
        ("block,w\n5,1\n", "a.csv: the column `w` means nothing here"),
        ("", "neither a column `block` nor one `sidx`"),
    ] {
        let error = lines(&csv(dir, text)).unwrap_err();
        assert!(error.contains(says), "{text:?}: {error}");
    }
    fs::write(dir.join("a.csv"), b"block,v0\n5,\xff\n").unwrap();
    assert!(lines(&dir.join("a.csv")).unwrap_err().contains("line 2: it is not UTF-8"));
    assert!(lines(&dir.join("none.csv")).unwrap_err().starts_with("cannot read"));
    assert!(lines(&dir.join("none.parquet")).unwrap_err().starts_with("cannot read"));
    assert!(lines(&dir.join("a.npy")).unwrap_err().contains("must end in .parquet, .csv or .jsonl"));
    fs::write(dir.join("a.parquet"), "block,v0\n5,1\n").unwrap();
    assert!(lines(&dir.join("a.parquet")).unwrap_err().contains("not read as Parquet"));

    let block: ArrayRef = Arc::new(Int64Array::from(vec![5]));
    let number: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["5"]));
    let decimal: ArrayRef = Arc::new(Decimal128Array::from(vec![5]));
    for (columns, says) in [
        (
            vec![("block", text.clone()), ("v0", number.clone())],
            "the column `block` has Utf8, not whole numbers",
        ),
        (vec![("block", block.clone()), ("v0", text.clone())], "the column `v0` has Utf8, not numbers"),
        (vec![("block", block.clone()), ("v0", decimal)], "not numbers"),
        (
            vec![("block", block.clone()), ("vector", number.clone())],
            "`vector` has Float64, not lists of numbers",
        ),
        (vec![("block", block.clone()), ("ticker", block.clone()), ("v0", number.clone())], "not text"),
        (vec![("block", block), ("v0", number)], "row 1: number 1 is NaN"),
    ] {
        let error = lines(&parquet(dir, columns, Compression::UNCOMPRESSED)).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_damaged_parquet_file_is_refused_and_not_more() {
    let dir = tempfile::tempdir().unwrap();
    let block: ArrayRef = Arc::new(Int64Array::from((0..200).collect::<Vec<_>>()));
    let number: ArrayRef = Arc::new(Float64Array::from((0..200).map(f64::from).collect::<Vec<_>>()));
    let path = parquet(dir.path(), vec![("block", block), ("v0", number)], Compression::SNAPPY);
    let sound = fs::read(&path).unwrap();
    for cut in (0..sound.len()).step_by(97) {
        fs::write(&path, &sound[..cut]).unwrap();
        assert!(lines(&path).is_err(), "cut at {cut}");
    }
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..600 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut flipped = sound.clone();
        let bit = (random >> 33) as usize % (8 * sound.len());
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        // Another number, or an error: the form has no checksums that all writers fill in.
        let _ = lines(&path);
    }
}
