//! Whether a release may follow what a validator has.

use super::index::INDEX;
use super::{Digest, Index, IndexEntry, MANIFEST, Release, ReleaseRejection};
use mantis_config::Block;
use semver::Version;

/// The newest release that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub number: u32,
    /// The digest of its `release.toml`.
    pub digest: Digest,
}

/// What releases are judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The validator's subnet.
    pub netuid: u16,
    /// The program's version.
    pub version: Version,
    /// The newest block.
    pub head: Block,
}

impl Index {
    /// The releases that follow the newest one that was taken, oldest first. Without one: the newest that counts by now,
    /// and those after it; where none counts yet, all.
    ///
    /// # Errors
    /// [`ReleaseRejection`]: another subnet's list, an old one, a number that is used again, a gap.
    pub fn following(
        &self,
        known: Option<Known>,
        at: &Circumstances,
    ) -> Result<&[IndexEntry], ReleaseRejection> {
        if self.netuid != at.netuid {
            return Err(ReleaseRejection::Netuid { file: INDEX, found: self.netuid, ours: at.netuid });
        }
        let Some(Known { number: known, digest }) = known else {
            let counts = self.releases.iter().rposition(|entry| entry.activate() <= at.head);
            return Ok(&self.releases[counts.unwrap_or(0)..]);
        };
        if self.newest < known {
            return Err(ReleaseRejection::Rollback { newest: self.newest, known });
        }
        if let Some(entry) =
            self.releases.iter().find(|entry| entry.number == known && entry.sha256 != digest)
        {
            return Err(ReleaseRejection::Reused { number: known, found: entry.sha256, known: digest });
        }
        let first = self.releases.iter().position(|entry| entry.number > known);
        let following = &self.releases[first.unwrap_or(self.releases.len())..];
        match following.first() {
            Some(entry) if entry.number != known + 1 => {
                Err(ReleaseRejection::Gap { known, found: entry.number })
            }
            _ => Ok(following),
        }
    }
}

impl Release {
    /// Whether this is the release of an entry of the list, for this subnet, made from the one before it, where that is
    /// known.
    ///
    /// # Errors
    /// [`ReleaseRejection`].
    pub fn follows(
        &self,
        entry: &IndexEntry,
        before: Option<Digest>,
        at: &Circumstances,
    ) -> Result<(), ReleaseRejection> {
        if self.netuid != at.netuid {
            return Err(ReleaseRejection::Netuid { file: MANIFEST, found: self.netuid, ours: at.netuid });
        }
        if self.number != entry.number {
            return Err(ReleaseRejection::Number { found: self.number, expected: entry.number });
        }
        if self.activate != entry.activate {
            let what = format!("`activate` is {}, and index.toml says {}", self.activate, entry.activate);
            return Err(ReleaseRejection::Text { file: MANIFEST, line: None, what });
        }
        match before {
            Some(expected) if self.previous != Some(expected) => {
                let found = self.previous.map_or_else(|| "none".into(), |previous| previous.to_string());
                Err(ReleaseRejection::Previous { number: self.number, found, expected })
            }
            _ => Ok(()),
        }
    }

    /// Whether it may still be taken. Of several that follow each other the newest is asked: it names those before it, so
    /// that one of them which nobody could take any more by itself is as good as the newest.
    ///
    /// # Errors
    /// [`ReleaseRejection::Expired`].
    pub fn is_current(&self, at: &Circumstances) -> Result<(), ReleaseRejection> {
        if at.head <= self.expires() {
            return Ok(());
        }
        Err(ReleaseRejection::Expired { number: self.number, expires: self.expires(), head: at.head })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use semver::VersionReq;

    fn digest(number: u32) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    fn entry(number: u32) -> IndexEntry {
        IndexEntry { number, activate: 100 * i64::from(number), size: 1, sha256: digest(number) }
    }

    fn index(numbers: std::ops::RangeInclusive<u32>) -> Index {
        Index { netuid: 1, newest: *numbers.end(), releases: numbers.map(entry).collect() }
    }

    fn at(head: i64) -> Circumstances {
        Circumstances { netuid: 1, version: Version::new(0, 1, 0), head: Block(head) }
    }

    fn following(index: &Index, known: Option<u32>, head: i64) -> Result<Vec<u32>, String> {
        let known = known.map(|number| Known { number, digest: digest(number) });
        let found = index.following(known, &at(head)).map_err(|error| error.to_string())?;
        Ok(found.iter().map(|entry| entry.number).collect())
    }

    fn release(number: u32) -> Release {
        Release {
            netuid: 1,
            number,
            activate: 100 * i64::from(number),
            expires: 100 * i64::from(number) + 50,
            host: VersionReq::parse(">=0.1").unwrap(),
            previous: (number > 1).then(|| digest(number - 1)),
            files: [].into(),
        }
    }

    #[test]
    fn what_comes_after_what_is_known_follows() {
        assert_eq!(following(&index(3..=9), Some(7), 0), Ok(vec![8, 9]));
        assert_eq!(following(&index(3..=9), Some(9), 0), Ok(vec![]));
        assert_eq!(following(&index(8..=9), Some(7), 0), Ok(vec![8, 9]));
        // One that knows none begins with what counts now.
        assert_eq!(following(&index(3..=9), None, 750), Ok(vec![7, 8, 9]));
        assert_eq!(following(&index(3..=9), None, 299), Ok((3..=9).collect()));
        assert_eq!(following(&index(3..=9), None, 5000), Ok(vec![9]));
    }

    #[test]
    fn older_numbers_gaps_and_numbers_used_again_are_refused() {
        let said = |index: &Index, known| following(index, Some(known), 0).unwrap_err();
        assert!(
            said(&index(3..=9), 10)
                .contains("the newest release there is 9, and release 10 was taken before")
        );
        assert!(said(&index(9..=12), 7).contains("after release 7 comes 9 in the list, and 8 is missing"));
        let mut again = index(3..=9);
        again.releases[4].sha256 = digest(77);
        assert!(said(&again, 7).contains("a number is never used again"));
        let other = Index { netuid: 2, ..index(3..=9) };
        assert!(said(&other, 7).contains("index.toml is for subnet 2, and this validator is of subnet 1"));
    }

    #[test]
    fn a_release_is_the_one_of_its_entry_and_made_from_the_one_before() {
        let follows = |release: &Release, number, before: Option<u32>| {
            release.follows(&entry(number), before.map(digest), &at(0)).map_err(|error| error.to_string())
        };
        assert_eq!(follows(&release(7), 7, Some(6)), Ok(()));
        assert_eq!(follows(&release(7), 7, None), Ok(()));
        assert!(follows(&release(7), 7, Some(5)).unwrap_err().contains("as the release before it"));
        assert!(
            follows(&release(1), 1, Some(5)).unwrap_err().contains("names none as the release before it")
        );
        assert!(
            follows(&release(7), 8, Some(6)).unwrap_err().contains("release 7 lies where release 8 should")
        );
        let other = Release { netuid: 9, ..release(7) };
        assert!(follows(&other, 7, Some(6)).unwrap_err().contains("release.toml is for subnet 9"));
        let later = Release { activate: 1, ..release(7) };
        assert!(
            follows(&later, 7, Some(6)).unwrap_err().contains("`activate` is 1, and index.toml says 700")
        );
    }

    #[test]
    fn after_its_last_block_nobody_takes_it() {
        assert_eq!(release(7).is_current(&at(750)), Ok(()));
        let said = release(7).is_current(&at(751)).unwrap_err().to_string();
        assert!(said.contains("until block 750, and this is block 751"), "{said}");
    }
}
