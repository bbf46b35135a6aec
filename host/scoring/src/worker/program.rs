//! The running program as a file to start, whatever becomes of the path that it was started by.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;

/// A program that workers are started of. On Linux it is the running image itself, held open: an update that replaces
/// the file while it runs changes nothing until the next start. Elsewhere it is the path, as long as the file there is
/// the same.
#[derive(Clone, Debug)]
pub struct Program(Arc<Held>);

#[derive(Debug)]
struct Held {
    path: PathBuf,
    image: Option<File>,
    /// What must still lie at the path; `None` where anything will do.
    stamp: Option<Stamp>,
}

/// What tells a file from another that took its place.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Program {
    /// The program that runs.
    ///
    /// # Errors
    /// If the system does not tell which that is.
    pub(super) fn running() -> io::Result<Self> {
        let path = std::env::current_exe()?;
        // Not through the path: the file may have been replaced since this process began.
        let image = if cfg!(target_os = "linux") { File::open("/proc/self/exe").ok() } else { None };
        Self::new(path, image)
    }

    fn new(path: PathBuf, image: Option<File>) -> io::Result<Self> {
        let stamp = match &image {
            Some(image) => Stamp::of(&image.metadata()?),
            None => Stamp::of(&fs::metadata(&path)?),
        };
        Ok(Self(Arc::new(Held { path, image, stamp: Some(stamp) })))
    }

    /// Its path, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Its file as it was when this process began, to be copied.
    pub(crate) fn file(&self) -> io::Result<File> {
        match self.0.image.as_ref().and_then(path_of) {
            Some(path) => File::open(path),
            None => File::open(&self.0.path),
        }
    }

    /// A command that starts it.
    ///
    /// # Errors
    /// If all that is left is the path, and another file is there by now.
    pub(super) fn command(&self) -> io::Result<Command> {
        if let Some(path) = self.0.image.as_ref().and_then(path_of) {
            let mut command = Command::new(path);
            #[cfg(unix)]
            std::os::unix::process::CommandExt::arg0(&mut command, "mantis");
            return Ok(command);
        }
        let there = Stamp::of(&fs::metadata(&self.0.path)?);
        if self.0.stamp.as_ref().is_some_and(|stamp| *stamp != there) {
            return Err(io::Error::other(
                "the program's file was replaced while it runs; start the program again to run the new one",
            ));
        }
        Ok(Command::new(&self.0.path))
    }
}

/// A path that leads to an open file, also in a process that is just being started: its files are still those of this
/// one.
fn path_of(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    path.exists().then_some(path)
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            length: file.len(),
            modified: file.modified().ok(),
            #[cfg(unix)]
            inode: (file.dev(), file.ino()),
        }
    }
}

/// A program by its path: whatever lies there when a worker is started.
impl From<PathBuf> for Program {
    fn from(path: PathBuf) -> Self {
        Self(Arc::new(Held { path, image: None, stamp: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn copy_of(of: &str, to: &Path) {
        // By another process: what this one has open to write cannot be started.
        assert!(Command::new("cp").arg(of).arg(to).status().unwrap().success());
    }

    #[test]
    fn an_open_program_is_started_whatever_lies_at_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        copy_of("/bin/sh", &path);
        let program = Program::new(path.clone(), Some(File::open(&path).unwrap())).unwrap();
        fs::remove_file(&path).unwrap();
        symlink("/bin/false", &path).unwrap();
        let output = program.command().unwrap().args(["-c", "echo as it was"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "as it was\n");
    }

    #[test]
    fn a_path_is_started_while_the_file_there_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        copy_of("/bin/sh", &path);
        let program = Program::new(path.clone(), None).unwrap();
        assert!(program.command().is_ok());
        fs::remove_file(&path).unwrap();
        copy_of("/bin/false", &path);
        let error = program.command().unwrap_err().to_string();
        assert!(error.contains("was replaced while it runs; start the program again"), "{error}");
    }
}
