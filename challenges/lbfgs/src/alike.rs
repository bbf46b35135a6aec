//! Miners that say nearly the same, for each of the two parts.

use crate::predictions::{Predictions, probability_columns};
use crate::{BUCKETS, LEVELS, Labels, Params, TAILS};
use mantis_kit::auc::auc;
use mantis_kit::clones::{Group, Likeness, Signature, groups};
use mantis_plugin_api::{History, PluginError};

/// Who stands for whom in one part: itself, unless clones are collapsed.
pub(crate) struct Alike {
    /// Per miner the one that stands for it.
    leader: Vec<usize>,
    /// Per miner how many it stands for, itself included.
    size: Vec<usize>,
}

impl Alike {
    /// Every miner stands for itself.
    pub(crate) fn nobody(miners: usize) -> Self {
        Self { leader: (0..miners).collect(), size: vec![1; miners] }
    }

    /// By the buckets' probabilities in the newest rows, the best in balanced accuracy first (scoring: lbfgs, options).
    /// Only miners that are active are compared.
    pub(crate) fn in_buckets(
        history: &dyn History,
        labels: &Labels,
        params: &Params,
        active: &[usize],
        accuracy: impl Fn(usize) -> f64,
    ) -> Result<Self, PluginError> {
        let miners = history.shape().miners;
        if !params.collapse_clones {
            return Ok(Self::nobody(miners));
        }
        let rows = labels.rows.len();
        let newest = rows.saturating_sub(params.clone_rows)..rows;
        let mut signatures = Vec::with_capacity(active.len());
        for &miner in active {
            let columns = probability_columns(history, labels, miner, newest.clone())?;
            signatures.push(Signature::new(without_level_rows(&columns)));
        }
        let ranking = active.iter().map(|&miner| accuracy(miner)).collect();
        Ok(Self::of(miners, active, &signatures, ranking, params))
    }

    /// By the probabilities of excursions, the best in AUC first (scoring: lbfgs, options). Only miners that sent some are
    /// compared.
    pub(crate) fn in_excursions(labels: &Labels, predictions: &Predictions, params: &Params) -> Self {
        let miners = predictions.miners.len();
        if !params.collapse_clones {
            return Self::nobody(miners);
        }
        let strayed = |tail: usize, level: usize| -> Vec<bool> {
            let rows = predictions.tails[tail].iter();
            rows.map(|&i| labels.rows[i].strayed.is_some_and(|strayed| strayed[level])).collect()
        };
        let strayed: Vec<Vec<bool>> =
            (0..TAILS.len() * LEVELS).map(|i| strayed(i / LEVELS, i % LEVELS)).collect();
        let (mut senders, mut signatures, mut ranking) = (Vec::new(), Vec::new(), Vec::new());
        for (miner, sent) in predictions.miners.iter().enumerate() {
            let columns = sent.excursion_columns(&predictions.tails);
            if columns.iter().flatten().all(|q| q.is_nan()) {
                continue;
            }
            let skill = |(column, strayed): (&Vec<f64>, &Vec<bool>)| {
                let known: Vec<f64> = column.iter().map(|&q| if q.is_nan() { 0.5 } else { q }).collect();
                auc(&known, strayed).map_or(0.0, |auc| (auc - 0.5).abs())
            };
            senders.push(miner);
            ranking.push(columns.iter().zip(&strayed).map(skill).sum());
            signatures.push(Signature::new(columns));
        }
        Self::of(miners, &senders, &signatures, ranking, params)
    }

    fn of(
        miners: usize,
        compared: &[usize],
        signatures: &[Signature],
        ranking: Vec<f64>,
        params: &Params,
    ) -> Self {
        let mut order: Vec<usize> = (0..compared.len()).collect();
        order.sort_by(|&a, &b| ranking[b].total_cmp(&ranking[a]));
        let likeness = Likeness { correlation: params.clone_correlation, lag: params.clone_lag_rows };
        let mut alike = Self::nobody(miners);
        for Group { leader, members } in groups(signatures, &order, likeness) {
            members.iter().for_each(|&member| alike.leader[compared[member]] = compared[leader]);
            alike.size[compared[leader]] = members.len();
        }
        alike
    }

    /// Whether a miner stands for itself, and so enters the part.
    pub(crate) fn leads(&self, miner: usize) -> bool {
        self.leader[miner] == miner
    }

    /// The one that stands for a miner.
    pub(crate) fn leader_of(&self, miner: usize) -> usize {
        self.leader[miner]
    }

    /// How many a miner shares with, itself included.
    pub(crate) fn group_size(&self, miner: usize) -> usize {
        self.size[self.leader[miner]]
    }

    /// What each miner has of what those earn that stand for others.
    pub(crate) fn shared(&self, earned: &[f64]) -> Vec<f64> {
        (0..earned.len()).map(|miner| earned[self.leader[miner]] / self.group_size(miner) as f64).collect()
    }
}

/// The columns with NaN in rows where all buckets are as likely: the miner was absent, or said nothing.
fn without_level_rows(columns: &[Vec<f32>; BUCKETS]) -> Vec<Vec<f64>> {
    let says = |row: usize| columns.iter().any(|column| column[row] != columns[0][row]);
    let number = |(row, &p): (usize, &f32)| if says(row) { f64::from(p) } else { f64::NAN };
    columns.iter().map(|column| column.iter().enumerate().map(number).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_shares_what_its_leader_earns() {
        let alike = Alike { leader: vec![0, 2, 2, 3, 2], size: vec![1, 1, 3, 1, 1] };
        assert_eq!(alike.shared(&[1.0, 0.0, 6.0, 0.5, 0.0]), [1.0, 2.0, 2.0, 0.5, 2.0]);
        assert_eq!([0, 1, 2].map(|miner| alike.leads(miner)), [true, false, true]);
        assert_eq!((alike.leader_of(4), alike.group_size(4)), (2, 3));
        assert_eq!(Alike::nobody(2).shared(&[0.1, 0.7]), [0.1, 0.7]);
    }

    #[test]
    fn a_row_without_a_preference_is_absent() {
        let columns = std::array::from_fn(|bucket| vec![0.2, if bucket == 1 { 0.6 } else { 0.1 }]);
        let found = without_level_rows(&columns);
        assert!(found.iter().all(|column| column[0].is_nan() && !column[1].is_nan()));
    }
}
