//! `mantis sdk`: strategies measured before they are sent.

use super::output::{Table, bar, print, print_json};
use super::score::launcher;
use super::shared::{ConfigArgs, RuntimeArg, positive};
use anyhow::Context;
use clap::{Args, Subcommand};
use mantis_config::{Challenge, Config};
use mantis_scoring::Options;
use mantis_workshop::check::{Found, Trial, check};
use mantis_workshop::child::{Limits, Program, Sandbox};
use mantis_workshop::metrics::{Measures, Metric};
use mantis_workshop::{Evaluation, HOLDOUT_DAYS, Plan, evaluate};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(super) enum SdkCommand {
    /// Measure a strategy on the last days of a ledger, row by row: it cannot see what comes.
    Evaluate(Box<EvaluateArgs>),
    /// Try a strategy out without a ledger: does it answer, in time, the same each time, and what the challenge takes?
    Check(CheckArgs),
}

/// The strategy, and where it runs.
#[derive(Debug, Args)]
struct StrategyArgs {
    /// The strategy: a .py file, a program that speaks the protocol of docs/strategies.md, or a folder with a model.py.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The challenge, by ticker or name.
    #[arg(long, value_name = "NAME")]
    challenge: String,
    #[command(flatten)]
    config: ConfigArgs,
    /// The Python that runs .py files; it needs numpy.
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Files or folders that the strategy may read, too, beside its own: they lie in /strategy then.
    #[arg(long, value_name = "FILE,..", value_delimiter = ',')]
    beside: Vec<PathBuf>,
    /// Run it without a sandbox. It then reaches what you reach, the ledger too, and the result says that it proves nothing.
    #[arg(long = "unsafe")]
    is_unsafe: bool,
    /// Address space of one of its processes, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(64..=1 << 20))]
    memory: u64,
    /// Seconds that one answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = positive)]
    answer_seconds: f64,
    /// Seconds that it may run in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600.0, value_parser = positive)]
    seconds: f64,
    /// The seed that it is given.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the challenge's plugin runs in; the default is what the configuration says.
    #[arg(long)]
    runtime: Option<RuntimeArg>,
    /// Seconds that the challenge's plugin may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800.0, value_parser = positive)]
    deadline: f64,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis sdk evaluate model.py --challenge ETH --ledger datalog.db --days 60\n  mantis sdk evaluate model.py \
    --challenge ETH --ledger datalog.db --embeddings eth.parquet --json\n  mantis salience eth.parquet --ledger datalog.db\n\nA row is \
    told only after the row before was answered, to a process that reaches nothing else (bubblewrap). docs/miners.md begins from \
    nothing, docs/strategies.md has the protocol."
)]
pub(super) struct EvaluateArgs {
    #[command(flatten)]
    strategy: StrategyArgs,
    /// The ledger; it is only read.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    /// Days of 7,200 blocks that count, up to the last row; what the strategy wants before comes from before.
    #[arg(long, value_name = "DAYS", default_value_t = 60.0, value_parser = positive)]
    days: f64,
    /// Rows that a label is held back after it has become known.
    #[arg(long, value_name = "ROWS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    embargo: u32,
    /// Leave out the replay and the lag test, which take the strategy through the rows again.
    #[arg(long)]
    quick: bool,
    /// Write its answers to a file that `mantis salience` takes: .csv or .parquet.
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,
    /// Replace a file of embeddings that is there.
    #[arg(long)]
    force: bool,
    /// Folder for temporary files; the default is the system's.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis sdk check model.py --challenge ETH\n\nExit code 1 where a check fails."
)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    strategy: StrategyArgs,
}

pub(super) fn run(command: &SdkCommand) -> anyhow::Result<()> {
    match command {
        SdkCommand::Evaluate(args) => run_evaluate(args),
        SdkCommand::Check(args) => run_check(args),
    }
}

