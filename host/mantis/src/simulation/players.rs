//! What each miner makes of what it knows, in one challenge, row after row.

use super::intents::Bets;
use super::miners::{MinerKind, SimulatedMiner};
use super::prices::{normal, uniform};
use super::truth::Truth;
use mantis_ledger::Vector;
use mantis_plugin_api::Storage;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// Rows for which the slow part of a miner's noise stays.
const SLOW_ROWS: usize = 30;
/// Rows by which a miner's turns begin after those of the one before, until the first hours are full.
const TURN_ROWS: (usize, usize) = (23, 720);

/// What all miners send in one row, without those who send nothing.
pub(super) fn submissions(
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
pub(super) struct Player {
    rng: Xoshiro256PlusPlus,
    /// Whether a skilled miner knows anything of this challenge.
    is_able: bool,
    /// How much noise it adds.
    scale: f64,
    slow: Vec<f64>,
    leanings: Vec<f64>,
    /// Rows after which its turns begin.
    late: usize,
    /// What it sends in this row.
    pub(super) numbers: Vec<f32>,
    pub(super) is_sending: bool,
    pub(super) bets: Bets,
}

impl Player {
    pub(super) fn new(m: usize, c: usize, dim: usize, seed: u64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self {
            is_able: !(m + c).is_multiple_of(3),
            scale: 0.3 + 0.5 * uniform(&mut rng),
            rng,
            slow: vec![0.0; dim],
            leanings: vec![0.0; dim],
            late: m * TURN_ROWS.0 % TURN_ROWS.1,
            numbers: Vec::new(),
            is_sending: false,
            bets: Bets::default(),
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
        let turn = row.checked_sub(self.late);
        match kind {
            // What they serve is refused, or comes to nothing.
            MinerKind::Zeros | MinerKind::Copier { .. } | MinerKind::Malformed(_) => self.is_sending = false,
            MinerKind::Constant | MinerKind::Stale => {
                // Where positions are asked for, the same one for ever is a bet, which luck may pay: they stay out.
                self.leanings.fill(if truth.asks_for_positions() { 0.0 } else { 0.3 });
                truth.submission(&self.leanings, turn, &mut self.numbers);
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
                truth.submission(&self.leanings, turn, &mut self.numbers);
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
