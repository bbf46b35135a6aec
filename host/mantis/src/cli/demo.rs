//! `mantis demo`.

use super::listen;
use super::output::{Bars, Table, bar, complain, print, print_json, short};
use super::score::{Document, launcher, write_report};
use super::shared::ConfigArgs;
use super::signal::fit_words;
use super::simulate::about;
use crate::demo::{Demo, DemoObserver, Finished, Phase, Plan, SignalSummary};
use crate::simulation::{SimulatedMiner, cast};
use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use mantis_config::{Config, Network};
use mantis_dashboard::sections::{Input, html};
use mantis_dashboard::server::Site;
use mantis_ledger::{Ledger, RejectionCounts};
use mantis_scoring::plugins::locate;
use mantis_signal::service::FitState;
use mantis_validator::{Board, Status};
use mantis_weights::Outcome;
use mantis_weights::Scores;
use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis demo --seed 7")]
pub(super) struct DemoArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Simulated days that are written at once, before the live part.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(0..=400))]
    pub(super) days: u32,
    /// Simulated minutes, one sampled block each, in which payloads are sealed, uploaded, collected and opened. Where payloads
    /// wait for days, that time is passed over half way.
    #[arg(long, value_name = "N", default_value_t = 180, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) minutes: u32,
    /// The same seed gives the same ledger.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Folder for the ledger and the report; a demo that was cut short goes on there.
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub(super) dir: PathBuf,
    #[command(flatten)]
    pub(super) listen: listen::ListenArgs,
    /// Go on serving the dashboard when all is played, until Ctrl-C; the default on a terminal.
    #[arg(long, conflicts_with = "json")]
    pub(super) stay: bool,
    /// Forecast from each live row, as the subnet's owner does with its key before the payloads' round is out; the forecasts
    /// are kept in the folder `signal` of --dir.
    #[arg(long)]
    pub(super) signal: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