fn run_evaluate(args: &EvaluateArgs) -> anyhow::Result<()> {
    let strategy = &args.strategy;
    let (config, at) = strategy.challenge()?;
    let challenge = &config.challenges[at];
    if let Some(file) = &args.embeddings {
        let form = file.extension().and_then(|extension| extension.to_str());
        anyhow::ensure!(
            matches!(form, Some("csv" | "parquet")),
            "--embeddings {}: its name has to end in .csv or .parquet",
            file.display()
        );
        anyhow::ensure!(
            args.force || !file.exists(),
            "{} is there already; add --force to replace it",
            file.display()
        );
    }
    let options = Options {
        ledger: args.ledger.clone(),
        max_block: None,
        as_of: None,
        only: None,
        active: None,
        guests: BTreeMap::new(),
        solver: None,
        threads: 1,
        facts: Vec::new(),
        histories: None,
        saliences: None,
        scratch: args.scratch.clone().unwrap_or_else(std::env::temp_dir),
        launcher: launcher(strategy.deadline)?,
    };
    let program = strategy.program()?;
    let plan = Plan {
        config: &config,
        challenge,
        options: &options,
        program: &program,
        sandbox: strategy.sandbox()?,
        limits: strategy.limits(),
        days: args.days,
        embargo: args.embargo as usize,
        seed: strategy.seed,
        quick: args.quick,
        embeddings: args.embeddings.as_deref(),
        force: args.force,
    };
    let bar = bar("strategy");
    let found = evaluate(&plan, &|what, done| {
        bar.set_message(what.to_owned());
        bar.set_position((1000.0 * done) as u64);
    })?;
    bar.finish_and_clear();
    if strategy.json { print_json(&found) } else { print(&text(&found)) }
}

fn run_check(args: &CheckArgs) -> anyhow::Result<()> {
    let strategy = &args.strategy;
    let (config, at) = strategy.challenge()?;
    let found = check(&Trial {
        config: &config,
        challenge: &config.challenges[at],
        launcher: &launcher(strategy.deadline)?,
        program: &strategy.program()?,
        sandbox: strategy.sandbox()?,
        limits: strategy.limits(),
        seed: strategy.seed,
    })?;
    if strategy.json {
        print_json(&found)?;
    } else {
        print(&checked(&found))?;
    }
    let failed: Vec<&str> =
        found.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect();
    anyhow::ensure!(failed.is_empty(), "not passed: {}", failed.join(", "));
    Ok(())
}

impl StrategyArgs {
    /// The configuration, and the place of the challenge in it.
    fn challenge(&self) -> anyhow::Result<(Config, usize)> {
        let mut config = Config::load(&self.config.config)?;
        if let Some(runtime) = self.runtime {
            config.challenges.iter_mut().for_each(|challenge| challenge.runtime = runtime.into());
        }
        let name = &self.challenge;
        let is_it = |challenge: &Challenge| challenge.ticker == *name || challenge.name == *name;
        let at = config.challenges.iter().position(is_it).with_context(|| {
            let known: Vec<&str> = config.challenges.iter().map(|one| one.ticker.as_str()).collect();
            format!(
                "--challenge {name}: no such challenge in {}; it has {}",
                config.file.display(),
                known.join(", ")
            )
        })?;
        Ok((config, at))
    }

    fn program(&self) -> anyhow::Result<Program> {
        Ok(Program::new(&self.model, &self.python, &self.beside)?)
    }

    fn sandbox(&self) -> anyhow::Result<Sandbox> {
        if self.is_unsafe { Ok(Sandbox::None) } else { Ok(Sandbox::bubblewrap()?) }
    }

    fn limits(&self) -> Limits {
        Limits {
            memory_mib: self.memory,
            answer: Duration::from_secs_f64(self.answer_seconds),
            all: Duration::from_secs_f64(self.seconds),
        }
    }
}

