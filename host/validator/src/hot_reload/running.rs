//! The configuration that runs.

use super::changes::changes;
use super::error::HotReloadError;
use super::generation::{ChangeRejection, Generation, PREFIX};
use super::watch::Looked;
use mantis_config::Config;
use mantis_scoring::worker::Launcher;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

/// Files must stay as they are for so long before they are taken: their writer may not be done.
const SETTLED: Duration = Duration::from_millis(300);
/// Begins the names of folders of generations with a release over the file.
const OVER: &str = "over-";
/// How often that is waited for; then it is left to the next look.
const PATIENCE: usize = 10;
/// Time that a plugin has at the start to say whether it takes its challenge; a component is compiled in it.
const STARTING: Duration = Duration::from_secs(60);
/// The same while running: shorter than the time between two sampled blocks.
const CHECKING: Duration = Duration::from_secs(30);

/// Changes a configuration after it was read: what the command line says, or where a simulated world is.
pub type Adjust = Box<dyn Fn(&mut Config) + Send + Sync>;

type SharedAdjust = Arc<dyn Fn(&mut Config) + Send + Sync>;

/// What further configurations over the same file are made with: see [`HotReload::template`].
#[derive(Clone)]
pub struct Template {
    file: PathBuf,
    launcher: Launcher,
    adjust: SharedAdjust,
    folder: PathBuf,
}

/// A configuration that follows its files.
///
/// What runs is a whole that was checked as a whole: the file's text, and a copy of every plugin's file, kept in a
/// folder of its own (a generation) to which `plugin_dir` points and to whose digests every challenge is pinned. A file
/// that is edited or replaced changes nothing until [`HotReload::refresh`] takes it. A generation's folder is there as long
/// as anybody holds its [`Arc<Config>`], and this value lives.
pub struct HotReload {
    file: PathBuf,
    launcher: Launcher,
    adjust: SharedAdjust,
    folder: Folder,
    seen: Looked,
    current: Arc<Config>,
    generation: TempDir,
    /// Earlier generations that somebody may still use.
    earlier: Vec<(Arc<Config>, TempDir)>,
    /// Why what was seen does not run, where it does not.
    kept: Option<String>,
}

/// Where generations are.
enum Folder {
    Given(PathBuf),
    Own(TempDir),
}

/// What a look at the files came to.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// Nothing new since the last look, or nothing that matters.
    Unchanged,
    /// The new configuration runs.
    Taken {
        /// It.
        config: Arc<Config>,
        /// What is new, a line each; never empty.
        changes: Vec<String>,
    },
    /// The new one cannot be used; the old one runs on. Said once.
    Kept {
        /// Every fault of it, a line each: file, line, key, and what is wrong.
        why: String,
    },
}

impl HotReload {
    /// Loads `file`, applies `adjust`, asks every plugin in a process of `launcher` whether it takes its challenge, and
    /// copies the plugins' files to a new folder in the system's folder for temporary files. It blocks.
    ///
    /// # Errors
    /// [`HotReloadError`]: all faults, as `mantis challenges` finds them.
    pub fn start(file: &Path, launcher: Launcher, adjust: Adjust) -> Result<Self, HotReloadError> {
        let temporary = std::env::temp_dir();
        let folder = tempfile::Builder::new().prefix("mantis-plugins-").tempdir_in(&temporary);
        let folder = folder.map_err(|source| HotReloadError::File { path: temporary, source })?;
        Self::new(file, launcher, adjust.into(), Folder::Own(folder), None)
    }

