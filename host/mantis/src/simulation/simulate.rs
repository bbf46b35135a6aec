//! The simulation, row by row, into a ledger.

use super::miners::{MinerKind, SimulatedMiner};
use super::prices::{Prices, normal, uniform};
use super::truth::Truth;
use mantis_config::{Block, Challenge, Config, Sidx};
use mantis_ledger::{Ledger, LedgerError, NewRow, SampledBlock, Vector};
use mantis_plugin_api::Storage;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Sampled-block index of the first row.
pub const FIRST_SIDX: Sidx = Sidx(1_000_000);
/// Rows that are written in one transaction.
const BATCH: usize = 500;
/// Rows for which the slow part of a miner's noise stays.
const SLOW_ROWS: usize = 30;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Simulation<'a> {
    /// The challenges and the network.
    pub config: &'a Config,
    /// Tickers to simulate; `None`: all.
    pub only: Option<BTreeSet<String>>,
    /// Rows, one a minute.
    pub rows: usize,
    /// The miners, in the order of [`super::cast`].
    pub miners: &'a [SimulatedMiner],
    /// The same seed gives the same ledger.
    pub seed: u64,
}

/// Writes the simulated world into a ledger; `progress` hears of the finished part, 0 to 1.
///
/// # Errors
/// If the ledger cannot be written.
pub fn simulate(
    simulation: &Simulation<'_>,
    ledger: &mut Ledger,
    progress: impl FnMut(f64),
) -> Result<(), LedgerError> {
    let prices = simulation.prices();
    Simulator::new(simulation, &prices).write(simulation.rows, ledger, progress)
}

impl<'a> Simulation<'a> {
    /// Every price and funding rate.
    #[must_use]
    pub fn prices(&self) -> Prices {
        let challenges = self.challenges();
        let keys = keys(&challenges);
        Prices::new(self.rows, &keys, &keys, self.seed)
    }

    /// The block of a row.
    #[must_use]
    pub fn block(&self, row: usize) -> Block {
        (FIRST_SIDX + row as i64).block(self.config.network.sample_every)
    }

    fn challenges(&self) -> Vec<&'a Challenge> {
        wanted(self.config, self.only.as_ref())
    }
}

/// The challenges that are simulated.
fn wanted<'a>(config: &'a Config, only: Option<&BTreeSet<String>>) -> Vec<&'a Challenge> {
    config.challenges.iter().filter(|c| only.is_none_or(|only| only.contains(&c.ticker))).collect()
}

/// Every key that has prices or funding rates, sorted.
fn keys<'a>(challenges: &[&'a Challenge]) -> Vec<&'a str> {
    let keys =
        challenges.iter().flat_map(|c| c.assets.iter().map(String::as_str).chain(c.price_key.as_deref()));
    keys.collect::<BTreeSet<&str>>().into_iter().collect()
}

/// A simulation, row after row.
pub struct Simulator<'a> {
    simulation: Simulation<'a>,
    prices: Arc<Prices>,
    parts: Vec<Part>,
    /// Challenges so far, those that are gone included.
    born: usize,
    row: usize,
}

/// One challenge of a simulation.
struct Part {
    challenge: Challenge,
    truth: Truth,
    players: Vec<Player>,
}

impl<'a> Simulator<'a> {
    /// At its beginning.
    #[must_use]
    pub fn new(simulation: &Simulation<'a>, prices: &Prices) -> Self {
        let prices = Arc::new(prices.clone());
        let mut simulator =
            Self { simulation: simulation.clone(), prices, parts: Vec::new(), born: 0, row: 0 };
        simulator.set_config(simulation.config);
        simulator
    }

    /// From the next row on, plays the challenges of another configuration. What is known of those that stay goes on;
    /// prices that are new join the others.
    pub fn set_config(&mut self, config: &Config) {
        let Simulation { only, seed, miners, .. } = &self.simulation;
        let challenges = wanted(config, only.as_ref());
        self.prices = Arc::new(Prices::clone(&self.prices).with(&keys(&challenges)));
        let mut before = std::mem::take(&mut self.parts);
        for challenge in challenges {
            let is_it = |part: &Part| {
                part.challenge.ticker == challenge.ticker
                    && part.challenge.storage_dim() == challenge.storage_dim()
            };
            let players = match before.iter().position(is_it) {
                Some(at) => before.swap_remove(at).players,
                None => {
                    let c = self.born;
                    self.born += 1;
                    let seed = |m: usize| seed ^ ((c as u64 + 1) << 40) ^ ((m as u64 + 1) << 20);
                    (0..miners.len()).map(|m| Player::new(m, c, challenge.storage_dim(), seed(m))).collect()
                }
            };
            let truth = Truth::new(challenge, &self.prices, config.network.sample_every);
            self.parts.push(Part { challenge: challenge.clone(), truth, players });
        }
    }

