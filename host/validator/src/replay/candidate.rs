//! What history is computed by.

use super::error::ReplayError;
use crate::eras::{Era, Eras};
use crate::release::ReleaseStore;
use mantis_config::{Block, Config};
use mantis_ledger::{Ledger, LedgerError};
use mantis_plugin_api::Solver;
use mantis_release::Digest;
use mantis_scoring::plugins::{LoadError, digest, locate};
use std::sync::Arc;

/// Where model fits stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SolverChoice {
    /// Where the configuration says.
    Own,
    /// Where they did by the ledger's record of the block and challenge; where there is none, or a candidate says otherwise than
    /// history does, as the configuration says.
    Recorded,
    /// Here.
    Given(Solver),
}

/// Configurations by block, under a name.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What people call it.
    pub name: String,
    eras: Eras,
    solver: SolverChoice,
    /// What history was computed by: what a candidate does not change stays as it was.
    history: Option<Eras>,
}

impl Candidate {
    /// One configuration for all blocks.
    ///
    /// # Errors
    /// If a plugin is missing, or is not the pinned one.
    pub fn new(name: &str, config: &Config, solver: SolverChoice) -> Result<Self, ReplayError> {
        let eras = Eras::one(Arc::new(pinned(name, config)?));
        Ok(Self { name: name.into(), eras, solver, history: None })
    }

    /// One that stands in the place of history: where it stops fits as history's configuration does, the record of where they
    /// were stopped counts for it, too.
    #[must_use]
    pub fn instead_of(self, history: &Self) -> Self {
        Self { history: Some(history.eras.clone()), ..self }
    }

    /// History as it was: a configuration, and over it the releases that the ledger was computed by, from the folder beside it.
    ///
    /// # Errors
    /// If a release is missing or damaged, or a plugin is.
    pub fn history(
        name: &str,
        file: &Config,
        ledger: &Ledger,
        solver: SolverChoice,
    ) -> Result<Self, ReplayError> {
        let mut eras = Eras::one(Arc::new(pinned(name, file)?));
        let store = ReleaseStore::beside(ledger.path());
        for taken in ledger.releases()? {
            let wanted = Digest(taken.sha256);
            let release = store.open(taken.number, &wanted).and_then(|folder| folder.config());
            let release = release.map_err(|rejection| ReplayError::Release {
                number: taken.number,
                from: taken.activate,
                folder: store.path(taken.number, &wanted),
                rejection: Box::new(rejection),
            })?;
            let mut config = file.clone();
            config.overlay(&release);
            let config = Arc::new(pinned(name, &config)?);
            // One that was taken late counts for what was computed from then on.
            let from = taken.activate.max(taken.taken);
            eras = eras.with(Era { from, release: Some(taken.number), config });
        }
        Ok(Self { name: name.into(), eras, solver, history: None })
    }

    /// What counts for a block; the release that it is of, if it is of one.
    pub(super) fn at(
        &self,
        ledger: &Ledger,
        block: Block,
    ) -> Result<(Arc<Config>, Option<u32>), LedgerError> {
        let Era { config, release, .. } = self.eras.at(block);
        let recorded = match self.solver {
            SolverChoice::Own => return Ok((config.clone(), *release)),
            SolverChoice::Given(_) => Vec::new(),
            SolverChoice::Recorded => ledger.scored(block)?,
        };
        let history = self.history.as_ref().map(|eras| &eras.at(block).config);
        let mut own = Config::clone(config);
        for challenge in &mut own.challenges {
            let says_so = history.is_none_or(|history| {
                let mut theirs = history.challenges.iter();
                theirs.any(|one| one.ticker == challenge.ticker && one.solver == challenge.solver)
            });
            let made = recorded.iter().find(|scored| scored.ticker == challenge.ticker && says_so);
            let made = made.and_then(|scored| Some(scored.made_with.as_ref()?.solver));
            challenge.solver = match self.solver {
                SolverChoice::Given(solver) => solver,
                _ => made.unwrap_or(challenge.solver),
            };
        }
        Ok((Arc::new(own), *release))
    }

    /// What counts for the newest blocks.
    #[must_use]
    pub fn newest(&self) -> &Config {
        &self.eras.newest().config
    }

    /// The digest of the configuration that counts for a block, as a validator records it.
    pub(super) fn digest_at(&self, block: Block) -> String {
        self.eras.at(block).config.digest()
    }
}

/// The configuration with every challenge pinned to the file that its plugin has now, as what a validator runs is: a file that
/// is replaced meanwhile is noticed.
fn pinned(name: &str, config: &Config) -> Result<Config, ReplayError> {
    let mut config = config.clone();
    for challenge in &mut config.challenges {
        let ticker = &challenge.ticker;
        let path = locate(&challenge.plugin, &config.plugin_dir, challenge.runtime).map_err(|source| {
            ReplayError::Plugin { candidate: name.into(), ticker: ticker.clone(), source: Box::new(source) }
        })?;
        let refused = |source: LoadError| ReplayError::PluginFile {
            candidate: name.into(),
            ticker: ticker.clone(),
            source: Box::new(source),
        };
        let found = digest(&path).map_err(refused)?;
        let pin = challenge.sha256.map(hex::encode);
        if let Some(pinned) = pin.filter(|pin| *pin != found) {
            return Err(refused(LoadError::Digest { path, found, pinned }));
        }
        let mut sha256 = [0; 32];
        // What was just written in hexadecimal is read.
        let _ = hex::decode_to_slice(&found, &mut sha256);
        challenge.sha256 = Some(sha256);
    }
    Ok(config)
}
