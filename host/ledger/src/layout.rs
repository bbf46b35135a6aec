//! What the stored numbers of each challenge mean: our own table `host_layout`, a row per challenge.
//!
//! A vector is numbers in a row; which asset each belongs to, and how many there are, is said by the configuration alone. If
//! that changes behind a ledger's back, old rows mean other assets, and nothing would be seen to be wrong.

use super::blob::Length;
use super::{Ledger, LedgerError, schema};
use mantis_config::{Challenge, Config};
use mantis_plugin_api::Storage;
use rusqlite::{Connection, TransactionBehavior};
use std::collections::BTreeMap;

/// What the stored numbers of a challenge mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Numbers per miner and asset.
    pub dim: usize,
    /// Assets in the order of storage; empty for a single one.
    pub assets: Vec<String>,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// The challenge that holds its prices; `None` for its own.
    pub prices_from: Option<String>,
    /// How numbers are stored.
    pub storage: Storage,
}

impl Layout {
    /// What rows mean that are stored by a configuration.
    #[must_use]
    pub fn from_config(challenge: &Challenge, sample_every: u32) -> Self {
        let Challenge { dim, assets, prices_from, storage, .. } = challenge;
        let (assets, prices_from) = (assets.clone(), prices_from.clone());
        Self { dim: *dim, assets, sample_every, prices_from, storage: *storage }
    }

    /// Why rows that were stored like this cannot be read like `now`; `None` if they can: more assets may follow at the
    /// end.
    #[must_use]
    pub fn differs(&self, now: &Self) -> Option<String> {
        let of =
            |assets: &[String]| if assets.is_empty() { "one asset".to_owned() } else { assets.join(", ") };
        let from = |from: &Option<String>| from.clone().unwrap_or_else(|| "its own ticker".into());
        let says = |what: &str, then: String, now: String| {
            format!("{what} {then} when its rows were stored, and the configuration now says {now}")
        };
        if self.dim != now.dim {
            return Some(says("`dim` was", self.dim.to_string(), now.dim.to_string()));
        }
        if self.sample_every != now.sample_every {
            let (then, now) = (self.sample_every.to_string(), now.sample_every.to_string());
            return Some(says("`sample_every` was", then, now));
        }
        if self.prices_from != now.prices_from {
            return Some(says("prices came from", from(&self.prices_from), from(&now.prices_from)));
        }
        if self.storage != now.storage {
            let (then, now) = (self.storage.as_str().into(), now.storage.as_str().into());
            return Some(says("`storage` was", then, now));
        }
        // One asset without a list is not the first of a list: its vectors are as long, but its prices lie elsewhere.
        let is_longer =
            now.assets.starts_with(&self.assets) && self.assets.is_empty() == now.assets.is_empty();
        (!is_longer).then(|| says("`assets` were", of(&self.assets), of(&now.assets)))
    }
}

impl Ledger {
    /// Refuses a configuration by which the stored rows would be read wrongly. A ledger that does not say how they were
    /// stored, as the network's, is taken at its word.
    ///
    /// # Errors
    /// [`LedgerError::Layout`] with what changed, or if the file cannot be read.
    pub fn check_layout(&self, config: &Config) -> Result<(), LedgerError> {
        let stored = self.layouts()?;
        for challenge in &config.challenges {
            let now = Layout::from_config(challenge, config.network.sample_every);
            let reason = stored.get(&challenge.ticker).and_then(|stored| stored.differs(&now));
            if let Some(reason) = reason {
                return Err(LedgerError::Layout {
                    path: self.path.clone(),
                    ticker: challenge.ticker.clone(),
                    reason,
                });
            }
        }
        Ok(())
    }

