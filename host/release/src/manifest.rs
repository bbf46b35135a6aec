//! `release.toml`.

use super::path::is_plain;
use super::text::{fault, read};
use super::{CHALLENGES, Digest, LARGEST_FILE, LARGEST_RELEASE, MANIFEST, MOST_FILES, ReleaseRejection};
use mantis_config::Block;
use semver::{Comparator, Op, Version, VersionReq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One release: what `release.toml` says, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The subnet that it is for.
    pub netuid: u16,
    /// Its number: from 1 on, each one more than the one before, and never used again.
    pub number: u32,
    /// The block from which on sampling, decoding and scoring follow it.
    pub activate: i64,
    /// The block after which it is no longer taken by those who do not have it.
    pub expires: i64,
    /// The versions of the program that can run it.
    pub host: VersionReq,
    /// Digest of the `release.toml` before it; the first release has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// Every file of it but `release.toml` and its signature.
    pub files: BTreeMap<String, ListedFile>,
}

/// A file of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedFile {
    /// Its bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
}

impl Release {
    /// Reads the bytes of a `release.toml`.
    ///
    /// # Errors
    /// [`ReleaseRejection::Text`], of what is wrong first.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReleaseRejection> {
        let release: Self = read(bytes, MANIFEST)?;
        match release.fault() {
            None => Ok(release),
            Some(what) => Err(fault(MANIFEST, None, &what)),
        }
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`ReleaseRejection::Text`] where [`Release::parse`] would refuse it.
    pub fn to_text(&self) -> Result<String, ReleaseRejection> {
        let text = toml::to_string(self).map_err(|error| fault(MANIFEST, None, &error.to_string()))?;
        Self::parse(text.as_bytes()).map(|_| text)
    }

    /// The first of its blocks.
    #[must_use]
    pub fn activate(&self) -> Block {
        Block(self.activate)
    }

    /// The last block at which it is taken.
    #[must_use]
    pub fn expires(&self) -> Block {
        Block(self.expires)
    }

    /// Whether a version of the program can run it.
    ///
    /// # Errors
    /// [`ReleaseRejection::Host`]; it says whether the program is too old.
    pub fn runs_on(&self, version: &Version) -> Result<(), ReleaseRejection> {
        if self.host.matches(version) {
            return Ok(());
        }
        let is_old = self.host.comparators.iter().any(|bound| is_below(version, bound));
        let (range, version) = (self.host.to_string(), version.to_string());
        Err(ReleaseRejection::Host { number: self.number, range, version, is_old })
    }

    /// What cannot be, in words.
    fn fault(&self) -> Option<String> {
        let Self { number, activate, expires, host, previous, files, .. } = self;
        if *number == 0 {
            return Some("`number` is 0; the first release is 1".into());
        }
        if (*number == 1) != previous.is_none() {
            let what = if *number == 1 { "stands in" } else { "is missing in" };
            return Some(format!(
                "`previous` {what} release {number}; every release but the first names the one before"
            ));
        }
        if *activate < 0 || expires <= activate {
            return Some(format!(
                "`activate` is {activate} and `expires` {expires}: the second is a later block, both from 0 on"
            ));
        }
        if host.comparators.is_empty() {
            return Some("`host` allows every version: say at least the first, \">=0.1.0\"".into());
        }
        if let Some(path) = files.keys().find(|path| !is_plain(path)) {
            let path: String = path.escape_debug().take(80).collect();
            return Some(format!(
                "\"{path}\" in [files] is no name of a file in the release: letters, digits, `.`, `_` and `-`, and slashes between"
            ));
        }
        if let Some(path) = files.keys().find(|path| path.starts_with(MANIFEST)) {
            return Some(format!("\"{path}\" in [files]: the list itself is not listed"));
        }
        // One is a file, the other the folder of that name.
        let is_within = |path: &String| {
            files.keys().any(|other| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
        };
        if let Some(path) = files.keys().find(|path| is_within(path)) {
            return Some(format!("\"{path}\" in [files] is a file and a folder"));
        }
        if !files.contains_key(CHALLENGES) {
            return Some(format!("[files] has no {CHALLENGES}"));
        }
        if files.len() > MOST_FILES {
            return Some(format!("[files] has {} files; {MOST_FILES} are allowed", files.len()));
        }
        let largest = files.values().map(|file| file.size).max().unwrap_or(0);
        let sum = files.values().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        (largest > LARGEST_FILE || sum > LARGEST_RELEASE).then(|| {
            format!(
                "the largest file has {largest} bytes and all have {sum}; {LARGEST_FILE} and {LARGEST_RELEASE} are allowed"
            )
        })
    }
}

