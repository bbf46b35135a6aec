//! What is exported, read back and compared with the ledger.

use super::*;
use crate::{
    Accepted, Activities, Arrival, Attempt, Computation, Ledger, LedgerError, NewRow, Rejection, Row, Sample,
    SampledBlock, Sent, Stage, Vector,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use half::f16;
use mantis_config::{Block, Config, Sidx};
use mantis_plugin_api::Salience;
use mantis_weights as weights;
use mantis_weights::Scored;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

const ROWS: i64 = 60;

/// A ledger with something in every table: a ticker of one asset, and one of two.
fn ledger(path: &Path) {
    let mut ledger = Ledger::open(path).unwrap();
    let half = |x: f32| f16::from_f32(x);
    let step = |sidx: i64| {
        let x = sidx as f32 / 100.0;
        let mut submissions = vec![("5Bob".into(), vec![half(x), half(-x)].into())];
        if sidx % 3 == 0 {
            submissions.push(("5Alice".into(), vec![half(0.1), half(65504.0)].into()));
        }
        let eth = NewRow {
            ticker: "ETH".into(),
            dim: 2,
            blocks_ahead: 300,
            price: Some(3000.1 + sidx as f64),
            submissions,
            ..NewRow::default()
        };
        let multi = NewRow {
            ticker: "A,\"B".into(),
            dim: 1,
            price_data: Some(vec![("BTC".into(), 6e4), ("SOL".into(), 0.1)]),
            submissions: vec![("5Carol".into(), vec![half(1.0), half(0.5)].into())],
            ..NewRow::default()
        };
        SampledBlock { block: Block(5 * sidx), sidx: Sidx(sidx), rows: vec![eth, multi] }
    };
    ledger.append_many((1001..1001 + ROWS).map(step), 20).unwrap();
    let accepted = Accepted { payload: b"p".to_vec(), sha256: [1; 32], round: 7, early: true };
    let rejection = Rejection {
        hotkey: "5Bob".into(),
        stage: Stage::Parse,
        ticker: String::new(),
        code: "not_json".into(),
        detail: "line 1,\n\"quoted\"".into(),
    };
    let arrival = Arrival { hotkey: "5Alice".into(), accepted: Some(accepted) };
    let sample = Sample {
        step: SampledBlock { block: Block(5 * (1001 + ROWS)), sidx: Sidx(1001 + ROWS), rows: Vec::new() },
        arrivals: vec![arrival],
        rejections: vec![rejection],
        doubtful: Vec::new(),
    };
    ledger.sample(&sample).unwrap();
    let mut salience = Salience::new(2);
    salience.set(0, 1.0);
    salience.set(1, 3.0);
    let scored = Scored {
        ticker: "ETH".into(),
        hotkeys: vec!["5Alice".into(), "5Bob".into()],
        salience: Some(salience),
        skipped: Some("too few rows".into()),
        ..Scored::default()
    };
    let step = |uid, previous| weights::Settlement {
        uid,
        hotkey: format!("5Uid{uid}"),
        salience: 0.1 + 0.2,
        young: uid == 1,
        share: 0.5,
        burned: 0.35,
        previous,
        weight: 1.0 / 3.0,
    };
    let computation = Computation {
        block: Block(5200),
        max_block: Block(5100),
        unix: 1_700_000_000,
        seconds: 1.5,
        rejected: None,
        scored: vec![scored],
        activities: Activities::new(),
        settlements: vec![step(0, None), step(1, Some(0.2))],
        ..Computation::default()
    };
    ledger.store_computation(&computation).unwrap();
    let attempt = Attempt {
        computed: Block(5200),
        block: Block(5201),
        unix: 1_700_000_001,
        sent: Sent::DryRun,
        transaction: None,
        included: Some(Block(5203)),
        error: Some("none, really".into()),
        weights: vec![(0, "5Uid0".into(), 65_535)],
    };
    ledger.store_attempt(&attempt).unwrap();
    ledger.store_states("ETH", Sidx(1001), &BTreeMap::from([("BTC".into(), "{\"a\": 1}".into())])).unwrap();
}

fn export(ledger: &Path, out: &Path, format: Format) -> Export {
    Export {
        ledger: ledger.into(),
        out: out.into(),
        format: Some(format),
        tables: Vec::new(),
        tickers: Vec::new(),
        dims: BTreeMap::new(),
        blocks: Block(0)..=Block::MAX,
        force: false,
    }
}

fn parquet(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

/// Every value as text; missing ones are empty.
fn cells(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let cell = |column: &dyn Array, row: usize| match column.data_type() {
        _ if column.is_null(row) => String::new(),
        arrow_schema::DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        arrow_schema::DataType::Float64 => format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        arrow_schema::DataType::Boolean => column.as_boolean().value(row).to_string(),
        arrow_schema::DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        arrow_schema::DataType::Dictionary(..) => {
            let names = column.as_dictionary::<Int32Type>();
            names.values().as_string::<i32>().value(names.key(row).unwrap()).into()
        }
        arrow_schema::DataType::List(_) => serde_json::to_string(
            &column.as_list::<i32>().value(row).as_primitive::<Float32Type>().values()[..],
        )
        .unwrap(),
        other => panic!("{other}"),
    };
    let rows = |batch: &RecordBatch| -> Vec<Vec<String>> {
        (0..batch.num_rows())
            .map(|row| batch.columns().iter().map(|c| cell(c.as_ref(), row)).collect())
            .collect()
    };
    batches.iter().flat_map(rows).collect()
}

fn csv_cells(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().iter().map(String::from).collect();
    (header, reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect())
}

#[test]
fn both_forms_hold_what_the_ledger_holds() {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("a.db"), dir.path().join("out"));
    ledger(&path);
    let exported = export(&path, &out, Format::Parquet).run(|_, _| {}).unwrap();
    export(&path, &out, Format::Csv).run(|_, _| {}).unwrap();
    assert_eq!(exported.missing, [""; 0]);
    assert_eq!(exported.tables.len(), Table::ALL.len());
    for written in &exported.tables {
        let table: Table = written.table.parse().unwrap();
        let batches = parquet(&written.file);
        let names: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
        let rows = cells(&batches);
        assert_eq!(rows.len() as u64, written.rows, "{}", written.table);
        assert!(!rows.is_empty(), "{}", written.table);
        let (header, from_csv) = csv_cells(&written.file.with_extension("csv"));
        assert_eq!(header, names);
        if table == Table::Submissions {
            for (a, b) in rows.iter().zip(&from_csv) {
                let vector = |row: &[String]| serde_json::from_str::<Vec<f32>>(&row[4]).unwrap();
                assert_eq!((&a[..4], vector(a)), (&b[..4], vector(b)));
            }
            assert_eq!(rows.len(), from_csv.len());
        } else {
            assert_eq!(rows, from_csv, "{}", written.table);
        }
    }
    let leftover = std::fs::read_dir(&out).unwrap().count();
    assert_eq!(leftover, 2 * Table::ALL.len(), "temporary files are left");

    // Against the ledger's own reader: every vector, every price, in the order of blocks.
    let reader = Ledger::read(&path).unwrap();
    let of = |table: &str| cells(&parquet(&out.join(table).with_extension("parquet")));
    let (mut vectors, mut prices) = (Vec::new(), Vec::new());
    for sidx in 1001..=1001 + ROWS {
        for (ticker, dim) in [("A,\"B", 2), ("ETH", 2)] {
            let visit = |row: Row<'_>| {
                let head = [row.sidx.to_string(), (5 * row.sidx.0).to_string(), ticker.to_owned()];
                for (hotkey, bytes) in row.submissions {
                    let numbers =
                        bytes.as_chunks::<2>().0.iter().map(|pair| f16::from_le_bytes(*pair).to_f32());
                    let vector = serde_json::to_string(&numbers.collect::<Vec<f32>>()).unwrap();
                    vectors.push(head.iter().cloned().chain([hotkey.to_owned(), vector]).collect::<Vec<_>>());
                }
                let many: BTreeMap<String, f64> =
                    row.price_data.map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default();
                let one = row.price.map(|price| (String::new(), price));
                for (asset, price) in one.into_iter().chain(many) {
                    prices
                        .push(head.iter().cloned().chain([asset, format!("{price:?}")]).collect::<Vec<_>>());
                }
                Ok::<_, LedgerError>(ControlFlow::Continue(()))
            };
            reader.rows(ticker, Sidx(sidx)..=Sidx(sidx), dim, visit).unwrap();
        }
    }
    assert_eq!(of("submissions"), vectors);
    assert_eq!(of("prices"), prices);
    assert_eq!(of("blocks").len() as i64, ROWS + 1);
    assert_eq!(of("weights")[1][7], "0.2");
    assert_eq!(of("weights")[0][7], "");
    assert_eq!(of("rejections")[0][4], "");
    assert_eq!(of("rejections")[0][7], "line 1,\n\"quoted\"");
    assert_eq!(of("settings")[0][3..6], ["dry run", "", "5203"]);
    assert_eq!(of("miners"), [["5Alice", "1", "0", "1", "0", &(5 * (1001 + ROWS)).to_string()]]);
}

