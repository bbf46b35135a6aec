//! Uploading a place to a bucket, and only what is not there yet.

use super::error::PublicationError;
use super::state::State;
use mantis_network::bucket::Bucket;
use mantis_release::SIGNATURE_SUFFIX;
use mantis_release::ledger::{LEDGER_INDEX, LedgerIndex, ListedFacts, ListedPart};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How often a file is sent that the store does not take.
const TRIES: u32 = 4;
/// Pause after the first try; it doubles.
const PAUSE: Duration = Duration::from_secs(1);

/// Uploads the files of a place that its bucket does not have, and the list last, so that it names nothing that is not there.
/// Gives how many files that were. What is uploaded is remembered in the place, file by file.
///
/// # Errors
/// If the store refuses, or a file cannot be read.
pub async fn upload(place: &Path, bucket: &Bucket) -> Result<usize, PublicationError> {
    let read = |name: &str| {
        let path = place.join(name);
        fs::read(&path).map_err(PublicationError::file(&path))
    };
    let list = read(LEDGER_INDEX)?;
    let signature = format!("{LEDGER_INDEX}{SIGNATURE_SUFFIX}");
    let index = LedgerIndex::parse(&list)?;
    let names: Vec<String> =
        index.parts.iter().map(ListedPart::name).chain(index.facts.iter().map(ListedFacts::name)).collect();
    // The list has one name and several contents.
    let mark = format!("{LEDGER_INDEX} {}", mantis_release::Digest::of(&list));
    let store = bucket.url_of("");
    let mut state = State::read(place);
    let mut sent = 0;
    for name in &names {
        if state.uploaded.get(&store).is_some_and(|there| there.contains(name)) {
            continue;
        }
        put(bucket, name, read(name)?).await?;
        sent += 1;
        state.uploaded.entry(store.clone()).or_default().insert(name.clone());
        state.write(place).map_err(PublicationError::file(place))?;
    }
    let there = state.uploaded.entry(store).or_default();
    if !there.contains(&mark) {
        put(bucket, &signature, read(&signature)?).await?;
        put(bucket, LEDGER_INDEX, list).await?;
        sent += 2;
        there.retain(|name| names.contains(name));
        there.insert(mark);
        state.write(place).map_err(PublicationError::file(place))?;
    }
    Ok(sent)
}

async fn put(bucket: &Bucket, name: &str, bytes: Vec<u8>) -> Result<(), PublicationError> {
    let mut pause = PAUSE;
    for tried in 1.. {
        match bucket.put_file(name, bytes.clone()).await {
            Ok(()) => break,
            Err(error) if error.passes() && tried < TRIES => tokio::time::sleep(pause).await,
            Err(error) => return Err(PublicationError::Upload { name: name.into(), error }),
        }
        pause *= 2;
    }
    Ok(())
}
