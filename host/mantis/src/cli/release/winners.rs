//! Who wins and who loses by a release, in a ledger's newest computation.

use crate::cli::replay::{Progress, beside, short_document, threads, winners};
use crate::cli::score::launcher;
use anyhow::Context;
use mantis_config::Config;
use mantis_ledger::Ledger;
use mantis_release::Folder;
use mantis_scoring::SalienceCache;
use mantis_validator::replay::{Candidate, Course, Replay, Replayed, SolverChoice, gains, measured};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// The newest computation once more, as it was and by the release.
pub(super) struct Winners(Replayed);

impl Winners {
    /// `before` is the release before it; without one it is history, which `base` was the configuration of.
    pub(super) fn compute(
        ledger: &Path,
        base: &Path,
        before: Option<&Folder>,
        release: &Folder,
    ) -> anyhow::Result<Self> {
        let path = ledger;
        let ledger = Ledger::read(path)?;
        let newest = ledger.last_computation()?;
        let block = newest
            .with_context(|| format!("{}: it has no computation to compare with", path.display()))?
            .block;
        let solver = SolverChoice::Recorded;
        let old = match before {
            Some(before) => Candidate::new(&named(before), &before.config()?, solver)?,
            None => Candidate::history("history", &Config::load(base)?, &ledger, solver)?,
        };
        let new = Candidate::new(&named(release), &release.config()?, solver)?.instead_of(&old);
        let folder = beside(path);
        let replay = Replay {
            ledger: path.into(),
            candidates: vec![old, new],
            blocks: vec![block],
            threads: threads(None),
            saliences: Some(Arc::new(SalienceCache::open(&folder, &ledger)?)),
            histories: Some(folder.join("histories")),
            scratch: std::env::temp_dir(),
            launcher: launcher(1800.0)?,
        };
        Ok(Self(replay.run(&Progress::new())?))
    }

    pub(super) fn text(&self) -> String {
        let Some((old, new)) = self.courses() else { return String::new() };
        let Some(measured) = measured(old, new, &[]).pop() else { return String::new() };
        let notes: String = self.0.notes.iter().map(|note| format!("note: {note}\n")).collect();
        let rejected = new.computed.last().and_then(|computed| computed.rejection());
        let rejected =
            rejected.map_or_else(String::new, |why| format!("no weights would come of it: {why}\n"));
        format!(
            "block {}, {} beside {}: the weights are {:.4} away (0 to 2), and {:.1} miners count instead of {:.1}\n{rejected}{}{notes}",
            measured.block,
            new.name,
            old.name,
            measured.distance,
            measured.effective,
            mantis_validator::replay::measured(old, old, &[]).pop().map_or(0.0, |one| one.effective),
            winners(&gains(old, new)),
        )
    }

    pub(super) fn document(&self) -> Value {
        self.courses().map_or(Value::Null, |(old, new)| short_document(&self.0, old, new))
    }

    fn courses(&self) -> Option<(&Course, &Course)> {
        match &self.0.courses[..] {
            [old, new] => Some((old, new)),
            _ => None,
        }
    }
}

fn named(folder: &Folder) -> String {
    format!("release {}", folder.release.number)
}
