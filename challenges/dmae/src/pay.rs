//! What a group is worth, and whom of it that is paid to.

use crate::Params;
use crate::chunk::Presence;
use crate::evidence::{Evidence, evidence};

/// A group of miners, and the models that say what it is worth.
pub(crate) struct Group {
    /// Its members, in parts: those who came at the same time, the earliest first. One part where all are equal.
    pub(crate) parts: Vec<Vec<usize>>,
}

/// What a group is worth.
pub(crate) struct Worth {
    /// All of it.
    pub(crate) whole: Evidence,
    /// Per part of the group, what it adds to those before it.
    pub(crate) added: Vec<Evidence>,
    /// Per part, its part of the pay.
    shares: Vec<f64>,
}

impl Group {
    pub(crate) fn new(members: Vec<usize>, presence: &[Presence], params: &Params) -> Self {
        if params.share == "equal" || members.len() == 1 {
            return Self { parts: vec![members] };
        }
        let mut firsts: Vec<Option<usize>> = members.iter().map(|&miner| presence[miner].first).collect();
        firsts.sort_unstable();
        firsts.dedup();
        let part = |first: &Option<usize>| {
            members.iter().copied().filter(|&miner| presence[miner].first == *first).collect()
        };
        Self { parts: firsts.iter().map(part).collect() }
    }

    /// The miner that the group is named after: the first of the first part.
    pub(crate) fn members(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().flatten().copied()
    }

    /// Who is left out of each of its models: all, then all but the first part, and so on to the last part alone.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = Vec<usize>> {
        (0..self.parts.len()).map(|from| self.parts[from..].concat())
    }

    /// What it is worth, by the errors of its models and of the full one (scoring: dmae, pay).
    pub(crate) fn worth(&self, errors: &[Vec<f32>], full: &[f32], lags: usize, params: &Params) -> Worth {
        let whole = evidence(&errors[0], full, lags);
        let next = |part: usize| errors.get(part + 1).map_or(full, Vec::as_slice);
        let added: Vec<Evidence> =
            (0..self.parts.len()).map(|part| evidence(&errors[part], next(part), lags)).collect();
        let mut shares: Vec<f64> = added.iter().map(|added| paid(added, params).unwrap_or(0.0)).collect();
        if shares.iter().all(|share| *share == 0.0) {
            shares = added.iter().map(|added| added.mean.max(0.0)).collect();
        }
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share = if sum > 0.0 { *share / sum } else { 0.0 });
        Worth { whole, added, shares }
    }
}

impl Worth {
    /// Pay of a group's part, which is shared by `spreads`.
    pub(crate) fn pay(&self, part: usize, params: &Params) -> f64 {
        paid(&self.whole, params).map_or(0.0, |whole| whole * self.shares[part])
    }
}

/// The mean, where it is above 0 and not luck.
pub(crate) fn paid(evidence: &Evidence, params: &Params) -> Option<f64> {
    (evidence.mean > 0.0 && evidence.t >= params.t_min).then_some(evidence.mean)
}
