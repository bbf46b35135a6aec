//! Miners whose buckets' probabilities are correlated: one column stands for all of them (scoring: lbfgs, cohorts).

mod links;
mod profile;
mod reduced;

pub(crate) use reduced::Reduced;

use crate::{Labels, Params};
use links::links;
use mantis_kit::kin::components;
use mantis_plugin_api::{History, PluginError, Progress};
use profile::Profile;

/// Who stands for whom. A column is a miner that is alone, or the first of a cohort; columns are in the miners' order.
pub(crate) struct Cohorts {
    /// Per miner the column that it is part of.
    column: Vec<usize>,
    /// Per column the miners that it stands for, ascending: the first one is the representative.
    members: Vec<Vec<usize>>,
}

impl Cohorts {
    /// Every miner is alone.
    pub(crate) fn nobody(miners: usize) -> Self {
        Self { column: (0..miners).collect(), members: (0..miners).map(|miner| vec![miner]).collect() }
    }

    /// The connected components of links between miners, over the rows with a price.
    pub(crate) fn find(
        history: &dyn History,
        labels: &Labels,
        params: &Params,
        progress: &dyn Progress,
    ) -> Result<Self, PluginError> {
        let miners = history.shape().miners;
        let rows = &labels.priced[..];
        if params.cohorts == "off" || miners < 2 || rows.len() < params.cohort_min_rows {
            return Ok(Self::nobody(miners));
        }
        let mut active = Vec::new();
        for miner in 0..miners {
            let profile = Profile::read(miner, history, rows, params)?;
            active.extend(Some(profile).filter(|profile| profile.present_rows >= params.cohort_min_rows));
            progress.report(0.03 * (miner + 1) as f64 / miners as f64);
        }
        Ok(Self::connected(miners, &links(&active, history, rows, params)?))
    }

    /// The connected components of some links.
    pub(crate) fn connected(miners: usize, links: &[[usize; 2]]) -> Self {
        let mut first: Vec<usize> = (0..miners).collect();
        for cohort in components(miners, links) {
            cohort.iter().for_each(|&member| first[member] = cohort[0]);
        }
        let mut column = vec![0; miners];
        let mut members: Vec<Vec<usize>> = Vec::new();
        for miner in 0..miners {
            if first[miner] == miner {
                column[miner] = members.len();
                members.push(Vec::new());
            }
            column[miner] = column[first[miner]];
            members[column[miner]].push(miner);
        }
        Self { column, members }
    }

    /// Columns that are left.
    pub(crate) fn columns(&self) -> usize {
        self.members.len()
    }

    /// The column that a miner is part of.
    pub(crate) fn column_of(&self, miner: usize) -> usize {
        self.column[miner]
    }

    /// The miners that a column stands for, the representative first.
    pub(crate) fn members(&self, column: usize) -> &[usize] {
        &self.members[column]
    }

    /// The miner whose numbers a column has.
    pub(crate) fn representative(&self, column: usize) -> usize {
        self.members[column][0]
    }

    /// Columns with more than one miner.
    pub(crate) fn count(&self) -> usize {
        self.members.iter().filter(|members| members.len() > 1).count()
    }

    /// The value of each miner's column, shared equally by those that it stands for.
    pub(crate) fn shared(&self, values: &[f64]) -> Vec<f64> {
        let share = |&column: &usize| values[column] / self.members[column].len() as f64;
        self.column.iter().map(share).collect()
    }

    /// All miners, cohort by cohort: by representative, then by hotkey.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = usize> + '_ {
        self.members.iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests;
