//! What a ledger costs in which payloads wait for days, as where miners seal for a week: `waiting DAYS MINERS BYTES`.
//!
//! It samples block by block as a validator does, and says for each day how long that took, and how long the questions
//! that are asked at every step. At the end it opens the file anew, and opens a block as maturing does.

use mantis_config::Block;
use mantis_ledger::{Accepted, Arrival, Delayed, Ledger, LedgerError, Matured, NewRow, Sample, SampledBlock};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

const EVERY: u32 = 5;
/// Sampled blocks of a day.
const DAY: i64 = 1440;

fn main() -> ExitCode {
    let numbers: Vec<i64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [days, miners, bytes] = numbers[..] else {
        eprintln!("usage: waiting DAYS MINERS BYTES");
        return ExitCode::from(2);
    };
    match run(days, miners, bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(days: i64, miners: i64, bytes: i64) -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::Builder::new().prefix("waiting").tempdir_in(".")?;
    let path = dir.path().join("ledger.db");
    let mut ledger = Ledger::open(&path)?;
    println!(
        "{days} days of {miners} miners with {bytes} bytes each: {:.1} GB; times in milliseconds, median and longest",
        (days * DAY * miners * bytes) as f64 / 1e9
    );
    println!("day      sampling          asking    file, GB");
    for day in 0..days {
        let (mut sampling, mut asking) = (Vec::new(), Vec::new());
        for at in day * DAY..(day + 1) * DAY {
            let sample = sample(at, miners, bytes);
            sampling.push(timed(|| ledger.sample(&sample))?);
            if at % 60 == 59 {
                asking.push(timed(|| ask(&ledger))?);
            }
        }
        let size = std::fs::metadata(&path)?.len() as f64 / 1e9;
        println!("{:3} {} {} {size:9.2}", day + 1, spread(&mut sampling), spread(&mut asking));
    }
    // As after an end without a good-bye: what is not in the file yet is in the log beside it.
    drop(ledger);
    let began = Instant::now();
    let mut ledger = Ledger::open(&path)?;
    println!("opened again in {:.0} ms, {} blocks wait", milliseconds(began), ledger.pending()?.len());
    let mut opening = Vec::new();
    for pending in ledger.pending()?.into_iter().take(60) {
        let began = Instant::now();
        for (hotkey, _) in ledger.payload_sizes(pending.ts)? {
            let _ = ledger.payload(pending.ts, &hotkey)?;
        }
        let alone = |miner| Delayed {
            ts: pending.ts,
            block: pending.block,
            hotkey: hotkey(miner),
            round: u64::MAX >> 1,
            since: 0,
        };
        let delayed = (0..miners / 16).map(alone).collect();
        let sidx = pending.block.sidx(EVERY);
        ledger.mature(&Matured {
            ts: pending.ts,
            block: pending.block,
            sidx,
            delayed,
            ..Matured::default()
        })?;
        opening.push(milliseconds(began));
    }
    println!("taking out a block's payloads, but a sixteenth that waits alone: {}", spread(&mut opening));
    println!("asking after that: {:.1}", timed(|| ask(&ledger))?);
    Ok(())
}

fn hotkey(miner: i64) -> String {
    format!("5{miner:047}")
}

fn sample(at: i64, miners: i64, bytes: i64) -> Sample {
    let block = Block(5_000_000 + i64::from(EVERY) * at);
    let arrival = |miner: i64| {
        // No two are alike, as of sealed payloads.
        let mut sha256 = [0; 32];
        sha256[..8].copy_from_slice(&(at * 4096 + miner).to_le_bytes());
        let payload = vec![b'a' + (miner % 26) as u8; bytes as usize];
        let accepted = Accepted { payload, sha256, round: at as u64, early: false };
        Arrival { hotkey: hotkey(miner), accepted: Some(accepted) }
    };
    let row =
        NewRow { ticker: "ETH".into(), dim: 2, blocks_ahead: 300, price: Some(3000.0), ..NewRow::default() };
    Sample {
        step: SampledBlock { block, sidx: block.sidx(EVERY), rows: vec![row] },
        arrivals: (0..miners).map(arrival).collect(),
        rejections: Vec::new(),
        doubtful: Vec::new(),
    }
}

/// What every step asks.
fn ask(ledger: &Ledger) -> Result<(), LedgerError> {
    let held: BTreeMap<String, u64> = ledger.waiting_bytes()?;
    let (pending, delayed) = (ledger.pending()?, ledger.delayed()?);
    let rounds = ledger.delayed_rounds(1 << 40)?;
    let _ = (held.len(), pending.len(), delayed, rounds.len(), ledger.delayed_since(0)?.len());
    Ok(())
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<f64, E> {
    let began = Instant::now();
    work()?;
    Ok(milliseconds(began))
}

fn spread(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    let longest = times.last().copied().unwrap_or_default();
    format!("{:7.1} {longest:8.1}", times.get(times.len() / 2).copied().unwrap_or_default())
}
