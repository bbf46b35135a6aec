//! Where answers come from.

use super::cache::Cache;
use super::error::ApiError;
use super::traffic::Traffic;
use crate::standing::Standing;
use mantis_config::Config;
use mantis_ledger::{Ledger, LedgerError};
use mantis_validator::{Board, Status};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::warn;

/// Answers that are made at the same time.
const AT_ONCE: usize = 2;
/// Time between two checks for a new computation.
const CHECK: Duration = Duration::from_secs(1);

/// A ledger, what its validator says of itself, and what was read of both.
pub struct Site {
    ledger: PathBuf,
    board: Board,
    /// Whether a validator writes on the board.
    is_live: bool,
    about: BTreeMap<String, String>,
    standing: RwLock<Option<Arc<Standing>>>,
    /// Connections that are free.
    readers: Mutex<Vec<Ledger>>,
    pub(super) permits: Semaphore,
    pub(super) cache: Cache,
    pub(super) traffic: Traffic,
}

impl Site {
    /// A site about a ledger that a validator writes. `about` says what is known of a hotkey beside its name.
    #[must_use]
    pub fn live(ledger: &Path, board: Board, about: BTreeMap<String, String>) -> Arc<Self> {
        Self::new(ledger, board, true, about)
    }

    /// A site about a ledger alone.
    #[must_use]
    pub fn still(ledger: &Path, config: Arc<Config>) -> Arc<Self> {
        Self::new(ledger, Board::new(Status::default(), config), false, BTreeMap::new())
    }

    fn new(ledger: &Path, board: Board, is_live: bool, about: BTreeMap<String, String>) -> Arc<Self> {
        Arc::new(Self {
            ledger: ledger.into(),
            board,
            is_live,
            about,
            standing: RwLock::default(),
            readers: Mutex::default(),
            permits: Semaphore::new(AT_ONCE),
            cache: Cache::default(),
            traffic: Traffic::default(),
        })
    }

    /// What the validator is doing; `None` without one.
    pub(super) fn status(&self) -> Option<Status> {
        self.is_live.then(|| self.board.status())
    }

    /// How things stand; `None` until that was read.
    pub(super) fn standing(&self) -> Option<Arc<Standing>> {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the ledger and the standing, on a thread that may wait.
    pub(super) async fn query<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Ledger, &Standing) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let standing = self.standing().ok_or_else(ApiError::starting)?;
        self.read(move |ledger| query(ledger, &standing)).await
    }

    /// Asks the ledger alone.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Ledger) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let site = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let ledger = site.reader()?;
            let answer = query(&ledger);
            site.readers.lock().unwrap_or_else(PoisonError::into_inner).push(ledger);
            answer
        });
        answer.await.unwrap_or_else(|error| {
            warn!(%error, "an answer broke off");
            Err(ApiError::internal())
        })
    }

    fn reader(&self) -> Result<Ledger, LedgerError> {
        let free = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(|| Ledger::read(&self.ledger), Ok)
    }

    /// Reads how things stand, and again when weights were computed or the configuration is another; ends only when
    /// it is dropped.
    pub(super) async fn keep_up(self: Arc<Self>) {
        let mut said = false;
        loop {
            let site = self.clone();
            match self.read(move |ledger| Ok(site.refresh(ledger)?)).await {
                Ok(()) => said = false,
                Err(error) if !said => {
                    warn!(why = %error.detail, "the dashboard cannot read the ledger");
                    said = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(CHECK).await;
        }
    }

    fn refresh(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        let config = self.board.config();
        let newest = ledger.computations(0, 1)?.pop().map(|cycle| (cycle.block, cycle.unix));
        let is_known = self.standing().is_some_and(|standing| {
            Arc::ptr_eq(&standing.config, &config)
                && standing.computed.map(|computed| (computed.block, computed.unix)) == newest
        });
        if !is_known {
            let standing = Standing::read(ledger, config, self.about.clone())?;
            *self.standing.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(standing));
            self.cache.clear();
        }
        Ok(())
    }
}
