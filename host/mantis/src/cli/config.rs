//! `mantis config check`.

use super::output::{complain, print, print_json};
use super::score::launcher;
use super::shared::ConfigArgs;
use clap::{Args, Subcommand};
use mantis_config::{Config, Fault};
use mantis_scoring as scoring;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Find every fault: file, line, key, and what is allowed.
    Check(CheckArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis config check challenges.toml")]
pub(super) struct CheckArgs {
    /// The configuration; the same as --config.
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

/// Checks the file by itself; then, where it is sound, asks every plugin about its challenge.
pub(super) fn check(args: &CheckArgs) -> anyhow::Result<()> {
    let file = args.file.as_ref().unwrap_or(&args.config.config);
    let config = Config::load(file);
    let hints = config.as_ref().map_or_else(|_| Vec::new(), Config::hints);
    let (faults, challenges, digest): (Vec<Fault>, usize, Option<String>) = match config {
        Err(error) => (error.faults, 0, None),
        Ok(config) => {
            (scoring::check(&config, &launcher(60.0)?), config.challenges.len(), Some(config.digest()))
        }
    };
    if args.json {
        let document = serde_json::json!({
            "ok": faults.is_empty(), "faults": faults, "hints": hints, "digest": digest,
        });
        print_json(&document)?;
    } else if faults.is_empty() {
        // Validators that agree have the same digest.
        let digest = digest.unwrap_or_default();
        print(&format!("{}: {challenges} challenges, no fault; digest {digest}\n", file.display()))?;
    }
    // What is wrong comes first.
    for hint in hints.iter().filter(|_| !args.json && faults.is_empty()) {
        complain(&format!("hint: {}: {hint}", file.display()));
    }
    match faults.len() {
        0 => Ok(()),
        n => {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let noun = if n == 1 { "fault" } else { "faults" };
            anyhow::bail!("{n} {noun} in {}\n{}", file.display(), lines.join("\n"))
        }
    }
}
