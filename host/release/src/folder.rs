//! A release's folder, held to its list.

use super::{
    CHALLENGES, Digest, LARGEST_FILE, LARGEST_MANIFEST, LARGEST_SIGNATURE, ListedFile, MANIFEST, MOST_FILES,
    PLUGINS, Release, ReleaseRejection, SIGNATURE_SUFFIX,
};
use mantis_config::Config;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A folder that has what its `release.toml` lists, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub release: Release,
    /// The bytes of `release.toml`, which are what is signed.
    pub manifest: Vec<u8>,
    /// The content of the signature's file, if there is one. It is not judged.
    pub signature: Option<Vec<u8>>,
}

impl Folder {
    /// Reads a release's folder and holds it to its list: every listed file is there with its size and digest, and no other
    /// file is. Links are not followed.
    ///
    /// # Errors
    /// [`ReleaseRejection`] of the first thing that is wrong.
    pub fn verify(path: &Path) -> Result<Self, ReleaseRejection> {
        let manifest = read_small(&path.join(MANIFEST), LARGEST_MANIFEST)?;
        let manifest = manifest.ok_or_else(|| ReleaseRejection::File {
            path: path.display().to_string(),
            reason: format!("it has no {MANIFEST}, so it is no release"),
        })?;
        let release = Release::parse(&manifest)?;
        let sig = format!("{MANIFEST}{SIGNATURE_SUFFIX}");
        let signature = read_small(&path.join(&sig), LARGEST_SIGNATURE)?;
        let found = files_in(path)?;
        let is_known =
            |name: &&String| release.files.contains_key(*name) || *name == MANIFEST || *name == &sig;
        if let Some(name) = found.iter().find(|name| !is_known(name)) {
            return Err(ReleaseRejection::Unlisted { path: name.clone() });
        }
        for (name, listed) in &release.files {
            if !found.contains(name) {
                return Err(ReleaseRejection::Missing { path: name.clone() });
            }
            listed.check(name, &path.join(name))?;
        }
        Ok(Self { path: path.to_path_buf(), release, manifest, signature })
    }

    /// The digest of its `release.toml`, which stands for all of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// Its `challenges.toml`, checked: it says nothing that belongs to operators, and the release has every plugin that it
    /// names, to which each challenge is pinned.
    ///
    /// # Errors
    /// [`ReleaseRejection::Configuration`] with every fault, [`ReleaseRejection::Missing`] for a plugin.
    pub fn config(&self) -> Result<Config, ReleaseRejection> {
        let file = self.path.join(CHALLENGES);
        let text = fs::read_to_string(&file).map_err(|error| ReleaseRejection::file(&file, &error))?;
        let mut config = Config::parse_release(&text, &file)
            .map_err(|faults| ReleaseRejection::Configuration { faults: faults.to_string() })?;
        if config.network.netuid != self.release.netuid {
            let (says, is) = (config.network.netuid, self.release.netuid);
            let faults = format!("`netuid` of [network] is {says}, and the release is for subnet {is}");
            return Err(ReleaseRejection::Configuration { faults });
        }
        for challenge in &mut config.challenges {
            let path = plugin_file(&challenge.plugin);
            let Some(listed) = self.release.files.get(&path) else {
                return Err(ReleaseRejection::Missing { path });
            };
            let Digest(sha256) = listed.sha256;
            if challenge.sha256.is_some_and(|pinned| pinned != sha256) {
                let faults = format!("the `sha256` of {} is another than that of {path}", challenge.name);
                return Err(ReleaseRejection::Configuration { faults });
            }
            challenge.sha256 = Some(sha256);
        }
        Ok(config)
    }
}

impl ListedFile {
    /// Of a file.
    ///
    /// # Errors
    /// If it cannot be read, or is larger than a file of a release may be.
    pub fn of(name: &str, path: &Path) -> Result<Self, ReleaseRejection> {
        let file = File::open(path).map_err(|error| ReleaseRejection::file(path, &error))?;
        let (sha256, size) =
            Digest::read(file, LARGEST_FILE).map_err(|error| ReleaseRejection::file(path, &error))?;
        if size > LARGEST_FILE {
            return Err(ReleaseRejection::TooLarge { path: name.into(), limit: LARGEST_FILE });
        }
        Ok(Self { size, sha256 })
    }

