//! Development tasks: `cargo xtask --help`.

mod bench;
mod bits;
mod document;
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
    /// Run all tests; arguments go to `cargo test`. With MANTIS_LINTS=1 all is built by clippy, warnings are errors, and
    /// `lint` leaves that out.
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Build all plugins as WebAssembly components, beside the program.
    Plugins,
    /// Compare saliences of plugins compiled for x86-64, for x86-64-v3 and for WebAssembly: the same bits.
    Bits,
    /// Check formatting, lints, dependencies, and that the crates for authors can be published.
    Lint,
    /// Run a validator for a long time in a simulated world whose blocks come faster; watch memory, files, missed samples.
    Soak {
        /// Minutes of real time.
        #[arg(long, default_value_t = 120)]
        minutes: u32,
        /// Miners.
        #[arg(long, default_value_t = 64)]
        miners: u16,
        /// Milliseconds from one sampled block to the next, which are 60,000 on the network.
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(50..))]
        tick: u32,
        /// Days of history that are written first.
        #[arg(long, default_value_t = 6)]
        days: u32,
    },
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
            shell::build_for_demo()?;
            shell::run(mantis()?.arg("demo").args(args))
        }
        Task::Test { args } => {
            // The tests from outside run the built program and its plugins, in both forms.
            shell::build()?;
            match plugins::toolchain() {
                Ok(_) => plugins::build()?,
                Err(why) => eprintln!("the tests of WebAssembly plugins are ignored: {why}"),
            }
            let mut tests = shell::building()?;
            shell::run(tests.args(["test", "--release", "--workspace", "--no-fail-fast"]).args(args))
        }
        Task::Plugins => plugins::build(),
        Task::Bits => bits::compare(),
        Task::Lint => lint(),
        Task::Soak { minutes, miners, tick, days } => {
            shell::build()?;
            let numbers = [minutes, u32::from(miners), tick, days].map(|number| number.to_string());
            let soak = shell::target_dir()?.join("release/soak");
            shell::run(std::process::Command::new(soak).current_dir(shell::root()).args(numbers))
        }
        Task::Fuzz { target, seconds } => fuzz::run_fuzz(&target, seconds),
        Task::Bench { what } => bench::run_bench(&what),
    }
}

/// The crates that authors of plugins outside this repository use.
const PUBLISHED: [&str; 4] = ["-p", "mantis-plugin-api", "-p", "mantis-kit"];

/// Packs what is published, and builds it from that. In a folder of its own each time: cargo takes a version that it has
/// packed once for one that never changes, and would build the kit with an older contract.
fn package() -> Result<()> {
    let folder = shell::target_dir()?.join(format!("package-{}", std::process::id()));
    let mut command = cargo();
    command.args(["package", "--quiet", "--allow-dirty", "--target-dir"]).arg(&folder).args(PUBLISHED);
    let outcome = shell::run(&mut command);
    // What stays of it is in nobody's way.
    let _ = std::fs::remove_dir_all(folder);
    outcome
}

fn lint() -> Result<()> {
    shell::run(cargo().args(["fmt", "--all", "--check"]))?;
    if !shell::lints() {
        let all = ["--release", "--workspace", "--all-targets", "--all-features"];
        shell::run(cargo().arg("clippy").args(all).args(["--", "-D", "warnings"]))?;
    }
    // What an author outside depends on must build from what would be published.
    package()?;
    shell::run(cargo().args(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))
}
