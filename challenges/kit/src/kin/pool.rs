//! What clones and cohorts are paid.

use super::find::{CloneGroup, find};
use super::params::KinParams;
use mantis_plugin_api::{History, PluginError, Salience, WhyZero};

/// Pools what clones and cohorts among the miners earn and scales saliences to sum 1, if `clones` is on and anybody earns
/// anything; else changes nothing. `rows` are all rows of the challenge, labelled or not, ascending.
///
/// Each member of a group gets facts: `clone_group` or `cohort`, its size, and `clone_with_miner` or `cohort_with_miner`, the
/// column of the one that is paid for all clones or of the first other member. A clone that is not paid gets a reason.
///
/// # Errors
/// As [`History::read`].
pub fn pool(
    params: &KinParams,
    history: &dyn History,
    rows: &[usize],
    salience: &mut Salience,
) -> Result<(), PluginError> {
    let earns = salience.miners.iter().any(|miner| miner.salience > 0.0);
    if params.clones == "off" || !earns {
        return Ok(());
    }
    let kin = find(params, history, rows)?;
    for group in &kin.clones {
        pool_clones(group, history.hotkeys(), salience);
    }
    for cohort in &kin.cohorts {
        pool_cohort(cohort, salience);
    }
    salience.normalise();
    Ok(())
}

/// All goes to the representative, even if it had nothing.
fn pool_clones(group: &CloneGroup, hotkeys: &[String], salience: &mut Salience) {
    let CloneGroup { representative, ref members } = *group;
    let sum = sum(members, salience);
    let hotkey = hotkeys.get(representative).map_or("another hotkey", String::as_str);
    for &miner in members {
        note(salience, "clone", "clone_group", miner, members, representative);
        if miner == representative {
            continue;
        }
        let report = &salience.miners[miner];
        if report.salience > 0.0 || report.why_zero.is_none() {
            let size = members.len();
            let text = format!("sends the same as {hotkey}, which is paid for all {size} hotkeys that do");
            salience.zero(miner, WhyZero::new("clone", text));
        }
    }
    if sum > 0.0 {
        salience.set(representative, sum);
    }
}

/// Each member gets the same, even if it had nothing.
fn pool_cohort(members: &[usize], salience: &mut Salience) {
    let share = sum(members, salience) / members.len() as f64;
    for &miner in members {
        note(salience, "cohort", "cohort", miner, members, members[0]);
        if share > 0.0 {
            salience.set(miner, share);
        }
    }
}

fn sum(members: &[usize], salience: &Salience) -> f64 {
    members.iter().map(|&miner| salience.miners[miner].salience).sum()
}

/// Keeps the size of a member's group, and who else is in it: `head`, or for that one the first other.
fn note(salience: &mut Salience, kind: &str, size: &str, miner: usize, members: &[usize], head: usize) {
    salience.note(miner, size, members.len() as f64);
    let other = members.iter().copied().find(|&other| other != miner);
    let with = if miner == head { other } else { Some(head) };
    if let Some(with) = with {
        salience.note(miner, &format!("{kind}_with_miner"), with as f64);
    }
}
