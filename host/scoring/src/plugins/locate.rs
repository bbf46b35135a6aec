//! Where a plugin's file is.

use super::LoadError;
use mantis_config::{Runtime, closest};
use sha2::{Digest, Sha256};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A plugin's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The file.
    pub path: PathBuf,
    /// Its sha256, in lower-case hexadecimal.
    pub sha256: String,
}

/// No file for a plugin's name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no plugin `{name}`: looked for {}{}", tried(candidates), question(meant.as_ref()))]
pub struct LocateError {
    /// The plugin's name.
    pub name: String,
    /// The files that would do, in the order they are tried.
    pub candidates: Vec<PathBuf>,
    /// The plugin in the same folders that was probably meant.
    pub meant: Option<String>,
}

/// Finds the file of the plugin `name` in `folder`, or beside the running program: a shared library, or a WebAssembly
/// component (`mantis_NAME.wasm`).
///
/// # Errors
/// [`LocateError`] with the places that were tried.
pub fn locate(name: &str, folder: &Path, runtime: Runtime) -> Result<PathBuf, LocateError> {
    let name_in_file = name.replace('-', "_");
    let file = match runtime {
        Runtime::Native => format!("{DLL_PREFIX}mantis_{name_in_file}{DLL_SUFFIX}"),
        Runtime::Wasm => format!("mantis_{name_in_file}.wasm"),
    };
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf));
    let candidates: Vec<_> =
        [Some(folder.to_path_buf()), beside].into_iter().flatten().map(|dir| dir.join(&file)).collect();
    match candidates.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => {
            let there: Vec<String> = candidates.iter().flat_map(|path| names_beside(path, runtime)).collect();
            let there: Vec<&str> = there.iter().map(String::as_str).collect();
            Err(LocateError { name: name.into(), candidates, meant: closest(&name_in_file, &there) })
        }
    }
}

/// The names of the plugins of a form that lie in the folder of a file.
fn names_beside(file: &Path, runtime: Runtime) -> Vec<String> {
    let entries = file.parent().and_then(|folder| folder.read_dir().ok()).into_iter().flatten().flatten();
    let name = |file: &str| {
        let (prefix, suffix) = match runtime {
            Runtime::Native => (DLL_PREFIX, DLL_SUFFIX),
            Runtime::Wasm => ("", ".wasm"),
        };
        Some(file.strip_prefix(prefix)?.strip_prefix("mantis_")?.strip_suffix(suffix)?.to_owned())
    };
    entries.filter_map(|entry| name(entry.file_name().to_str()?)).collect()
}

fn question(meant: Option<&String>) -> String {
    meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"))
}

/// The sha256 of a file, in lower-case hexadecimal.
///
/// # Errors
/// [`LoadError::Unreadable`].
pub fn digest(path: &Path) -> Result<String, LoadError> {
    let unreadable =
        |e: io::Error| LoadError::Unreadable { path: path.to_path_buf(), message: e.to_string() };
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path).map_err(unreadable)?, &mut HashWriter(&mut hasher)).map_err(unreadable)?;
    Ok(hex::encode(hasher.finalize()))
}

/// The sha256 of bytes, in lower-case hexadecimal.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tried(candidates: &[PathBuf]) -> String {
    candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_like_one_that_is_there_is_asked_about() {
        let dir = tempfile::tempdir().unwrap();
        for file in [format!("{DLL_PREFIX}mantis_my_binary{DLL_SUFFIX}"), "mantis_xsec.wasm".into()] {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        let says = |name, runtime| locate(name, dir.path(), runtime).unwrap_err().to_string();
        assert!(says("my-binray", Runtime::Native).ends_with("; did you mean `my_binary`?"));
        assert!(says("xsce", Runtime::Wasm).ends_with("did you mean `xsec`?"));
        assert!(!says("my-binray", Runtime::Wasm).contains("did you mean"));
    }

    #[test]
    fn digests_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(&path).unwrap(), known);
        assert_eq!(digest_of(b"abc"), known);
        assert!(matches!(digest(dir.path()), Err(LoadError::Unreadable { .. })));
    }

    #[test]
    fn names_the_places_it_looked_at() {
        for (runtime, file) in [(Runtime::Native, "mantis_no_such"), (Runtime::Wasm, "mantis_no_such.wasm")] {
            let error = locate("no-such", Path::new("plugins"), runtime).unwrap_err();
            assert_eq!(error.candidates.len(), 2);
            assert!(error.to_string().contains(file), "{error}");
        }
    }
}
