//! Where a miner's weight of ours comes from.

use mantis_config::Block;
use mantis_ledger::{Computation, Ledger, LedgerError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where a miner's weight of ours comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reasons {
    /// What each challenge contributes to the miner's salience of the newest computation, the largest first; parts of it sum to 1.
    pub challenges: Vec<(String, f64)>,
    /// Whether it is given the fixed small weight of the young instead.
    pub young: bool,
    /// Whether the burn is in it.
    pub burn: bool,
    /// Whether it was not registered when the weights were computed.
    pub unknown: bool,
}

/// The reasons for the weights of a computation.
pub(super) struct Book<'a> {
    computation: &'a Computation,
    /// By hotkey, challenge by challenge.
    contributions: BTreeMap<String, Vec<(String, f64)>>,
    burn_uid: Option<u16>,
}

impl<'a> Book<'a> {
    pub(super) fn read(
        ledger: &Ledger,
        computation: &'a Computation,
        burn_uid: Option<u16>,
    ) -> Result<Self, LedgerError> {
        let contributions = contributions(ledger, computation.block)?;
        Ok(Self { computation, contributions, burn_uid })
    }

    /// Why a UID that a hotkey holds now has its weight.
    pub(super) fn of(&self, uid: u16, hotkey: &str) -> Reasons {
        let step = self.computation.settlements.iter().find(|step| step.hotkey == hotkey);
        let mut challenges = self.contributions.get(hotkey).cloned().unwrap_or_default();
        let sum: f64 = challenges.iter().map(|(_, part)| part).sum();
        challenges.retain(|(_, part)| *part > 0.0);
        challenges.iter_mut().for_each(|(_, part)| *part /= sum);
        challenges.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        Reasons {
            challenges,
            young: step.is_some_and(|step| step.young),
            burn: self.burn_uid == Some(uid),
            unknown: step.is_none(),
        }
    }
}

/// What each challenge contributes to the salience of each hotkey, before it is scaled.
fn contributions(ledger: &Ledger, block: Block) -> Result<BTreeMap<String, Vec<(String, f64)>>, LedgerError> {
    let shares = ledger.shares(block)?;
    let mut all: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    for scored in ledger.scored(block)? {
        let Some(shares) = shares.get(&scored.ticker).filter(|_| scored.weight > 0.0) else { continue };
        let sum = shares.sum();
        for (hotkey, share) in shares.miners.iter().filter(|_| sum > 0.0) {
            let part = scored.weight * share / sum;
            all.entry(hotkey.clone()).or_default().push((scored.ticker.clone(), part));
        }
    }
    Ok(all)
}
