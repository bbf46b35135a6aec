//! `index.toml`: the list of releases where they are published.

use super::text::{fault, read};
use super::{Digest, LARGEST_MANIFEST, ReleaseRejection};
use mantis_config::Block;
use serde::{Deserialize, Serialize};

/// The name of the file, in messages.
pub(super) const INDEX: &str = "index.toml";
/// Releases that a list may have.
const MOST: usize = 512;

/// The releases there are, oldest first: without a gap, and not necessarily from the first on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The subnet.
    pub netuid: u16,
    /// The number of the newest release.
    pub newest: u32,
    /// All of them.
    #[serde(rename = "release")]
    pub releases: Vec<IndexEntry>,
}

/// A release in the list. It lies in the folder of its number, beside the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexEntry {
    /// Its number.
    pub number: u32,
    /// The block from which on it counts; those of later releases are not before it.
    pub activate: i64,
    /// Bytes of its `release.toml`.
    pub size: u64,
    /// Digest of its `release.toml`.
    pub sha256: Digest,
}

impl IndexEntry {
    /// The first of its blocks.
    #[must_use]
    pub fn activate(&self) -> Block {
        Block(self.activate)
    }
}

impl Index {
    /// Reads the bytes of an `index.toml`.
    ///
    /// # Errors
    /// [`ReleaseRejection::Text`], of what is wrong first.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReleaseRejection> {
        let index: Self = read(bytes, INDEX)?;
        match index.fault() {
            None => Ok(index),
            Some(what) => Err(fault(INDEX, None, &what)),
        }
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`ReleaseRejection::Text`] where [`Index::parse`] would refuse it.
    pub fn to_text(&self) -> Result<String, ReleaseRejection> {
        let text = toml::to_string(self).map_err(|error| fault(INDEX, None, &error.to_string()))?;
        Self::parse(text.as_bytes()).map(|_| text)
    }

    /// The list with one more release; the oldest go where there would be too many.
    #[must_use]
    pub fn with(mut self, entry: IndexEntry) -> Self {
        self.newest = entry.number;
        self.releases.push(entry);
        let spare = self.releases.len().saturating_sub(MOST);
        self.releases.drain(..spare);
        self
    }

    /// What cannot be, in words.
    fn fault(&self) -> Option<String> {
        let Self { newest, releases, .. } = self;
        if releases.last().map(|last| last.number) != Some(*newest) {
            return Some(format!(
                "`newest` is {newest}, and the last [[release]] another; it is the last of them"
            ));
        }
        if releases.len() > MOST {
            return Some(format!("there are {} releases in it; {MOST} are allowed", releases.len()));
        }
        for pair in releases.windows(2) {
            let [before, after] = [pair[0], pair[1]];
            if before.number.checked_add(1) != Some(after.number) {
                return Some(format!(
                    "release {} follows {}; every number is there, in order",
                    after.number, before.number
                ));
            }
            if after.activate < before.activate {
                let (number, then) = (after.number, before.activate);
                return Some(format!(
                    "release {number} activates before release {}, which does so at {then}",
                    before.number
                ));
            }
        }
        let large = releases.iter().find(|entry| entry.size > LARGEST_MANIFEST)?;
        Some(format!(
            "the release.toml of release {} has {} bytes; {LARGEST_MANIFEST} are allowed",
            large.number, large.size
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32, activate: i64) -> IndexEntry {
        IndexEntry { number, activate, size: 100, sha256: Digest([1; 32]) }
    }

    fn index(numbers: &[(u32, i64)]) -> Index {
        let releases: Vec<_> = numbers.iter().map(|(number, activate)| entry(*number, *activate)).collect();
        Index { netuid: 123, newest: releases.last().map_or(0, |last| last.number), releases }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let index = index(&[(7, 100), (8, 100), (9, 200)]);
        assert_eq!(Index::parse(index.to_text().unwrap().as_bytes()).unwrap(), index);
    }

    #[test]
    fn a_list_that_makes_no_sense_is_refused() {
        for (bad, says) in [
            (index(&[]), "`newest` is 0"),
            (Index { newest: 9, ..index(&[(7, 1), (8, 2)]) }, "`newest` is 9"),
            (index(&[(7, 1), (9, 2)]), "release 9 follows 7"),
            (index(&[(8, 1), (7, 2)]), "release 7 follows 8"),
            (index(&[(7, 2), (8, 1)]), "release 8 activates before release 7"),
            (index(&(1..=600).map(|n| (n, 1)).collect::<Vec<_>>()), "600 releases"),
        ] {
            let said = bad.to_text().unwrap_err().to_string();
            assert!(said.contains(says), "{says}: {said}");
        }
        let mut large = index(&[(7, 1)]);
        large.releases[0].size = 1 << 20;
        assert!(large.to_text().unwrap_err().to_string().contains("1048576 bytes"));
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let mut all = index(&[(1, 1)]);
        for number in 2..=600 {
            all = all.with(entry(number, 1));
        }
        let text = all.to_text().unwrap();
        assert!(text.len() < crate::LARGEST_INDEX as usize, "{}", text.len());
        assert_eq!((all.newest, all.releases[0].number, all.releases.len()), (600, 89, MOST));
    }
}
