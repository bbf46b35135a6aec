//! Which miners correlate.

use super::blocks::Block;
use super::linkage::Link;
use super::params::KinParams;
use super::profile::Profile;
use crate::math;

/// Shorter than this, a miner's numbers are nothing but their mean.
const MIN_LENGTH: f64 = 1e-9;
/// What a pair may lie below the bar and stay: far above rounding, so that to stop early changes no answer.
const MARGIN: f64 = 1e-9;

/// Pairs of miners whose correlation may still reach the bar.
pub(super) struct Correlations<'a> {
    profiles: &'a [Profile],
    bar: f64,
    pairs: Vec<Pair>,
    /// Blocks that were taken.
    blocks: usize,
}

struct Pair {
    miners: [usize; 2],
    /// Product of the two lengths.
    norm: f64,
    /// Sum of the products so far.
    dot: f64,
}

impl<'a> Correlations<'a> {
    /// All pairs that are there often enough.
    pub(super) fn new(params: &KinParams, profiles: &'a [Profile]) -> Self {
        let can_be = |miner: &usize| {
            let profile = &profiles[*miner];
            profile.present >= params.cohort_min_rows && profile.length() >= MIN_LENGTH
        };
        let candidates: Vec<usize> = (0..profiles.len()).filter(can_be).collect();
        let mut pairs = Vec::with_capacity(candidates.len() * candidates.len().saturating_sub(1) / 2);
        for (place, &a) in candidates.iter().enumerate() {
            for &b in &candidates[place + 1..] {
                pairs.push(Pair {
                    miners: [a, b],
                    norm: profiles[a].length() * profiles[b].length(),
                    dot: 0.0,
                });
            }
        }
        Self { profiles, bar: params.cohort_corr, pairs, blocks: 0 }
    }

    /// Takes in a block of rows of numbers less their mean; drops pairs that stay below the bar whatever comes.
    pub(super) fn take(&mut self, block: &Block) {
        self.blocks += 1;
        self.pairs.retain_mut(|pair| {
            let [a, b] = pair.miners;
            pair.dot += math::dot(block.values(a), block.values(b));
            let rest = self.profiles[a].rest_from(self.blocks) * self.profiles[b].rest_from(self.blocks);
            pair.dot.abs() + rest >= (self.bar - MARGIN) * pair.norm
        });
    }

    /// The pairs that are left, once all blocks were taken, and their distances.
    pub(super) fn links(&self) -> Vec<Link> {
        let link =
            |pair: &Pair| Link { miners: pair.miners, distance: 1.0 - (pair.dot.abs() / pair.norm).min(1.0) };
        self.pairs.iter().map(link).collect()
    }
}