const MINERS: usize = 24;

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    for challenge in &config.challenges {
        locate(&challenge.plugin, &config.plugin_dir, challenge.runtime)
            .with_context(|| format!("{} cannot be played; build all plugins first", challenge.ticker))?;
    }
    let plan = Plan { seed: args.seed, miners: MINERS, days: args.days, live: args.minutes };
    let board = Board::new(Status { network: "demo".into(), ..Status::default() }, Arc::new(config.clone()));
    let signal = args.signal.then(|| args.dir.join("signal"));
    let demo = Demo { plan, config, dir: args.dir.clone(), launcher: launcher(1800.0)?, signal };
    let about = cast(MINERS, args.seed).into_iter().map(|miner| (miner.hotkey, miner.about)).collect();
    let site = Site::live(&demo.prepare()?, board.clone(), about);
    let runtime = super::runtime()?;
    let (server, finished) = runtime.block_on(async {
        let server = args.listen.serve(site)?;
        if let Some(server) = &server {
            if let Some(elsewhere) = args.listen.elsewhere(server) {
                complain(&format!("warning: {elsewhere}"));
            }
            eprintln!("dashboard: http://{}/", server.address());
        }
        anyhow::Ok((server, demo.run(&Progress::new(), &Bars::new(), &board).await?))
    })?;
    let refusals = refusals(&finished.ledger)?;
    let report = args.dir.join("report.html");
    write_report(&report, &page(args, &finished)?)?;
    if args.json {
        return print_json(&document(&finished, &refusals, &report));
    }
    print(&text(args, &finished, &refusals, &report))?;
    match server {
        Some(server) if args.stay || stdout().is_terminal() && stdin().is_terminal() => {
            eprintln!("the dashboard stays at http://{}/ until Ctrl-C", server.address());
            runtime.block_on(listen::ended()).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// Bars of the phases before scoring, and lines above them; lines alone where there is no terminal.
struct Progress {
    history: ProgressBar,
    past: ProgressBar,
    live: ProgressBar,
    /// What was said last without a terminal, and when.
    said: Option<Mutex<Option<(Phase, Instant)>>>,
}

/// Time from one line to the next of the same phase.
const SILENCE: Duration = Duration::from_secs(10);

impl Progress {
    fn new() -> Self {
        let said = (!stderr().is_terminal()).then(Mutex::default);
        Self { history: bar("history"), past: bar("past weights"), live: bar("live"), said }
    }

    /// Says in a line how far it is: when a phase begins, and now and then.
    fn say(&self, said: &Mutex<Option<(Phase, Instant)>>, phase: Phase, done: f64) {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some_and(|(last, at)| last == phase && at.elapsed() < SILENCE) {
            return;
        }
        *said = Some((phase, Instant::now()));
        let name = match phase {
            Phase::History => "history",
            Phase::Past => "past weights",
            Phase::Fits => return complain("fits"),
            Phase::Live => "live",
            Phase::Scoring => return complain("scoring"),
        };
        complain(&format!("{name}: {:.0}%", 100.0 * done));
    }
}

impl DemoObserver for Progress {
    fn progress(&self, phase: Phase, done: f64) {
        if let Some(said) = &self.said {
            self.say(said, phase, done);
        }
        let bar = match phase {
            Phase::History => &self.history,
            Phase::Past => &self.past,
            Phase::Fits => return,
            Phase::Live => &self.live,
            Phase::Scoring => {
                return [&self.history, &self.past, &self.live].iter().for_each(|bar| bar.finish_and_clear());
            }
        };
        bar.set_position((done * 1000.0) as u64);
        if done >= 1.0 {
            bar.finish_and_clear();
        }
    }

    fn notice(&self, text: &str) {
        self.live.suspend(|| complain(text));
    }
}

/// The report's HTML.
fn page(args: &DemoArgs, finished: &Finished) -> anyhow::Result<String> {
    let about: BTreeMap<String, String> =
        finished.miners.iter().map(|m| (m.hotkey.clone(), m.about.clone())).collect();
    let ledger = Ledger::read(&finished.ledger)?;
    let title = format!("Demo, seed {}", args.seed);
    let Finished { config, scores, outcome, .. } = finished;
    Ok(html(&Input { title: &title, config, ledger: &ledger, scores, outcome, about: &about })?)
}

/// The most frequent refusal of each hotkey.
fn refusals(ledger: &Path) -> anyhow::Result<BTreeMap<String, RejectionCounts>> {
    let mut most: BTreeMap<String, RejectionCounts> = BTreeMap::new();
    for counts in Ledger::read(ledger)?.rejections(None)? {
        let hotkey = &counts.last.hotkey;
        if most.get(hotkey).is_none_or(|known| known.times < counts.times) {
            most.insert(hotkey.clone(), counts);
        }
    }
    Ok(most)
}

fn document(
    finished: &Finished,
    refusals: &BTreeMap<String, RejectionCounts>,
    report: &Path,
) -> serde_json::Value {
    let kinds: BTreeMap<&str, &str> =
        finished.miners.iter().map(|m| (m.hotkey.as_str(), m.about.as_str())).collect();
    let why: BTreeMap<&str, String> = finished
        .miners
        .iter()
        .filter(|m| finished.scores.total.get(&m.hotkey).copied().unwrap_or(0.0) <= 0.0)
        .map(|m| (m.hotkey.as_str(), why_nothing(&finished.scores, refusals, &m.hotkey)))
        .collect();
    let mut result = serde_json::json!({
        "miners": kinds,
        "scores": Document::new(&finished.scores),
        "why_nothing": why,
        "payloads": {
            "accepted": finished.totals.accepted,
            "opened": finished.totals.opened,
            "stale": finished.totals.stale,
            "refused": finished.totals.refused,
        },
        "ledger": finished.ledger,
        "report": report,
    });
    if let Some(signal) = &finished.signal {
        result["signal"] = signal_document(signal);
    }
    match &finished.outcome {
        Outcome::Weights(_) => result["weights"] = serde_json::json!(weights(finished)),
        Outcome::Rejected(reason) => result["rejected"] = reason.to_string().into(),
    }
    result
}

/// Weights by hotkey; empty where they were rejected.
fn weights(finished: &Finished) -> BTreeMap<&str, f64> {
    match &finished.outcome {
        Outcome::Weights(steps) => steps.iter().map(|step| (step.hotkey.as_str(), step.weight)).collect(),
        Outcome::Rejected(_) => BTreeMap::new(),
    }
}

fn text(
    args: &DemoArgs,
    finished: &Finished,
    refusals: &BTreeMap<String, RejectionCounts>,
    report: &Path,
) -> String {
    let Finished { miners, config, scores, ledger, totals, .. } = finished;
    let mut text = format!(
        "{} simulated days of history, then {}: {} payloads collected, {} of them opened so far (each after {}), {} refused or \
         not there\n\n{}",
        args.days,
        live(args.minutes, &config.network),
        totals.accepted,
        totals.opened,
        minutes(config.network.maturity() / i64::from(config.network.sample_every)),
        totals.refused,
        table(finished, refusals),
    );
    for challenge in &scores.challenges {
        if let Some(reason) = &challenge.skipped {
            text += &format!("\n{} pays no miner: {reason}", challenge.ticker);
        }
        if challenge.burn_share() > 0.0 {
            let burned = 100.0 * challenge.burn_share();
            text += &format!("\n{} burns {burned:.1}% of what it pays: nobody earns it", challenge.ticker);
        }
        if challenge.weight <= 0.0 {
            text +=
                &format!("\n{} has no weight: it is scored and shown, and changes nothing", challenge.ticker);
        }
    }
    if let Outcome::Rejected(reason) = &finished.outcome {
        text += &format!("\nNo weights were set: {reason}");
    }
    if let Some(signal) = &finished.signal {
        text += &signal_text(signal, &args.dir);
    }
    text + &format!(
        "\n{:.0} % of the weights are burnt. Open {1} in a browser for the whole report. The ledger is {2}; ask it why a miner earned \
         what it earned:\n  mantis explain {3} --ledger {2}\n",
        100.0 * (config.network.burn + (1.0 - config.network.burn) * scores.burn),
        report.display(),
        ledger.display(),
        miners.first().map_or("HOTKEY", |miner| &miner.hotkey),
    )
}

/// What the owner's signal came to.
fn signal_document(signal: &SignalSummary) -> serde_json::Value {
    let fits: BTreeMap<&str, String> =
        signal.fits.iter().map(|fit| (fit.ticker.as_str(), fit_words(&fit.state))).collect();
    let settled: BTreeMap<&str, serde_json::Value> = signal
        .settled
        .iter()
        .map(|of| {
            let about = serde_json::json!({
                "settled": of.settled, "waiting": of.waiting, "failed": of.failed,
            });
            (of.ticker.as_str(), about)
        })
        .collect();
    let (rows, differ) = signal.judged;
    serde_json::json!({
        "forecasts": signal.forecasts, "slowest_seconds": signal.slowest, "fits": fits, "outcomes": settled,
        "rows_compared": rows, "told_otherwise": differ,
    })
}

fn signal_text(signal: &SignalSummary, dir: &Path) -> String {
    let settled: usize = signal.settled.iter().map(|of| of.settled).sum();
    let (rows, differ) = signal.judged;
    let mut text = format!(
        "\nThe owner's signal: {} forecasts, the slowest {:.2} s after its row, {settled} with an outcome by now; in {rows} rows \
         whose round is out, {differ} times a miner told the owner something else than everybody. See them:\n  mantis signal \
         show --store {}\n",
        signal.forecasts,
        signal.slowest,
        dir.join("signal").display(),
    );
    if signal.resumed {
        text += "This demo went on with a ledger that had live rows, which are not forecast any more; another --dir begins anew\n";
    }
    for fit in &signal.fits {
        if !matches!(fit.state, FitState::Kept(_)) {
            text += &format!("{} has no signal: {}\n", fit.ticker, fit_words(&fit.state));
        }
    }
    for of in &signal.settled {
        if let Some(why) = &of.failed {
            text += &format!("{}: what came true cannot be worked out: {why}\n", of.ticker);
        }
    }
    text
}

/// The live part, in words.
fn live(played: u32, network: &Network) -> String {
    let plan = Plan { seed: 0, miners: 0, days: 0, live: played };
    match plan.waits(network) {
        0 => format!("{played} minutes live"),
        waits => format!(
            "{} minutes live, then {} passed over, in which no payload is collected and none opened, then {} minutes live",
            played - played / 2,
            minutes(waits.into()),
            played / 2
        ),
    }
}

/// A time in minutes, or in days where it is longer than one.
fn minutes(minutes: i64) -> String {
    const DAY: i64 = 1440;
    if minutes < DAY {
        format!("{minutes} minutes")
    } else {
        format!("{:.1} days", minutes as f64 / DAY as f64)
    }
}

/// Weights and who earned what, best first, and why those who earned nothing did not.
fn table(finished: &Finished, refusals: &BTreeMap<String, RejectionCounts>) -> String {
    let Finished { scores, miners, .. } = finished;
    let weights = weights(finished);
    let paid: Vec<_> = scores.challenges.iter().map(|c| (&c.ticker, c.shares().miners)).collect();
    let mut table = Table::new(["hotkey", "miner", "weight", "total"]);
    table.header(paid.iter().map(|(ticker, _)| (*ticker).clone()).chain(["why nothing".into()]));
    let mut order: Vec<(&SimulatedMiner, f64)> =
        miners.iter().map(|m| (m, scores.total.get(&m.hotkey).copied().unwrap_or(0.0))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (miner, total) in order {
        let percent = |x: f64| if x > 0.0 { format!("{:.1}%", 100.0 * x) } else { "-".into() };
        let cells = paid.iter().map(|(_, shares)| percent(shares.get(&miner.hotkey).copied().unwrap_or(0.0)));
        let weight = weights.get(miner.hotkey.as_str()).copied().unwrap_or(0.0);
        let head = [
            short(&miner.hotkey),
            about(miners, &miner.hotkey).into(),
            format!("{weight:.4}"),
            percent(total),
        ];
        let why = if total > 0.0 { String::new() } else { why_nothing(scores, refusals, &miner.hotkey) };
        table.row(head.into_iter().chain(cells).chain([why]));
    }
    table.render()
}

/// The reason that most challenges give; for a miner of whom nothing is stored, why its files were refused.
fn why_nothing(scores: &Scores, refusals: &BTreeMap<String, RejectionCounts>, hotkey: &str) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for challenge in &scores.challenges {
        if let Some(report) = challenge.report(hotkey) {
            let reason = report.why_zero.as_ref().map_or("no reason given", |why| &why.text);
            *reasons.entry(reason).or_default() += 1;
        }
    }
    if let Some((reason, _)) = reasons.into_iter().max_by_key(|(_, count)| *count) {
        return reason.into();
    }
    match refusals.get(hotkey) {
        Some(counts) => format!("refused {} times: {}", counts.times, counts.last.detail),
        None => "never sent anything but zeros".into(),
    }
}
