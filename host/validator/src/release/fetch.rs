//! Having a whole release.

use super::store::ReleaseStore;
use mantis_network::releases::{ReleaseClient, SignedBytes};
use mantis_release::{Digest, Folder, MANIFEST, Release, ReleaseRejection, SIGNATURE_SUFFIX};
use std::path::{Path, PathBuf};
use tokio::fs;
use tokio::task::spawn_blocking;

/// Fetches what is missing of a release whose list is known, and puts it into the store. What an earlier attempt has fetched is
/// not fetched again.
///
/// # Errors
/// [`ReleaseRejection`]: of the server, of the disk, or of a file that is not the listed one.
pub(super) async fn complete(
    client: &ReleaseClient,
    store: &ReleaseStore,
    signed: &SignedBytes,
    release: &Release,
) -> Result<Folder, ReleaseRejection> {
    let (number, digest) = (release.number, Digest::of(&signed.bytes));
    let (part, whole) = (store.part(number, &digest), store.path(number, &digest));
    let error = |error: std::io::Error| ReleaseRejection::file(&part, &error);
    fs::create_dir_all(&part).await.map_err(error)?;
    for (name, listed) in &release.files {
        client.fetch(number, name, listed, &part.join(name)).await?;
    }
    for (name, bytes) in
        [(MANIFEST.to_owned(), &signed.bytes), (format!("{MANIFEST}{SIGNATURE_SUFFIX}"), &signed.signature)]
    {
        let path = part.join(name);
        fs::write(&path, bytes).await.map_err(|error| ReleaseRejection::file(&path, &error))?;
    }
    if let Err(rejection) = verify(part.clone()).await {
        // Something else lies there: begun anew next time.
        let _ = fs::remove_dir_all(&part).await;
        return Err(rejection);
    }
    remove(&whole).await;
    fs::rename(&part, &whole).await.map_err(error)?;
    verify(whole).await
}

/// Holds a folder to its list, on a thread that may wait for the disk.
pub(super) async fn verify(path: PathBuf) -> Result<Folder, ReleaseRejection> {
    let name = path.display().to_string();
    let verified = spawn_blocking(move || Folder::verify(&path)).await;
    verified.unwrap_or_else(|error| Err(ReleaseRejection::File { path: name, reason: error.to_string() }))
}

/// What is there and not sound is in the way.
async fn remove(folder: &Path) {
    let _ = fs::remove_dir_all(folder).await;
}
