//! Runs all checks.

pub use super::wallet::Key;

use super::finding::{Finding, Verdict, skip};
use super::stamp::{Stamp, stamp, unix};
use super::{
    beacon, chain, clock, configuration, disk, engine, feed, ledger, limits, plugins, wallet, walls,
};
use mantis_config::Config;
use mantis_network::chain::Head;
use mantis_scoring::worker::Launcher;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The ledger where none is named, as for the validator.
const LEDGER: &str = "datalog.db";

/// What to look at, and for how long. Nothing is changed, and no file is made.
pub struct Doctor {
    /// The configuration.
    pub config: PathBuf,
    /// The ledger; `None` is the validator's own default, which need not exist.
    pub ledger: Option<PathBuf>,
    /// The chain, as for [`chain::open`](mantis_network::chain::open); `None` leaves it out.
    pub network: Option<String>,
    /// The subnet, where it is not the configuration's.
    pub netuid: Option<u16>,
    /// Which hotkey sets the weights.
    pub key: Key,
    /// Folder of temporary files.
    pub scratch: PathBuf,
    /// Starts workers, for the plugins.
    pub launcher: Launcher,
    /// Time for one question to one server, for one plugin, and for the ledger's pages; a check may ask twice.
    pub limit: Duration,
    /// Whether servers are left alone.
    pub offline: bool,
}

impl Doctor {
    /// Makes every check, always in the same order. Ends in bounded time.
    pub async fn examine(&self) -> Vec<Finding> {
        let since = Instant::now();
        let (config, verdict) = configuration::check(&self.config);
        let mut findings = vec![verdict.into_finding(configuration::CHECK, since)];
        let config = config.map(|mut config| {
            config.network.netuid = self.netuid.unwrap_or(config.network.netuid);
            Arc::new(config)
        });
        let (wallet, address) = self.wallet().await;
        let (plugins, walls, engine, (ledger, rows), around) = tokio::join!(
            self.plugins(config.clone()),
            self.walls(),
            self.engine(config.clone()),
            self.ledger(),
            self.around(config.clone(), address)
        );
        let Around { beacon, feed, chain, head, clock } = around;
        findings.extend([plugins, walls, engine]);
        findings.extend(ledger);
        findings.push(self.rows(&rows, config.as_deref(), head));
        findings.extend(beacon.into_iter().chain(feed).chain(chain));
        findings.extend([wallet, clock]);
        findings.extend(self.machine(config.as_deref(), rows.as_ref().map_or(0, |rows| rows.bytes)));
        findings
    }

    /// A key that is encrypted takes seconds to open.
    async fn wallet(&self) -> (Finding, Result<String, &'static str>) {
        let since = Instant::now();
        let (key, network) = (self.key.clone(), self.network.clone());
        let is_named = !matches!(key, Key::None);
        let looked = blocking(3 * self.limit, move || wallet::check(&key, network.as_deref())).await;
        let (verdict, address) = looked.unwrap_or_else(|| {
            (Verdict::fault("the hotkey was not read in time", "is the wallet's disk reachable?"), None)
        });
        let why = if is_named { "the hotkey's address is not known" } else { "no hotkey is named" };
        (verdict.into_finding(wallet::CHECK, since), address.ok_or(why))
    }

    async fn plugins(&self, config: Option<Arc<Config>>) -> Finding {
        let since = Instant::now();
        let Some(config) = config else {
            return Verdict::skipped(NO_CONFIG).into_finding(plugins::CHECK, since);
        };
        // Several challenges wait for one worker each.
        let limit = 4 * self.limit;
        let launcher = Launcher { deadline: self.limit, ..self.launcher.clone() };
        let verdict = blocking(limit, move || plugins::check(&config, &launcher)).await;
        let verdict = verdict.unwrap_or_else(|| {
            let what = format!("the plugins were not asked within {} s", limit.as_secs());
            Verdict::fault(
                what,
                "`mantis challenges` names the plugin that hangs; `--limit SECONDS` gives more time",
            )
        });
        verdict.into_finding(plugins::CHECK, since)
    }

    async fn ledger(&self) -> (Vec<Finding>, Option<ledger::Reading>) {
        let since = Instant::now();
        let (path, is_named, limit) = (self.ledger_path(), self.ledger.is_some(), self.limit);
        match blocking(3 * limit, move || ledger::check(&path, is_named, limit)).await {
            Some((findings, reading)) => (findings, Some(reading)),
            None => {
                let what = format!("the ledger was not read within {} s", (3 * limit).as_secs());
                let cure = "is its disk reachable, and not busy? `--limit SECONDS` gives more time";
                let mut findings = vec![Verdict::fault(what, cure).into_finding(ledger::FILE, since)];
                findings.extend(skip(&[ledger::PAGES, ledger::LOCK], "the ledger cannot be read"));
                (findings, None)
            }
        }
    }

    fn rows(&self, rows: &Option<ledger::Reading>, config: Option<&Config>, head: Option<Head>) -> Finding {
        let since = Instant::now();
        let verdict = match (rows, config) {
            (_, None) => Verdict::skipped(NO_CONFIG),
            (None, _) => Verdict::skipped("the ledger cannot be read"),
            (Some(rows), Some(config)) => {
                ledger::rows(rows, head.map(|head| head.block), config.network.sample_every)
            }
        };
        verdict.into_finding(ledger::ROWS, since)
    }