/// Whether a version lies below what a bound asks for.
fn is_below(version: &Version, bound: &Comparator) -> bool {
    let least = Version::new(bound.major, bound.minor.unwrap_or(0), bound.patch.unwrap_or(0));
    !matches!(bound.op, Op::Less | Op::LessEq) && *version < least
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "netuid = 123\nnumber = 14\nactivate = 5_312_000\nexpires = 5_400_000\nhost = \">=0.3, <0.5\"\n\
        previous = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n[files]\n\"challenges.toml\" = \
        { size = 10, sha256 = \"sha256:1111111111111111111111111111111111111111111111111111111111111111\" }\n";

    fn refused(from: &str, into: &str) -> String {
        assert!(TEXT.contains(from), "{from}");
        Release::parse(TEXT.replacen(from, into, 1).as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let release = Release::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(
            (release.number, release.activate(), release.expires()),
            (14, Block(5_312_000), Block(5_400_000))
        );
        assert_eq!(release.files["challenges.toml"].size, 10);
        assert_eq!(Release::parse(release.to_text().unwrap().as_bytes()).unwrap(), release);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (from, into, says) in [
            ("number = 14", "number = \"14\"", "release.toml:2: invalid type"),
            ("netuid = 123", "netuid = 70000", "release.toml:1: invalid value"),
            ("number = 14", "number = 14\nmore = 1", "release.toml:3: unknown field `more`"),
            ("number = 14", "number = 14\nnumber = 15", "release.toml:3: duplicate key"),
            ("size = 10,", "size = 10, mode = 7,", "unknown field `mode`"),
            ("expires = 5_400_000\n", "", "missing field `expires`"),
            ("sha256:1111", "md5:1111", "sha256: and 64 hexadecimal digits"),
            (">=0.3, <0.5", "new", "release.toml:5: "),
            (">=0.3, <0.5", "*", "allows every version"),
            ("number = 14", "number = 0", "the first release is 1"),
            ("number = 14", "number = 1", "`previous` stands in release 1"),
            ("expires = 5_400_000", "expires = 5_312_000", "the second is a later block"),
            ("activate = 5_312_000", "activate = -1", "both from 0 on"),
            ("\"challenges.toml\"", "\"../challenges.toml\"", "no name of a file in the release"),
            ("\"challenges.toml\"", "\"other.toml\"", "[files] has no challenges.toml"),
            ("\"challenges.toml\"", "\"release.toml.sig\"", "the list itself"),
            ("size = 10", "size = 70000000", "67108864 and 268435456 are allowed"),
            ("size = 10", "size = 18446744073709551615", "release.toml:"),
        ] {
            let said = refused(from, into);
            assert!(said.contains(says) && said.len() < 500, "{says}: {said}");
        }
        let file = "\"challenges.toml/x\" = { size = 1, sha256 = \"sha256:1111111111111111111111111111111111111111111111111111111111111111\" }";
        let said = Release::parse(format!("{TEXT}{file}").as_bytes()).unwrap_err().to_string();
        assert!(said.contains("a file and a folder"), "{said}");
        assert!(Release::parse(b"\xff").unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn the_first_has_none_before_it_and_the_others_have_one() {
        let line = TEXT.lines().find(|line| line.starts_with("previous")).unwrap();
        assert!(refused(&format!("{line}\n"), "").contains("`previous` is missing in release 14"));
        let first = TEXT.replacen(&format!("{line}\n"), "", 1).replacen("number = 14", "number = 1", 1);
        assert!(Release::parse(first.as_bytes()).unwrap().previous.is_none());
    }

    #[test]
    fn an_old_program_is_told_to_be_updated_and_a_new_one_is_not() {
        let release = Release::parse(TEXT.as_bytes()).unwrap();
        let said =
            |version: &str| release.runs_on(&version.parse().unwrap()).map_err(|error| error.to_string());
        assert_eq!(said("0.3.0"), Ok(()));
        assert_eq!(said("0.4.9"), Ok(()));
        assert!(said("0.2.9").unwrap_err().ends_with("this is 0.2.9: update it"));
        assert!(said("0.5.0").unwrap_err().contains("made for an older one"));
    }
}
