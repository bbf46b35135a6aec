//! What tests need that may be missing where they run.

use crate::{anvil, bin_dir, boot, localnet, no_program, root, slurm};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Something without which a test cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// openapi-spec-validator and schemathesis, in the folder that `MANTIS_API_TOOLS` names.
    ApiTools,
    /// The chain's own client in a Python: what `MANTIS_BITTENSOR` names.
    Bittensor,
    /// bubblewrap, where the system lets it make a sandbox.
    Bwrap,
    /// Chromium and its chromedriver.
    Browser,
    /// The chain's real runtime in chopsticks, in the folder that `MANTIS_CHOPSTICKS` names.
    Chopsticks,
    /// componentize-py, or the program that `MANTIS_COMPONENTIZE_PY` names.
    ComponentizePy,
    /// anvil, a chain of Ethereum's kind, in the folder that `MANTIS_EVM` names.
    Evm,
    /// A Python that has NumPy: what `MANTIS_NUMPY` names, or `python3`.
    Numpy,
    /// The results of the network's own scorer, and the program that makes the ledgers they are of.
    Reference,
    /// Slurm, a batch engine: its controller, its nodes, its commands.
    Slurm,
    /// A systemd that can be booted beside this machine's: root, namespaces, an overlay.
    Systemd,
    /// The plugins as WebAssembly components.
    Wasm,
}

impl Need {
    /// The environment variable that forbids to do without: where it is set, a test that lacks this fails.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::ApiTools => "MANTIS_NEED_API_TOOLS",
            Self::Bittensor => "MANTIS_NEED_BITTENSOR",
            Self::Bwrap => "MANTIS_NEED_BWRAP",
            Self::Browser => "MANTIS_NEED_BROWSER",
            Self::Chopsticks => "MANTIS_NEED_CHOPSTICKS",
            Self::ComponentizePy => "MANTIS_NEED_COMPONENTIZE_PY",
            Self::Evm => "MANTIS_NEED_EVM",
            Self::Numpy => "MANTIS_NEED_NUMPY",
            Self::Reference => "MANTIS_NEED_REFERENCE",
            Self::Slurm => "MANTIS_NEED_SLURM",
            Self::Systemd => "MANTIS_NEED_SYSTEMD",
            Self::Wasm => "MANTIS_NEED_WASM",
        }
    }

    /// Whether a test must not do without.
    #[must_use]
    pub fn is_required(self) -> bool {
        env::var_os(self.variable()).is_some()
    }

    /// What is missing of it, in a few words; `None` if it is all there.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        match self {
            Self::ApiTools => api_tools().err(),
            Self::Bittensor => lacks(&bittensor(), "bittensor_core"),
            Self::Bwrap => no_bwrap(),
            Self::Browser => no_program("chromedriver").or_else(no_chromium),
            Self::Chopsticks => localnet::tools().err(),
            Self::ComponentizePy => no_program(componentize_py()),
            Self::Evm => anvil::program().err(),
            Self::Numpy => lacks(&numpy(), "numpy"),
            Self::Reference => {
                (!reference().join("golden").is_dir()).then(|| "no reference data in ../shared".into())
            }
            Self::Slurm => slurm::missing(),
            Self::Systemd => boot::missing(),
            Self::Wasm => (!has_wasm()).then(|| "no WebAssembly plugins".into()),
        }
    }
}

/// Whether the plugins are there as WebAssembly components, which `cargo xtask plugins` builds.
#[must_use]
pub fn has_wasm() -> bool {
    bin_dir().join("mantis_hostile.wasm").is_file()
}

/// If the network's reference data lies: beside the project.
#[must_use]
pub fn reference() -> PathBuf {
    root().join("../shared/reference")
}

/// The folder with the programs that check the API by its description.
///
/// # Errors
/// If `MANTIS_API_TOOLS` names no such folder.
pub fn api_tools() -> Result<PathBuf, String> {
    let Some(folder) = env::var_os("MANTIS_API_TOOLS").map(PathBuf::from) else {
        return Err("MANTIS_API_TOOLS is not set".into());
    };
    let absent = |name: &&str| !folder.join(name).is_file();
    match ["openapi-spec-validator", "schemathesis"].into_iter().find(absent) {
        Some(name) => Err(format!("no {name} in MANTIS_API_TOOLS")),
        None => Ok(folder),
    }
}

/// The program that builds plugins in Python.
#[must_use]
pub fn componentize_py() -> PathBuf {
    env::var_os("MANTIS_COMPONENTIZE_PY").map_or_else(|| "componentize-py".into(), PathBuf::from)
}

/// The Python for programs that use NumPy.
#[must_use]
pub fn numpy() -> PathBuf {
    env::var_os("MANTIS_NUMPY").map_or_else(|| "python3".into(), PathBuf::from)
}

/// The Python that has the chain's own client.
#[must_use]
pub fn bittensor() -> PathBuf {
    env::var_os("MANTIS_BITTENSOR").map_or_else(|| "python3".into(), PathBuf::from)
}

/// What to say if a Python lacks a module.
fn lacks(python: &Path, module: &str) -> Option<String> {
    let mut python = Command::new(python);
    python.args(["-c", &format!("import {module}")]).stdout(Stdio::null()).stderr(Stdio::null());
    match python.status() {
        Ok(status) if status.success() => None,
        _ => Some(format!("no Python with {module}")),
    }
}

/// What to say if bubblewrap makes no sandbox here.
fn no_bwrap() -> Option<String> {
    let mut bwrap = Command::new("bwrap");
    bwrap.args(["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]);
    match bwrap.stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => None,
        _ => Some("no bubblewrap, or no user namespaces".into()),
    }
}

/// What to say if there is no browser that chromedriver finds.
fn no_chromium() -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    names.iter().all(|name| no_program(name).is_some()).then(|| "no Chromium".into())
}