    /// As [`HotReload::start`], with the copies in `folder`, which is made if needed and must be this process's alone: what
    /// generations an earlier process left there is removed.
    ///
    /// # Errors
    /// As [`HotReload::start`].
    pub fn start_in(
        folder: &Path,
        file: &Path,
        launcher: Launcher,
        adjust: Adjust,
    ) -> Result<Self, HotReloadError> {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(PREFIX) || name.starts_with(OVER) {
                // What cannot be removed costs its room only.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Self::new(file, launcher, adjust.into(), Folder::Given(folder.to_path_buf()), None)
    }

    /// What configurations over this one's file are made with.
    #[must_use]
    pub fn template(&self) -> Template {
        Template {
            file: self.file.clone(),
            launcher: self.launcher.clone(),
            adjust: self.adjust.clone(),
            folder: self.folder.path().to_path_buf(),
        }
    }

    /// `running` has been asked its plugins already, and what cannot change is as in it.
    fn new(
        file: &Path,
        launcher: Launcher,
        adjust: SharedAdjust,
        folder: Folder,
        running: Option<&Config>,
    ) -> Result<Self, HotReloadError> {
        let with = |limit: Duration| Launcher { deadline: launcher.deadline.min(limit), ..launcher.clone() };
        let (starting, launcher) = (with(STARTING), with(CHECKING));
        for _ in 0..PATIENCE {
            let seen = Looked::now(file, &*adjust, None);
            match Generation::new(&seen, running, folder.path(), &starting) {
                Ok(Generation { config, folder: generation }) => {
                    return Ok(Self {
                        file: file.to_path_buf(),
                        launcher,
                        adjust,
                        folder,
                        seen,
                        current: Arc::new(config),
                        generation,
                        earlier: Vec::new(),
                        kept: None,
                    });
                }
                Err(ChangeRejection::Error(error)) => return Err(error),
                Err(ChangeRejection::Changing) => sleep(SETTLED),
            }
        }
        Err(HotReloadError::Changing { file: file.to_path_buf() })
    }

    /// What runs. Hold on to it as long as its plugins are used.
    #[must_use]
    pub fn current(&self) -> &Arc<Config> {
        &self.current
    }

    /// Looks whether the file or one of its plugins' files has changed: a few questions to the file system where not. A
    /// change is checked as at the start, but for plugins whose file, challenge and parameters are the old ones, which
    /// are not asked again; it is taken as a whole, or not at all. It blocks: for some hundred milliseconds where there
    /// is a change, longer where plugins must be compiled: 30 s at most for one that hangs, after which no other is asked.
    pub fn refresh(&mut self) -> Refreshed {
        self.earlier.retain(|(config, _)| Arc::strong_count(config) > 1);
        let now = self.look(&self.seen);
        if now.is_same(&self.seen) {
            self.seen = now;
            return Refreshed::Unchanged;
        }
        let settled = settled(now, |before| {
            sleep(SETTLED);
            self.look(before)
        });
        let Some(now) = settled else { return Refreshed::Unchanged };
        match Generation::new(&now, Some(&self.current), self.folder.path(), &self.launcher) {
            Ok(generation) => {
                self.seen = now;
                self.take(generation)
            }
            Err(ChangeRejection::Error(error)) => {
                // What the system refuses it may allow at the next look, without any file being another.
                if matches!(error, HotReloadError::Faults(_)) {
                    self.seen = now;
                }
                let why = error.to_string();
                let was_said = self.kept.replace(why.clone()).is_some_and(|said| said == why);
                if was_said { Refreshed::Unchanged } else { Refreshed::Kept { why } }
            }
            Err(ChangeRejection::Changing) => Refreshed::Unchanged,
        }
    }

    fn look(&self, before: &Looked) -> Looked {
        Looked::now(&self.file, &*self.adjust, Some(before))
    }

    fn take(&mut self, Generation { config, folder }: Generation) -> Refreshed {
        let mut changes = changes(&self.current, &config);
        let was_kept = self.kept.take().is_some();
        if changes.is_empty() && !was_kept {
            return Refreshed::Unchanged;
        }
        if changes.is_empty() {
            changes.push("nothing: the files say again what runs".into());
        }
        let before = std::mem::replace(&mut self.current, Arc::new(config));
        let generation = std::mem::replace(&mut self.generation, folder);
        if Arc::strong_count(&before) > 1 {
            self.earlier.push((before, generation));
        }
        Refreshed::Taken { config: self.current.clone(), changes }
    }
}

impl Template {
    /// The same file with a release over it ([`Config::overlay`]), which `running` may be replaced by: checked as a change of
    /// the file is, and following the file as that does. `name` is the name of its folder among the generations. It blocks.
    ///
    /// # Errors
    /// As [`HotReload::start`].
    pub fn over(&self, release: Config, name: &str, running: &Config) -> Result<HotReload, HotReloadError> {
        let adjust = self.adjust.clone();
        let adjust: SharedAdjust = Arc::new(move |config: &mut Config| {
            config.overlay(&release);
            adjust(config);
        });
        let folder = Folder::Given(self.folder.join(format!("{OVER}{name}")));
        HotReload::new(&self.file, self.launcher.clone(), adjust, folder, Some(running))
    }
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Own(folder) => folder.path(),
        }
    }
}

/// The files once two looks in a row found the same; `None` where that takes too long.
fn settled(mut now: Looked, mut look: impl FnMut(&Looked) -> Looked) -> Option<Looked> {
    for _ in 0..PATIENCE {
        let later = look(&now);
        if later.is_same(&now) {
            return Some(later);
        }
        now = later;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: &str = "[[challenge]]\nname = 'A-1'\nticker = 'A'\nplugin = 'p'\ndim = 2\nweight = 1\n";

    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        let look = |before: Option<&Looked>| Looked::now(&file, &|_| {}, before);
        // Its beginning would do as a configuration.
        fs::write(&file, HALF).unwrap();
        let mut parts = 0;
        let whole = settled(look(None), |before| {
            parts += 1;
            if parts < 4 {
                fs::write(&file, format!("{HALF}# {parts}\n")).unwrap();
            } else {
                fs::write(&file, HALF.replace("weight = 1", "weight = 4")).unwrap();
            }
            look(Some(before))
        });
        let wanted = whole.unwrap().wanted;
        assert_eq!(wanted.as_ref().as_ref().unwrap().weights()[0].1, 4.0);

        let never = settled(look(None), |before| {
            parts += 1;
            fs::write(&file, format!("{HALF}# {parts}\n")).unwrap();
            look(Some(before))
        });
        assert!(never.is_none());
    }
}
