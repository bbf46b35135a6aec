//! Source files: where they are, and how long.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines beyond which a file has more than one subject.
const LONG: usize = 500;

/// Every Rust source file below a folder, but for those of builds.
#[must_use]
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder, "rs")
}

/// Every file below a folder whose name ends so, but for those of builds.
pub(super) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Source files that are too long; a line for each.
#[must_use]
pub fn long_files(folder: &Path) -> Vec<String> {
    let lines = |path: &Path| fs::read_to_string(path).unwrap_or_default().lines().count();
    let counted = sources(folder).into_iter().map(|path| (lines(&path), path));
    counted
        .filter(|(lines, _)| *lines > LONG)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect()
}
