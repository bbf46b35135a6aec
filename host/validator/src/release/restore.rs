//! The releases that were taken, at the start.

use super::fetch::complete;
use super::look::over;
use super::store::ReleaseStore;
use super::timeline::{Followed, Timeline};
use mantis_config::{ReleaseSource, Take};
use mantis_ledger::{Ledger, LedgerError, TakenRelease};
use mantis_network::releases::ReleaseClient;
use mantis_release::{Digest, Folder, IndexEntry, LARGEST_MANIFEST, Release, ReleaseRejection};
use semver::Version;
use std::path::PathBuf;
use thiserror::Error;
use tokio::task::block_in_place;
use tracing::warn;

/// Why a validator cannot go on with the release that counts.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The release cannot be had, or does not run.
    #[error(
        "release {number}, which counts by the ledger, cannot be gone on with: {rejection}; put its folder {folder} back, or see \
         that [release] url has it; with `take = \"never\"` the file alone counts"
    )]
    Release {
        /// Its number.
        number: u32,
        /// Where it should lie.
        folder: PathBuf,
        /// Why not.
        rejection: ReleaseRejection,
    },
}

/// Puts the releases that were taken back in force: the one that counts now, and those before it that payloads still wait
/// for. One that is damaged or gone is fetched again: the ledger knows its digest. Needs a runtime with more than one thread.
///
/// # Errors
/// [`RestoreError`], for the one that counts now. An older one that cannot be had is warned of: what waits is decoded by the one
/// before it.
pub async fn restore(
    timeline: &mut Timeline,
    source: &ReleaseSource,
    ledger: &Ledger,
    version: &Version,
) -> Result<(), RestoreError> {
    if source.take == Take::Never {
        return Ok(());
    }
    let store = ReleaseStore::beside(ledger.path());
    let taken = ledger.releases()?;
    let oldest = ledger.pending()?.first().map(|pending| pending.block);
    let needed = taken.iter().rposition(|release| oldest.is_some_and(|oldest| release.activate <= oldest));
    let needed = match (needed, oldest) {
        (Some(first), _) => first,
        (None, Some(_)) => 0,
        (None, None) => taken.len().saturating_sub(1),
    };
    for (at, release) in taken.iter().enumerate().skip(needed) {
        match bring_back(timeline, source, &store, release, version).await {
            Ok(followed) => timeline.add(followed),
            Err(rejection) if at + 1 < taken.len() => {
                warn!(release = release.number, %rejection, "an earlier release, which payloads wait for, is not there any more");
            }
            Err(rejection) => {
                let folder = store.path(release.number, &Digest(release.sha256));
                return Err(RestoreError::Release { number: release.number, folder, rejection });
            }
        }
    }
    Ok(())
}

async fn bring_back(
    timeline: &Timeline,
    source: &ReleaseSource,
    store: &ReleaseStore,
    release: &TakenRelease,
    version: &Version,
) -> Result<Followed, ReleaseRejection> {
    let digest = Digest(release.sha256);
    let folder = match block_in_place(|| store.open(release.number, &digest)) {
        Ok(folder) => folder,
        Err(rejection) => {
            warn!(release = release.number, %rejection, "the release that counts is fetched again");
            fetch_again(source, store, release).await?
        }
    };
    folder.release.runs_on(version)?;
    let live = block_in_place(|| over(&timeline.template(), &folder, timeline.file()))?;
    Ok(Followed { number: release.number, from: release.activate, live })
}

/// By its digest alone: who signed it was judged when it was taken.
async fn fetch_again(
    source: &ReleaseSource,
    store: &ReleaseStore,
    release: &TakenRelease,
) -> Result<Folder, ReleaseRejection> {
    let what = || format!("release {}", release.number);
    let client = ReleaseClient::new(&source.url)
        .map_err(|error| ReleaseRejection::Http { what: what(), reason: error.to_string() })?;
    let entry = IndexEntry {
        number: release.number,
        activate: release.activate.0,
        size: LARGEST_MANIFEST,
        sha256: Digest(release.sha256),
    };
    let signed = client.manifest(&entry).await?;
    complete(&client, store, &signed, &Release::parse(&signed.bytes)?).await
}
