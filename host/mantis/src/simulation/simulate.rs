//! The simulation, row by row, into a ledger.

use super::miners::{MinerKind, SimulatedMiner};
use super::players::{Player, submissions};
use super::prices::Prices;
use super::truth::Truth;
use mantis_config::{Block, Challenge, Config, Sidx};
use mantis_ledger::{FactsHead, Ledger, LedgerError, NewRow, SampledBlock};
use mantis_network::chain::BLOCK_SECONDS;
use mantis_plugin_api::{FactList, FactRow};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Sampled-block index of the first row.
pub const FIRST_SIDX: Sidx = Sidx(1_000_000);
/// Unix time of the first simulated block.
const EPOCH: u64 = 1_750_000_000;
/// Rows that are written in one transaction.
const BATCH: usize = 500;

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

/// A fact that the simulated world knows of a miner.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedFact {
    /// The list that it belongs to.
    pub list: String,
    /// The fact.
    pub row: FactRow,
}

/// Unix time of a block, in a world whose first block is `first`.
#[must_use]
pub fn unix_of(block: Block, first: Block) -> u64 {
    EPOCH + (block - first).max(0).cast_unsigned() * BLOCK_SECONDS
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
    let mut simulator = Simulator::new(simulation, &prices);
    simulator.write(simulation.rows, ledger, progress)?;
    simulator.write_facts(ledger)
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

    /// Unix time of a block.
    fn unix(&self, block: Block) -> u64 {
        unix_of(block, self.block(0))
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
    /// What was stated since it was taken last.
    facts: Vec<SimulatedFact>,
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
        let mut simulator = Self {
            simulation: simulation.clone(),
            prices,
            parts: Vec::new(),
            facts: Vec::new(),
            born: 0,
            row: 0,
        };
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
        self.bet(block);
        Some(SampledBlock { block, sidx: FIRST_SIDX + row as i64, rows })
    }

    /// Miners bet on what they send for the first time; those who copy with a little noise copy the trade alone.
    fn bet(&mut self, block: Block) {
        let time = self.simulation.unix(block) as f64;
        for Part { truth, players, .. } in &mut self.parts {
            let Some(list) = truth.bets() else { continue };
            for (miner, player) in self.simulation.miners.iter().zip(players) {
                if !player.is_sending || matches!(miner.kind, MinerKind::NearClone { .. }) {
                    continue;
                }
                let row = |numbers: [f64; 3]| FactRow {
                    hotkey: miner.hotkey.clone(),
                    block: Some(block.0),
                    time: Some(time),
                    numbers: numbers.into(),
                };
                let bets = player.bets.on(&player.numbers).into_iter();
                self.facts.extend(bets.map(|numbers| SimulatedFact { list: list.into(), row: row(numbers) }));
            }
        }
    }

    /// The facts that became known in the rows played since they were taken last, in the order of their blocks.
    pub fn take_facts(&mut self) -> Vec<SimulatedFact> {
        std::mem::take(&mut self.facts)
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
        progress: impl FnMut(f64),
    ) -> Result<(), LedgerError> {
        self.store(until, true, ledger, progress)
    }

    /// As [`Simulator::write`], for rows whose payloads nobody has opened: with their prices alone.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn write_unopened(&mut self, until: usize, ledger: &mut Ledger) -> Result<(), LedgerError> {
        self.store(until, false, ledger, |_| ())
    }

    fn store(
        &mut self,
        until: usize,
        is_opened: bool,
        ledger: &mut Ledger,
        mut progress: impl FnMut(f64),
    ) -> Result<(), LedgerError> {
        let last = ledger.last_block()?.unwrap_or(Block::MIN);
        let mut batch = Vec::with_capacity(BATCH);
        while self.row < until {
            let Some(mut step) = self.step() else { break };
            if !is_opened {
                step.rows.iter_mut().for_each(|row| row.submissions.clear());
            }
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

    /// Stores the lists of facts, complete up to the last row played.
    fn write_facts(&mut self, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let block = self.simulation.block(self.row.saturating_sub(1));
        let unix = self.simulation.unix(block);
        let facts = self.take_facts();
        let lists: BTreeSet<&str> = self.parts.iter().filter_map(|part| part.truth.bets()).collect();
        for name in lists {
            let rows = facts.iter().filter(|fact| fact.list == name).map(|fact| fact.row.clone()).collect();
            let list = FactList { name: name.into(), block: Some(block.0), time: Some(unix as f64), rows };
            let head = FactsHead {
                source: "simulation".into(),
                block: list.block,
                time: list.time,
                hash: None,
                is_complete: true,
                unix,
            };
            ledger.store_facts(&list.name, &head, &list.rows, true)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::cast;
    use super::*;
    use mantis_kit::auc::auc;
    use mantis_ledger::Vector;
    use std::path::Path;

    const CONFIG: &str = include_str!("../../../../challenges.toml");
    const JULY: &str = include_str!("../../../../profiles/2026-07.toml");
    const SEPTEMBER: &str = include_str!("../../../../profiles/2026-09.toml");

    fn simulated(rows: usize, seed: u64, only: &[&str]) -> (tempfile::TempDir, Ledger, Vec<SimulatedMiner>) {
        simulated_by(CONFIG, rows, seed, only)
    }

    fn simulated_by(
        text: &str,
        rows: usize,
        seed: u64,
        only: &[&str],
    ) -> (tempfile::TempDir, Ledger, Vec<SimulatedMiner>) {
        let config = Config::parse(text, Path::new("challenges.toml")).unwrap();
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
        for text in [CONFIG, JULY, SEPTEMBER] {
            let config = Config::parse(text, Path::new("challenges.toml")).unwrap();
            let tickers: Vec<&str> = config.challenges.iter().map(|c| c.ticker.as_str()).collect();
            let (_dir, ledger, _) = simulated_by(text, 40, 1, &tickers);
            for challenge in &config.challenges {
                let rows = rows(&ledger, &challenge.ticker, challenge.storage_dim());
                assert_eq!(rows.len(), 40);
                let numbers = rows.iter().flat_map(|row| &row.1).flat_map(|(_, numbers)| numbers);
                assert!(numbers.clone().count() > 700, "{}", challenge.ticker);
                // The longest horizon of an intent is two weeks.
                let bound = if challenge.plugin == "flow" { 336.0 } else { 1.0 };
                assert!(numbers.clone().all(|x| f64::from(*x).abs() <= bound), "{}", challenge.ticker);
            }
        }
    }

    #[test]
    fn miners_of_flow_bet_on_what_they_send_first() {
        let (_dir, ledger, miners) = simulated_by(SEPTEMBER, 1_600, 3, &["FLOW"]);
        let rows = rows(&ledger, "FLOW", 28);
        let facts = ledger.facts("bets").unwrap().unwrap();
        let (first, last) = (FIRST_SIDX.block(5), (FIRST_SIDX + 1_599).block(5));
        assert_eq!((facts.block, facts.time), (Some(last.0), Some(unix_of(last, first) as f64)));
        let bets = |m: usize| facts.rows.iter().filter(|bet| bet.hotkey == miners[m].hotkey).count();
        // Three of the shortest regime, and one of each other.
        assert_eq!((bets(1), bets(3), bets(5)), (6, 6, 6), "skilled, noise, and a clone");
        assert_eq!(
            (bets(10), bets(12), bets(20), bets(21)),
            (0, 0, 0, 0),
            "no bets of their own, or no trades"
        );
        for bet in &facts.rows {
            let row = usize::try_from((bet.block.unwrap() - first.0) / 5).unwrap();
            let at = 7 * bet.numbers[0] as usize;
            let sent = |row: usize| {
                let numbers = rows[row].1.iter().find(|(hotkey, _)| *hotkey == bet.hotkey)?.1.clone();
                Some(numbers[at..at + 7].to_vec())
            };
            let intent = sent(row).unwrap();
            assert_eq!(
                (f64::from(intent[6]), 100.0 * f64::from(intent[1])),
                (bet.numbers[1], bet.numbers[2])
            );
            let before = row.checked_sub(1).and_then(sent);
            assert!(before.is_none_or(|before| before[6] < intent[6]), "not before it was sent");
        }
    }

    #[test]
    fn high_and_low_of_a_minute_hold_its_prices() {
        let config = Config::parse(SEPTEMBER, Path::new("c.toml")).unwrap();
        let miners = cast(1, 1);
        let only = Some(BTreeSet::from(["FLOW".to_string()]));
        let simulation = Simulation { config: &config, only, rows: 300, miners: &miners, seed: 1 };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        let mut before: Option<f64> = None;
        while let Some(step) = simulator.step() {
            let data = step.rows[0].price_data.clone().unwrap();
            let names: Vec<&str> = data.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["BTC", "BTC_HIGH", "BTC_LOW"]);
            let (close, high, low) = (data[0].1, data[1].1, data[2].1);
            for price in [Some(close), before].into_iter().flatten() {
                assert!(low < price && price < high, "{low} {price} {high}");
            }
            before = Some(close);
        }
        assert_eq!(prices.channel("BTC_MIDDLE", 0), None);
        assert_eq!((prices.channel("ETH_LOW", 0), prices.channel("BTC_LOW", 300)), (None, None));
    }
}
