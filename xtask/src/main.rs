//! Development tasks: `cargo xtask --help`.

mod bench;
mod bits;
mod fuzz;
mod plugins;
mod runtime;
mod shell;

use anyhow::Result;
use clap::{Parser, Subcommand};
use shell::{cargo, mantis};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds what is needed, then runs it.")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run `mantis demo`; arguments go to it.
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run all tests; arguments go to `cargo test`.
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Build all plugins as WebAssembly components, beside the program.
    Plugins,
    /// Compare saliences of plugins compiled for x86-64, for x86-64-v3 and for WebAssembly: the same bits.
    Bits,
    /// Check formatting, lints and dependencies.
    Lint,
    /// Fuzz a target of the folder fuzz/: `open` or `submission`.
    Fuzz {
        /// The target.
        target: String,
        /// How long.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Measure.
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Demo { args } => {
            shell::build()?;
            shell::run(mantis()?.arg("demo").args(args))
        }
        Task::Test { args } => {
            // The tests from outside run the built program and its plugins, in both forms.
            shell::build()?;
            match plugins::toolchain() {
                Ok(_) => plugins::build()?,
                Err(why) => eprintln!("the tests of WebAssembly plugins are skipped: {why}"),
            }
            shell::run(cargo().args(["test", "--release", "--workspace", "--no-fail-fast"]).args(args))
        }
        Task::Plugins => plugins::build(),
        Task::Bits => bits::compare(),
        Task::Lint => lint(),
        Task::Fuzz { target, seconds } => fuzz::run_fuzz(&target, seconds),
        Task::Bench { what } => bench::run_bench(&what),
    }
}

fn lint() -> Result<()> {
    shell::run(cargo().args(["fmt", "--all", "--check"]))?;
    shell::run(cargo().args([
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    shell::run(cargo().args(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))
}
