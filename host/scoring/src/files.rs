//! What folders hold, and whose they are.

use rustix::process::geteuid;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

/// Bytes of the files in a folder and in those within it, as far as they can be seen.
#[must_use]
pub fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => size_of(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// Makes a folder for this user alone where there is none; whether it is that: this user's, and nobody else may write to it.
pub(crate) fn is_own_folder(path: &Path) -> io::Result<bool> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let about = std::fs::metadata(path)?;
    Ok(about.uid() == geteuid().as_raw() && about.mode() & 0o022 == 0)
}
