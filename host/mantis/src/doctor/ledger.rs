//! The ledger: its file, its pages, who writes it, and how fresh its rows are.

use super::finding::{Finding, Status, Verdict, skip};
use super::size::shown;
use mantis_config::Block;
use mantis_ledger::{Holder, Ledger, LedgerError, PageCheck, SampledRange};
use mantis_network::chain::{BLOCK_SECONDS, DAY_BLOCKS};
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) const FILE: &str = "ledger";
pub(super) const PAGES: &str = "ledger_pages";
pub(super) const LOCK: &str = "ledger_lock";
pub(super) const ROWS: &str = "ledger_rows";

/// Sampled blocks after which a running validator has fallen behind.
const BEHIND: i64 = 5;
/// Share of a day's rows that may be lost.
const LOSS: f64 = 0.01;

/// What was read of a ledger, for the judgement that waits for the chain.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Bytes of the file and of the changes beside it; 0 where there is none.
    pub(super) bytes: u64,
    /// The last day; `None` where the ledger cannot be read, with `why`.
    day: Option<SampledRange>,
    holder: Option<Holder>,
    why: &'static str,
}

/// Looks at the file. One that was not named and is not there is no fault: the validator makes it.
pub(super) fn check(path: &Path, is_named: bool, limit: Duration) -> (Vec<Finding>, Reading) {
    let none = |why| Reading { bytes: 0, day: None, holder: None, why };
    if !is_named && !path.exists() {
        let why = "there is no ledger yet";
        let what = format!("{}: {why}; the validator makes it", path.display());
        let mut findings = skip(&[FILE], &what);
        findings.extend(skip(&[PAGES, LOCK], why));
        return (findings, none(why));
    }
    let since = Instant::now();
    let holder = Holder::find(path);
    let lock = lock(&holder).into_finding(LOCK, since);
    let holder = holder.ok();
    let since = Instant::now();
    let opened = Ledger::look(path).and_then(|ledger| Ok((about(&ledger)?, ledger)));
    let (about, ledger) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let why = "the ledger cannot be read";
            let findings = vec![refused(error).into_finding(FILE, since)];
            return (findings.into_iter().chain(skip(&[PAGES], why)).chain([lock]).collect(), none(why));
        }
    };
    let bytes = bytes(path);
    let file = judge_file(path, bytes, &about).into_finding(FILE, since);
    let day = about
        .newest
        .and_then(|newest| ledger.stretch(newest - DAY_BLOCKS).ok())
        .or(Some(SampledRange::default()));
    let since = Instant::now();
    let pages = pages(&ledger, limit).into_finding(PAGES, since);
    (vec![file, pages, lock], Reading { bytes, day, holder, why: "" })
}

/// Judges the rows: `head` is the chain's newest block, where it is known.
pub(super) fn rows(reading: &Reading, head: Option<Block>, sample_every: u32) -> Verdict {
    match &reading.day {
        Some(day) => judge_rows(day, reading.holder, head, i64::from(sample_every.max(1))),
        None => Verdict::skipped(reading.why),
    }
}

/// What a readable ledger says of itself.
struct About {
    tickers: usize,
    blocks: u64,
    newest: Option<Block>,
    version: i64,
}

fn about(ledger: &Ledger) -> Result<About, LedgerError> {
    let all = ledger.stretch(Block::MIN)?;
    Ok(About {
        tickers: ledger.declared()?,
        blocks: all.sampled,
        newest: all.newest,
        version: ledger.version()?,
    })
}

fn bytes(path: &Path) -> u64 {
    let of = |path: &Path| std::fs::metadata(path).map_or(0, |about| about.len());
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    of(path) + of(wal.as_ref())
}

fn judge_file(path: &Path, bytes: u64, about: &About) -> Verdict {
    let tables = match about.version {
        0 => "the network's tables only, the validator adds its own".into(),
        version if version < Ledger::newest_version() => {
            format!(
                "our tables at version {version}, the validator brings them to {}",
                Ledger::newest_version()
            )
        }
        version => format!("our tables at version {version}"),
    };
    Verdict::ok(format!(
        "{}: {}, {} tickers, {} sampled blocks; {tables}",
        path.display(),
        shown(bytes),
        about.tickers,
        about.blocks
    ))
}

fn refused(error: LedgerError) -> Verdict {
    Verdict::error(error, "restore a backup, or begin a new ledger under another name")
}

fn lock(holder: &Result<Holder, LedgerError>) -> Verdict {
    match holder {
        Ok(Holder::Free) => Verdict::ok("no validator writes the ledger"),
        Ok(Holder::Process(Some(pid))) => {
            Verdict::ok(format!("a validator writes the ledger: process {pid}"))
        }
        Ok(Holder::Process(None)) => Verdict::ok("a validator writes the ledger"),
        Err(error) => Verdict::error(error, "give this user the right to read the lock's file"),
    }
}

