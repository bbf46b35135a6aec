//! What of the system a strategy sees.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of programs and libraries, as links where the system has them so.
const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32"];
/// Files by which programs and libraries are found.
const FILES: [&str; 2] = ["/etc/ld.so.cache", "/etc/alternatives"];
/// Bytes of the one folder that can be written, which is in memory.
const SCRATCH: &str = "268435456";

/// The arguments of bubblewrap for a view of the system with these paths beside it.
pub(super) fn arguments(own: &[(PathBuf, PathBuf)]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |words: &[&dyn AsRef<std::ffi::OsStr>]| {
        arguments.extend(words.iter().map(|word| word.as_ref().to_owned()));
    };
    add(&[&"--unshare-all", &"--die-with-parent", &"--new-session", &"--clearenv"]);
    for path in SYSTEM {
        match fs::read_link(path) {
            Ok(to) => add(&[&"--symlink", &to, &path]),
            Err(_) if Path::new(path).is_dir() => add(&[&"--ro-bind", &path, &path]),
            Err(_) => {}
        }
    }
    for path in FILES {
        add(&[&"--ro-bind-try", &path, &path]);
    }
    add(&[&"--proc", &"/proc", &"--dev", &"/dev", &"--size", &SCRATCH, &"--tmpfs", &"/tmp"]);
    for (outside, inside) in own {
        add(&[&"--ro-bind", outside, inside]);
    }
    add(&[&"--chdir", &"/tmp"]);
    arguments
}

/// The first of the paths that are seen from within which leads to a file that must not be.
pub(super) fn leads_to(own: &[(PathBuf, PathBuf)], hidden: &Path) -> Option<PathBuf> {
    let hidden = fs::canonicalize(hidden).unwrap_or_else(|_| hidden.into());
    let system = SYSTEM.iter().map(PathBuf::from);
    let seen = own.iter().map(|(outside, _)| outside.clone()).chain(system);
    seen.map(|path| fs::canonicalize(&path).unwrap_or(path)).find(|path| hidden.starts_with(path))
}