fn text(found: &Evaluation) -> String {
    let Evaluation { challenge, ticker, strategy, stretch, answers, causality, .. } = found;
    let mut text = format!(
        "{challenge} ({ticker}), {}: {} rows of blocks {} to {}\n",
        strategy.file.display(),
        stretch.rows,
        stretch.from_block,
        stretch.to_block
    );
    text += &format!(
        "asked {} times, every {} rows after {} before: {} stored, {} silent, {} refused\n",
        answers.asked,
        strategy.interval,
        stretch.warmup_rows,
        answers.stored,
        answers.silent,
        answers.refused
    );
    if let Some(why) = &answers.first_refused {
        text += &format!("the first that was refused: {why}\n");
    }
    match &found.headline {
        Some(all) => {
            let mut table = Table::new(["", "measure", "value", "95% interval", "rows", "independent"]);
            measured(&mut table, "all rows", all);
            if let Some(holdout) = &found.holdout {
                measured(&mut table, &format!("last {HOLDOUT_DAYS} days"), holdout);
            }
            text += &table.render();
            let mut windows = Table::new(["from block", "to block", "value", "rows", "holdout"]);
            for window in &found.windows {
                windows.row([
                    window.from_block.to_string(),
                    window.to_block.to_string(),
                    window.value.map_or_else(|| "-".into(), |value| format!("{value:.4}")),
                    window.rows.to_string(),
                    if window.in_holdout { "yes".into() } else { String::new() },
                ]);
            }
            text += &windows.render();
        }
        None => {
            text += "the challenge's plugin does not say its labels: nothing is measured here; ask `mantis salience`\n"
        }
    }
    text += &match causality.sandbox {
        Sandbox::Bubblewrap => {
            "it could not look ahead: each row was told after the answer before, in a sandbox\n".into()
        }
        Sandbox::None => "UNPROVEN: it ran without a sandbox and could read the ledger\n".to_owned(),
    };
    if causality.replayed_rows > 0 {
        text += &format!(
            "answered once more: {} rows, {} differ\n",
            causality.replayed_rows, causality.differing
        );
    }
    if let Some(lag) = &causality.lag_test {
        let number = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{x:.4}"));
        let verdict = lag.verdict.replace('_', " ");
        text += &format!("told a row later: {}, {} less ({verdict})\n", number(lag.value), number(lag.drop));
    }
    if causality.differing_labels > 0 {
        text += &format!(
            "WARNING: {} of {} labels were others while the market had not gone on\n",
            causality.differing_labels, causality.checked_labels
        );
    }
    if let Some(file) = &found.embeddings {
        text += &format!("embeddings: {}\n", file.display());
    }
    if !found.log.is_empty() {
        text += &format!(
            "it wrote {} lines; the last: {}\n",
            found.log.len(),
            found.log.last().map_or("", |l| l)
        );
    }
    text
}

/// A line for each measure that there is.
fn measured(table: &mut Table, of: &str, measures: &Measures) {
    let all = [
        ("AUC", measures.auc, measures.auc_ci95),
        ("balanced accuracy", measures.balanced_accuracy, measures.balanced_accuracy_ci95),
        ("log loss", measures.log_loss, measures.log_loss_ci95),
        ("Brier score", measures.brier, measures.brier_ci95),
        ("rank correlation", measures.spearman, measures.spearman_ci95),
    ];
    let first = usize::from(measures.metric == Metric::BalancedAccuracy);
    let order = [first, 1 - first, 2, 3, 4];
    for (name, value, interval) in order.map(|at| all[at]) {
        let Some(value) = value else { continue };
        let interval = interval.map_or_else(|| "-".into(), |[low, high]| format!("{low:.4} to {high:.4}"));
        let counts = [measures.rows.to_string(), format!("{:.0}", measures.n_eff)];
        table.row([of.into(), name.into(), format!("{value:.4}"), interval].into_iter().chain(counts));
    }
}

fn checked(found: &Found) -> String {
    let mut table = Table::new(["check", "", "what was found"]);
    for check in &found.checks {
        let mark = if check.passed { "PASS" } else { "FAIL" };
        table.row([check.name.into(), mark.into(), check.says.clone()]);
    }
    format!(
        "{}: warmup {} rows, an answer every {} rows, {} rows told\n{}ready in {:.2} s; 60 days would take {:.0} s\n",
        found.challenge,
        found.warmup,
        found.interval,
        found.rows,
        table.render(),
        found.start_seconds,
        found.sixty_days_seconds
    )
}
