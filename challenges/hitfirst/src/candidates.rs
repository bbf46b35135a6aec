//! Which miners enter the models, and which of them are one.

use crate::log_odds::{logits, logits_or};
use crate::{Hit, HitFirst, Labels};
use mantis_kit::auc::auc;
use mantis_kit::clones::{self, Group, Likeness, Signature};
use mantis_plugin_api::{History, PluginError, Salience};

impl HitFirst {
    /// The miners that enter the models, in groups of which the leader does: with the network's parameters every miner by
    /// itself, absent ones too (scoring: hitfirst, options).
    pub(crate) fn candidates(
        &self,
        history: &dyn History,
        labels: &Labels,
        salience: &Salience,
    ) -> Result<Vec<Group>, PluginError> {
        let is_there = |miner: &usize| {
            let why = salience.miners[*miner].why_zero.as_ref();
            why.is_none_or(|why| why.code != "coverage")
        };
        let there: Vec<usize> = (0..history.shape().miners).filter(is_there).collect();
        if !self.params.collapse_clones {
            return Ok(there.into_iter().map(Group::of_one).collect());
        }
        let mut signatures = Vec::with_capacity(there.len());
        let mut ranking = Vec::with_capacity(there.len());
        for (place, &miner) in there.iter().enumerate() {
            let numbers = history.miner(miner)?;
            let columns = [0, 1].map(|outcome| logits_or(f64::NAN, &numbers, labels, outcome));
            signatures.push(Signature::new(columns.into()));
            let skill = [Hit::Up, Hit::Down].into_iter().enumerate().map(|(outcome, hit)| {
                let y: Vec<bool> = labels.hits.iter().map(|&other| other == hit).collect();
                auc(&logits(&numbers, labels, outcome), &y).map_or(0.0, |auc| (auc - 0.5).abs())
            });
            ranking.push((place, skill.sum::<f64>()));
        }
        ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
        let order: Vec<usize> = ranking.into_iter().map(|(place, _)| place).collect();
        let likeness =
            Likeness { correlation: self.params.clone_correlation, lag: self.params.clone_lag_rows };
        let mut groups = clones::groups(&signatures, &order, likeness);
        for group in &mut groups {
            group.leader = there[group.leader];
            group.members.iter_mut().for_each(|member| *member = there[*member]);
        }
        Ok(groups)
    }
}
