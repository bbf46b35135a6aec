//! `mantis doctor`.

use super::output::{print_json, print_with_colours, safe};
use super::score::launcher;
use super::shared::{ConfigArgs, positive};
use super::wallet::WalletArgs;
use crate::doctor::{Doctor, Finding, Key, Status};
use clap::Args;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis doctor --network finney --wallet-name validator --wallet-hotkey default\n  mantis \
    doctor --offline --ledger datalog.db --json\n\nIt changes nothing and asks for no password. What a check cannot be made \
    for is skipped.\nThe exit code is 0 if nothing is a fault, with or without warnings; 1 if something is."
)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The ledger; the default is datalog.db, if there is one.
    #[arg(long, value_name = "DB")]
    ledger: Option<PathBuf>,
    /// The chain: finney, test, local, URLs of nodes with commas between them, or offline:PATH for one in a file.
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    /// The subnet; the default is the configuration's.
    #[arg(long, value_name = "N")]
    netuid: Option<u16>,
    #[command(flatten)]
    wallet: WalletArgs,
    /// Folder for temporary files; the default is the system's.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Leave servers alone: check files, plugins and this machine only.
    #[arg(long)]
    offline: bool,
    /// Seconds for one question to one server, for one plugin, and for the ledger's pages.
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = positive)]
    limit: f64,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let doctor = Doctor {
        config: args.config.config.clone(),
        ledger: args.ledger.clone(),
        network: args.network.clone(),
        netuid: args.netuid,
        key: key(&args.wallet),
        scratch: args.scratch.clone().unwrap_or_else(std::env::temp_dir),
        launcher: launcher(args.limit)?,
        limit: Duration::from_secs_f64(args.limit),
        offline: args.offline,
    };
    let runtime = super::runtime()?;
    let findings = runtime.block_on(doctor.examine());
    // What was given up is not waited for.
    runtime.shutdown_background();
    let faults = findings.iter().filter(|finding| finding.status == Status::Fault).count();
    if args.json {
        print_json(&serde_json::json!({ "ok": faults == 0, "checks": findings }))?;
    } else {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        print_with_colours(&text(&findings, colours))?;
    }
    anyhow::ensure!(
        faults == 0,
        "{faults} of {} checks found a fault; {}",
        findings.len(),
        if args.json { "each says what to do under \"cure\"" } else { "what to do stands below them" }
    );
    Ok(())
}

fn key(args: &WalletArgs) -> Key {
    match (&args.hotkey_uri, &args.wallet_name) {
        (Some(uri), _) => Key::Uri(Zeroizing::new(uri.clone())),
        (None, Some(wallet)) => Key::Wallet {
            folder: args.wallet_path.clone(),
            wallet: wallet.clone(),
            hotkey: args.wallet_hotkey.clone(),
        },
        (None, None) => Key::None,
    }
}

/// A line per check, then everything there is to do.
fn text(findings: &[Finding], colours: bool) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    let mut lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let first = safe(finding.what.lines().next().unwrap_or_default());
            format!("{}  {:width$}  {first}", word(finding.status, colours), finding.check)
        })
        .collect();
    for finding in findings {
        let Some(cure) = &finding.cure else { continue };
        lines.push(String::new());
        lines.push(format!("{}  {}", word(finding.status, colours), finding.check));
        lines.extend(safe(&finding.what).lines().map(|line| format!("    {line}")));
        lines.push(format!("    -> {}", safe(cure)));
    }
    lines.join("\n") + "\n"
}

fn word(status: Status, colours: bool) -> String {
    let colour = match status {
        Status::Ok => 32,
        Status::Warning => 33,
        Status::Fault => 31,
        Status::Skipped => 90,
    };
    let padded = format!("{:7}", status.as_str());
    if colours { format!("\x1b[{colour}m{padded}\x1b[0m") } else { padded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_repeated_with_their_cures() {
        let finding = |check, status, what: &str, cure: Option<&str>| Finding {
            check,
            status,
            what: what.into(),
            cure: cure.map(String::from),
            seconds: 0.1,
        };
        let findings = [
            finding("clock", Status::Ok, "fine", None),
            finding("disk", Status::Fault, "2 faults:\na\nb", Some("do")),
        ];
        let expected = "ok       clock  fine\nfault    disk   2 faults:\n\nfault    disk\n    2 faults:\n    a\n    b\n    -> do\n";
        assert_eq!(text(&findings, false), expected);
        assert!(text(&findings, true).contains("\x1b[31mfault  \x1b[0m  disk"));
    }
}
