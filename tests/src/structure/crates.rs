//! Which package may use which.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A package may use those of lower floors only.
const FLOORS: [(&str, u32); 16] = [
    ("mantis-plugin-api", 0),
    ("mantis-kit", 0),
    ("mantis-plugin-build", 0),
    ("mantis-config", 1),
    ("mantis-web", 1),
    ("mantis-weights", 2),
    ("mantis-payload", 2),
    ("mantis-release", 2),
    ("mantis-network", 3),
    ("mantis-ledger", 3),
    ("mantis-scoring", 4),
    ("mantis-validator", 5),
    ("mantis-workshop", 5),
    ("mantis-dashboard", 6),
    ("mantis-signal", 6),
    ("mantis", 7),
];
/// And of its own floor, these: who uses, and what.
const BESIDE: [(&str, &str); 1] = [("mantis-kit", "mantis-plugin-api")];
/// What a plugin may use of the workspace, but for its tests.
const FOR_PLUGINS: [&str; 2] = ["mantis-plugin-api", "mantis-kit"];

/// A package of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, from the root on.
    pub folder: PathBuf,
    /// Packages of the workspace that it uses, and the section of its manifest that says so.
    pub uses: Vec<(String, String)>,
}

/// The packages of the workspace with this root, by its manifests.
///
/// # Panics
/// If a manifest cannot be read.
#[must_use]
pub fn packages(root: &Path) -> Vec<Package> {
    let workspace = manifest(root);
    let members = workspace["workspace"]["members"].as_array().expect("members");
    let folders = members.iter().flat_map(|member| expand(root, member.as_str().expect("a folder")));
    let manifests: Vec<(PathBuf, Table)> =
        folders.map(|folder| (folder.clone(), manifest(&root.join(folder)))).collect();
    let name = |manifest: &Table| manifest["package"]["name"].as_str().expect("a name").to_owned();
    let names: Vec<String> = manifests.iter().map(|(_, manifest)| name(manifest)).collect();
    let aliases = aliases(&workspace);
    let package = |(folder, manifest): (PathBuf, Table)| {
        let used = dependencies(&manifest, &aliases).filter(|(used, _)| names.contains(used));
        Package { name: name(&manifest), uses: used.collect(), folder }
    };
    manifests.into_iter().map(package).collect()
}

/// What is wrong with the packages' use of each other; a line for each fault.
#[must_use]
pub fn faults(packages: &[Package]) -> Vec<String> {
    let floors = BTreeMap::from(FLOORS);
    let mut faults = Vec::new();
    for (name, _) in FLOORS {
        if !packages.iter().any(|package| package.name == name) {
            faults.push(format!("there is no package {name}"));
        }
    }
    for package in packages {
        let is_host = package.folder.starts_with("host");
        if is_host && !floors.contains_key(&*package.name) {
            faults.push(format!("{} has no floor", package.name));
        }
        let folder = package.folder.file_name().unwrap_or_default().to_string_lossy();
        if is_host && package.name.strip_prefix("mantis-").unwrap_or(&package.name) != folder {
            faults.push(format!("{} lies in {}", package.name, package.folder.display()));
        }
        for (used, section) in &package.uses {
            let may = match (floors.get(&*package.name), floors.get(&**used)) {
                (Some(own), Some(other)) => own > other || is_beside(&package.name, used),
                // It is above all floors: tests, tasks.
                (None, _) if !package.folder.starts_with("challenges") => true,
                (None, _) => FOR_PLUGINS.contains(&&**used) || section == "dev-dependencies",
                (Some(_), None) => false,
            };
            if !may {
                faults.push(format!("{} may not use {used}, as its [{section}] says", package.name));
            }
        }
    }
    faults
}

fn is_beside(user: &str, used: &str) -> bool {
    BESIDE.contains(&(user, used))
}

fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders that a member of the workspace stands for: itself, or those in it that have a manifest.
fn expand(root: &Path, member: &str) -> Vec<PathBuf> {
    let Some(parent) = member.strip_suffix("/*") else { return vec![member.into()] };
    let entries = fs::read_dir(root.join(parent)).into_iter().flatten().flatten();
    let names = entries.filter(|entry| entry.path().join("Cargo.toml").is_file()).map(|e| e.file_name());
    let mut folders: Vec<PathBuf> = names.map(|name| Path::new(parent).join(name)).collect();
    folders.sort();
    folders
}

/// Names under which the workspace's dependencies are used, and the packages that they are.
fn aliases(workspace: &Table) -> BTreeMap<String, String> {
    let shared = workspace["workspace"].get("dependencies").and_then(Value::as_table);
    let package = |(name, value): (&String, &Value)| (name.clone(), package_of(name, value));
    shared.into_iter().flatten().map(package).collect()
}

/// The package of a dependency: its name, unless it says another.
fn package_of(name: &str, value: &Value) -> String {
    value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned()
}

/// The packages of a manifest's sections of dependencies, those of targets included, each with its section.
fn dependencies<'a>(
    manifest: &'a Table,
    aliases: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (String, String)> + 'a {
    const SECTIONS: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = targets.filter_map(|(_, target)| target.as_table()).chain([manifest]);
    tables.flat_map(move |table| {
        SECTIONS.into_iter().flat_map(move |section| {
            let used = table.get(section).and_then(Value::as_table).into_iter().flatten();
            used.map(move |(name, value)| {
                let own = package_of(name, value);
                (aliases.get(&own).cloned().unwrap_or(own), section.to_owned())
            })
        })
    })
}
