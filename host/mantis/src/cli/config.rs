//! `mantis config check`.

use super::args::CheckArgs;
use super::output::{print, print_json};
use super::score::launcher;
use mantis_config::{Config, Fault};
use mantis_scoring as scoring;

/// Checks the file by itself; then, where it is sound, asks every plugin about its challenge.
pub(super) fn check(args: &CheckArgs) -> anyhow::Result<()> {
    let file = args.file.as_ref().unwrap_or(&args.config.config);
    let (faults, challenges): (Vec<Fault>, usize) = match Config::load(file) {
        Err(error) => (error.faults, 0),
        Ok(config) => (scoring::check(&config, &launcher(60.0)?), config.challenges.len()),
    };
    if args.json {
        print_json(&serde_json::json!({ "ok": faults.is_empty(), "faults": faults }))?;
    } else if faults.is_empty() {
        print(&format!("{}: {challenges} challenges, no fault\n", file.display()))?;
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
