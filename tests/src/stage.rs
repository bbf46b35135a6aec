//! A simulated world around a `mantis validator` that runs as a process of its own: servers on loopback, a chain in a
//! file, a configuration that points at them.

use crate::{mantis, root};
use mantis::demo::DemoWorld;
use mantis::simulation::{SimulatedMiner, cast};
use mantis_config::{Block, Config};
use mantis_ledger::SampledBlock;
use mantis_network::chain::{Chain, Head, Neuron, OfflineChain};
use mantis_network::wallet::Hotkey;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use toml::{Table, Value as Toml};

/// The development key that validates.
pub const VALIDATOR: &str = "//Validator";

/// The stage, without its players.
pub struct Stage {
    /// Servers and clock.
    pub world: DemoWorld,
    /// Who plays: hotkeys of a simulation, or those that were given.
    pub miners: Vec<SimulatedMiner>,
    /// The chain in a file.
    pub chain: OfflineChain,
    /// Holds `chain.json`, `challenges.toml` and `ledger.db`.
    pub dir: PathBuf,
}

impl Stage {
    /// Sets the stage in a folder: `edit` changes the shipped configuration, `hotkeys` replace those of simulated miners.
    ///
    /// # Panics
    /// If it cannot be set.
    pub async fn set(
        dir: &Path,
        miners: usize,
        seed: u64,
        hotkeys: &[String],
        edit: impl FnOnce(&mut Table),
    ) -> Self {
        let text = fs::read_to_string(root().join("challenges.toml")).expect("the shipped configuration");
        let mut table: Table = toml::from_str(&text).expect("TOML");
        edit(&mut table);
        let file = dir.join("challenges.toml");
        let config = Config::parse(&table.to_string(), &file).expect("a configuration");
        let mut miners = cast(miners, seed);
        for (miner, hotkey) in miners.iter_mut().zip(hotkeys) {
            miner.hotkey.clone_from(hotkey);
        }
        let world = DemoWorld::start(&config, &miners, seed).await.expect("a world");
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
        let there = world.config();
        set(&mut table, "network", "owner_key", hex(&there.network.owner_key));
        set(&mut table, "beacon", "public_key", hex(&there.beacon.public_key));
        set(&mut table, "beacon", "api", there.beacon.api.clone());
        set(&mut table, "market", "url", there.market.url.clone().expect("a feed"));
        set(&mut table, "collect", "hosts", there.collect.hosts.clone());
        set(&mut table, "collect", "allow_loopback", true);
        fs::write(&file, table.to_string()).expect("the configuration is written");

        let chain = OfflineChain::open(&dir.join("chain.json")).expect("a chain");
        let neuron = |uid, hotkey: &str| Neuron {
            uid,
            hotkey: hotkey.into(),
            coldkey: hotkey.into(),
            validator_permit: uid == 1,
            last_update: Block(0),
        };
        let key = |uri: &str| Hotkey::from_uri(uri).expect("a development key").address().to_owned();
        let mut neurons = vec![neuron(0, &key("//Owner")), neuron(1, &key(VALIDATOR))];
        neurons.extend((2..).zip(&miners).map(|(uid, miner)| neuron(uid, &miner.hotkey)));
        chain.set_neurons(neurons).expect("written");
        chain.set_rate_limit(0).expect("written");
        chain.set_head(world.chain.head().await.expect("a block")).expect("written");
        for miner in &miners {
            let url = format!("{}/{}", world.store.public_url(), miner.hotkey);
            chain.commit_as(&miner.hotkey, &url).expect("written");
        }
        Self { world, miners, chain, dir: dir.into() }
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.dir.join("ledger.db")
    }

    /// Moves feed, beacon and chain on to a row's block.
    ///
    /// # Panics
    /// If the chain's file cannot be written.
    pub fn advance(&self, step: &SampledBlock) -> Head {
        let head = self.world.advance(step);
        self.chain.set_head(head).expect("written");
        head
    }