    /// Checks a configuration as [`Ledger::check_layout`], and keeps what rows that are stored from now on mean.
    ///
    /// # Errors
    /// As there, or if the file cannot be written.
    pub fn keep_layout(&mut self, config: &Config) -> Result<(), LedgerError> {
        self.check_layout(config)?;
        let path = &self.path;
        let fail = |e| LedgerError::sqlite(path, "writing the table host_layout", e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        for challenge in &config.challenges {
            let layout = Layout::from_config(challenge, config.network.sample_every);
            write(&tx, &challenge.ticker, &layout).map_err(fail)?;
        }
        tx.commit().map_err(fail)
    }

    /// How long a challenge's vectors are, by what the ledger itself says, for readers that take any.
    pub(super) fn any_length(&self, ticker: &str) -> Result<Length, LedgerError> {
        let layout = self.layouts()?.remove(ticker);
        Ok(Length::Any(layout.map(|layout| layout.dim * layout.assets.len().max(1))))
    }

    fn layouts(&self) -> Result<BTreeMap<String, Layout>, LedgerError> {
        if !schema::has_table(&self.conn, &self.path, "host_layout")? {
            return Ok(BTreeMap::new());
        }
        let sql = "SELECT ticker, dim, assets, sample_every, prices_from FROM host_layout";
        let rows = self.list("host_layout", sql, |row| {
            let assets: String = row.get(2)?;
            let layout = Layout {
                dim: usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
                assets: serde_json::from_str(&assets).unwrap_or_default(),
                sample_every: row.get(3)?,
                prices_from: row.get(4)?,
                storage: Storage::F16,
            };
            Ok((row.get::<_, String>(0)?, layout))
        })?;
        let mut layouts: BTreeMap<String, Layout> = rows.into_iter().collect();
        let singles = self.record("host_singles", "SELECT ticker FROM host_singles", [], |row| row.get(0))?;
        for ticker in singles {
            let ticker: String = ticker;
            if let Some(layout) = layouts.get_mut(&ticker) {
                layout.storage = Storage::F32;
            }
        }
        Ok(layouts)
    }
}

fn write(tx: &Connection, ticker: &str, layout: &Layout) -> rusqlite::Result<()> {
    let Layout { dim, assets, sample_every, prices_from, storage } = layout;
    if *storage == Storage::F32 {
        tx.execute("INSERT OR IGNORE INTO host_singles (ticker) VALUES (?1)", [ticker])?;
    }
    let assets = serde_json::json!(assets).to_string();
    tx.execute(
        "INSERT INTO host_layout (ticker, dim, assets, sample_every, prices_from) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (ticker) DO UPDATE SET assets = excluded.assets",
        (ticker, *dim as i64, assets, sample_every, prices_from),
    )
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config(network: &str, keys: &str) -> Config {
        let text = format!(
            "[network]\n{network}\n[[challenge]]\nname=\"P\"\nticker=\"P\"\nplugin=\"xsec\"\nassets=[\"A\",\"B\",\"C\"]\ndim=1\n\
             blocks_ahead=1200\nweight=1\n[[challenge]]\nname=\"X\"\nticker=\"X\"\nplugin=\"xsec\"\nblocks_ahead=1200\nweight=1\n{keys}\n"
        );
        Config::parse(&text, Path::new("a.toml")).unwrap()
    }

    #[test]
    fn rows_are_not_read_as_what_they_were_not_stored_as() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut ledger = Ledger::open(&path).unwrap();
        let base = "dim=1\nassets=[\"A\",\"B\"]";
        ledger.check_layout(&config("", base)).unwrap();
        ledger.keep_layout(&config("", base)).unwrap();
        // As before, with another asset at the end, with a challenge left out.
        ledger.keep_layout(&config("burn = 0.5", base)).unwrap();
        ledger.keep_layout(&config("", "dim=1\nassets=[\"A\",\"B\",\"C\"]")).unwrap();
        let reader = Ledger::read(&path).unwrap();
        for (network, keys, says) in [
            ("", "dim=1\nassets=[\"B\",\"A\",\"C\"]", "`assets` were A, B, C"),
            ("", "dim=1\nassets=[\"A\",\"B\"]", "the configuration now says A, B"),
            ("", "dim=2\nassets=[\"A\",\"B\",\"C\"]", "`dim` was 1"),
            ("sample_every = 10", "dim=1\nassets=[\"A\",\"B\",\"C\"]", "`sample_every` was 5"),
            ("", "dim=1\nassets=[\"A\",\"B\",\"C\"]\nprices_from=\"P\"", "prices came from its own ticker"),
            ("", "dim=1\nassets=[\"A\",\"B\",\"C\"]\nstorage=\"f32\"", "`storage` was f16"),
        ] {
            let error = reader.check_layout(&config(network, keys)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            assert_eq!(ledger.keep_layout(&config(network, keys)).unwrap_err().to_string(), error);
        }
    }
}
