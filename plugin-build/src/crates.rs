//! Plugins that are crates, and building them with cargo.

use crate::BuildError;
use crate::place::{place, shown};
use serde_json::Value;
use std::env;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crate that every plugin depends on.
const CONTRACT: &str = "mantis-plugin-api";

/// Plugin crates of one cargo workspace.
#[derive(Clone, Debug)]
pub struct Crates {
    /// Where cargo is run.
    pub(crate) dir: PathBuf,
    /// The packages that are plugins; never empty.
    pub packages: Vec<Package>,
    /// Where cargo builds.
    pub target_dir: PathBuf,
    /// The folder around the contract's crate, if it is not from a registry or git.
    pub(crate) contract: Option<PathBuf>,
}

/// A package that is a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its library's name, as in file names.
    pub lib: String,
}

impl Crates {
    /// The plugins in a folder: the package whose manifest lies there, or all of the workspace whose manifest does.
    ///
    /// # Errors
    /// If cargo cannot read the manifest, or there is no plugin.
    pub fn find_in(dir: &Path) -> Result<Self, BuildError> {
        let dir = dir.canonicalize().map_err(BuildError::io(dir))?;
        let metadata = metadata(&dir)?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let packages = list(&metadata["packages"]);
        let lies_here = |package: &&Value| {
            let manifest = package["manifest_path"].as_str().unwrap_or_default();
            Path::new(manifest).parent() == Some(&dir)
        };
        let mut chosen: Vec<&Value> = packages.iter().filter(lies_here).collect();
        if chosen.is_empty() {
            chosen = packages.iter().collect();
        }
        let plugins: Vec<Package> = chosen.into_iter().filter_map(plugin).collect();
        if plugins.is_empty() {
            return Err(BuildError::NoPlugin { dir });
        }
        let dependencies = packages.iter().flat_map(|package| list(&package["dependencies"]));
        let contract = dependencies.filter(|dependency| dependency["name"] == CONTRACT);
        let contract =
            contract.filter_map(|d| Some(Path::new(d["path"].as_str()?).parent()?.to_path_buf())).next();
        let target_dir = metadata["target_directory"].as_str().unwrap_or("target").into();
        Ok(Self { dir, packages: plugins, target_dir, contract })
    }

    /// Builds shared libraries, and puts them into `out` under the names that the host looks for.
    ///
    /// # Errors
    /// If cargo fails, which then has said why, or `out` cannot be written.
    pub fn build_native(&self, out: &Path) -> Result<Vec<PathBuf>, BuildError> {
        let mut command = self.cargo("build");
        command.arg("--target-dir").arg(&self.target_dir);
        shown(&mut command)?;
        let put = |package: &Package| {
            let built =
                self.target_dir.join("release").join(format!("{DLL_PREFIX}{}{DLL_SUFFIX}", package.lib));
            let bytes = std::fs::read(&built).map_err(BuildError::io(&built))?;
            place(out, &format!("{DLL_PREFIX}{}{DLL_SUFFIX}", package.file()), &bytes)
        };
        self.packages.iter().map(put).collect()
    }

    pub(crate) fn cargo(&self, what: &str) -> Command {
        let mut command = cargo(&self.dir);
        command.args([what, "--release"]);
        for package in &self.packages {
            command.args(["-p", &package.name]);
        }
        command
    }
}

impl Package {
    /// The library's name in the file's, as the host looks for it: with `mantis_` before.
    #[must_use]
    pub fn file(&self) -> String {
        if self.lib.starts_with("mantis_") { self.lib.clone() } else { format!("mantis_{}", self.lib) }
    }
}

/// A package that is a plugin: one with a `cdylib`, but for one that is native by nature.
fn plugin(package: &Value) -> Option<Package> {
    let targets = package["targets"].as_array()?;
    let is_plugin = |target: &&Value| {
        target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
    };
    let lib = targets.iter().find(is_plugin)?["name"].as_str()?.replace('-', "_");
    let native_only = package["metadata"]["mantis"]["native-only"] == true;
    (!native_only).then(|| Some(Package { name: package["name"].as_str()?.into(), lib }))?
}

fn cargo(dir: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(dir);
    command
}

/// What cargo knows of the workspace around a folder, without asking any registry.
fn metadata(dir: &Path) -> Result<Value, BuildError> {
    let mut command = cargo(dir);
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.output().map_err(BuildError::io("cargo"))?;
    if !output.status.success() {
        let how = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BuildError::Failed { program: "cargo metadata".into(), how });
    }
    serde_json::from_slice(&output.stdout).map_err(|e| BuildError::Metadata { message: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cdylib_is_a_plugin() {
        let package = |kind: &str, native_only: bool| {
            plugin(&json!({"name": "mantis-a-b", "targets": [{"name": "mantis-a-b", "kind": [kind, "rlib"]}],
                "metadata": {"mantis": {"native-only": native_only}}}))
        };
        assert_eq!(
            package("cdylib", false),
            Some(Package { name: "mantis-a-b".into(), lib: "mantis_a_b".into() })
        );
        assert_eq!(package("cdylib", true), None);
        assert_eq!(package("lib", false), None);
    }

    #[test]
    fn files_are_named_as_the_host_looks_for_them() {
        let file = |lib: &str| Package { name: String::new(), lib: lib.into() }.file();
        assert_eq!([file("mantis_a"), file("a")], ["mantis_a", "mantis_a"]);
    }

    #[test]
    fn a_folder_without_a_plugin_says_what_is_missing() {
        let error = Crates::find_in(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err();
        assert!(error.to_string().contains("crate-type"), "{error}");
    }
}
