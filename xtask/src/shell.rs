//! Running other programs.

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The cargo that runs this task, at the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Whether all that is built of the workspace for tests is built by clippy, with warnings as errors: `MANTIS_LINTS` is set.
/// A second look at everything is saved.
pub(crate) fn lints() -> bool {
    env::var_os("MANTIS_LINTS").is_some_and(|value| !value.is_empty())
}

/// The cargo that builds the workspace and its tests.
pub(crate) fn building() -> Result<Command> {
    let mut command = cargo();
    if lints() {
        // As `cargo clippy -- -D warnings` does, but that code is made too.
        command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
        command.env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");
        // What tests build is others' code.
        let runner = format!("CARGO_TARGET_{}_RUNNER", host()?.to_uppercase().replace('-', "_"));
        let without = ["env", "-u", "RUSTC_WORKSPACE_WRAPPER", "-u", "CLIPPY_ARGS", "-u", &runner].join(" ");
        command.env(&runner, without);
    }
    Ok(command)
}

/// The target that this machine's programs are built for.
pub(crate) fn host() -> Result<String> {
    let about = output(Command::new("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say for what it builds")?.to_owned())
}

/// Builds all of the workspace into one folder, where the program finds the plugins, and tests find both.
pub(crate) fn build() -> Result<()> {
    run(building()?.args(["build", "--release", "--workspace"]))
}

/// Builds the program and the plugins of `challenges/` as shared libraries: nothing that only tests use, and no sandbox for
/// components, which is a third of all that there is to compile.
pub(crate) fn build_for_demo() -> Result<()> {
    let mut command = cargo();
    command.args(["build", "--release", "--no-default-features", "--package", "mantis"]);
    for entry in fs::read_dir(root().join("challenges"))? {
        // A folder's name is the plugin's.
        let name = entry?.file_name();
        command.arg("--package").arg(format!("mantis-{}", name.to_string_lossy()));
    }
    run(&mut command)
}

/// The built program, at the root of the workspace.
pub(crate) fn mantis() -> Result<Command> {
    let mut command = Command::new(target_dir()?.join("release").join("mantis"));
    command.current_dir(root());
    Ok(command)
}

/// Where cargo builds.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let metadata = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let dir = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(dir.into())
}

/// Runs a program, which prints for itself.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// Runs a program and gives what it prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {}: {stderr}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
