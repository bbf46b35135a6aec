//! What a group is worth, and whom of it that is paid to.

use crate::Params;
use crate::chunk::Presence;
use crate::evidence::{Evidence, evidence};
use crate::groups::Group;

/// The models that say what a group is worth.
pub(crate) struct Trial {
    /// The members of the group, in parts: those who came at the same time, the earliest first. One part where all are equal.
    pub(crate) parts: Vec<Vec<usize>>,
    followers: Vec<usize>,
}

/// What a group is worth.
pub(crate) struct Worth {
    /// All of it.
    pub(crate) whole: Evidence,
    /// Per part of the group, what it adds to those before it.
    pub(crate) added: Vec<Evidence>,
    /// Per part, what it is paid.
    pub(crate) pay: Vec<f64>,
}

impl Trial {
    pub(crate) fn new(group: &Group, presence: &[Presence], params: &Params) -> Self {
        let Group { members, followers } = group;
        let first = |miner: usize| presence[miner].first;
        let mut firsts: Vec<Option<usize>> = members.iter().map(|&miner| first(miner)).collect();
        firsts.sort_unstable();
        firsts.dedup();
        if params.share == "equal" {
            firsts.truncate(1);
        }
        let is_in = |miner: usize, at: Option<usize>| params.share == "equal" || first(miner) == at;
        let part = |&at: &Option<usize>| members.iter().copied().filter(|&miner| is_in(miner, at)).collect();
        Self { parts: firsts.iter().map(part).collect(), followers: followers.clone() }
    }

    /// All members of the group.
    pub(crate) fn members(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().flatten().copied()
    }

    /// Who is left out of each of its models: all, then all but the first part, and so on; followers of the group always are. The
    /// last one, without any part, is the full model where there are no followers.
    pub(crate) fn left_out(&self) -> Vec<Vec<usize>> {
        let last = self.parts.len() + usize::from(!self.followers.is_empty());
        (0..last).map(|from| [self.parts[from..].concat(), self.followers.clone()].concat()).collect()
    }

    /// What the group is worth, by the errors of its models and of the full one (scoring: dmae, pay).
    pub(crate) fn worth(&self, errors: &[Vec<f32>], full: &[f32], lags: usize, params: &Params) -> Worth {
        let of = |part: usize| errors.get(part).map_or(full, Vec::as_slice);
        let whole = evidence(of(0), of(self.parts.len()), lags);
        let added: Vec<Evidence> =
            (0..self.parts.len()).map(|part| evidence(of(part), of(part + 1), lags)).collect();
        let mut pay: Vec<f64> = added.iter().map(|added| sure(added, params).unwrap_or(0.0)).collect();
        if let (Some(whole), true) = (sure(&whole, params), pay.iter().all(|pay| *pay == 0.0)) {
            // Together they add something, though of none of them alone it can be told.
            let gains: Vec<f64> = added.iter().map(|added| added.mean.max(0.0)).collect();
            let sum: f64 = gains.iter().sum();
            pay = gains.iter().map(|gain| whole * gain / sum).collect();
        }
        Worth { whole, added, pay }
    }
}

/// The mean, where it is above 0 and not luck.
pub(crate) fn sure(evidence: &Evidence, params: &Params) -> Option<f64> {
    (evidence.mean > 0.0 && evidence.t >= params.t_min).then_some(evidence.mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(share: &str, followers: &[usize]) -> (Trial, Params) {
        let params = Params { share: share.into(), t_min: 0.0, ..Params::default() };
        let presence = [5, 0, 9, 5].map(|first| Presence { first: Some(first), rows: 1 });
        let group = Group { members: vec![1, 0, 2, 3], followers: followers.to_vec() };
        (Trial::new(&group, &presence, &params), params)
    }

    #[test]
    fn parts_are_left_out_from_the_last_to_come() {
        let (senior, _) = trial("senior", &[]);
        assert_eq!(senior.parts, [vec![1], vec![0, 3], vec![2]]);
        assert_eq!(senior.left_out(), [vec![1, 0, 3, 2], vec![0, 3, 2], vec![2]]);
        assert_eq!(trial("senior", &[7]).0.left_out()[2..], [vec![2, 7], vec![7]]);
        assert_eq!(trial("equal", &[]).0.left_out(), [[1, 0, 2, 3]]);
    }

    #[test]
    fn each_part_is_paid_what_it_adds_to_those_before() {
        let (senior, params) = trial("senior", &[]);
        let errors = |level: f32| vec![level, level + 0.25, level];
        let losses = [errors(6.0), errors(3.0), errors(3.5)];
        let worth = senior.worth(&losses, &[2.0, 2.5, 2.0], 1, &params);
        assert_eq!((worth.pay.as_slice(), worth.added[1].mean), (&[3.0, 0.0, 17.0 / 12.0][..], -0.5));
        assert!((worth.whole.mean - 47.0 / 12.0).abs() < 1e-12, "{:?}", worth.whole);
        // Where no part can be told from luck, all together may be.
        let unsure = Params { t_min: 1e3, ..params };
        let noisy = [vec![3.0, 3.0, 3.1], vec![2.0, 2.0, 4.0], vec![1.0, 3.0, 1.0]];
        let worth = senior.worth(&noisy, &[2.0, 2.0, 2.0], 0, &Params { t_min: 10.0, ..unsure });
        assert!(
            worth.whole.t > 10.0 && (worth.pay.iter().sum::<f64>() - worth.whole.mean).abs() < 1e-6,
            "{:?}",
            worth.pay
        );
    }
}