    /// What is outside of this machine.
    async fn around(&self, config: Option<Arc<Config>>, address: Result<String, &'static str>) -> Around {
        let is_file = self.network.as_ref().is_some_and(|network| network.starts_with("offline:"));
        let servers = [beacon::ENDPOINTS, beacon::KEY];
        let market = [feed::ANSWER, feed::FRESH, feed::PRICES];
        let Some(config) = config else {
            return Around::skipped(
                skip(&servers, NO_CONFIG),
                skip(&market, NO_CONFIG),
                skip(&chain::ALL, NO_CONFIG),
            );
        };
        let chain = async {
            match &self.network {
                None => (skip(&chain::ALL, "no chain is named: --network"), None),
                Some(_) if self.offline && !is_file => (skip(&chain::ALL, OFFLINE), None),
                Some(network) => chain::check(network, &config, address, self.limit).await,
            }
        };
        if self.offline {
            let (chain, head) = chain.await;
            return Around {
                head,
                ..Around::skipped(skip(&servers, OFFLINE), skip(&market, OFFLINE), chain)
            };
        }
        let since = Instant::now();
        let stamps = self.stamps(&config);
        let of_feed = async {
            match &config.market.url {
                Some(url) => stamp(url, self.limit).await.ok(),
                None => None,
            }
        };
        // The feed's answer is read for its dates, too: one more clock.
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let stamped = async {
            let found = of_feed.await;
            // The receiver is still there.
            let _ = sender.send(found);
            found
        };
        let (beacon, feed, (chain, head), mut clocks) = tokio::join!(
            beacon::check(&config.beacon, self.limit),
            feed::check(&config, stamped, self.limit),
            chain,
            stamps
        );
        if let Ok(Some(found)) = receiver.await {
            clocks.push(found);
        }
        let readings: Vec<_> = clocks.iter().filter_map(reading).collect();
        let future = head.map(|head| head.unix as f64 - unix());
        let clock = clock::judge(&readings, future).into_finding(clock::CHECK, since);
        Around { beacon, feed, chain, head, clock }
    }

    /// What the beacon's servers say about the time.
    async fn stamps(&self, config: &Config) -> Vec<Stamp> {
        let asked: Vec<_> = config
            .beacon
            .api
            .iter()
            .map(|base| {
                let (url, limit) = (format!("{base}/beacons/quicknet/rounds/1"), self.limit);
                tokio::spawn(async move { stamp(&url, limit).await })
            })
            .collect();
        let mut stamps = Vec::new();
        for task in asked {
            if let Ok(Ok(found)) = task.await {
                stamps.push(found);
            }
        }
        stamps
    }

    fn machine(&self, config: Option<&Config>, bytes: u64) -> Vec<Finding> {
        let since = Instant::now();
        vec![
            disk::ledger(&self.ledger_path(), bytes, config).into_finding(disk::LEDGER, since),
            disk::scratch(&self.scratch, config).into_finding(disk::SCRATCH, since),
            limits::files(config).into_finding(limits::FILES, since),
            limits::memory().into_finding(limits::MEMORY, since),
        ]
    }

    /// A worker that only says what stands around it.
    async fn walls(&self) -> Finding {
        let since = Instant::now();
        let launcher = Launcher { deadline: self.limit, ..self.launcher.clone() };
        let verdict = blocking(2 * self.limit, move || walls::check(&launcher)).await;
        let verdict = verdict.unwrap_or_else(|| {
            Verdict::fault(
                "no worker answered in time",
                "is this machine overloaded? `--limit SECONDS` gives more time",
            )
        });
        verdict.into_finding(walls::CHECK, since)
    }

    async fn engine(&self, config: Option<Arc<Config>>) -> Finding {
        let since = Instant::now();
        let Some(config) = config else {
            return Verdict::skipped(NO_CONFIG).into_finding(engine::CHECK, since);
        };
        // It waits for room as long as a job does.
        let limit = config.scoring.as_ref().map_or(self.limit, |engine| 2 * self.limit + engine.queue);
        let launcher = Launcher { deadline: self.limit, ..self.launcher.clone() };
        let verdict = blocking(limit, move || engine::check(&config, &launcher)).await;
        let verdict = verdict.unwrap_or_else(|| {
            let what = format!("no worker answered through it within {} s", limit.as_secs());
            Verdict::fault(what, "is it overloaded? `--limit SECONDS` gives more time")
        });
        verdict.into_finding(engine::CHECK, since)
    }

    fn ledger_path(&self) -> PathBuf {
        self.ledger.clone().unwrap_or_else(|| LEDGER.into())
    }
}

const NO_CONFIG: &str = "the configuration has faults";
const OFFLINE: &str = "servers are left alone: --offline";

/// What was found outside of this machine.
struct Around {
    beacon: Vec<Finding>,
    feed: Vec<Finding>,
    chain: Vec<Finding>,
    head: Option<Head>,
    clock: Finding,
}

impl Around {
    /// With no clock to compare ours with.
    fn skipped(beacon: Vec<Finding>, feed: Vec<Finding>, chain: Vec<Finding>) -> Self {
        let clock = clock::judge(&[], None).into_finding(clock::CHECK, Instant::now());
        Self { beacon, feed, chain, head: None, clock }
    }
}

fn reading(stamp: &Stamp) -> Option<clock::Reading> {
    // The header has whole seconds: the middle of the second is meant.
    Some(clock::Reading { ahead: stamp.here - (stamp.date? + 0.5) })
}

/// Does what blocks beside everything else, and waits so long for it; `None` where it is not done by then.
async fn blocking<T: Send + 'static>(limit: Duration, f: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    timeout(limit, tokio::task::spawn_blocking(f)).await.ok()?.ok()
}
