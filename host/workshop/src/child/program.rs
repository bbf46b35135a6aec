//! What a strategy is: a file for Python, or a program of any kind.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use thiserror::Error;

/// The module that speaks the protocol for a file of Python's, in the order of its files.
const PACKAGE: [(&str, &str); 6] = [
    ("__init__.py", include_str!("../../../../python/mantis_sdk/__init__.py")),
    ("client.py", include_str!("../../../../python/mantis_sdk/client.py")),
    ("found.py", include_str!("../../../../python/mantis_sdk/found.py")),
    ("model.py", include_str!("../../../../python/mantis_sdk/model.py")),
    ("strategy.py", include_str!("../../../../python/mantis_sdk/strategy.py")),
    ("view.py", include_str!("../../../../python/mantis_sdk/view.py")),
];
/// Where the strategy's files are, seen from within.
pub(super) const INSIDE: &str = "/strategy";
/// Where the module is, seen from within.
const PACKAGE_INSIDE: &str = "/mantis";
/// The file of a folder that is the strategy.
const MAIN: &str = "model.py";

/// A strategy that can be started.
#[derive(Debug)]
pub struct Program {
    /// The file that is the strategy.
    pub file: PathBuf,
    /// What lies beside it: seen from within by its own name.
    pub beside: Vec<PathBuf>,
    /// Its folder, where that was named in the place of a file.
    pub(super) folder: Option<PathBuf>,
    pub(super) python: Option<Python>,
}

/// An interpreter, and the module that speaks for it.
#[derive(Debug)]
pub(super) struct Python {
    pub(super) executable: PathBuf,
    /// Folders that it needs.
    pub(super) prefixes: Vec<PathBuf>,
    /// Where the module was written.
    pub(super) package: TempDir,
}

/// Why there is nothing to start.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// No file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is neither Python's nor a program.
    #[error(
        "{}: neither a .py file nor a program; make it executable (`chmod +x`), with `#!` and an interpreter in its first line if \
         it is a script",
        path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// Files beside a folder.
    #[error("{}: a folder is shown as a whole and alone; put what the strategy needs into it, or name its file", folder.display())]
    Beside {
        /// The folder.
        folder: PathBuf,
    },
    /// No interpreter that answers.
    #[error("{}: no Python that can be asked about itself ({why}); name one that has numpy with --python", python.display())]
    Python {
        /// What was started.
        python: PathBuf,
        /// What became of it.
        why: String,
    },
}