#[test]
fn blocks_tickers_and_tables_are_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let (path, file) = (dir.path().join("a.db"), dir.path().join("new/eth.parquet"));
    ledger(&path);
    let some = Export {
        tables: vec![Table::Prices],
        tickers: vec!["ETH".into()],
        blocks: Block(5 * 1010)..=Block(5 * 1012 + 4),
        format: None,
        ..export(&path, &file, Format::Parquet)
    };
    let mut heard = Vec::new();
    some.run(|_, done| heard.push(done)).unwrap();
    assert_eq!(heard.last(), Some(&1.0));
    let rows = cells(&parquet(&file));
    assert_eq!(rows.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["5050", "5055", "5060"]);
    assert!(rows.iter().all(|row| row[2] == "ETH" && row[3].is_empty()));

    assert!(matches!(some.run(|_, _| {}), Err(ExportError::Exists { .. })));
    Export { force: true, blocks: Block(0)..=Block(0), ..some.clone() }.run(|_, _| {}).unwrap();
    assert_eq!(cells(&parquet(&file)), [[""; 0]; 0]);
    let two = Export { tables: vec![Table::Prices, Table::Blocks], force: true, ..some.clone() };
    assert!(matches!(two.run(|_, _| {}), Err(ExportError::OneFile { tables: 2, .. })));
    let unknown = Export { tickers: vec!["XRP".into()], force: true, ..some };
    let error = unknown.run(|_, _| {}).unwrap_err().to_string();
    assert!(error.contains("no ticker XRP; it has A,\"B, ETH"), "{error}");
}

