//! What of the system a strategy sees.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Folders of programs and libraries, as links where the system has them so.
const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32"];
/// Files by which programs and libraries are found.
const FILES: [&str; 2] = ["/etc/ld.so.cache", "/etc/alternatives"];
/// Of a descriptor's flags in /proc: it is closed where another program begins.
const CLOSED_ON_EXEC: u32 = 0o2_000_000;
/// Bytes of the one folder that can be written, which is in memory.
const SCRATCH: &str = "268435456";

/// The arguments of bubblewrap for a view of the system with these paths beside it.
pub(super) fn arguments(own: &[(PathBuf, PathBuf)]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |words: &[&dyn AsRef<std::ffi::OsStr>]| {
        arguments.extend(words.iter().map(|word| word.as_ref().to_owned()));
    };
    // Rights go by hand: where root starts it, bubblewrap leaves them.
    add(&[&"--unshare-all", &"--cap-drop", &"ALL", &"--die-with-parent", &"--new-session", &"--clearenv"]);
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
    // Root may write what is the system's in /proc, and fill memory by the others, whose size nothing bounds.
    for path in ["/proc", "/dev", "/"] {
        add(&[&"--remount-ro", &path]);
    }
    add(&[&"--chdir", &"/tmp"]);
    arguments
}

/// The first of the paths that are seen from within which leads to a file that must not be, or to what lies beside it by its
/// name: journals and histories.
pub(super) fn leads_to(own: &[(PathBuf, PathBuf)], hidden: &Path) -> Option<PathBuf> {
    let hidden = fs::canonicalize(hidden).unwrap_or_else(|_| hidden.into());
    let is_beside = |path: &Path| {
        let (path, hidden) = (path.as_os_str().as_bytes(), hidden.as_os_str().as_bytes());
        path.strip_prefix(hidden).is_some_and(|rest| matches!(rest.first(), Some(b'-' | b'.')))
    };
    let system = SYSTEM.iter().map(PathBuf::from);
    let seen = own.iter().map(|(outside, _)| outside.clone()).chain(system);
    let mut seen = seen.map(|path| fs::canonicalize(&path).unwrap_or(path));
    seen.find(|path| hidden.starts_with(path) || is_beside(path))
}

/// A file or folder that this process was started with and would hand on: one that is not closed where a program begins.
pub(super) fn handed_on() -> Option<(i32, PathBuf)> {
    let open = fs::read_dir("/proc/self/fd").ok()?.flatten();
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<i32>().ok();
    let mut others = open.filter_map(number).filter(|fd| *fd > 2);
    others.find_map(|fd| {
        let target = fs::read_link(format!("/proc/self/fd/{fd}")).ok()?;
        let about = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
        let flags = about.lines().find_map(|line| line.strip_prefix("flags:"))?;
        let flags = u32::from_str_radix(flags.trim(), 8).ok()?;
        let is_file = target.is_absolute() && !target.starts_with("/dev");
        (is_file && flags & CLOSED_ON_EXEC == 0).then_some((fd, target))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_the_ledger_or_lies_beside_it_by_name_leads_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let dir = fs::canonicalize(dir.path()).unwrap();
        let ledger = dir.join("datalog.db");
        for name in ["datalog.db", "datalog.db-wal", "datalog.dbx", "model.py"] {
            fs::write(dir.join(name), "").unwrap();
        }
        fs::create_dir(dir.join("datalog.db.history")).unwrap();
        let leads = |path: &Path| leads_to(&[(path.into(), "/strategy".into())], &ledger).is_some();
        assert!(leads(&dir) && leads(&ledger) && leads(dir.parent().unwrap()));
        assert!(leads(&dir.join("datalog.db-wal")) && leads(&dir.join("datalog.db.history")));
        assert!(!leads(&dir.join("model.py")) && !leads(&dir.join("datalog.dbx")));
    }
}
