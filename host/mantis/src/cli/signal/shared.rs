//! What the commands of `mantis signal` share.

use anyhow::Context;
use clap::Args;
use mantis_signal::plans::Plans;
use mantis_signal::store::Store;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Name of the file of plans in the folder of a store.
const PLANS_FILE: &str = "signal.toml";

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// The folder of the store.
    #[arg(long, value_name = "DIR")]
    pub(super) store: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct PlansArgs {
    /// The plans, and what signals cost; the default is signal.toml in the folder of the store, if there is one.
    #[arg(long, value_name = "FILE")]
    plans: Option<PathBuf>,
}

impl StoreArgs {
    /// Opens the store, which must be there.
    pub(super) fn open(&self) -> anyhow::Result<Store> {
        Ok(Store::existing(&self.store)?)
    }
}

impl PlansArgs {
    /// Reads the plans; those that are usual where there is no file.
    pub(super) fn load(&self, store: &StoreArgs) -> anyhow::Result<Plans> {
        let usual = store.store.join(PLANS_FILE);
        match &self.plans {
            Some(path) => Ok(Plans::load(path)?),
            None if usual.exists() => Ok(Plans::load(&usual)?),
            None => Ok(Plans::default()),
        }
    }
}

/// Now, in Unix milliseconds.
pub(super) fn now_ms() -> anyhow::Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(i64::try_from(since.as_millis())?)
}
