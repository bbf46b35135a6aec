//! Which miners are clones, and which form cohorts.

use super::blocks;
use super::components::components;
use super::copies::Copies;
use super::correlations::Correlations;
use super::linkage::complete_linkage;
use super::params::KinParams;
use super::profile::{Profile, profiles};
use mantis_plugin_api::{History, PluginError};

/// Groups of miners, as columns of the history, ascending. No miner is in two of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kin {
    /// Miners that send the same.
    pub clones: Vec<CloneGroup>,
    /// Other miners that all correlate with each other.
    pub cohorts: Vec<Vec<usize>>,
}

/// Miners that send the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloneGroup {
    /// The one that is paid for all.
    pub representative: usize,
    /// All of them, that one too.
    pub members: Vec<usize>,
}

/// Finds clones and cohorts in the newest of the given rows, which ascend (scoring: numerics, clones and cohorts).
///
/// Reads all miners twice, a few hundred rows at a time. Pairs are compared row by row until it is clear that they are no
/// kin, which for most is after a tenth of the rows; each that is kin takes `rows x dim` products.
///
/// # Errors
/// As [`History::read`].
pub fn find(params: &KinParams, history: &dyn History, rows: &[usize]) -> Result<Kin, PluginError> {
    let rows = &rows[rows.len().saturating_sub(params.clone_scan_rows)..];
    let profiles = profiles(history, rows)?;
    let mut copies = Copies::new(params, &profiles);
    let mut correlations = Correlations::new(params, &profiles);
    blocks::for_each(history, rows, |mut block| {
        copies.take(&block);
        block.centre(|miner| profiles[miner].mean);
        correlations.take(&block);
    })?;
    let clones: Vec<CloneGroup> = components(profiles.len(), &copies.links())
        .into_iter()
        .map(|members| CloneGroup { representative: representative(params, &profiles, &members), members })
        .collect();
    let mut is_clone = vec![false; profiles.len()];
    clones.iter().flat_map(|group| &group.members).for_each(|&miner| is_clone[miner] = true);
    let mut cohorts = complete_linkage(&correlations.links(), 1.0 - params.cohort_corr);
    cohorts.iter_mut().for_each(|cohort| cohort.retain(|&miner| !is_clone[miner]));
    cohorts.retain(|cohort| cohort.len() > 1);
    Ok(Kin { clones, cohorts })
}

/// The member that is paid for all: columns are in the order of hotkeys.
fn representative(params: &KinParams, profiles: &[Profile], members: &[usize]) -> usize {
    let first_row = |miner: &&usize| match params.clone_representative.as_str() {
        "first" => profiles[**miner].first,
        _ => None,
    };
    // The first of equals is taken.
    members.iter().min_by_key(first_row).copied().unwrap_or_default()
}