    /// The row that comes next.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// The block of the row that comes next.
    #[must_use]
    pub fn next_block(&self) -> Block {
        self.simulation.block(self.row)
    }

    /// Plays the next row: the block, its prices, and what each miner sends. None beyond the last row.
    pub fn step(&mut self) -> Option<SampledBlock> {
        let Simulation { rows, miners, .. } = &self.simulation;
        let (row, block) = (self.row, self.next_block());
        if row >= *rows {
            return None;
        }
        self.row += 1;
        let record = |Part { challenge, truth, players }: &mut Part| NewRow {
            ticker: challenge.ticker.clone(),
            dim: challenge.dim as u32,
            blocks_ahead: challenge.blocks_ahead,
            price: truth.price(row),
            price_data: truth.price_data(row),
            submissions: submissions(row, *rows, truth, miners, players, challenge.storage),
        };
        let rows = self.parts.iter_mut().map(record).collect();
        Some(SampledBlock { block, sidx: FIRST_SIDX + row as i64, rows })
    }

    /// Plays on to the row `until` and stores what the ledger does not have yet; `progress` hears of the finished
    /// part, 0 to 1.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn write(
        &mut self,
        until: usize,
        ledger: &mut Ledger,
        mut progress: impl FnMut(f64),
    ) -> Result<(), LedgerError> {
        let last = ledger.last_block()?.unwrap_or(Block::MIN);
        let mut batch = Vec::with_capacity(BATCH);
        while self.row < until {
            let Some(step) = self.step() else { break };
            if step.block > last {
                batch.push(step);
            }
            if batch.len() == BATCH || self.row == until {
                ledger.append_many(&batch, BATCH)?;
                batch.clear();
                progress(self.row as f64 / until as f64);
            }
        }
        Ok(())
    }
}

/// What all miners send in one row, without those who send nothing.
fn submissions(
    row: usize,
    rows: usize,
    truth: &Truth,
    miners: &[SimulatedMiner],
    players: &mut [Player],
    storage: Storage,
) -> Vec<(String, Vector)> {
    let dim = players.first().map_or(0, |player| player.slow.len());
    let mut foresight = vec![0.0; dim];
    truth.foresight(row, &mut foresight);
    for (m, miner) in miners.iter().enumerate() {
        let (before, rest) = players.split_at_mut(m);
        let Some(player) = rest.first_mut() else { break };
        player.play(miner.kind, row, rows, truth, &foresight, before);
    }
    let sent = miners.iter().zip(players.iter()).filter(|(_, player)| player.is_sending);
    sent.map(|(miner, player)| (miner.hotkey.clone(), Vector::new(&player.numbers, storage))).collect()
}

/// One miner in one challenge.
struct Player {
    rng: Xoshiro256PlusPlus,
    /// Whether a skilled miner knows anything of this challenge.
    is_able: bool,
    /// How much noise it adds.
    scale: f64,
    slow: Vec<f64>,
    leanings: Vec<f64>,
    /// What it sends in this row.
    numbers: Vec<f32>,
    is_sending: bool,
}

impl Player {
    fn new(m: usize, c: usize, dim: usize, seed: u64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self {
            is_able: !(m + c).is_multiple_of(3),
            scale: 0.3 + 0.5 * uniform(&mut rng),
            rng,
            slow: vec![0.0; dim],
            leanings: vec![0.0; dim],
            numbers: Vec::new(),
            is_sending: false,
        }
    }

