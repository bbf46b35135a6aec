//! The worker's side.

use super::run::MAX_LOG_LINES;
use super::{Event, Failure, Job, Task, peak_rss_kib};
use crate::history::Snapshot;
use crate::plugins::{Loaded, load};
use mantis_plugin_api::{History, Run, Salience};
use std::cell::Cell;
use std::io::{self, BufRead, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Reads one [`Job`] from standard input, does it, and reports on standard output.
///
/// # Errors
/// Where the job cannot be read or the report cannot be written; a failed job is no error here but an event.
pub fn serve() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let job: Job = serde_json::from_str(&line).map_err(io::Error::other)?;
    end_with_the_host();
    if let Err(failure) = perform(&job) {
        say(&Event::Failed { failure })?;
    }
    say(&Event::End { peak_rss_kib: peak_rss_kib() })
}

fn perform(job: &Job) -> Result<(), Failure> {
    let Loaded { plugin, sha256 } = load(&job.plugin).map_err(Failure::Load)?;
    let description = plugin.describe().map_err(Failure::Plugin)?;
    let mut challenge = plugin.configure(&job.spec, &job.params).map_err(Failure::Plugin)?;
    tell(&Event::Ready { description, sha256 });
    if let Task::Score { snapshot } = &job.task {
        let unreadable = |e: crate::history::HistoryError| Failure::History(e.to_string());
        let snapshot = Snapshot::open(snapshot).map_err(unreadable)?;
        let market = Rc::new(snapshot.market().map_err(unreadable)?);
        let history: Rc<dyn History> = Rc::new(snapshot);
        let reporter: Rc<dyn Run> = Rc::new(Reporter::default());
        let salience: Salience = challenge.score(&market, &history, &reporter).map_err(Failure::Plugin)?;
        tell(&Event::Scored { salience });
    }
    Ok(())
}

/// Ends the process when the host closes its end of standard input: nobody waits for the result any more.
fn end_with_the_host() {
    std::thread::spawn(|| {
        // Any outcome, an error included, means that the host is gone.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(0);
    });
}

/// Progress and log lines of a running score.
#[derive(Default)]
struct Reporter {
    last: Cell<Option<Instant>>,
    lines: Cell<usize>,
}

impl Run for Reporter {
    fn progress(&self, done: f64) {
        // Plugins may report in tight loops; people read a few per second.
        if self.last.get().is_none_or(|at| at.elapsed() > Duration::from_millis(100)) {
            self.last.set(Some(Instant::now()));
            tell(&Event::Progress { done: done.clamp(0.0, 1.0) });
        }
    }

    fn log(&self, line: &str) {
        // One more than the host passes on: by it the host knows that there are more.
        self.lines.set(self.lines.get().saturating_add(1));
        if self.lines.get() <= MAX_LOG_LINES + 1 {
            tell(&Event::Log { line: line.chars().take(2000).collect() });
        }
    }
}

/// Says an event; where nobody listens, the watch on standard input ends the process.
fn tell(event: &Event) {
    let _ = say(event);
}

fn say(event: &Event) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(b"\x1e")?;
    serde_json::to_writer(&mut out, event)?;
    out.write_all(b"\n")?;
    out.flush()
}
