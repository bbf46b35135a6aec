//! `mantis plugin inspect`: what a plugin's file holds, and whether this program accepts it.

use mantis_config::Runtime;
use mantis_plugin_api::Description;
use mantis_plugin_api::abi::{FINGERPRINT, VERSION};
use mantis_scoring::plugins::{LoadError, Source, Surface, digest, surface};
use mantis_scoring::worker::{Job, Launcher, Task};
use serde::Serialize;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a file holds.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The file.
    pub path: PathBuf,
    /// What it would run in.
    pub form: Runtime,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its sha256, in lower-case hexadecimal: what `sha256 = "..."` pins.
    pub sha256: String,
    /// The contract that it was built for, where that can be read.
    pub abi: Option<String>,
    /// What a component asks of the host; empty for a library.
    pub imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<String>,
    /// Its words about itself, where it was accepted.
    pub description: Option<Description>,
    /// Why this program does not accept it; `None` where it does.
    pub refused: Option<String>,
}

/// Looks into a plugin's file. Its code runs in a worker process.
///
/// # Errors
/// If the file cannot be read, or is neither a library nor WebAssembly.
pub fn inspect(path: &Path, memory_mib: u32, launcher: &Launcher) -> Result<Inspection, LoadError> {
    let form = form(path)?;
    let sha256 = digest(path)?;
    let unreadable =
        |e: std::io::Error| LoadError::Unreadable { path: path.to_path_buf(), message: e.to_string() };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    let surface = match form {
        Runtime::Wasm => surface(path, &fs::read(path).map_err(unreadable)?),
        Runtime::Native => Ok(Surface::default()),
    };
    let (surface, broken) = surface.map_or_else(|e| (Surface::default(), Some(e)), |surface| (surface, None));
    let described = match broken {
        Some(error) => Err(error.to_string()),
        None => describe(&source(path, form, memory_mib), launcher),
    };
    let (description, refused) = described.map_or_else(|e| (None, Some(e)), |d| (Some(d), None));
    let is_native = form == Runtime::Native;
    Ok(Inspection {
        path: path.to_path_buf(),
        form,
        bytes,
        sha256,
        abi: match form {
            Runtime::Wasm => surface.abi(),
            // A library of another ABI is refused with both of them.
            Runtime::Native => description.is_some().then(|| format!("{VERSION} by {FINGERPRINT}")),
        },
        exports: if is_native && description.is_some() {
            vec![mantis_plugin_api::abi::SYMBOL.into()]
        } else {
            surface.exports
        },
        imports: surface.imports,
        description,
        refused,
    })
}

/// What a file runs in, by its first bytes.
///
/// # Errors
/// If it cannot be read, or is neither.
pub fn form(path: &Path) -> Result<Runtime, LoadError> {
    let unreadable = |message: String| LoadError::Unreadable { path: path.to_path_buf(), message };
    if path.is_dir() {
        return Err(unreadable(
            "a folder; `mantis plugin build` makes plugins of one, name a file of those".into(),
        ));
    }
    let mut head = Vec::new();
    let mut file = fs::File::open(path).map_err(|e| unreadable(e.to_string()))?;
    file.by_ref().take(4).read_to_end(&mut head).map_err(|e| unreadable(e.to_string()))?;
    // ELF, the four kinds of Mach-O, PE.
    let libraries: [&[u8]; 6] = [
        b"\x7fELF",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\xfe\xed\xfa\xcf",
        b"MZ",
    ];
    if head.starts_with(b"\0asm") {
        return Ok(Runtime::Wasm);
    }
    if libraries.iter().any(|magic| head.starts_with(magic)) {
        return Ok(Runtime::Native);
    }
    let message = "neither a shared library nor WebAssembly: its first bytes are of another kind of file";
    Err(LoadError::NotAPlugin { path: path.to_path_buf(), message: message.into() })
}

/// A file that is loaded as it is.
pub(super) fn source(path: &Path, runtime: Runtime, memory_mib: u32) -> Source {
    // The loader of libraries takes a name without a slash as one to search for.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    Source { path, runtime, sha256: None, memory_mib }
}

/// A plugin's words about itself.
///
/// # Errors
/// Why this program does not accept it, as a sentence.
pub(super) fn describe(source: &Source, launcher: &Launcher) -> Result<Description, String> {
    let job = Job::without_challenge(source.clone(), Task::Describe);
    launcher.run(&job, |_| {}, |_| {}).map(|finished| finished.description).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_form() {
        let dir = tempfile::tempdir().unwrap();
        let of = |bytes: &[u8]| {
            let path = dir.path().join("file");
            fs::write(&path, bytes).unwrap();
            form(&path)
        };
        assert_eq!(of(b"\0asm\x0d\0\x01\0"), Ok(Runtime::Wasm));
        assert_eq!(of(b"\x7fELF\x02"), Ok(Runtime::Native));
        assert!(of(b"#!/bin/sh").unwrap_err().to_string().contains("another kind of file"));
        assert!(of(b"").is_err());
        assert!(form(dir.path()).unwrap_err().to_string().contains("a folder"));
    }
}
