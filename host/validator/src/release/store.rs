//! Where releases lie: a folder beside the ledger, with a folder for each release.

use mantis_network::releases::SignedBytes;
use mantis_release::{Digest, Folder, Index, IndexEntry, MANIFEST, ReleaseRejection, SIGNATURE_SUFFIX};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Ends the name of a folder that is not whole yet.
const PART: &str = ".part";
/// Begins the name of a file that says that its operator agrees to a release: its content is the release's digest.
const AGREED: &str = "take-";

/// The releases that a validator has.
#[derive(Clone, Debug)]
pub struct ReleaseStore {
    folder: PathBuf,
}

impl ReleaseStore {
    /// That of a ledger.
    #[must_use]
    pub fn beside(ledger: &Path) -> Self {
        Self { folder: ledger.with_added_extension("releases") }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a release lies once it is whole: by its number and the digest of its `release.toml`.
    #[must_use]
    pub fn path(&self, number: u32, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{number}-{}", digest.short()))
    }

    /// Where it lies before.
    pub(super) fn part(&self, number: u32, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{number}-{}{PART}", digest.short()))
    }

    /// A release that is had, held to its list.
    ///
    /// # Errors
    /// If it is not there, or not what it was.
    pub fn open(&self, number: u32, digest: &Digest) -> Result<Folder, ReleaseRejection> {
        let folder = Folder::verify(&self.path(number, digest))?;
        let found = folder.digest();
        if found == *digest {
            return Ok(folder);
        }
        let path = folder.path.display().to_string();
        Err(ReleaseRejection::Digest { path, list: "the ledger", found, expected: *digest })
    }

    /// The list of a release that is had, and its signature; `None` where it is not the one with this digest.
    pub(super) fn signed(&self, number: u32, digest: &Digest) -> Option<SignedBytes> {
        let folder = self.path(number, digest);
        let bytes = fs::read(folder.join(MANIFEST)).ok().filter(|bytes| Digest::of(bytes) == *digest)?;
        let signature = fs::read(folder.join(format!("{MANIFEST}{SIGNATURE_SUFFIX}"))).ok()?;
        Some(SignedBytes { bytes, signature })
    }

    /// All that are had and sound, by number.
    #[must_use]
    pub fn all(&self) -> Vec<Folder> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let whole = entries
            .filter(|entry| entry.path().is_dir() && !entry.file_name().to_string_lossy().ends_with(PART));
        let mut all: Vec<Folder> = whole.filter_map(|entry| Folder::verify(&entry.path()).ok()).collect();
        all.sort_by_key(|folder| folder.release.number);
        all
    }

    /// A list of those that are had, the newest of them and those before it without a gap: what there is where nobody
    /// answers. `None` where there are none.
    #[must_use]
    pub fn index(&self) -> Option<Index> {
        let all = self.all();
        let newest = all.last()?;
        let mut releases: Vec<IndexEntry> = Vec::new();
        let mut wanted = Some(newest.digest());
        for folder in all.iter().rev() {
            if wanted == Some(folder.digest()) {
                releases.push(entry_of(folder));
                wanted = folder.release.previous;
            }
        }
        releases.reverse();
        Some(Index { netuid: newest.release.netuid, newest: newest.release.number, releases })
    }

    /// Keeps that the operator agrees to a release.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn agree(&self, number: u32, digest: &Digest) -> io::Result<()> {
        fs::write(self.folder.join(format!("{AGREED}{number}")), format!("{digest}\n"))
    }

    /// Whether the operator has agreed to this very release.
    #[must_use]
    pub fn is_agreed(&self, number: u32, digest: &Digest) -> bool {
        let said = fs::read_to_string(self.folder.join(format!("{AGREED}{number}")));
        said.is_ok_and(|said| said.trim() == digest.to_string())
    }
}

/// The entry of a list that a release has.
fn entry_of(folder: &Folder) -> IndexEntry {
    let release = &folder.release;
    IndexEntry {
        number: release.number,
        activate: release.activate,
        size: folder.manifest.len() as u64,
        sha256: folder.digest(),
    }
}
