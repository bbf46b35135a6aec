//! Configurations that follow their files: the operator's file, and releases over it.

use crate::eras::{Era, Eras};
use crate::hot_reload::{HotReload, Refreshed, Template};
use mantis_config::{Block, Config};
use std::sync::Arc;

/// A release over the operator's file, and the block from which on it counts.
pub struct Followed {
    /// Its number.
    pub number: u32,
    /// The first of its blocks.
    pub from: Block,
    /// The configuration.
    pub live: HotReload,
}

/// What looking at all files came to: by release, `None` for the file alone.
pub type AllRefreshed = Vec<(Option<u32>, Refreshed)>;

/// The operator's file alone, and each release over it.
pub struct Timeline {
    file: HotReload,
    releases: Vec<Followed>,
}

impl From<HotReload> for Timeline {
    fn from(file: HotReload) -> Self {
        Self { file, releases: Vec::new() }
    }
}

impl Timeline {
    /// Puts a release in force from its block on.
    pub fn add(&mut self, release: Followed) {
        self.releases.push(release);
    }

    /// Takes a release out again.
    pub fn remove(&mut self, number: u32) {
        self.releases.retain(|release| release.number != number);
    }

    /// Forgets what no block from this one on needs.
    pub fn forget_before(&mut self, block: Block) {
        let current = self.releases.iter().filter(|release| release.from <= block);
        let Some(current) = current.map(|release| (release.from, release.number)).max() else { return };
        self.releases.retain(|release| (release.from, release.number) >= current);
    }

    /// What counts for which block.
    #[must_use]
    pub fn eras(&self) -> Eras {
        let file = Eras::one(self.file.current().clone());
        self.releases.iter().fold(file, |eras, release| {
            let config = release.live.current().clone();
            eras.with(Era { from: release.from, release: Some(release.number), config })
        })
    }

    /// The operator's file alone.
    #[must_use]
    pub fn file(&self) -> &Arc<Config> {
        self.file.current()
    }

    /// What further releases are made with.
    #[must_use]
    pub fn template(&self) -> Template {
        self.file.template()
    }

    /// Looks at all files, as [`HotReload::refresh`]. It blocks.
    pub fn refresh(&mut self) -> AllRefreshed {
        let mut all = vec![(None, self.file.refresh())];
        all.extend(self.releases.iter_mut().map(|release| (Some(release.number), release.live.refresh())));
        all
    }
}