    /// Whether a file is the listed one; `name` is what messages call it.
    ///
    /// # Errors
    /// [`ReleaseRejection::Size`] or [`ReleaseRejection::Digest`], or if it cannot be read.
    pub fn check(&self, name: &str, path: &Path) -> Result<(), ReleaseRejection> {
        let error = |error: std::io::Error| ReleaseRejection::file(path, &error);
        let size = fs::metadata(path).map_err(error)?.len();
        let expected = self.size;
        if size != expected {
            return Err(ReleaseRejection::Size { path: name.into(), found: size, expected });
        }
        let (found, size) = Digest::read(File::open(path).map_err(error)?, expected).map_err(error)?;
        if size != expected {
            return Err(ReleaseRejection::Size { path: name.into(), found: size, expected });
        }
        if found != self.sha256 {
            let expected = self.sha256;
            return Err(ReleaseRejection::Digest { path: name.into(), list: MANIFEST, found, expected });
        }
        Ok(())
    }
}

/// Where a plugin's component lies in a release.
#[must_use]
pub(super) fn plugin_file(plugin: &str) -> String {
    format!("{PLUGINS}/mantis_{}.wasm", plugin.replace('-', "_"))
}

/// A file of few bytes; `None` where there is none.
fn read_small(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReleaseRejection> {
    let error = |error: std::io::Error| ReleaseRejection::file(path, &error);
    match fs::symlink_metadata(path) {
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(other) => return Err(error(other)),
        Ok(about) if !about.is_file() => {
            return Err(ReleaseRejection::NoFile { path: path.display().to_string() });
        }
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(error)?;
    if bytes.len() as u64 > limit {
        return Err(ReleaseRejection::TooLarge { path: path.display().to_string(), limit });
    }
    Ok(Some(bytes))
}

/// Every file of a folder and of those in it, by its name from there. Ends early where there are far more than may be.
fn files_in(folder: &Path) -> Result<BTreeSet<String>, ReleaseRejection> {
    let (mut found, mut folders, mut seen) =
        (BTreeSet::new(), vec![(folder.to_path_buf(), String::new())], 0);
    while let Some((folder, prefix)) = folders.pop() {
        let error = |error: std::io::Error| ReleaseRejection::file(&folder, &error);
        for entry in fs::read_dir(&folder).map_err(error)? {
            let entry = entry.map_err(error)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(error)?;
            seen += 1;
            // An empty folder is listed nowhere, too.
            if seen > 4 * MOST_FILES {
                return Err(ReleaseRejection::Unlisted { path: name });
            }
            if kind.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else if kind.is_file() {
                found.insert(name);
            } else {
                return Err(ReleaseRejection::NoFile { path: name });
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Block;
    use semver::VersionReq;
    use tempfile::TempDir;

    const CONFIG: &str = "runtime = \"wasm\"\n[network]\nnetuid = 7\n[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"my-p\"\ndim=2\nweight=1\n";

    /// A folder with what a release needs.
    fn release() -> TempDir {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join(PLUGINS)).unwrap();
        for (name, text) in
            [(CHALLENGES, CONFIG), ("plugins/mantis_my_p.wasm", "component"), ("CHANGES.md", "")]
        {
            fs::write(dir.path().join(name), text).unwrap();
        }
        list(&dir);
        dir
    }

    fn list(dir: &TempDir) {
        let names = [CHALLENGES, "plugins/mantis_my_p.wasm", "CHANGES.md"];
        let files =
            names.map(|name| (name.to_owned(), ListedFile::of(name, &dir.path().join(name)).unwrap()));
        let host = VersionReq::parse(">=0.1").unwrap();
        let release = Release {
            netuid: 7,
            number: 1,
            activate: 5,
            expires: 9,
            host,
            previous: None,
            files: files.into(),
        };
        fs::write(dir.path().join(MANIFEST), release.to_text().unwrap()).unwrap();
    }

    fn refused(dir: &TempDir) -> String {
        Folder::verify(dir.path()).and_then(|folder| folder.config()).unwrap_err().to_string()
    }

    #[test]
    fn a_folder_with_what_it_lists_is_taken() {
        let dir = release();
        let folder = Folder::verify(dir.path()).unwrap();
        assert_eq!((folder.release.activate(), &folder.signature), (Block(5), &None));
        let challenge = folder.config().unwrap().challenges.remove(0);
        assert_eq!((challenge.plugin.as_str(), challenge.sha256), ("my-p", Some(Digest::of(b"component").0)));
        fs::write(dir.path().join("release.toml.sig"), "00").unwrap();
        assert_eq!(Folder::verify(dir.path()).unwrap().signature.as_deref(), Some(&b"00"[..]));
    }

    #[test]
    fn a_changed_byte_in_any_file_is_found() {
        for name in [CHALLENGES, "plugins/mantis_my_p.wasm"] {
            let dir = release();
            let mut bytes = fs::read(dir.path().join(name)).unwrap();
            bytes[3] ^= 1;
            fs::write(dir.path().join(name), &bytes).unwrap();
            let said = refused(&dir);
            assert!(said.starts_with(&format!("{name} has the digest sha256:")), "{said}");
            bytes.push(0);
            fs::write(dir.path().join(name), &bytes).unwrap();
            assert!(refused(&dir).contains(&format!("{name} has {} bytes", bytes.len())));
        }
    }

    #[test]
    fn a_missing_file_and_one_more_are_found() {
        let dir = release();
        fs::remove_file(dir.path().join("plugins/mantis_my_p.wasm")).unwrap();
        assert_eq!(refused(&dir), "plugins/mantis_my_p.wasm is listed in release.toml and is not there");
        for extra in ["plugins/mantis_other.wasm", "a/b/c", ".hidden", "release.toml.bak"] {
            let dir = release();
            let path = dir.path().join(extra);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
            assert!(
                refused(&dir).starts_with(&format!("{extra} is there and not listed")),
                "{}",
                refused(&dir)
            );
        }
        assert!(refused(&TempDir::new().unwrap()).contains("it has no release.toml"));
        let many = release();
        for n in 0..5 * MOST_FILES {
            fs::write(many.path().join(format!("x{n}")), "").unwrap();
        }
        assert!(refused(&many).contains("not listed"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        for (name, to) in [
            ("plugins/mantis_my_p.wasm", "/etc/hostname"),
            (CHALLENGES, "/dev/zero"),
            (MANIFEST, "/dev/zero"),
        ] {
            let dir = release();
            fs::remove_file(dir.path().join(name)).unwrap();
            symlink(to, dir.path().join(name)).unwrap();
            let said = refused(&dir);
            assert!(said.contains("is neither a file nor a folder"), "{said}");
        }
        let dir = release();
        symlink("/etc", dir.path().join("etc")).unwrap();
        assert!(refused(&dir).starts_with("etc is neither"));
    }

    #[test]
    fn what_is_endless_is_not_read() {
        let dir = release();
        fs::write(dir.path().join(MANIFEST), " ".repeat(LARGEST_MANIFEST as usize + 1)).unwrap();
        assert!(refused(&dir).contains("is larger than 65536 bytes"));
        let dir = release();
        fs::write(dir.path().join("release.toml.sig"), "0".repeat(300)).unwrap();
        assert!(refused(&dir).contains("is larger than 256 bytes"));
    }

    #[test]
    fn a_configuration_for_others_or_without_its_plugins_is_refused() {
        let with = |text: String| {
            let dir = release();
            fs::write(dir.path().join(CHALLENGES), text).unwrap();
            list(&dir);
            refused(&dir)
        };
        assert!(with(CONFIG.replace("netuid = 7", "netuid = 8")).contains("`netuid` of [network] is 8"));
        assert!(
            with(CONFIG.replace("my-p", "other"))
                .starts_with("plugins/mantis_other.wasm is listed in release.toml and")
        );
        let pin = format!("plugin=\"my-p\"\nsha256=\"{}\"", "0".repeat(64));
        assert!(with(CONFIG.replace("plugin=\"my-p\"", &pin)).contains("the `sha256` of A is another"));
        let said = with(format!("plugin_dir = \"x\"\n{CONFIG}"));
        assert!(said.contains("challenges.toml:1: key `plugin_dir`: belongs to the operator"), "{said}");
    }
}
