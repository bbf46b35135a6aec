//! `mantis plugin`: for authors of challenges.

use super::output::{Table, complain, print, print_json};
use super::score::launcher;
use crate::authoring::{Api, Inspection, create, inspect};
use clap::{Args, Subcommand, ValueEnum};
use mantis_plugin_build::{Crates, Project, Toolchain, python};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Write a small crate to start from: a challenge that works, with its tests.
    New(NewArgs),
    /// Build a plugin as a shared library and as a WebAssembly component.
    Build(BuildArgs),
    /// Show what a plugin's file holds, and whether this program accepts it.
    Inspect(InspectArgs),
    /// Try a plugin out on simulated miners: whether it keeps its contract, whom it pays, what it costs.
    Test(super::conform::TestArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis plugin new my-momentum")]
pub(super) struct NewArgs {
    /// The plugin's name: small letters, digits, `_` or `-`.
    name: String,
    /// Folder in which the crate's folder is made.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The crate mantis-plugin-api: its folder, or the URL of a git repository. The default is the one above this program
    /// or this folder.
    #[arg(long, value_name = "PATH_OR_URL")]
    api: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis plugin build my-momentum --out plugins")]
pub(super) struct BuildArgs {
    /// Folder of a crate, or of a plugin in Python (app.py).
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Folder for the files.
    #[arg(long, value_name = "DIR", default_value = "plugins")]
    out: PathBuf,
    /// What to build; the default is both.
    #[arg(long)]
    form: Option<Form>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A shared library.
    Native,
    /// A WebAssembly component.
    Wasm,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis plugin inspect plugins/mantis_my_momentum.wasm\n\nExit code 1 if it is refused."
)]
pub(super) struct InspectArgs {
    /// The plugin's file.
    path: PathBuf,
    /// MiB of memory that a component may hold.
    #[arg(long, value_name = "MIB", default_value_t = 3584, value_parser = clap::value_parser!(u32).range(16..=4095))]
    memory_mib: u32,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &PluginCommand) -> anyhow::Result<()> {
    match command {
        PluginCommand::New(args) => new(args),
        PluginCommand::Build(args) => build(args),
        PluginCommand::Inspect(args) => look(args),
        PluginCommand::Test(args) => super::conform::run(args),
    }
}

fn new(args: &NewArgs) -> anyhow::Result<()> {
    let created = create(&args.name, &args.dir, &Api::find(args.api.as_deref())?)?;
    let dir = created.dir.display();
    print(&format!(
        "{dir}: a challenge that works, to be changed into yours\n\n  mantis plugin build {dir}    # both forms, \
         into plugins/\n  mantis plugin test plugins/mantis_{}.wasm --config {dir}/challenge.toml\n\nFor challenges.toml \
         (also in {dir}/challenge.toml):\n\n{}",
        args.name.replace('-', "_"),
        created.stanza
    ))
}

fn build(args: &BuildArgs) -> anyhow::Result<()> {
    let files = match Project::open(&args.path)? {
        Project::Rust(crates) => rust(&crates, args.form, &args.out)?,
        Project::Python(dir) => {
            anyhow::ensure!(args.form != Some(Form::Native), "a plugin in Python has no native form");
            vec![python::build(&dir, &args.out)?]
        }
    };
    print(&files.iter().map(|file| format!("{}\n", file.display())).collect::<String>())
}

fn rust(crates: &Crates, form: Option<Form>, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    // Asked for first: a library that is built in vain costs a minute.
    let toolchain = if form == Some(Form::Native) { None } else { Some(Toolchain::find()?) };
    let mut files = Vec::new();
    if form != Some(Form::Wasm) {
        files.extend(crates.build_native(out)?);
    }
    if let Some(toolchain) = toolchain {
        if toolchain.builds_std() && !crates.has_built_wasm() {
            complain(
                "the first component takes a minute or two: WebAssembly's standard library is built too, once",
            );
        }
        files.extend(crates.build_wasm(toolchain, out)?);
    }
    Ok(files)
}

fn look(args: &InspectArgs) -> anyhow::Result<()> {
    let found = inspect(&args.path, args.memory_mib, &launcher(120.0)?)?;
    if args.json {
        print_json(&found)?;
    } else {
        print(&text(&found))?;
    }
    anyhow::ensure!(found.refused.is_none(), "{}: refused, as said above", args.path.display());
    Ok(())
}

fn text(found: &Inspection) -> String {
    let mut lines = vec![
        ("file", found.path.display().to_string()),
        ("form", found.form.as_str().to_owned()),
        ("size", format!("{} bytes", found.bytes)),
        ("sha256", found.sha256.clone()),
        ("abi", found.abi.clone().unwrap_or_else(|| "-".into())),
    ];
    lines.extend(found.imports.iter().map(|import| ("imports", import.clone())));
    lines.extend(found.exports.iter().map(|export| ("exports", export.clone())));
    if let Some(about) = &found.description {
        lines.extend([
            ("name", about.name.clone()),
            ("version", about.version.clone()),
            ("summary", about.summary.clone()),
        ]);
    }
    lines.push(match &found.refused {
        None => ("accepted", "yes".into()),
        Some(why) => ("accepted", format!("no: {why}")),
    });
    let head: String = lines.iter().map(|(key, value)| format!("{key:9} {value}\n")).collect();
    let Some(about) = found.description.as_ref().filter(|about| !about.params.is_empty()) else {
        return head;
    };
    let mut table = Table::new(["parameter", "default", "allowed", "meaning"]);
    for param in &about.params {
        table.row([param.key.clone(), param.default.to_string(), param.allowed.clone(), param.doc.clone()]);
    }
    format!("{head}\n{}", table.render())
}
