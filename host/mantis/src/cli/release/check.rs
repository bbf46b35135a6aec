//! `mantis release check`.

use super::winners::Winners;
use crate::cli::output::{complain, print, print_json};
use crate::cli::score::launcher;
use anyhow::Context;
use clap::Args;
use mantis_network::chain::{self, ChainSettings, Signer};
use mantis_network::wallet::public_key;
use mantis_release::signature::Signed;
use mantis_release::{Folder, ReleaseRejection};
use mantis_scoring as scoring;
use semver::Version;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis release check release-14 --from release-13\n  mantis release check release-14 --network finney   # also: \
    is it signed by the subnet's owner?\n  mantis release check release-14 --ledger datalog.db   # also: who wins, who loses?"
)]
pub(in crate::cli) struct CheckArgs {
    /// The release, a folder.
    release: PathBuf,
    /// The release before it, which it must name.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The chain that says who owns the subnet, and must have signed it: finney, test, local, URLs of nodes, or
    /// offline:PATH.
    #[arg(long, value_name = "NETWORK", conflicts_with = "key")]
    network: Option<String>,
    /// The hotkey that must have signed it.
    #[arg(long, value_name = "SS58")]
    key: Option<String>,
    /// Also compute this ledger's newest weights once more by the release, and show who wins and who loses. The ledger is only
    /// read.
    #[arg(long, value_name = "DB")]
    ledger: Option<PathBuf>,
    /// The configuration that the ledger was computed by; the releases that it has taken go over it. With --from the release
    /// before stands in its place.
    #[arg(long, value_name = "FILE", default_value = "challenges.toml", requires = "ledger")]
    base: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let name = args.release.display();
    let folder = Folder::verify(&args.release).with_context(|| name.to_string())?;
    let config = folder.config()?;
    let release = &folder.release;
    release.runs_on(&Version::parse(env!("CARGO_PKG_VERSION"))?)?;
    let mut before = None;
    if let Some(from) = &args.from {
        let before = before.insert(Folder::verify(from).with_context(|| from.display().to_string())?);
        let (found, expected) = (release.previous, before.digest());
        anyhow::ensure!(
            found == Some(expected) && release.number == before.release.number + 1,
            "release {} was not made from release {} in {}: make it anew with --from",
            release.number,
            before.release.number,
            from.display()
        );
    }
    let signer = signer(args, release.netuid)?;
    if let Some(signer) = &signer {
        is_signed(&folder, signer, args.key.is_none())?;
    }
    let faults = scoring::check(&config, &launcher(60.0)?);
    // A release with faults pays nobody.
    let compared = args.ledger.as_ref().filter(|_| faults.is_empty());
    let winners =
        compared.map(|ledger| Winners::compute(ledger, &args.base, before.as_ref(), &folder)).transpose()?;
    if args.json {
        print_json(&serde_json::json!({
            "ok": faults.is_empty(), "number": release.number, "sha256": folder.digest(), "faults": faults,
            "signed_by": signer, "digest": config.digest(), "winners": winners.as_ref().map(Winners::document),
        }))?;
    } else if faults.is_empty() {
        let signed = match (&signer, &folder.signature) {
            (Some(signer), _) => format!("signed by {signer}"),
            (None, Some(_)) => "signed, by whom was not asked (--network or --key)".into(),
            (None, None) => "not signed yet".into(),
        };
        let (number, challenges) = (release.number, config.challenges.len());
        print(&format!("{name}: release {number}, {challenges} challenges, no fault; {signed}\n"))?;
        winners.iter().try_for_each(|winners| print(&winners.text()))?;
    }
    for hint in config.hints().iter().filter(|hint| !args.json && !hint.contains("[market] url")) {
        complain(&format!("hint: {name}: {hint}"));
    }
    match faults.len() {
        0 => Ok(()),
        n => {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let noun = if n == 1 { "fault" } else { "faults" };
            anyhow::bail!("{n} {noun} in {name}\n{}", lines.join("\n"))
        }
    }
}

/// Who must have signed it, if that is asked.
fn signer(args: &CheckArgs, netuid: u16) -> anyhow::Result<Option<String>> {
    let Some(network) = &args.network else { return Ok(args.key.clone()) };
    let chain = chain::open(network, ChainSettings::new(netuid, 0), Signer::ReadOnly)?;
    let owner = crate::cli::runtime()?.block_on(chain.owner())?;
    Ok(Some(owner.with_context(|| format!("the chain names no owner of subnet {netuid}"))?))
}

fn is_signed(folder: &Folder, signer: &str, is_owner: bool) -> anyhow::Result<()> {
    let key = public_key(signer)?;
    let signature = folder.signature.as_deref().unwrap_or_default();
    if Signed::Release.is_by(&key, &folder.manifest, signature) {
        return Ok(());
    }
    let file = "release.toml".to_owned();
    Err(ReleaseRejection::Signature { file, signer: signer.into(), is_owner }.into())
}
