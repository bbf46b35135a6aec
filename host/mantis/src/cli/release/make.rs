//! `mantis release new` and `mantis release revert`.

use crate::cli::output::{print, print_json};
use crate::cli::shared::ConfigArgs;
use crate::release::{Recipe, make, of_configuration, of_release};
use anyhow::Context;
use clap::Args;
use mantis_config::Config;
use mantis_release::Folder;
use semver::{Version, VersionReq};
use std::path::{Path, PathBuf};

/// Blocks for which a release may be taken after it counts, unless it is said: 30 days.
const LASTS: i64 = 216_000;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis release new --config challenges.toml --activate 5312000 --out release-1\n  mantis release new --from \
    release-13 --activate 5312000 --changes CHANGES.md --out release-14"
)]
pub(in crate::cli) struct NewArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The release before it, a folder; without it, this is the first one.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// What people are told of it: a file that goes with it as CHANGES.md.
    #[arg(long, value_name = "FILE")]
    changes: Option<PathBuf>,
    #[command(flatten)]
    terms: TermsArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis release revert release-12 --from release-14 --activate 5320000 --out release-15"
)]
pub(in crate::cli) struct RevertArgs {
    /// The release to go back to, a folder: its files are taken as they are.
    release: PathBuf,
    /// The newest release, a folder: the new one follows it, since numbers only grow.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    terms: TermsArgs,
}

/// When it counts, and where.
#[derive(Debug, Args)]
struct TermsArgs {
    /// The block from which on it counts.
    #[arg(long, value_name = "BLOCK", value_parser = clap::value_parser!(i64).range(0..=1 << 52))]
    activate: i64,
    /// The last block at which those who do not have it take it; the default is 216,000 (30 days) later.
    #[arg(long, value_name = "BLOCK", value_parser = clap::value_parser!(i64).range(0..=1 << 53))]
    expires: Option<i64>,
    /// Versions of this program that can run it, such as ">=0.3, <0.5"; the default is from this one to the next that may
    /// break something.
    #[arg(long, value_name = "RANGE")]
    host: Option<VersionReq>,
    /// The folder to be made.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn new(args: &NewArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let files = of_configuration(&args.config.config, args.changes.as_deref())?;
    let before = args.from.as_deref().map(verified).transpose()?;
    let recipe = recipe(&args.terms, config.network.netuid, before.as_ref())?;
    let made = make(&recipe, &files, &args.terms.out)?;
    say(&made, &args.terms)
}

pub(super) fn revert(args: &RevertArgs) -> anyhow::Result<()> {
    let (old, newest) = (verified(&args.release)?, verified(&args.from)?);
    let mut recipe = recipe(&args.terms, old.release.netuid, Some(&newest))?;
    if args.terms.host.is_none() {
        // What could run it then can run it now.
        recipe.host = old.release.host.clone();
    }
    let made = make(&recipe, &of_release(&old)?, &args.terms.out)?;
    say(&made, &args.terms)
}

fn verified(path: &Path) -> anyhow::Result<Folder> {
    Folder::verify(path).with_context(|| path.display().to_string())
}

fn recipe(terms: &TermsArgs, netuid: u16, before: Option<&Folder>) -> anyhow::Result<Recipe> {
    if let Some(before) = before {
        anyhow::ensure!(
            before.release.netuid == netuid,
            "the release before it is for subnet {}, and this one for {netuid}",
            before.release.netuid
        );
        anyhow::ensure!(
            before.release.activate <= terms.activate,
            "--activate {} lies before block {}, from which on release {} counts",
            terms.activate,
            before.release.activate,
            before.release.number
        );
    }
    let number = before.map_or(Some(1), |before| before.release.number.checked_add(1));
    Ok(Recipe {
        number: number.context("there is no number left")?,
        previous: before.map(Folder::digest),
        netuid,
        activate: terms.activate,
        expires: terms.expires.unwrap_or(terms.activate + LASTS),
        host: terms.host.clone().map_or_else(until_it_may_break, Ok)?,
    })
}

/// From this version to the next that may break something.
fn until_it_may_break() -> anyhow::Result<VersionReq> {
    let version = Version::parse(env!("CARGO_PKG_VERSION"))?;
    let Version { major, minor, .. } = version;
    let next = if major == 0 { Version::new(0, minor + 1, 0) } else { Version::new(major + 1, 0, 0) };
    Ok(VersionReq::parse(&format!(">={version}, <{next}"))?)
}

fn say(made: &Folder, terms: &TermsArgs) -> anyhow::Result<()> {
    let release = &made.release;
    if terms.json {
        return print_json(&serde_json::json!({
            "folder": made.path, "number": release.number, "activate": release.activate, "expires": release.expires,
            "host": release.host.to_string(), "sha256": made.digest(), "files": release.files.keys().collect::<Vec<_>>(),
        }));
    }
    print(&format!(
        "{}: release {} of subnet {}, {} files, from block {} on, to be taken until {}, for versions {}\n",
        made.path.display(),
        release.number,
        release.netuid,
        release.files.len(),
        release.activate,
        release.expires,
        release.host
    ))
}
