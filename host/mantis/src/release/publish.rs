//! A place that any web server or bucket can serve: the signed list, and a folder for each release.

use super::ReleaseError;
use super::make::{Files, of_release, put, write};
use crate::files::replace;
use mantis_network::bucket::Bucket;
use mantis_network::wallet::Hotkey;
use mantis_release::signature::{Signed, to_file};
use mantis_release::{Folder, Index, IndexEntry, MANIFEST, SIGNATURE_SUFFIX};
use std::fs;
use std::path::Path;

/// The name of the list.
const INDEX: &str = "index.toml";

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The number of the release.
    pub number: u32,
    /// Every file that is new or another, by its name in the place, in the order in which they are to be uploaded: the list
    /// comes last.
    pub files: Vec<String>,
}

/// Adds a signed release to the place, and signs its list with the same key. What is there stays.
///
/// # Errors
/// If the release is not signed with that key, does not follow the newest one there, or the place cannot be written.
pub fn publish(release: &Path, place: &Path, key: &Hotkey) -> Result<Published, ReleaseError> {
    let folder = Folder::verify(release).map_err(ReleaseError::of(release))?;
    folder.config()?;
    let number = folder.release.number;
    let is_signed = folder
        .signature
        .as_ref()
        .is_some_and(|signature| Signed::Release.is_by(&key.account().0, &folder.manifest, signature));
    if !is_signed {
        let signer = key.address();
        let why = format!("release {number} is not signed by {signer}: `mantis release sign` it first");
        return Err(ReleaseError::Order(why));
    }
    let entry = IndexEntry {
        number,
        activate: folder.release.activate,
        size: folder.manifest.len() as u64,
        sha256: folder.digest(),
    };
    let list = place.join(INDEX);
    let index = match fs::read(&list) {
        Ok(bytes) => added(Index::parse(&bytes)?, &folder, entry)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Index { netuid: folder.release.netuid, newest: number, releases: vec![entry] }
        }
        Err(error) => return Err(ReleaseError::file(&list)(error)),
    };
    let index = index.to_text()?;
    let signature = to_file(&key.sign_message(&Signed::Index.message(index.as_bytes())));
    let mut files = copy(&folder, place)?;
    for (name, text) in [(format!("{INDEX}{SIGNATURE_SUFFIX}"), signature), (INDEX.to_owned(), index)] {
        let path = place.join(&name);
        replace(&path, text.as_bytes()).map_err(ReleaseError::file(&path))?;
        files.push(name);
    }
    Ok(Published { number, files })
}

/// The list with the release at its end, if it follows.
fn added(index: Index, folder: &Folder, entry: IndexEntry) -> Result<Index, ReleaseError> {
    let (number, newest) = (entry.number, index.newest);
    // The same once more: an upload that broke off is made again.
    if index.releases.last() == Some(&entry) {
        return Ok(index);
    }
    let no = |why: String| Err(ReleaseError::Order(why));
    if index.netuid != folder.release.netuid {
        let (ours, theirs) = (folder.release.netuid, index.netuid);
        return no(format!("the release is for subnet {ours}, and those that are published for {theirs}"));
    }
    if newest.checked_add(1) != Some(number) {
        let next = u64::from(newest) + 1;
        return no(format!(
            "the newest release that is published is {newest}, so the next one is {next}, and this is {number}: make it from that \
             one (`mantis release new --from`)"
        ));
    }
    if folder.release.previous != index.releases.last().map(|last| last.sha256) {
        return no(format!(
            "release {number} was not made from the release {newest} that is published: make it from that one"
        ));
    }
    Ok(index.with(entry))
}

/// Copies a release into the folder of its number. Gives the names of its files from the place on.
fn copy(folder: &Folder, place: &Path) -> Result<Vec<String>, ReleaseError> {
    let number = folder.release.number;
    let to = place.join(number.to_string());
    let mut files: Files = of_release(folder)?;
    files.insert(MANIFEST.into(), folder.manifest.clone());
    files.insert(format!("{MANIFEST}{SIGNATURE_SUFFIX}"), folder.signature.clone().unwrap_or_default());
    let all = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let draft = write(&to, all).map_err(ReleaseError::file(&to))?;
    // Of an attempt that was broken off: the list did not name it.
    if to.exists() {
        fs::remove_dir_all(&to).map_err(ReleaseError::file(&to))?;
    }
    put(draft, &to).map_err(ReleaseError::file(&to))?;
    Ok(files.into_keys().map(|name| format!("{number}/{name}")).collect())
}

impl Published {
    /// Uploads what is new of a place.
    ///
    /// # Errors
    /// If the store refuses, or a file cannot be read. The list is uploaded last, so that it names nothing that is not there.
    pub async fn upload(&self, place: &Path, bucket: &Bucket) -> Result<(), ReleaseError> {
        for name in &self.files {
            let path = place.join(name);
            let bytes = fs::read(&path).map_err(ReleaseError::file(&path))?;
            bucket.put_file(name, bytes).await?;
        }
        Ok(())
    }
}