/// Has every page checked, for as long as there is time.
fn pages(ledger: &Ledger, limit: Duration) -> Verdict {
    let interrupter = ledger.interrupter();
    let (done, waits) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if waits.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            interrupter.interrupt();
        }
    });
    let found = ledger.check_pages();
    drop(done);
    // It cannot panic, and nothing hangs on it.
    let _ = watch.join();
    match found {
        Ok(PageCheck::Sound) => Verdict::ok("SQLite finds every page in order"),
        Ok(PageCheck::Damaged(what)) => Verdict::fault(
            format!("{}: damaged: {what}", ledger.path().display()),
            format!(
                "restore a backup, or save what is left with `sqlite3 {} .recover`",
                ledger.path().display()
            ),
        ),
        Ok(PageCheck::BrokenOff) => Verdict::skipped(format!(
            "no fault in the pages that were checked in {:.0} s; `--limit SECONDS` gives it more time",
            limit.as_secs_f64()
        )),
        Err(error) => refused(error),
    }
}

fn judge_rows(day: &SampledRange, holder: Option<Holder>, head: Option<Block>, every: i64) -> Verdict {
    let running = matches!(holder, Some(Holder::Process(_)));
    let Some(newest) = day.newest else {
        return Verdict::warning(
            "the ledger has no sampled block",
            if running { "wait for the next sampled block" } else { "start the validator" },
        );
    };
    if let Some(head) = head {
        let age = head - newest;
        if age < 0 {
            return Verdict::fault(
                format!("the ledger's newest block is {newest}, and the chain is at {head}"),
                "name the ledger of this chain, or the chain of this ledger",
            );
        }
        if age > BEHIND * every {
            let minutes = age.cast_unsigned() * BLOCK_SECONDS / 60;
            let what = format!("the newest row is {age} blocks old ({minutes} min)");
            return if running {
                let cure = "read what the validator logs: it says why it does not sample";
                Verdict::fault(format!("{what}, though a validator writes the ledger"), cure)
            } else {
                let cure = "start the validator: blocks that are not sampled are lost";
                Verdict::warning(format!("{what}, and no validator writes the ledger"), cure)
            };
        }
    }
    let lost = lost(day, newest, every);
    let what = format!("the newest row is of block {newest}; {lost} rows of its last day are lost");
    if lost as f64 > LOSS * (day.sampled + lost) as f64 {
        let cure =
            "read what the validator logs: rows are lost while it is stopped, or cannot reach the chain";
        return Verdict::warning(what, cure);
    }
    Verdict { status: Status::Ok, what, cure: None }
}

/// Rows between the first and the newest of a day that are not there.
fn lost(day: &SampledRange, newest: Block, every: i64) -> u64 {
    let expected = (newest - day.first.unwrap_or(newest)) / every + 1;
    expected.cast_unsigned().saturating_sub(day.sampled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: Option<Holder> = Some(Holder::Process(Some(7)));

    fn day(sampled: u64) -> SampledRange {
        SampledRange { sampled, first: Some(Block(5000)), newest: Some(Block(12_000)) }
    }

    #[test]
    fn rows_are_judged_by_age_and_gaps() {
        let status =
            |sampled, holder, head: Option<i64>| judge_rows(&day(sampled), holder, head.map(Block), 5).status;
        assert_eq!(status(1401, RUNNING, Some(12_003)), Status::Ok);
        assert_eq!(status(1401, RUNNING, Some(12_025)), Status::Ok);
        assert_eq!(status(1401, RUNNING, Some(12_026)), Status::Fault);
        assert_eq!(status(1401, Some(Holder::Free), Some(12_026)), Status::Warning);
        assert_eq!(status(1401, RUNNING, Some(11_999)), Status::Fault);
        assert_eq!(status(1401, RUNNING, None), Status::Ok);
        assert_eq!(status(1380, RUNNING, None), Status::Warning);
        assert_eq!(judge_rows(&SampledRange::default(), RUNNING, Some(Block(1)), 5).status, Status::Warning);
    }

    #[test]
    fn a_ledger_that_is_none_is_one_fault() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let statuses = |named| {
            let (findings, _) = check(&path, named, Duration::from_secs(5));
            findings.iter().map(|finding| (finding.check, finding.status)).collect::<Vec<_>>()
        };
        let skipped = [FILE, PAGES, LOCK].map(|check| (check, Status::Skipped));
        assert_eq!(statuses(false), skipped);
        assert_eq!(statuses(true)[0], (FILE, Status::Fault));
        drop(Ledger::open(&path).unwrap());
        assert_eq!(statuses(false), [FILE, PAGES, LOCK].map(|check| (check, Status::Ok)));
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
        let (findings, reading) = check(&path, true, Duration::from_secs(5));
        assert!(
            findings[0].status == Status::Fault && findings[0].what.contains("truncated"),
            "{findings:?}"
        );
        assert!(findings[0].cure.as_ref().unwrap().contains("copy it again"), "{findings:?}");
        assert_eq!(rows(&reading, None, 5).status, Status::Skipped);
    }
}