    /// Decides what to send in this row; `before` are the miners of lower index, who have decided already.
    fn play(
        &mut self,
        kind: MinerKind,
        row: usize,
        rows: usize,
        truth: &Truth,
        foresight: &[f64],
        before: &[Self],
    ) {
        match kind {
            // What they serve is refused, or comes to nothing.
            MinerKind::Zeros | MinerKind::Copier { .. } | MinerKind::Malformed(_) => self.is_sending = false,
            MinerKind::Constant | MinerKind::Stale => {
                // Where positions are asked for, the same one for ever is a bet, which luck may pay: they stay out.
                self.leanings.fill(if truth.asks_for_positions() { 0.0 } else { 0.3 });
                truth.submission(&self.leanings, &mut self.numbers);
                self.is_sending = true;
            }
            MinerKind::Clone { of } => self.repeat(before.get(of)),
            MinerKind::NearClone { of } => {
                self.repeat(before.get(of));
                for x in &mut self.numbers {
                    *x += 5e-4 * normal(&mut self.rng) as f32;
                }
            }
            MinerKind::Skilled { .. }
            | MinerKind::Noise
            | MinerKind::Late
            | MinerKind::Stopper
            | MinerKind::Gappy => {
                let skill = match kind {
                    MinerKind::Skilled { skill } if self.is_able => skill,
                    MinerKind::Late | MinerKind::Stopper | MinerKind::Gappy => 0.26,
                    _ => 0.0,
                };
                self.lean(row, skill, foresight);
                truth.submission(&self.leanings, &mut self.numbers);
                let missing = uniform(&mut self.rng) < if kind == MinerKind::Gappy { 0.35 } else { 0.01 };
                let away = match kind {
                    MinerKind::Late => row < rows * 2 / 5,
                    MinerKind::Stopper => row >= rows / 2,
                    _ => false,
                };
                self.is_sending = !missing && !away;
            }
        }
    }

    fn lean(&mut self, row: usize, skill: f64, foresight: &[f64]) {
        for (d, leaning) in self.leanings.iter_mut().enumerate() {
            if row.is_multiple_of(SLOW_ROWS) {
                self.slow[d] = normal(&mut self.rng);
            }
            let noise = 0.6 * normal(&mut self.rng) + 0.8 * self.slow[d];
            *leaning = skill * foresight[d] + self.scale * noise;
        }
    }

