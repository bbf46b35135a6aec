//! The worker's side.

use super::{Event, Failure, Job, MAX_LOG_LINES, Request, Task, peak_rss_kib, walls};
use crate::plugins::{Image, Instance, LoadError, Loaded, check_features};
use mantis_ledger::snapshot::Snapshot;
use mantis_plugin_api::{History, Market, PluginError, Progress, Shape, f16};
use std::cell::Cell;
use std::fs;
use std::io::{self, BufRead, Write};
use std::ops::Range;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Reads one [`Job`] from standard input, does it, and reports on standard output.
///
/// # Errors
/// If the job cannot be read or the report cannot be written; a failed job is no error here but an event.
pub fn serve() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let job: Job = serde_json::from_str(&line).map_err(io::Error::other)?;
    // What is opened before the walls stand: what tells of this process's memory, and the plugin's file.
    let _ = peak_rss_kib();
    let node = fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    let image = match job.task {
        Task::Walls => None,
        _ => Some(Image::read(&job.plugin)),
    };
    let walls = walls::raise(&job, image.as_ref().and_then(|image| image.as_ref().ok()));
    say(&Event::Walls { walls, node })?;
    let requests = end_with_the_host();
    if let Some(every) = job.beat.filter(|every| *every > 0.0) {
        say_here(Duration::try_from_secs_f64(every).unwrap_or(Duration::MAX));
    }
    if let Some(image) = image
        && let Err(failure) = perform(&job, image, &requests)
    {
        say(&Event::Failed { failure })?;
    }
    say(&Event::End { peak_rss_kib: peak_rss_kib() })
}

fn perform(job: &Job, image: Result<Image, LoadError>, requests: &Receiver<String>) -> Result<(), Failure> {
    let Loaded { plugin, sha256 } = image.and_then(Image::load).map_err(Failure::Load)?;
    let description = plugin.describe().map_err(Failure::Plugin)?;
    if matches!(job.task, Task::Describe) {
        tell(&Event::Ready { description, sha256 });
        return Ok(());
    }
    check_features(plugin.as_ref(), &job.spec).map_err(Failure::Plugin)?;
    let mut challenge = plugin.configure(&job.spec, &job.params).map_err(Failure::Plugin)?;
    tell(&Event::Ready { description, sha256 });
    match &job.task {
        Task::Walls | Task::Describe | Task::Inspect => {}
        Task::Outlook => {
            let outlook = challenge.outlook().map_err(Failure::Plugin)?;
            tell(&Event::Fitted { outlook, fit: None });
        }
        Task::Score { snapshot, digest } => {
            let unreadable = |e: mantis_ledger::snapshot::SnapshotError| Failure::History(e.to_string());
            let snapshot = match digest {
                Some(digest) => Snapshot::open_exactly(snapshot, digest),
                None => Snapshot::open_checked(snapshot),
            };
            let snapshot = snapshot.map_err(unreadable)?;
            let market = Rc::new(snapshot.market().map_err(unreadable)?);
            let history: Rc<dyn History> = Rc::new(snapshot);
            let reporter: Rc<dyn Progress> = Rc::new(Reporter::default());
            let (salience, fit) = challenge.score(&market, &history, &reporter).map_err(Failure::Plugin)?;
            tell(&Event::Scored { salience });
            if job.spec.fit {
                let outlook = challenge.outlook().map_err(Failure::Plugin)?;
                tell(&Event::Fitted { outlook, fit: fit.map(hex::encode) });
            }
        }
        Task::Targets { snapshot, rows } => {
            let unreadable = |e: mantis_ledger::snapshot::SnapshotError| Failure::History(e.to_string());
            let snapshot = Snapshot::open_checked(snapshot).map_err(unreadable)?;
            let market = Rc::new(first_rows(snapshot.market().map_err(unreadable)?, *rows));
            let history: Rc<dyn History> =
                Rc::new(Nobody { rows: market.scored_rows, dim: job.spec.storage_dim() });
            let reporter: Rc<dyn Progress> = Rc::new(Reporter::default());
            let (salience, _) = challenge.score(&market, &history, &reporter).map_err(Failure::Plugin)?;
            tell(&Event::Labelled { targets: salience.targets });
        }
        Task::Decode { submissions } => {
            let vectors = submissions.iter().map(|submission| challenge.decode(submission)).collect();
            tell(&Event::Decoded { vectors });
        }
        Task::Serve => requests.iter().for_each(|line| answer(challenge.as_mut(), &line)),
    }
    Ok(())
}

/// The first rows of a market alone, each as if a miner had sent something in it.
fn first_rows(mut market: Market, rows: usize) -> Market {
    let rows = rows.min(market.rows());
    let channels = market.channels.len() / market.rows().max(1);
    market.sidx.truncate(rows);
    market.prices.truncate(rows * market.assets);
    market.channels.truncate(rows * channels);
    market.submitted = vec![true; rows];
    market.scored_rows = rows;
    market
}

/// A history without miners.
struct Nobody {
    rows: usize,
    dim: usize,
}

impl History for Nobody {
    fn shape(&self) -> Shape {
        Shape { rows: self.rows, miners: 0, dim: self.dim }
    }

    fn hotkeys(&self) -> &[String] {
        &[]
    }

    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError> {
        if miners.end == 0 && rows.end <= self.rows && out.is_empty() {
            return Ok(());
        }
        Err(PluginError::host("there are no miners in this history"))
    }
}

/// Answers one request; what is not a request gets no answer, and the host's deadline for it passes.
fn answer(challenge: &mut dyn Instance, line: &str) {
    match serde_json::from_str(line) {
        Ok(Request::Decode { submissions }) => {
            let vectors = submissions.iter().map(|submission| challenge.decode(submission)).collect();
            tell(&Event::Decoded { vectors });
        }
        Ok(Request::Track { states, rows }) => {
            tell(&Event::Tracked { states: challenge.track(&states, &rows) });
        }
        Ok(Request::Forecast { fit, latest, market }) => {
            let fit = hex::decode(fit).map_err(|error| PluginError::host(format!("the fit: {error}")));
            let forecast = fit.and_then(|fit| challenge.forecast(&fit, &latest, &market.into()));
            tell(&Event::Foretold { forecast });
        }
        Err(error) => tell(&Event::Log { line: format!("not a request: {error}") }),
    }
}

/// Hands on the lines of standard input, and ends the process when the host closes its end: nothing waits for a
/// result any more.
fn end_with_the_host() -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        // An error means, like the end, that the host is gone.
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            // The lines of a task that takes none are not read.
            let _ = sender.send(line);
        }
        std::process::exit(0);
    });
    lines
}

/// Says again and again that this process is there.
fn say_here(every: Duration) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(every);
            tell(&Event::Here {});
        }
    });
}

/// Progress and log lines of a running score.
#[derive(Default)]
struct Reporter {
    last: Cell<Option<Instant>>,
    lines: Cell<usize>,
}

impl Progress for Reporter {
    fn report(&self, done: f64) {
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

/// Says an event; if no one listens, the watch on standard input ends the process.
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
