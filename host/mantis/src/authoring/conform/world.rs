//! Simulated miners and their market, in memory.

use crate::simulation::{MinerKind, SimulatedMiner, Simulation, Simulator};
use mantis_config::{Challenge, Config, QuoteKind};
use mantis_ledger::snapshot::Column;
use mantis_plugin_api::{Market, f16};

/// The cast. In one challenge alone, a skilled miner whose place is divisible by three would know nothing.
const CAST: [MinerKind; 11] = [
    MinerKind::Noise,
    MinerKind::Skilled { skill: 0.36 },
    MinerKind::Skilled { skill: 0.26 },
    MinerKind::Noise,
    MinerKind::Skilled { skill: 0.32 },
    MinerKind::Skilled { skill: 0.22 },
    MinerKind::Noise,
    MinerKind::Skilled { skill: 0.29 },
    MinerKind::Skilled { skill: 0.24 },
    MinerKind::Constant,
    MinerKind::Zeros,
];
/// Numbers of one miner that are held in memory: a challenge with very many to a row is tried on fewer rows.
const MAX_NUMBERS: usize = 40_000_000;
/// Rows of the future beyond the last label.
const BEYOND: usize = 30;

/// A challenge's market and miners.
#[derive(Clone, Debug)]
pub(super) struct SuiteMarket {
    /// Prices; the scored rows end one horizon and a little before them.
    pub(super) market: Market,
    /// By place in the cast: hotkey, behaviour, `storage_dim` numbers per scored row.
    pub(super) miners: Vec<(String, MinerKind, Vec<f16>)>,
}

impl SuiteMarket {
    /// A world of so many scored rows, or as many as fit into memory, for the one challenge of `config`.
    pub(super) fn new(config: &Config, rows: usize, seed: u64) -> Self {
        let cast: Vec<SimulatedMiner> = CAST
            .iter()
            .enumerate()
            .map(|(i, kind)| SimulatedMiner {
                hotkey: format!("5Miner{i:02}"),
                kind: *kind,
                about: String::new(),
            })
            .collect();
        let challenge = &config.challenges[0];
        let ahead = (challenge.blocks_ahead / config.network.sample_every) as usize;
        let dim = challenge.storage_dim();
        let rows = rows.min(MAX_NUMBERS / dim.max(1)).max(1);
        let all = rows + ahead + BEYOND;
        let simulation = Simulation { config, only: None, rows: all, miners: &cast, seed };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        let mut miners: Vec<(String, MinerKind, Vec<f16>)> =
            cast.iter().map(|m| (m.hotkey.clone(), m.kind, vec![f16::ZERO; rows * dim])).collect();
        let (mut sidx, mut submitted) = (Vec::with_capacity(all), Vec::with_capacity(rows));
        while let Some(step) = simulator.step() {
            let row = sidx.len();
            sidx.push(step.sidx.0);
            if row < rows {
                let sent = step.rows.iter().flat_map(|record| &record.submissions);
                let mut any = false;
                for (hotkey, numbers) in sent {
                    any = true;
                    if let Some((.., column)) = miners.iter_mut().find(|(name, ..)| name == hotkey) {
                        let numbers = numbers.to_f32();
                        let place = &mut column[row * dim..(row + 1) * dim];
                        place.iter_mut().zip(numbers).for_each(|(to, x)| *to = f16::from_f32(x));
                    }
                }
                submitted.push(any);
            }
        }
        let series: Vec<&[f64]> = series(challenge)
            .map(|key| match challenge.quotes {
                QuoteKind::Prices => prices.path(key),
                QuoteKind::FundingRates => prices.funding_of(key),
            })
            .collect();
        let price = |row: usize| series.iter().map(move |path| path.get(row).copied().unwrap_or(f64::NAN));
        let market = Market {
            prices: (0..all).flat_map(price).collect(),
            assets: series.len(),
            sidx,
            submitted,
            scored_rows: rows,
            ..Market::default()
        };
        Self { market, miners }
    }

    /// The miners as they are.
    pub(super) fn columns(&self) -> Vec<Column<'_>> {
        self.miners.iter().map(|(hotkey, _, numbers)| (hotkey.as_str(), numbers.as_slice())).collect()
    }

    /// Places in the cast of those who behave so.
    pub(super) fn places(&self, wanted: impl Fn(MinerKind) -> bool) -> Vec<usize> {
        (0..self.miners.len()).filter(|&i| wanted(self.miners[i].1)).collect()
    }

    /// Whether it is known what its miners know: those of a ledger may know nothing, or say what stays true for long.
    pub(super) fn is_simulated(&self) -> bool {
        self.miners
            .iter()
            .any(|(_, kind, _)| matches!(kind, MinerKind::Skilled { skill } if skill.is_finite()))
    }

    /// Places of the skilled.
    pub(super) fn skilled(&self) -> Vec<usize> {
        self.places(|kind| matches!(kind, MinerKind::Skilled { .. }))
    }
}

/// Keys of the challenge's prices.
fn series(challenge: &Challenge) -> impl Iterator<Item = &str> {
    let one = challenge.price_key.as_deref().filter(|_| challenge.assets.is_empty());
    one.into_iter().chain(challenge.assets.iter().map(String::as_str))
}
