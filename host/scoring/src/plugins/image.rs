//! A plugin's file as it was read: what is checked is what is loaded, whatever becomes of the file.

use super::locate::digest_of;
use super::{LoadError, Loaded, NativePlugin, Source, load_component};
use mantis_config::Runtime;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A plugin's file, read once and found to be the pinned one.
pub struct Image {
    source: Source,
    sha256: String,
    content: Content,
}

enum Content {
    Library(Held),
    Component(Vec<u8>),
}

impl Image {
    /// Reads the file of a plugin, if it is the pinned one.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`] and [`LoadError::Digest`].
    pub fn read(source: &Source) -> Result<Self, LoadError> {
        let path = &source.path;
        let unreadable = |e: io::Error| LoadError::Unreadable { path: path.clone(), message: e.to_string() };
        let bytes = fs::read(path).map_err(unreadable)?;
        let sha256 = pinned(source, digest_of(&bytes))?;
        let content = match source.runtime {
            Runtime::Native => Content::Library(Held::new(&bytes).map_err(unreadable)?),
            Runtime::Wasm => Content::Component(bytes),
        };
        Ok(Self { source: source.clone(), sha256, content })
    }

    /// A file that loading opens once more, where there is one.
    pub(crate) fn opens(&self) -> Option<&Path> {
        match &self.content {
            Content::Library(held) => held.copy(),
            Content::Component(_) => None,
        }
    }

    /// Loads it.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(self) -> Result<Loaded, LoadError> {
        let Self { source, sha256, content } = self;
        let Source { path, memory_mib, .. } = source;
        match content {
            Content::Library(held) => {
                let plugin = NativePlugin::load(&path, &held.path())?;
                // The loader reads no more of it.
                drop(held);
                Ok(Loaded { plugin: Box::new(plugin), sha256 })
            }
            Content::Component(bytes) => {
                Ok(Loaded { plugin: load_component(&path, &bytes, &sha256, memory_mib)?, sha256 })
            }
        }
    }
}

fn pinned(source: &Source, found: String) -> Result<String, LoadError> {
    match &source.sha256 {
        Some(pinned) if !found.eq_ignore_ascii_case(pinned) => {
            Err(LoadError::Digest { path: source.path.clone(), found, pinned: pinned.clone() })
        }
        _ => Ok(found),
    }
}

/// Bytes under a path that nobody else writes to: the system's loader takes libraries by their paths only.
enum Held {
    /// In memory, sealed.
    #[cfg(target_os = "linux")]
    Memory(fs::File),
    /// A private file, where memory has no path.
    Copy(tempfile::NamedTempFile),
}

impl Held {
    fn new(bytes: &[u8]) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Ok(file) = sealed(bytes)
            && memory_path(&file).exists()
        {
            return Ok(Self::Memory(file));
        }
        let mut copy = tempfile::Builder::new().prefix("mantis-plugin-").tempfile()?;
        copy.write_all(bytes)?;
        copy.flush()?;
        Ok(Self::Copy(copy))
    }

    fn path(&self) -> PathBuf {
        match self {
            #[cfg(target_os = "linux")]
            Self::Memory(file) => memory_path(file),
            Self::Copy(copy) => copy.path().to_path_buf(),
        }
    }

    fn copy(&self) -> Option<&Path> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Memory(_) => None,
            Self::Copy(copy) => Some(copy.path()),
        }
    }
}

#[cfg(target_os = "linux")]
fn memory_path(file: &fs::File) -> PathBuf {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

#[cfg(target_os = "linux")]
fn sealed(bytes: &[u8]) -> io::Result<fs::File> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    let memory = memfd_create("mantis-plugin", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = fs::File::from(memory);
    file.write_all(bytes)?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_what_was_read() {
        let held = Held::new(b"as it was").unwrap();
        assert_eq!(fs::read(held.path()).unwrap(), b"as it was");
        assert!(fs::write(held.path(), b"another").is_err() || held.copy().is_some());
    }

    #[test]
    fn the_pin_is_of_the_bytes_that_are_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mantis_a.wasm");
        fs::write(&path, "first").unwrap();
        let source = |sha256: &str| Source {
            path: path.clone(),
            runtime: Runtime::Wasm,
            sha256: Some(sha256.into()),
            memory_mib: 16,
        };
        let image = Image::read(&source(&digest_of(b"first"))).ok().unwrap();
        fs::write(&path, "second").unwrap();
        assert!(matches!(image.content, Content::Component(bytes) if bytes == b"first"));
        let refused = Image::read(&source(&digest_of(b"first"))).err().unwrap();
        assert!(matches!(refused, LoadError::Digest { .. }), "{refused}");
    }
}
