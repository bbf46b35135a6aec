//! `mantis export`, seen from outside.

use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, stdout, tiny_ledger, trial};
use std::fs;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(it_writes_files_once_and_reads_only)]
}

fn it_writes_files_once_and_reads_only() {
    let dir = TempDir::new().unwrap();
    let (ledger, out) = (dir.path().join("a.db"), dir.path().join("out"));
    tiny_ledger(&ledger, &["A", "B"], 50);
    let before = fs::read(&ledger).unwrap();
    let export = |more: &[&str]| {
        let mut command = mantis();
        command.arg("export").arg("--ledger").arg(&ledger).arg("--out").arg(&out).args(more);
        command
    };
    let document = json(&mut export(&["--json"]));
    let rows = |table: &str| {
        let tables = document["tables"].as_array().unwrap();
        tables.iter().find(|written| written["table"] == table).unwrap()["rows"].as_u64().unwrap()
    };
    assert_eq!((rows("blocks"), rows("prices"), rows("submissions")), (50, 100, 300));
    assert_eq!(document["missing"].as_array().unwrap().len(), 0);
    assert!(fs::read(out.join("submissions.parquet")).unwrap().starts_with(b"PAR1"));
    let says = failure(&mut export(&[]));
    assert!(says.contains("the file is there already") && says.contains("--force"), "{says}");
    let text =
        stdout(&mut export(&["--force", "--format", "csv", "--table", "prices,blocks", "--ticker", "B"]));
    assert!(text.contains("prices") && text.contains("50"), "{text}");
    let csv = fs::read_to_string(out.join("prices.csv")).unwrap();
    assert_eq!(csv.lines().next(), Some("sidx,block,ticker,asset,price"));
    assert_eq!(csv.lines().nth(1), Some("1000000,5000000,B,,100.0"));
    assert_eq!(fs::read(&ledger).unwrap(), before);

    let wrong = export(&["--table", "price"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("allowed are blocks, prices, submissions"));
    let says = failure(mantis().args(["export", "--ledger", "/no/such.db", "--out"]).arg(&out));
    assert!(says.contains("no such ledger"), "{says}");
}
