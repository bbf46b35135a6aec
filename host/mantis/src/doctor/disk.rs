//! Disks: the room beside the ledger and in the folder of temporary files, and what kind they are.

use super::finding::Verdict;
use super::size;
use mantis_config::Config;
use mantis_ledger::snapshot::KeptHistory;
use mantis_scoring::size_of;
use std::path::{Path, PathBuf};

pub(super) const LEDGER: &str = "ledger_disk";
pub(super) const SCRATCH: &str = "scratch_disk";

/// Bytes without which neither SQLite nor a worker gets far.
const LEAST: u64 = 1_000_000_000;

/// File systems of the network, by Linux's numbers (statfs(2)): their locks, and memory that is shared between
/// machines, are not what WAL needs.
const NETWORK: [(i64, &str); 9] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
];
const FUSE: i64 = 0x6573_5546;
const TMPFS: i64 = 0x0102_1994;

/// What a folder's disk says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// The folder.
    pub(super) folder: PathBuf,
    /// Bytes that this user may still write.
    pub(super) free: u64,
    /// Whether this user may make files there.
    pub(super) writable: bool,
    /// The file system, by Linux's numbers; 0 where the system has none.
    pub(super) kind: i64,
}

/// Looks at the ledger's folder; the file lies there already with `size` bytes.
pub(super) fn ledger(ledger: &Path, size: u64, config: Option<&Config>) -> Verdict {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match read(folder) {
        Ok(reading) => {
            let needs = config.map(|c| (size::day(c), size::ledger(c) + size::all_histories(c)));
            judge_ledger(&reading, needs, size + size_of(&KeptHistory::folder(ledger)))
        }
        Err(reason) => unreadable(folder, &reason),
    }
}

/// Looks at the folder of temporary files.
pub(super) fn scratch(folder: &Path, config: Option<&Config>) -> Verdict {
    match read(folder) {
        Ok(reading) => judge_scratch(&reading, config.map(size::largest_history)),
        Err(reason) => unreadable(folder, &reason),
    }
}

fn unreadable(folder: &Path, reason: &str) -> Verdict {
    Verdict::fault(format!("{}: {reason}", folder.display()), "make the folder, or name another one")
}

fn read(folder: &Path) -> Result<Reading, String> {
    use rustix::fs::{Access, access, statvfs};
    let about = statvfs(folder).map_err(|error| std::io::Error::from(error).to_string())?;
    Ok(Reading {
        folder: folder.into(),
        free: about.f_bavail.saturating_mul(about.f_frsize),
        writable: access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok(),
        kind: kind(folder),
    })
}

#[cfg(target_os = "linux")]
fn kind(folder: &Path) -> i64 {
    // The numbers have 32 bits; the field's width and sign do not matter.
    rustix::fs::statfs(folder).map_or(0, |about| about.f_type & 0xffff_ffff)
}

#[cfg(not(target_os = "linux"))]
fn kind(_: &Path) -> i64 {
    0
}

/// `needs` are the bytes of a day of rows and of a full ledger with its histories, `size` those that are there.
fn judge_ledger(reading: &Reading, needs: Option<(u64, u64)>, size: u64) -> Verdict {
    let Reading { folder, free, writable, kind } = reading;
    let place = folder.display();
    if !writable {
        return not_writable(folder);
    }
    if let Some((_, name)) = NETWORK.iter().find(|(number, _)| number == kind) {
        return Verdict::fault(
            format!("{place} lies on {name}, a disk of the network, on which SQLite's WAL is not safe"),
            "put the ledger on a disk of this machine",
        );
    }
    let more = "make room, or move the ledger to a larger disk";
    let has = format!("{place}: {} free beside the ledger", size::shown(*free));
    let (day, full) = needs.unwrap_or((0, 0));
    let rest = full.saturating_sub(size);
    if *free < LEAST.max(2 * day).min(LEAST.max(rest)) {
        return Verdict::fault(format!("{has}: it is full within days"), more);
    }
    if *free < rest {
        let what =
            format!("{has}; at full size the ledger and its histories take {} more", size::shown(rest));
        return Verdict::warning(what, more);
    }
    if *kind == FUSE {
        return Verdict::warning(
            format!(
                "{place} lies on a file system in user space (FUSE), on which SQLite's WAL may not be safe"
            ),
            "put the ledger on a disk of this machine, unless this one is known to lock and map files rightly",
        );
    }
    Verdict::ok(if rest > 0 {
        format!("{has}; at full size the ledger and its histories take {} more", size::shown(rest))
    } else {
        has
    })
}

