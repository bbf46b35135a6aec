//! What a computation of weights costs: `cycle LEDGER NEW_ROWS SOLVERS RUNTIMES`, both lists with commas.
//!
//! Three runs of `mantis score` for each solver and runtime: with no history kept, with one that is begun (all rows but the
//! newest), and with that one when the newest rows have come. The first and the last must come to the same saliences.

use mantis_config::Block;
use mantis_ledger::Ledger;
use mantis_ledger::snapshot::KeptHistory;
use mantis_tests::mantis;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

type Error = Box<dyn std::error::Error>;

/// Blocks between two rows of a simulated ledger.
const EVERY: i64 = 5;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [ledger, new, solvers, runtimes] = &words[..] else {
        eprintln!("usage: cycle LEDGER NEW_ROWS SOLVERS RUNTIMES");
        return ExitCode::from(2);
    };
    match run(Path::new(ledger), new, solvers, runtimes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(ledger: &Path, new: &str, solvers: &str, runtimes: &str) -> Result<(), Error> {
    let new: i64 = new.parse()?;
    let last = Ledger::read(ledger)?.last_block()?.ok_or("an empty ledger")?;
    let bytes = fs::metadata(ledger)?.len();
    println!("{}: {:.1} GB, up to block {last}, {new} new rows", ledger.display(), bytes as f64 / 1e9);
    for runtime in runtimes.split(',') {
        for solver in solvers.split(',') {
            let with = |options: &[&str]| {
                score(ledger, &[&["--solver", solver, "--runtime", runtime], options].concat())
            };
            let folder = KeptHistory::folder(ledger);
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            let before = Block(last.0 - EVERY * new).to_string();
            let runs = [with(&["--no-cache"])?, with(&["--max-block", &before])?, with(&[])?];
            print(&format!("{runtime}, {solver}"), &runs);
            let [without, _, warm] = &runs;
            if without.results() != warm.results() {
                return Err(format!("{runtime}, {solver}: the kept history changes the saliences").into());
            }
        }
    }
    Ok(())
}

/// What a run took.
struct Run {
    document: Value,
    wall: f64,
    /// Seconds of processors, of the program and its workers.
    processor: f64,
    /// Bytes that the program read, without its workers.
    read: u64,
}

fn score(ledger: &Path, options: &[&str]) -> Result<Run, Error> {
    let mut command = mantis();
    command.args(["score", "--json", "--ledger"]).arg(ledger).args(options);
    let (began, before) = (Instant::now(), of_children()?);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut out = child.stdout.take().ok_or("no output")?;
    let text = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let (mut read, account) = (0, format!("/proc/{}/io", child.id()));
    // Its account goes with the process: what was read in the last moments is missed.
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        read = fs::read_to_string(&account).ok().and_then(|text| rchar(&text)).unwrap_or(read);
        std::thread::sleep(Duration::from_millis(20));
    };
    let wall = began.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    let text = text.join().map_err(|_| "reading its output")??;
    Ok(Run { document: serde_json::from_str(&text)?, wall, processor: of_children()? - before, read })
}

fn rchar(account: &str) -> Option<u64> {
    account.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok()
}

/// Seconds of processors that ended children of this process have taken, with theirs.
fn of_children() -> Result<f64, Error> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // After the name in brackets; the first field there is the third.
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<f64>().ok());
    // Linux counts a hundred to the second for all programs.
    Ok((ticks(16).ok_or("no times")? + ticks(17).ok_or("no times")?) / 100.0)
}

impl Run {
    fn seconds(&self) -> BTreeMap<&str, f64> {
        let all = self.document["seconds"].as_object().into_iter().flatten();
        all.map(|(ticker, seconds)| (ticker.as_str(), seconds.as_f64().unwrap_or(f64::NAN))).collect()
    }

    fn results(&self) -> (&Value, &Value) {
        (&self.document["per_challenge"], &self.document["skipped"])
    }
}

fn print(title: &str, runs: &[Run; 3]) {
    println!("\n{title:20} {:>12} {:>12} {:>12}", "none kept", "begun", "new rows");
    let row = |name: &str, of: &dyn Fn(&Run) -> f64, digits: usize| {
        let [a, b, c] = runs.each_ref().map(of);
        println!("{name:20} {a:>12.digits$} {b:>12.digits$} {c:>12.digits$}");
    };
    for ticker in runs[0].seconds().keys() {
        row(ticker, &|run| run.seconds().get(ticker).copied().unwrap_or(f64::NAN), 2);
    }
    row("whole, s", &|run| run.wall, 2);
    row("processors, s", &|run| run.processor, 2);
    row("read by host, MB", &|run| run.read as f64 / 1e6, 0);
    row("peak memory, MB", &|run| run.document["peak_rss_mb"].as_f64().unwrap_or(f64::NAN), 0);
}