#[test]
fn a_ledger_of_the_network_lacks_our_tables() {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("a.db"), dir.path().join("out"));
    let writer = Ledger::open(&path).unwrap();
    writer.raw().execute_batch("DROP TABLE host_cycles; DROP TABLE breakout_state").unwrap();
    drop(writer);
    let exported = export(&path, &out, Format::Csv).run(|_, _| {}).unwrap();
    assert_eq!(exported.missing, ["cycles", "breakouts"]);
    assert!(exported.tables.iter().all(|written| written.rows == 0));
    let named = Export { tables: vec![Table::Cycles], force: true, ..export(&path, &out, Format::Csv) };
    assert!(matches!(named.run(|_, _| {}), Err(ExportError::Lacks { table: "cycles", .. })));
}

#[test]
fn single_precision_is_told_by_the_ledger_or_by_who_asks() {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("a.db"), dir.path().join("out"));
    let keys = "[[challenge]]\nname=\"F\"\nticker=\"F\"\nplugin=\"flow\"\nstorage=\"f32\"\ndim=2\nblocks_ahead=300\nweight=1\n";
    let config = Config::parse(keys, Path::new("a.toml")).unwrap();
    let mut writer = Ledger::open(&path).unwrap();
    let submissions = vec![("5Carol".into(), Vector::F32(vec![0.1, 16_777_215.0]))];
    let row = NewRow { ticker: "F".into(), dim: 2, submissions, ..NewRow::default() };
    writer.append(&SampledBlock { block: Block(10), sidx: Sidx(2), rows: vec![row] }).unwrap();
    let exported = |dims: &[(&str, usize)]| {
        let dims = dims.iter().map(|(ticker, dim)| (ticker.to_string(), *dim)).collect();
        let done = Export { dims, force: true, ..export(&path, &out, Format::Csv) }.run(|_, _| {}).unwrap();
        let text = std::fs::read_to_string(out.join("submissions.csv")).unwrap();
        (text.contains("0.1,16777215.0]"), done.assumed)
    };
    assert_eq!(exported(&[]), (false, vec!["F".to_owned()]));
    assert_eq!(exported(&[("F", 2)]), (true, vec![]));
    writer.keep_layout(&config).unwrap();
    assert_eq!(exported(&[]), (true, vec![]));
}
