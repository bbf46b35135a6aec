//! Plugins in Python, made components by componentize-py.

use crate::place::{place, shown};
use crate::{BuildError, WIT};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, process};

/// The file in which the plugin's class is.
pub const APP: &str = "app.py";

/// The componentize-py that is used: `MANTIS_COMPONENTIZE_PY`, or the one in PATH.
#[must_use]
pub fn componentize() -> PathBuf {
    env::var_os("MANTIS_COMPONENTIZE_PY").map_or_else(|| "componentize-py".into(), PathBuf::from)
}

/// Builds the folder's `app.py` as a component, and puts it into `out`; the folder's name is the plugin's.
///
/// # Errors
/// If componentize-py cannot be run or fails, or `out` cannot be written.
pub fn build(dir: &Path, out: &Path) -> Result<PathBuf, BuildError> {
    let dir = dir.canonicalize().map_err(BuildError::io(dir))?;
    let name = dir.file_name().unwrap_or_default().to_string_lossy().replace('-', "_");
    let work = Work::make()?;
    let (wit, made) = (work.0.join("challenge.wit"), work.0.join("made.wasm"));
    fs::write(&wit, WIT).map_err(BuildError::io(&wit))?;
    // A copy: Python would leave its compiled files beside the author's.
    let source = work.0.join("source");
    copy(&dir, &source)?;
    let mut command = Command::new(componentize());
    // Without WASI: it would import files, a clock and an environment, which plugins are not given.
    command.arg("-d").arg(&wit).args(["-w", "challenge", "componentize", "--stub-wasi", "-p"]).arg(&source);
    command.arg("-o").arg(&made).arg(APP.trim_end_matches(".py"));
    shown(&mut command).map_err(|error| match error {
        BuildError::Io { path, source } => BuildError::NoComponentize { program: path, source },
        other => other,
    })?;
    let bytes = fs::read(&made).map_err(BuildError::io(&made))?;
    place(out, &format!("mantis_{name}.wasm"), &bytes)
}

/// Copies a folder's files, but for hidden ones and what Python compiled.
fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(to).map_err(BuildError::io(to))?;
    for entry in fs::read_dir(from).map_err(BuildError::io(from))? {
        let path = entry.map_err(BuildError::io(from))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') || name == "__pycache__" {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(BuildError::io(&path))?;
        }
    }
    Ok(())
}

/// A folder that is gone at the end.
struct Work(PathBuf);

impl Work {
    fn make() -> Result<Self, BuildError> {
        let path = env::temp_dir().join(format!("mantis-plugin-build-{}", process::id()));
        fs::create_dir_all(&path).map_err(BuildError::io(&path))?;
        Ok(Self(path))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