/// `largest` are the bytes of the largest history at full size.
fn judge_scratch(reading: &Reading, largest: Option<u64>) -> Verdict {
    let Reading { folder, free, writable, kind } = reading;
    if !writable {
        return not_writable(folder);
    }
    let has = format!("{}: {} free for temporary files", folder.display(), size::shown(*free));
    let largest = largest.unwrap_or(0);
    let elsewhere = "name a folder with more room: --scratch DIR";
    if *free < LEAST / 4 {
        return Verdict::fault(format!("{has}: histories have no room"), elsewhere);
    }
    if *free < largest {
        let what = format!("{has}; at full size the largest history takes {}", size::shown(largest));
        return Verdict::warning(what, elsewhere);
    }
    if *kind == TMPFS && largest > 0 {
        let what = format!(
            "{has}, in memory (tmpfs); at full size the largest history takes {}",
            size::shown(largest)
        );
        return Verdict::warning(what, "name a folder on a disk: --scratch DIR");
    }
    Verdict::ok(has)
}

fn not_writable(folder: &Path) -> Verdict {
    Verdict::fault(
        format!("{}: this user may not make files there", folder.display()),
        "give this user the right to write to the folder, or name another one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    const GB: u64 = 1_000_000_000;

    fn reading(free: u64) -> Reading {
        Reading { folder: "/data".into(), free, writable: true, kind: 0xef53 }
    }

    #[test]
    fn room_is_measured_against_what_grows() {
        let status = |free, size| judge_ledger(&reading(free), Some((GB / 3, 20 * GB)), size).status;
        assert_eq!(status(30 * GB, 0), Status::Ok);
        assert_eq!(status(15 * GB, 0), Status::Warning);
        assert_eq!(status(15 * GB, 10 * GB), Status::Ok);
        assert_eq!(status(GB / 2, 10 * GB), Status::Fault);
        assert_eq!(status(2 * GB, 20 * GB), Status::Ok);
        assert_eq!(judge_ledger(&reading(GB / 2), None, 0).status, Status::Fault);
    }

    #[test]
    fn the_networks_disks_are_refused() {
        for (kind, expected) in [
            (0x6969, Status::Fault),
            (0xff53_4d42, Status::Fault),
            (FUSE, Status::Warning),
            (0xef53, Status::Ok),
        ] {
            let verdict = judge_ledger(&Reading { kind, ..reading(90 * GB) }, None, 0);
            assert_eq!(verdict.status, expected, "{kind:x}");
        }
        let closed = Reading { writable: false, ..reading(90 * GB) };
        assert_eq!(judge_ledger(&closed, None, 0).status, Status::Fault);
        assert_eq!(judge_scratch(&closed, None).status, Status::Fault);
    }

    #[test]
    fn temporary_files_need_room_too() {
        let status = |free, kind| judge_scratch(&Reading { kind, ..reading(free) }, Some(3 * GB)).status;
        assert_eq!(status(4 * GB, 0xef53), Status::Ok);
        assert_eq!(status(2 * GB, 0xef53), Status::Warning);
        assert_eq!(status(4 * GB, TMPFS), Status::Warning);
        assert_eq!(status(GB / 10, 0xef53), Status::Fault);
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_fault() {
        let verdict = scratch(Path::new("/no/such/folder"), None);
        assert_eq!(verdict.status, Status::Fault);
        let here = read(Path::new(".")).unwrap();
        assert!(here.free > 0 && here.writable);
    }
}
