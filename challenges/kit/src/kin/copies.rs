//! Which miners send the same numbers.

use super::blocks::Block;
use super::params::KinParams;
use super::profile::Profile;

/// Pairs of miners of which it is not known yet that they differ.
pub(super) struct Copies<'a> {
    params: &'a KinParams,
    pairs: Vec<Pair>,
    /// Per row of a block, the largest difference between two miners.
    differences: Vec<f64>,
}

struct Pair {
    miners: [usize; 2],
    /// Rows in which both are there.
    common: usize,
    /// Those in which they differ.
    different: usize,
    /// More of these than they can have if they are clones.
    too_many: usize,
}

impl<'a> Copies<'a> {
    /// All pairs whose presence and means are those of clones.
    pub(super) fn new(params: &'a KinParams, profiles: &[Profile]) -> Self {
        let mut copies = Self { params, pairs: Vec::new(), differences: Vec::new() };
        let there = |miner: &usize| profiles[*miner].present >= params.clone_min_rows;
        let candidates: Vec<usize> = (0..profiles.len()).filter(there).collect();
        for (place, &a) in candidates.iter().enumerate() {
            for &b in &candidates[place + 1..] {
                let means = profiles[a].means.iter().zip(&profiles[b].means);
                if means.fold(true, |near, (a, b)| near & ((a - b).abs() <= params.clone_mean)) {
                    let common = profiles[a].present.min(profiles[b].present);
                    // With fewer rows in common they may differ in fewer, but for the rounding of a product: two rows.
                    let too_many = common - copies.needed(common).min(common) + 3;
                    copies.pairs.push(Pair { miners: [a, b], common: 0, different: 0, too_many });
                }
            }
        }
        copies
    }

    /// Compares all pairs in a block of rows; drops those that are known to differ.
    pub(super) fn take(&mut self, block: &Block) {
        // What is stored is a half float: a difference this small is exact, in single precision too.
        let eps = f64::from(self.params.clone_eps as f32);
        let differences = &mut self.differences;
        self.pairs.retain_mut(|pair| {
            let [a, b] = pair.miners.map(|miner| block.values(miner));
            differences.clear();
            differences.resize(block.rows(), 0.0);
            for (a, b) in a.chunks_exact(block.rows()).zip(b.chunks_exact(block.rows())) {
                for (largest, (a, b)) in differences.iter_mut().zip(a.iter().zip(b)) {
                    let difference = (a - b).abs();
                    *largest = if difference > *largest { difference } else { *largest };
                }
            }
            let [a, b] = pair.miners.map(|miner| block.present(miner));
            for (&difference, (a, b)) in differences.iter().zip(a.iter().zip(b)) {
                pair.common += usize::from(a & b);
                pair.different += usize::from(a & b & (difference >= eps));
            }
            pair.different < pair.too_many
        });
    }

    /// The pairs that are clones, once all blocks were taken.
    pub(super) fn links(&self) -> Vec<[usize; 2]> {
        let are_clones = |pair: &&Pair| {
            pair.common >= self.params.clone_min_joint
                && pair.common - pair.different >= self.needed(pair.common)
        };
        self.pairs.iter().filter(are_clones).map(|pair| pair.miners).collect()
    }

    /// Rows that must be the same of those in common.
    fn needed(&self, common: usize) -> usize {
        (self.params.clone_match * common as f64).ceil() as usize
    }
}
