//! Running programs that print for themselves, and putting files into their place.

use crate::BuildError;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a program whose output is shown, on standard error: standard output is the caller's.
pub(crate) fn shown(command: &mut Command) -> Result<(), BuildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdout(Stdio::from(std::io::stderr())).status().map_err(BuildError::io(&program))?;
    if status.success() { Ok(()) } else { Err(BuildError::Failed { program, how: status.to_string() }) }
}

/// Writes a file into a folder, which is made if it is missing; leaves a file that is up to date as it is.
pub(crate) fn place(out: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, BuildError> {
    fs::create_dir_all(out).map_err(BuildError::io(out))?;
    let path = out.join(name);
    if fs::read(&path).is_ok_and(|old| old == bytes) {
        return Ok(path);
    }
    // Renamed into its place: a program that is running never sees half of it.
    let part = out.join(format!("{name}.part"));
    fs::write(&part, bytes).map_err(BuildError::io(&part))?;
    fs::rename(&part, &path).map_err(BuildError::io(&path))?;
    Ok(path)
}
