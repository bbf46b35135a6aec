//! One accepted set of plugins: copies of their files in a folder of their own, so that what happens to the files
//! themselves changes nothing.

use super::changes;
use super::error::HotReloadError;
use super::watch::{Key, Looked, PluginFile};
use mantis_config::{Challenge, Config, ConfigError, Fault};
use mantis_scoring::inspect;
use mantis_scoring::plugins::{LoadError, digest, locate};
use mantis_scoring::worker::Launcher;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;

/// Begins the names of the folders.
pub(super) const PREFIX: &str = "generation-";

/// A configuration that its plugins accept, and the folder of their files.
pub(super) struct Generation {
    pub(super) config: Config,
    pub(super) folder: TempDir,
}

/// Why it failed.
pub(super) enum ChangeRejection {
    /// The files are not what they were when they were looked at.
    Changing,
    /// What is wrong.
    Error(HotReloadError),
}

impl Generation {
    /// Makes the generation of a look: every plugin's file copied below `parent`, and everything checked that `running`
    /// has not been asked already. The result pins every challenge to its copy's digest.
    pub(super) fn new(
        looked: &Looked,
        running: Option<&Config>,
        parent: &Path,
        launcher: &Launcher,
    ) -> Result<Self, ChangeRejection> {
        let wanted = looked
            .wanted
            .as_ref()
            .as_ref()
            .map_err(|faults| ChangeRejection::faults(faults.faults.clone()))?;
        ChangeRejection::unless_empty(
            running.map_or_else(Vec::new, |running| changes::unchangeable(running, wanted)),
        )?;
        ChangeRejection::unless_empty(files_at_fault(wanted, &looked.plugins))?;
        let at = |source| ChangeRejection::Error(HotReloadError::File { path: parent.to_path_buf(), source });
        fs::create_dir_all(parent).map_err(at)?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent).map_err(at)?;
        let mut copies = Vec::new();
        for file in looked.plugins.values() {
            copies.push((copy(file, running, folder.path())?, file.path.clone()));
        }
        let mut config = wanted.clone();
        config.plugin_dir = folder.path().to_path_buf();
        for challenge in &mut config.challenges {
            challenge.sha256 = looked.plugins.get(&key(challenge)).and_then(PluginFile::bytes);
        }
        let asked = |challenge: &Challenge| {
            running.is_some_and(|running| {
                let mut others = running.challenges.iter();
                others.any(|other| is_same_plugin((running, other), (&config, challenge)))
            })
        };
        let mut faults = Vec::new();
        for i in (0..config.challenges.len()).filter(|&i| !asked(&config.challenges[i])) {
            let started = Instant::now();
            faults.extend(inspect(&config, i, launcher).err().map(|fault| original(*fault, &copies)));
            // One that hangs is enough: sampling waits meanwhile.
            if started.elapsed() >= launcher.deadline {
                break;
            }
        }
        ChangeRejection::unless_empty(faults)?;
        Ok(Self { config, folder })
    }
}

/// Whether two challenges ask the same file the same things.
fn is_same_plugin((a, one): (&Config, &Challenge), (b, other): (&Config, &Challenge)) -> bool {
    let told = |config: &Config, challenge: &Challenge| {
        let memory = config.memory_mib(challenge.runtime);
        (key(challenge), challenge.sha256, challenge.spec(&config.network, challenge.solver), memory)
    };
    told(a, one) == told(b, other) && one.params == other.params
}

fn key(challenge: &Challenge) -> Key {
    (challenge.plugin.clone(), challenge.runtime)
}

/// Plugins whose files are not there, cannot be read, or are not the pinned ones.
fn files_at_fault(config: &Config, files: &BTreeMap<Key, PluginFile>) -> Vec<Fault> {
    let fault = |(i, challenge): (usize, &Challenge)| {
        let Some(file) = files.get(&key(challenge)) else {
            let missing = locate(&challenge.plugin, &config.plugin_dir, challenge.runtime).err();
            let why = missing.map_or_else(|| "its file has just come".into(), |missing| missing.to_string());
            return Some(config.fault_at(i, "plugin", why, ""));
        };
        let Some(found) = file.bytes() else {
            let why = digest(&file.path).err().map_or_else(String::new, |error| error.to_string());
            return Some(config.fault_at(i, "plugin", format!("its file cannot be read: {why}"), ""));
        };
        let pinned = challenge.sha256.filter(|pinned| *pinned != found)?;
        let error = LoadError::Digest {
            path: file.path.clone(),
            found: hex::encode(found),
            pinned: hex::encode(pinned),
        };
        Some(config.fault_at(i, "sha256", error.to_string(), ""))
    };
    config.challenges.iter().enumerate().filter_map(fault).collect()
}

/// Puts a plugin's file into a folder: a link to the running generation's copy where it is the same, else a copy.
fn copy(file: &PluginFile, running: Option<&Config>, folder: &Path) -> Result<PathBuf, ChangeRejection> {
    let at = |source| ChangeRejection::Error(HotReloadError::File { path: file.path.clone(), source });
    let name = file.path.file_name().unwrap_or_default();
    let copy = folder.join(name);
    let is_there = |config: &&Config| {
        let mut pins = config.challenges.iter().map(|challenge| challenge.sha256);
        pins.any(|pin| pin.is_some() && pin == file.bytes())
    };
    let linked = running.filter(is_there).is_some_and(|running| {
        fs::hard_link(running.plugin_dir.join(name), &copy).is_ok() && digest(&copy).ok() == file.sha256
    });
    if !linked {
        // A link to another file of that name is no place to write into.
        let _ = fs::remove_file(&copy);
        fs::copy(&file.path, &copy).map_err(at)?;
    }
    if digest(&copy).ok() == file.sha256 { Ok(copy) } else { Err(ChangeRejection::Changing) }
}

/// A fault with the names of the files that people know, instead of those of their copies.
fn original(mut fault: Fault, copies: &[(PathBuf, PathBuf)]) -> Fault {
    for (copy, original) in copies {
        fault.found = fault.found.replace(&copy.display().to_string(), &original.display().to_string());
    }
    fault
}

impl PluginFile {
    fn bytes(&self) -> Option<[u8; 32]> {
        let text = self.sha256.as_ref()?;
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        Some(bytes)
    }
}

impl ChangeRejection {
    fn faults(faults: Vec<Fault>) -> Self {
        Self::Error(HotReloadError::Faults(ConfigError { faults }))
    }

    fn unless_empty(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self::faults(faults)) }
    }
}
