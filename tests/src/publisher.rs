//! A publisher with a simulated ledger, and what others make of it, by the built program.

use crate::{json, mantis, root, stdout};
use mantis_ledger::Ledger;
use mantis_ledger::published::Day;
use mantis_network::wallet::Hotkey;
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::Table;

/// The development key that publishes.
pub const PUBLISHER: &str = "//Publisher";
/// The first block of a simulated ledger, in the middle of a day.
const BEGINS: i64 = 5_000_000;

/// A publisher in a folder.
pub struct Publisher {
    /// The folder.
    pub dir: PathBuf,
    /// Its configuration: two challenges.
    pub config: PathBuf,
    /// Its ledger.
    pub ledger: PathBuf,
    /// What it publishes.
    pub site: PathBuf,
    /// The ledger's rows in days that are over: what a newcomer has to have.
    pub reference: PathBuf,
}

impl Publisher {
    /// Simulates a ledger that reaches into one day after so many whole ones.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn new(dir: &Path, days: i64) -> Self {
        let path = |name: &str| dir.join(name);
        let text = fs::read_to_string(root().join("challenges.toml")).expect("the shipped configuration");
        let mut table: Table = toml::from_str(&text).expect("TOML");
        crate::stage::keep(&mut table, &["ETH", "CADUSD"]);
        let config = path("challenges.toml");
        fs::write(&config, table.to_string()).expect("written");
        let ledger = path("publisher.db");
        let first = Day(BEGINS / i64::from(Day::BLOCKS) + 1);
        let end = Day(first.0 + days).first().0;
        let rows = (end - BEGINS) / 5 + 100;
        let mut command = mantis();
        command.args(["simulate", "--miners", "6", "--rows", &rows.to_string(), "--config"]).arg(&config);
        stdout(command.arg("--out").arg(&ledger));
        let reference = path("reference.db");
        fs::copy(&ledger, &reference).expect("copied");
        let mut command = mantis();
        command.args(["rewind", "--yes", "--to", &(end - 1).to_string(), "--config"]).arg(&config);
        stdout(command.arg("--ledger").arg(&reference));
        Self { dir: dir.into(), config, ledger, site: path("site"), reference }
    }

    /// Its address.
    ///
    /// # Panics
    /// If the key is none.
    #[must_use]
    pub fn address(&self) -> String {
        Hotkey::from_uri(PUBLISHER).expect("a development key").address().into()
    }

    /// The command that publishes.
    #[must_use]
    pub fn publish(&self, more: &[&str]) -> Command {
        let mut command = mantis();
        command.args(["publish", "--hotkey-uri", PUBLISHER, "--config"]).arg(&self.config);
        command.arg("--ledger").arg(&self.ledger).arg("--out").arg(&self.site).args(more);
        command
    }

    /// The command that fetches from mirrors into a ledger.
    #[must_use]
    pub fn fetch(&self, into: &Path, mirrors: &[&str], more: &[&str]) -> Command {
        let mut command = mantis();
        command.args(["ledger", "fetch", "--config"]).arg(&self.config).arg("--ledger").arg(into);
        for url in mirrors {
            command.args(["--from", url]);
        }
        if !more.contains(&"--publisher") {
            command.args(["--publisher", &self.address()]);
        }
        command.args(more);
        command
    }

    /// A copy of the reference without some of its days, counted from the first one that has rows.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn without(&self, name: &str, days: std::ops::RangeInclusive<i64>) -> PathBuf {
        let path = self.dir.join(name);
        fs::copy(&self.reference, &path).expect("copied");
        let first =
            Day::of(Ledger::read(&path).expect("a ledger").first_block().expect("read").expect("a block"));
        let (from, to) = (Day(first.0 + days.start()).first().0, Day(first.0 + days.end()).last().0);
        let conn = Connection::open(&path).expect("opened");
        let sql = format!(
            "DELETE FROM blocks WHERE block BETWEEN {from} AND {to};
            DELETE FROM challenge_data WHERE sidx * 5 BETWEEN {from} AND {to};
            DELETE FROM host_sums WHERE sidx * 5 BETWEEN {from} AND {to};
            -- As if they had been sampled in this order.
            CREATE TEMP TABLE kept AS SELECT block FROM blocks ORDER BY block;
            DELETE FROM blocks;
            INSERT INTO blocks SELECT rowid - 1, block FROM kept;"
        );
        conn.execute_batch(&sql).expect("deleted");
        path
    }

    /// The command that compares a ledger with the reference.
    #[must_use]
    pub fn compare(&self, other: &Path, more: &[&str]) -> Command {
        let mut command = mantis();
        command.args(["ledger", "compare"]).arg(&self.reference).arg(other).args(more);
        command
    }

    /// What scoring makes of a ledger, without what differs from run to run.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn scores(&self, ledger: &Path) -> Value {
        let mut command = mantis();
        command.args(["score", "--json", "--config"]).arg(&self.config).arg("--ledger").arg(ledger);
        let mut document = crate::timeless(json(&mut command));
        for challenge in document["challenges"].as_array_mut().into_iter().flatten() {
            *challenge = crate::timeless(challenge.take());
        }
        document
    }
}