impl Program {
    /// A strategy by the path of its file or folder; `python` runs those of Python, and `beside` are files and folders that
    /// it may read, too.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn new(path: &Path, python: &Path, beside: &[PathBuf]) -> Result<Self, ProgramError> {
        let real = |path: &Path| {
            fs::canonicalize(path).map_err(|source| ProgramError::Io { path: path.into(), source })
        };
        let path = real(path)?;
        let (file, folder) = if path.is_dir() { (real(&path.join(MAIN))?, Some(path)) } else { (path, None) };
        if let Some(folder) = folder.as_ref().filter(|_| !beside.is_empty()) {
            return Err(ProgramError::Beside { folder: folder.clone() });
        }
        let beside = beside.iter().map(|path| real(path)).collect::<Result<_, _>>()?;
        let is_python = file.extension().is_some_and(|extension| extension == "py");
        if !is_python {
            let about =
                fs::metadata(&file).map_err(|source| ProgramError::Io { path: file.clone(), source })?;
            if !about.is_file() || about.permissions().mode() & 0o111 == 0 {
                return Err(ProgramError::Unknown { path: file });
            }
        }
        let python = is_python.then(|| Python::new(python)).transpose()?;
        Ok(Self { file, beside, folder, python })
    }

    /// Its own files, and where they are seen from within a sandbox.
    pub(super) fn mounts(&self) -> Vec<(PathBuf, PathBuf)> {
        let inside = |path: &Path| Path::new(INSIDE).join(path.file_name().unwrap_or_default());
        let own = match &self.folder {
            Some(folder) => (folder.clone(), INSIDE.into()),
            None => (self.file.clone(), inside(&self.file)),
        };
        let beside = self.beside.iter().map(|path| (path.clone(), inside(path)));
        let mut mounts: Vec<_> = std::iter::once(own).chain(beside).collect();
        if let Some(python) = &self.python {
            mounts.push((python.package.path().into(), PACKAGE_INSIDE.into()));
            mounts.extend(python.prefixes.iter().map(|prefix| (prefix.clone(), prefix.clone())));
        }
        mounts
    }

    /// All files of its own, in order: what is measured is what they hold. Links are not followed.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, ProgramError> {
        let mut left: Vec<PathBuf> = vec![self.folder.clone().unwrap_or_else(|| self.file.clone())];
        left.extend(self.beside.iter().cloned());
        let mut files = Vec::new();
        while let Some(path) = left.pop() {
            let unread = |source| ProgramError::Io { path: path.clone(), source };
            let about = fs::symlink_metadata(&path).map_err(unread)?;
            if about.is_dir() {
                for entry in fs::read_dir(&path).map_err(unread)? {
                    left.push(entry.map_err(unread)?.path());
                }
            } else if about.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// How it is started: from within a sandbox, or without one.
    pub(super) fn command(&self, is_within: bool) -> Vec<OsString> {
        let file = match (is_within, &self.folder) {
            (false, _) => self.file.clone(),
            (true, _) => Path::new(INSIDE).join(self.file.file_name().unwrap_or_default()),
        };
        match &self.python {
            None => vec![file.into()],
            Some(python) => {
                let executable = python.executable.clone().into_os_string();
                let options = ["-B", "-s", "-m", "mantis_sdk.strategy"].map(OsString::from);
                std::iter::once(executable).chain(options).chain([file.into()]).collect()
            }
        }
    }

    /// All that its environment holds.
    pub(super) fn environment(&self, is_within: bool) -> Vec<(&'static str, OsString)> {
        let mut all: Vec<(&str, OsString)> = vec![
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
            ("HOME", "/tmp".into()),
            ("LANG", "C.UTF-8".into()),
            // One thread each: sums in another order are other numbers.
            ("OMP_NUM_THREADS", "1".into()),
            ("OPENBLAS_NUM_THREADS", "1".into()),
            ("MKL_NUM_THREADS", "1".into()),
        ];
        if let Some(python) = &self.python {
            let package =
                if is_within { PACKAGE_INSIDE.into() } else { python.package.path().as_os_str().to_owned() };
            all.extend([("PYTHONPATH", package), ("PYTHONHASHSEED", "0".into())]);
        }
        all
    }
}

impl Python {
    fn new(python: &Path) -> Result<Self, ProgramError> {
        let refused = |why: String| ProgramError::Python { python: python.into(), why };
        let asked = "import sys; print('\\n'.join([sys.executable, sys.prefix, sys.base_prefix, sys.base_exec_prefix]))";
        let output = Command::new(python)
            .args(["-I", "-c", asked])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| refused(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines = text.lines().filter(|line| line.starts_with('/')).map(PathBuf::from);
        let executable = lines.next().filter(|_| output.status.success());
        let executable = executable.ok_or_else(|| refused(output.status.to_string()))?;
        let mut prefixes: Vec<PathBuf> = lines.filter(|path| !path.starts_with("/usr")).collect();
        prefixes.sort();
        prefixes.dedup();
        let package = package().map_err(|source| ProgramError::Io { path: std::env::temp_dir(), source })?;
        Ok(Self { executable, prefixes, package })
    }
}

/// Writes the module to a folder of its own.
fn package() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("mantis-strategy-").tempdir()?;
    let inner = folder.path().join("mantis_sdk");
    fs::create_dir(&inner)?;
    for (name, text) in PACKAGE {
        fs::write(inner.join(name), text)?;
    }
    Ok(folder)
}