    fn repeat(&mut self, source: Option<&Self>) {
        self.is_sending = source.is_some_and(|source| source.is_sending);
        if let Some(source) = source {
            self.numbers.clone_from(&source.numbers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cast;
    use super::*;
    use mantis_kit::auc::auc;
    use std::path::Path;

    const CONFIG: &str = include_str!("../../../../challenges.toml");

    fn simulated(rows: usize, seed: u64, only: &[&str]) -> (tempfile::TempDir, Ledger, Vec<SimulatedMiner>) {
        let config = Config::parse(CONFIG, Path::new("challenges.toml")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("ledger.db")).unwrap();
        let miners = cast(24, seed);
        let only = Some(only.iter().map(ToString::to_string).collect());
        let simulation = Simulation { config: &config, only, rows, miners: &miners, seed };
        simulate(&simulation, &mut ledger, |_| ()).unwrap();
        (dir, ledger, miners)
    }

    /// Price and numbers by hotkey, row by row.
    type Rows = Vec<(f64, Vec<(String, Vec<f32>)>)>;

    fn rows(ledger: &Ledger, ticker: &str, dim: usize) -> Rows {
        let mut rows = Rows::new();
        let outcome: Result<_, LedgerError> = ledger.rows(ticker, Sidx(0)..=Sidx::MAX, dim, |row| {
            let submissions = row.submissions.iter().map(|(hotkey, bytes)| {
                (hotkey.to_owned(), Vector::from_bytes(bytes, row.submissions.storage()).to_f32())
            });
            rows.push((row.price.unwrap_or(0.0), submissions.collect()));
            Ok(std::ops::ControlFlow::Continue(()))
        });
        outcome.unwrap();
        rows
    }

    #[test]
    fn the_seed_decides_everything() {
        let of = |seed| rows(&simulated(200, seed, &["ETH", "MULTIXSEC"]).1, "ETH", 2);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn challenges_come_and_go_without_disturbing_others() {
        let text = |tickers: &[&str]| {
            let challenge = |ticker: &&str| {
                format!(
                    "[[challenge]]\nname = 'N-{ticker}'\nticker = '{ticker}'\nplugin = 'binary'\ndim = 2\n\
                     blocks_ahead = 50\nweight = 1\n"
                )
            };
            let text: String = tickers.iter().map(challenge).collect();
            Config::parse(&text, Path::new("c.toml")).unwrap()
        };
        let (old, new) = (text(&["A", "B"]), text(&["C", "B"]));
        let miners = cast(6, 1);
        let simulation = Simulation { config: &old, only: None, rows: 60, miners: &miners, seed: 1 };
        let prices = simulation.prices();
        let play = |change: usize| -> Vec<SampledBlock> {
            let mut simulator = Simulator::new(&simulation, &prices);
            let mut steps = Vec::new();
            while simulator.row() < 60 {
                if simulator.row() == change {
                    simulator.set_config(&new);
                    let next = steps.last().map_or(Block(0), |step: &SampledBlock| step.block + 5);
                    assert_eq!(simulator.next_block(), next);
                }
                steps.extend(simulator.step());
            }
            steps
        };
        let of = |steps: &[SampledBlock], ticker: &str| -> Vec<Option<NewRow>> {
            let record =
                |step: &SampledBlock| step.rows.iter().find(|record| record.ticker == ticker).cloned();
            steps.iter().map(record).collect()
        };
        let (never, changed, later) = (play(usize::MAX), play(20), play(40));
        assert_eq!(of(&changed, "B"), of(&never, "B"));
        assert_eq!(of(&changed, "A")[..20], of(&never, "A")[..20]);
        assert!(of(&changed, "A")[20..].iter().all(Option::is_none));
        let price =
            |steps: &[SampledBlock], row: usize| of(steps, "C")[row].as_ref().and_then(|record| record.price);
        assert!(of(&changed, "C")[..20].iter().all(Option::is_none));
        assert!(price(&changed, 50).unwrap() > 0.0);
        assert_eq!(price(&changed, 50), price(&later, 50), "a price is the same whenever it is asked for");
        assert!(of(&changed, "C")[20..].iter().flatten().all(|record| record.submissions.len() >= 4));
    }

    #[test]
    fn miners_are_what_they_are_said_to_be() {
        let (_dir, ledger, miners) = simulated(3_000, 5, &["ETH"]);
        let rows = rows(&ledger, "ETH", 2);
        let sent = |m: usize, row: usize| {
            rows[row].1.iter().find(|(hotkey, _)| *hotkey == miners[m].hotkey).map(|(_, numbers)| numbers)
        };
        let knows = |m: usize| {
            let pairs = (0..rows.len() - 60)
                .filter_map(|row| Some((f64::from(sent(m, row)?[0]), rows[row + 60].0 > rows[row].0)));
            let (scores, rose): (Vec<f64>, Vec<bool>) = pairs.unzip();
            auc(&scores, &rose).unwrap()
        };
        assert!(knows(1) > 0.6, "skilled: {}", knows(1));
        assert!((knows(3) - 0.5).abs() < 0.1, "noise: {}", knows(3));
        for row in 0..rows.len() {
            assert_eq!(sent(1, row), sent(5, row), "clone");
            assert_eq!(sent(20, row), sent(20, 0), "constant");
            assert_eq!(sent(21, row), None, "zeros");
            assert_eq!(sent(12, row), None, "copier");
        }
        assert!(sent(14, 1_000).is_none() && sent(14, 1_300).is_some() && sent(16, 2_000).is_none());
    }

    #[test]
    fn every_challenge_of_the_network_is_simulated_in_its_range() {
        let config = Config::parse(CONFIG, Path::new("challenges.toml")).unwrap();
        let tickers: Vec<&str> = config.challenges.iter().map(|c| c.ticker.as_str()).collect();
        let (_dir, ledger, _) = simulated(40, 1, &tickers);
        for challenge in &config.challenges {
            let rows = rows(&ledger, &challenge.ticker, challenge.storage_dim());
            assert_eq!(rows.len(), 40);
            let numbers = rows.iter().flat_map(|row| &row.1).flat_map(|(_, numbers)| numbers);
            assert!(numbers.clone().count() > 700);
            assert!(numbers.clone().all(|x| x.abs() <= 1.0), "{}", challenge.ticker);
        }
    }
}
