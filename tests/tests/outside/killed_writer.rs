//! A writer of the ledger that is killed at any instant leaves whole steps only. The writer is this program itself.

use mantis_config::{Block, Sidx};
use mantis_ledger::{Ledger, LedgerError, NewRow, Row, SampledBlock, Vector};
use mantis_plugin_api::Storage;
use mantis_tests::suite::Trial;
use mantis_tests::trial;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(killed_at_any_instant_it_leaves_whole_steps)]
}

/// Names the ledger to a process that is the writer, and runs no test.
pub(crate) const LEDGER: &str = "MANTIS_TEST_KILLED_WRITER";

/// Writes to the ledger until the process is killed.
pub(crate) fn write(ledger: &OsStr) -> ! {
    let mut ledger = Ledger::open(ledger).unwrap();
    let mut next = ledger.last_block().unwrap().unwrap_or_default().sidx(5).0 + 1;
    loop {
        ledger.append(&step(next)).unwrap();
        ledger.append_many((next + 1..next + 4).map(step), 2).unwrap();
        next += 4;
    }
}

const TICKERS: [&str; 3] = ["A", "B", "C"];

fn step(k: i64) -> SampledBlock {
    let vector = |seed: i64| {
        let numbers = (0..20).map(|i| ((seed * 31 + i) % 97) as f32 / 97.0 + 0.01);
        Vector::new(&numbers.collect::<Vec<f32>>(), Storage::F16)
    };
    let record = |ticker: &str| NewRow {
        ticker: ticker.into(),
        dim: 20,
        price: Some(k as f64),
        submissions: (0..40).map(|miner| (format!("5Hotkey{miner:041}"), vector(k + miner))).collect(),
        ..NewRow::default()
    };
    SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: TICKERS.map(record).into() }
}

fn killed_at_any_instant_it_leaves_whole_steps() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("datalog.db");
    let mut steps = 0;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..30 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(LEDGER, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From "barely started" to "many steps on", by a fixed sequence.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros(1_000 + (random >> 33) % 40_000));
        if round % 5 == 4 {
            // Now and then only after it has committed something, however slow the machine is.
            let patience = Instant::now() + Duration::from_secs(60);
            while blocks(&path) <= steps && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if !path.exists() {
            continue;
        }
        let ledger = Ledger::open(&path).unwrap();
        ledger.check_integrity().unwrap();
        let stored = ledger.blocks().unwrap();
        assert_eq!(stored, (1..=stored.len() as i64).map(|k| Block(5 * k)).collect::<Vec<_>>());
        assert!(stored.len() >= steps, "round {round}: committed steps were lost");
        steps = stored.len();
        for (place, ticker) in TICKERS.iter().enumerate() {
            let mut k = 0;
            ledger
                .rows(ticker, Sidx::MIN..=Sidx::MAX, 20, |row: Row<'_>| {
                    k += 1;
                    let expected = &step(k).rows[place];
                    assert_eq!((row.sidx, row.price), (Sidx(k), expected.price));
                    for ((hotkey, numbers), (name, vector)) in
                        row.submissions.iter().zip(&expected.submissions)
                    {
                        let numbers = Vector::from_bytes(numbers, row.submissions.storage());
                        assert_eq!((hotkey, &numbers), (name.as_str(), vector));
                    }
                    assert_eq!(row.submissions.len(), expected.submissions.len());
                    Ok::<_, LedgerError>(ControlFlow::Continue(()))
                })
                .unwrap();
            assert_eq!(k as usize, steps, "round {round}: {ticker} has half a step");
        }
    }
    assert!(steps >= 24, "the writer hardly wrote: {steps} steps");
}

fn blocks(path: &Path) -> usize {
    Ledger::read(path).and_then(|ledger| ledger.blocks()).map_or(0, |blocks| blocks.len())
}