    /// The command that validates on this stage, on its chain unless another network is given.
    #[must_use]
    pub fn validator(&self, network: Option<&str>) -> Command {
        self.validator_with(network, &self.ledger())
    }

    /// The same with a ledger of its own.
    #[must_use]
    pub fn validator_with(&self, network: Option<&str>, ledger: &Path) -> Command {
        let offline = format!("offline:{}", self.dir.join("chain.json").display());
        let mut command = mantis();
        command.arg("validator").args(["--network", network.unwrap_or(&offline)]);
        command.arg("--config").arg(self.dir.join("challenges.toml")).arg("--ledger").arg(ledger);
        command.args(["--log-format", "json", "--log-level", "debug", "--poll", "0.05"]);
        command.arg("--scratch").arg(&self.dir);
        command
    }
}

/// A validator that runs, and what it logs.
pub struct Running {
    child: Child,
    lines: Receiver<Value>,
    /// Every line so far.
    pub log: Vec<Value>,
}

impl Running {
    /// Starts a command whose standard error is JSON, line by line.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
        let out = BufReader::new(child.stderr.take().expect("its log"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| Value::from(line));
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, log: Vec::new() }
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Takes up what was logged since.
    pub fn read(&mut self) {
        self.log.extend(self.lines.try_iter());
    }

    /// How many lines so far have this message.
    #[must_use]
    pub fn count(&self, message: &str) -> usize {
        self.log.iter().filter(|line| line["message"] == message).count()
    }

    /// Waits for a line with this message, from `since` on; gives it.
    ///
    /// # Panics
    /// If it does not come in time, or the process ends.
    pub async fn wait_for(&mut self, message: &str, since: usize, patience: Duration) -> Value {
        let until = Instant::now() + patience;
        loop {
            self.read();
            if let Some(line) = self.log.iter().skip(since).find(|line| line["message"] == message) {
                return line.clone();
            }
            let ended = self.child.try_wait().expect("its state").is_some();
            assert!(!ended, "it ended: {:#?}", self.tail());
            assert!(Instant::now() < until, "no `{message}` in {patience:?}: {:#?}", self.tail());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The newest lines.
    #[must_use]
    pub fn tail(&self) -> Vec<String> {
        let lines: Vec<String> = self.log.iter().map(Value::to_string).collect();
        lines[lines.len().saturating_sub(15)..].to_vec()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If that fails.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.id().to_string()]).status().expect("kill runs");
        assert!(status.success());
    }

    /// Ends it by SIGTERM; gives its exit code and how long it took.
    ///
    /// # Panics
    /// If it does not end.
    pub fn terminate(&mut self) -> (Option<i32>, Duration) {
        self.signal("-TERM");
        let since = Instant::now();
        let status = self.child.wait().expect("it ends");
        self.log.extend(self.lines.iter());
        (status.code(), since.elapsed())
    }

    /// Ends it by SIGKILL.
    ///
    /// # Panics
    /// If that fails.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it ends");
        self.log.extend(self.lines.iter());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sets a key of a section; the section without a name is the top.
///
/// # Panics
/// If the section is not a table.
pub fn set(table: &mut Table, section: &str, key: &str, value: impl Into<Toml>) {
    if section.is_empty() {
        table.insert(key.into(), value.into());
        return;
    }
    let section = table.entry(section).or_insert_with(|| Table::new().into());
    section.as_table_mut().expect("a section").insert(key.into(), value.into());
}

/// Keeps some challenges only.
///
/// # Panics
/// If the configuration has no challenges.
pub fn keep(table: &mut Table, tickers: &[&str]) {
    let challenges = table.get_mut("challenge").and_then(Toml::as_array_mut).expect("challenges");
    challenges.retain(|challenge| {
        challenge.get("ticker").and_then(Toml::as_str).is_some_and(|ticker| tickers.contains(&ticker))
    });
}
