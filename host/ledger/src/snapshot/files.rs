//! The files of a snapshot's folder.

use super::SnapshotError;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), SnapshotError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(SnapshotError::io(path)(e)),
        _ => Ok(()),
    }
}

/// Whether a file's name leads out of the folder.
pub(super) fn is_elsewhere(file: &str) -> bool {
    file.contains(['/', '\\'])
}

/// Writes a file in the place of an old one, whole or not at all.
pub(super) fn replace(path: &Path, text: &[u8]) -> Result<(), SnapshotError> {
    let draft = path.with_extension("json.new");
    fs::write(&draft, text).map_err(SnapshotError::io(path))?;
    fs::rename(&draft, path).map_err(SnapshotError::io(path))
}

/// Removes parts and markets but the needed ones.
pub(super) fn remove_others(dir: &Path, needed: &[(String, u32)]) -> Result<(), SnapshotError> {
    for entry in fs::read_dir(dir).map_err(SnapshotError::io(dir))? {
        let path = entry.map_err(SnapshotError::io(dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_ours = (name.starts_with("part-") || name.starts_with("market")) && name.ends_with(".arrow");
        if is_ours && !needed.iter().any(|(needed, _)| needed == name) {
            fs::remove_file(&path).map_err(SnapshotError::io(&path))?;
        }
    }
    Ok(())
}
