//! Miners that say the same.

use crate::foretold::foretold;
use crate::parallel::for_each;
use crate::sample::Sample;

/// Miners that say what the first of them says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// Each is in one group alone.
    pub(crate) members: Vec<usize>,
    /// Members of other groups that say it, too.
    pub(crate) followers: Vec<usize>,
}

impl Group {
    pub(crate) fn of_one(miner: usize) -> Self {
        Self { members: vec![miner], followers: Vec::new() }
    }

    /// The miner that it is named after.
    pub(crate) fn first(&self) -> usize {
        self.members[0]
    }
}

/// Groups of the miners in `order`. A miner says what another says where its numbers tell what that contributes, by a
/// correlation of `alike` or more. Each joins the first group whose first member's contribution it tells, and is a follower of the
/// others; one that tells none begins a group (scoring: dmae, groups).
pub(crate) fn groups(sample: &Sample, dim: usize, order: &[usize], alike: f64) -> Vec<Group> {
    let mut tells: Vec<(usize, Vec<f64>)> = order.iter().map(|&miner| (miner, Vec::new())).collect();
    for_each(&mut tells, |(miner, tells)| {
        // Those before it: who comes later begins no group that it could join.
        let others = order.iter().take_while(|other| **other != *miner).map(|&other| &sample.sent[other]);
        *tells = foretold(&sample.sent[*miner], dim, others);
    });
    let mut groups: Vec<(usize, Group)> = Vec::new();
    for (place, (miner, tells)) in tells.iter().enumerate() {
        let mut told = groups.iter_mut().filter(|(first, _)| tells[*first] >= alike).map(|(_, group)| group);
        if let Some(group) = told.next() {
            group.members.push(*miner);
            told.for_each(|group| group.followers.push(*miner));
        } else {
            drop(told);
            groups.push((place, Group::of_one(*miner)));
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::Noise;

    const ROWS: usize = 300;

    /// Miners with two numbers, of which they contribute the first: they are series, by their seeds, and a part of another's.
    fn sample(miners: &[(u64, f64, u64)]) -> Sample {
        let series = |seed: u64| -> Vec<f64> {
            let mut noise = Noise::new(seed);
            (0..ROWS).map(|_| noise.normal()).collect()
        };
        let mut sample = Sample::new(miners.len(), ROWS);
        for (sent, &(own, part, other)) in sample.sent.iter_mut().zip(miners) {
            let (own, other) = (series(own), series(other));
            sent.rows = (0..ROWS).collect();
            sent.contributions = own.iter().zip(&other).map(|(own, other)| own + part * other).collect();
            sent.numbers = sent.contributions.iter().flat_map(|&u| [u as f32, 0.0]).collect();
        }
        sample
    }

    fn found(sample: &Sample, order: &[usize]) -> Vec<(Vec<usize>, Vec<usize>)> {
        groups(sample, 2, order, 0.6).into_iter().map(|group| (group.members, group.followers)).collect()
    }

    #[test]
    fn each_joins_the_first_that_it_tells() {
        // The second is like the first and like the third, which are not alike.
        let sample = sample(&[(1, 0.0, 1), (1, 0.9, 2), (2, 0.0, 2), (3, 0.0, 3), (1, 0.0, 1)]);
        let none = Vec::new;
        assert_eq!(
            found(&sample, &[0, 1, 2, 3, 4]),
            [(vec![0, 1, 4], none()), (vec![2], none()), (vec![3], none())]
        );
        assert_eq!(found(&sample, &[2, 0, 1, 4]), [(vec![2, 1], none()), (vec![0, 4], vec![1])]);
        assert_eq!(found(&sample, &[1, 0, 2]), [(vec![1, 0, 2], none())]);
    }
}
