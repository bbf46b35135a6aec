//! Noticing that files have changed: cheaply by size and time, surely by digest.

use mantis_config::{Config, ConfigError, Runtime};
use mantis_scoring::plugins::{digest, digest_of, locate};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A file written to less than this before it was looked at may be written to again without its time telling: clocks of
/// file systems are coarse.
const COARSE: Duration = Duration::from_secs(2);

/// A plugin's name and form.
pub(super) type Key = (String, Runtime);

/// What the configuration's file and the plugins that it names were at one look.
#[derive(Clone)]
pub(super) struct Looked {
    stamp: Option<Stamp>,
    /// Digest of the configuration's text; `None` where it cannot be read.
    text: Option<String>,
    /// What the text says, adjusted.
    pub(super) wanted: Arc<Result<Config, ConfigError>>,
    /// The files of its plugins; none where the text is faulty.
    pub(super) plugins: BTreeMap<Key, PluginFile>,
}

/// A plugin's file, where there is one.
#[derive(Clone)]
pub(super) struct PluginFile {
    pub(super) path: PathBuf,
    stamp: Option<Stamp>,
    /// Its sha256 in lower-case hexadecimal; `None` where it cannot be read.
    pub(super) sha256: Option<String>,
}

/// What the file system says of a file without reading it.
#[derive(Clone, PartialEq)]
struct Stamp {
    length: u64,
    modified: SystemTime,
    #[cfg(unix)]
    inode: u64,
    /// Whether an equal stamp means that nothing was written since.
    is_sure: bool,
}

impl Looked {
    /// Looks at the files. What is surely the same as `before` is not read again.
    pub(super) fn now(file: &Path, adjust: &dyn Fn(&mut Config), before: Option<&Self>) -> Self {
        let stamp = Stamp::read(file);
        let same = before.filter(|before| Stamp::is_same(stamp.as_ref(), before.stamp.as_ref()));
        let (text, wanted) = match same {
            Some(before) => (before.text.clone(), before.wanted.clone()),
            None => read(file, adjust, before),
        };
        let mut plugins = BTreeMap::new();
        for challenge in wanted.as_ref().iter().flat_map(|config| &config.challenges) {
            let key = (challenge.plugin.clone(), challenge.runtime);
            let Ok(config) = wanted.as_ref() else { continue };
            if let (false, Ok(path)) =
                (plugins.contains_key(&key), locate(&challenge.plugin, &config.plugin_dir, challenge.runtime))
            {
                let before = before.and_then(|before| before.plugins.get(&key));
                plugins.insert(key, PluginFile::now(path, before));
            }
        }
        Self { stamp, text, wanted, plugins }
    }

    /// Whether two looks found the same content.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let content = |one: &Self| -> Vec<(Key, PathBuf, Option<String>)> {
            let plugins = one.plugins.iter();
            plugins.map(|(key, file)| (key.clone(), file.path.clone(), file.sha256.clone())).collect()
        };
        self.text == other.text && content(self) == content(other)
    }
}

/// Reads and checks the configuration, unless its text is that of `before`.
fn read(
    file: &Path,
    adjust: &dyn Fn(&mut Config),
    before: Option<&Looked>,
) -> (Option<String>, Arc<Result<Config, ConfigError>>) {
    let bytes = fs::read(file);
    let text = bytes.as_ref().ok().map(|bytes| digest_of(bytes));
    match before.filter(|before| text.is_some() && before.text == text) {
        Some(before) => (text, before.wanted.clone()),
        None => {
            let mut wanted = Config::from_bytes(bytes, file);
            wanted.iter_mut().for_each(adjust);
            (text, Arc::new(wanted))
        }
    }
}

impl PluginFile {
    fn now(path: PathBuf, before: Option<&Self>) -> Self {
        let stamp = Stamp::read(&path);
        let same = before
            .filter(|before| before.path == path && Stamp::is_same(stamp.as_ref(), before.stamp.as_ref()));
        let sha256 = same.map_or_else(|| digest(&path).ok(), |before| before.sha256.clone());
        Self { path, stamp, sha256 }
    }
}

impl Stamp {
    fn read(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?;
        Some(Self {
            length: metadata.len(),
            modified,
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(&metadata),
            is_sure: SystemTime::now().duration_since(modified).is_ok_and(|age| age > COARSE),
        })
    }

    fn is_same(now: Option<&Self>, before: Option<&Self>) -> bool {
        now.zip(before).is_some_and(|(now, before)| before.is_sure && now == before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[[challenge]]\nname = 'A-1'\nticker = 'A'\nplugin = 'p'\ndim = 2\nweight = 1\n";

    fn looked(file: &Path, before: Option<&Looked>) -> Looked {
        Looked::now(file, &|_| {}, before)
    }

    #[test]
    fn sees_what_the_clock_of_the_file_system_does_not_tell() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        fs::write(&file, TEXT).unwrap();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        let first = looked(&file, None);
        assert!(looked(&file, Some(&first)).is_same(&first));
        // As long, written in the same tick.
        fs::write(&file, TEXT.replace("weight = 1", "weight = 2")).unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        assert!(!looked(&file, Some(&first)).is_same(&first));
        fs::write(&file, TEXT).unwrap();
        assert!(looked(&file, Some(&first)).is_same(&first), "the same text again is no change");
    }

    #[test]
    fn an_old_file_is_not_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        let old = SystemTime::now() - Duration::from_secs(60);
        let write = |text: &str| {
            fs::write(&file, text).unwrap();
            fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        };
        write(TEXT);
        let first = looked(&file, None);
        // A file's time that is set back is not seen: that is how it is known that nothing was read.
        write(&TEXT.replace("weight = 1", "weight = 2"));
        assert!(looked(&file, Some(&first)).is_same(&first));
    }

    #[test]
    fn a_plugin_that_comes_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        fs::write(&file, format!("runtime = 'wasm'\n{TEXT}")).unwrap();
        let first = looked(&file, None);
        assert!(first.plugins.is_empty());
        fs::create_dir(dir.path().join("plugins")).unwrap();
        fs::write(dir.path().join("plugins/mantis_p.wasm"), "one").unwrap();
        let second = looked(&file, Some(&first));
        assert!(!second.is_same(&first) && second.plugins.len() == 1);
        fs::write(dir.path().join("plugins/mantis_p.wasm"), "two").unwrap();
        assert!(!looked(&file, Some(&second)).is_same(&second));
    }
}
