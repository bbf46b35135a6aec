//! What was computed of a candidate, block by block.

use crate::earlier::Earlier;
use mantis_config::{Block, Config};
use mantis_ledger::{Ledger, LedgerError};
use mantis_weights::measures::{Weights, distance};
use mantis_weights::{Held, Outcome, Scored, Settlement, Shares, WeightsRejection};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One computation.
#[derive(Clone, Debug)]
pub struct Computed {
    /// The block it is for.
    pub block: Block,
    /// The configuration that counts for it.
    pub config: Arc<Config>,
    /// The release that this is of, if it is of one.
    pub release: Option<u32>,
    /// What each challenge gave, in the order of the configuration; earlier saliences stand in for one that failed.
    pub scored: Vec<Scored>,
    /// What came of it.
    pub outcome: Outcome,
    /// How it stands beside what the ledger has recorded; `None` where it has not.
    pub likeness: Option<Likeness>,
}

/// How a computation stands beside the one that the ledger has recorded for the same block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Whether every challenge's saliences and every step of every weight have the same bits.
    pub is_same: bool,
    /// The sum of all differences of weights.
    pub distance: f64,
}

/// All computations of a candidate.
#[derive(Clone, Debug)]
pub struct Course {
    /// The candidate's name.
    pub name: String,
    /// By block.
    pub computed: Vec<Computed>,
    /// The smoothed weights that the first of them goes on from; `None` where there were none.
    pub before: Option<Weights>,
}

impl Course {
    /// The weights that count from each block on, in their order: those of the computation, or, where none came of it, those
    /// before.
    #[must_use]
    pub fn in_force(&self) -> Vec<Weights> {
        let mut last = self.before.clone().unwrap_or_default();
        let next = |computed: &Computed| {
            let settlements = computed.outcome.settlements();
            if !settlements.is_empty() {
                last = weights_of(settlements);
            }
            last.clone()
        };
        self.computed.iter().map(next).collect()
    }
}

impl Computed {
    /// Why no weights came of it; `None` where they did.
    #[must_use]
    pub fn rejection(&self) -> Option<&WeightsRejection> {
        match &self.outcome {
            Outcome::Weights(_) => None,
            Outcome::Rejected(why) => Some(why),
        }
    }
}

pub(super) fn weights_of(settlements: &[Settlement]) -> Weights {
    settlements.iter().map(|step| (step.hotkey.clone(), step.weight)).collect()
}

/// The smoothed weights from which the computation for a block goes on: what the ledger has recorded of that very one, else
/// the newest weights before it.
pub(super) fn before(ledger: &Ledger, block: Block) -> Result<Option<Weights>, LedgerError> {
    let recorded = ledger.settlements(block)?;
    if recorded.is_empty() {
        return Earlier::weights_before(ledger, block);
    }
    let known = recorded.into_iter().filter_map(|step| Some((step.hotkey, step.previous?)));
    let known: Weights = known.collect();
    Ok((!known.is_empty()).then_some(known))
}

/// The computations of a candidate before one: its own, and behind them the ledger's.
pub(super) struct Behind<'a> {
    pub(super) ledger: &'a Ledger,
    /// The first block that is computed.
    pub(super) from: Block,
    pub(super) before: Option<&'a Weights>,
    pub(super) computed: &'a [Computed],
}

impl Earlier for Behind<'_> {
    fn last_good(&self, ticker: &str, before: Block) -> Result<Option<(Held, Shares)>, LedgerError> {
        let own = self.computed.iter().rev().filter(|computed| computed.block < before);
        for (count, computed) in (1..).zip(own) {
            let good = computed.scored.iter().find(|one| one.ticker == ticker && one.failure.is_none());
            if let Some(scored) = good {
                let mut shares = Shares::default();
                // As the ledger keeps them: those above zero.
                scored.shares().named().for_each(|(name, share)| shares.insert(name.into(), share));
                return Ok(Some((Held { block: computed.block, computations: count }, shares)));
            }
        }
        let found = Ledger::last_good(self.ledger, ticker, self.from)?;
        let more = u32::try_from(self.computed.len()).unwrap_or(u32::MAX);
        Ok(found.map(|(held, shares)| {
            (Held { computations: held.computations.saturating_add(more), ..held }, shares)
        }))
    }

    fn weights_before(&self, block: Block) -> Result<Option<BTreeMap<String, f64>>, LedgerError> {
        let own = self.computed.iter().rev().filter(|computed| computed.block < block);
        let own = own.map(|computed| computed.outcome.settlements()).find(|steps| !steps.is_empty());
        Ok(own.map(weights_of).or_else(|| self.before.cloned()))
    }
}

/// Compares with what the ledger has recorded.
pub(super) fn likeness(
    ledger: &Ledger,
    block: Block,
    scored: &[Scored],
    outcome: &Outcome,
) -> Result<Option<Likeness>, LedgerError> {
    let Some(recorded) = ledger.computation_for(block)? else { return Ok(None) };
    let shares = ledger.shares(block)?;
    let same_shares = scored.iter().all(|one| {
        let mut own = Shares::default();
        one.shares().named().for_each(|(name, share)| own.insert(name.into(), share));
        shares.get(&one.ticker).map_or_else(|| own == Shares::default(), |stored| *stored == own)
    });
    let is_complete = shares.keys().all(|ticker| scored.iter().any(|one| one.ticker == *ticker));
    let steps = outcome.settlements();
    let distance = distance(&weights_of(steps), &weights_of(&recorded.settlements));
    Ok(Some(Likeness { is_same: same_shares && is_complete && steps == recorded.settlements, distance }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_ledger::Computation;
    use mantis_plugin_api::Salience;
    use mantis_weights::FailureCause;
    use std::path::Path;

    fn step(hotkey: &str, previous: Option<f64>, weight: f64) -> Settlement {
        Settlement {
            uid: 0,
            hotkey: hotkey.into(),
            salience: 1.0,
            young: false,
            share: 1.0,
            burned: 1.0,
            previous,
            weight,
        }
    }

    fn scored(hotkey: Option<&str>) -> Scored {
        let mut salience = Salience::new(1);
        salience.set(0, 3.0);
        Scored {
            ticker: "A".into(),
            weight: 1.0,
            hotkeys: hotkey.into_iter().map(String::from).collect(),
            salience: hotkey.map(|_| salience),
            failure: hotkey.is_none().then_some(FailureCause::Crash),
            ..Scored::default()
        }
    }

    fn computed(block: i64, hotkey: Option<&str>, weight: f64) -> Computed {
        let text = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"p\"\ndim=2\nweight=1\n";
        let outcome = match weight {
            0.0 => Outcome::Rejected(WeightsRejection::Equal),
            weight => Outcome::Weights(vec![step("x", None, weight)]),
        };
        Computed {
            block: Block(block),
            config: Arc::new(Config::parse(text, Path::new("a.toml")).unwrap()),
            release: None,
            scored: vec![scored(hotkey)],
            outcome,
            likeness: None,
        }
    }

    #[test]
    fn a_candidate_goes_on_from_its_own_computations_and_behind_them_from_the_ledgers() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        for (block, hotkey) in [(1000, Some("old")), (2000, None), (3000, Some("theirs"))] {
            let settlements = vec![step("x", Some(block as f64 - 1000.0), block as f64)];
            let scored = vec![scored(hotkey)];
            let computation =
                Computation { block: Block(block), scored, settlements, ..Computation::default() };
            ledger.store_computation(&computation).unwrap();
        }
        // What the ledger has recorded of the first block goes before what lies behind it.
        assert_eq!(before(&ledger, Block(3000)).unwrap().unwrap()["x"], 2000.0);
        assert_eq!(before(&ledger, Block(2500)).unwrap().unwrap()["x"], 2000.0);
        assert_eq!(before(&ledger, Block(500)).unwrap(), None);

        let from = Block(2500);
        let seed: Weights = [("x".to_owned(), 7.0)].into();
        let own = [computed(2500, None, 0.0), computed(2600, Some("own"), 0.25), computed(2700, None, 0.0)];
        let behind = |computed| Behind { ledger: &ledger, from, before: Some(&seed), computed };
        // Nothing of the ledger's from the first block on counts.
        let (held, shares) = behind(&own[..1]).last_good("A", Block(2600)).unwrap().unwrap();
        assert_eq!((held.block, held.computations, shares.miners["old"]), (Block(1000), 3, 1.0));
        let (held, shares) = behind(&own).last_good("A", Block(2800)).unwrap().unwrap();
        assert_eq!((held.block, held.computations, shares.miners["own"]), (Block(2600), 2, 1.0));
        assert_eq!(behind(&own).last_good("B", Block(2800)).unwrap(), None);
        let weights = |computed| behind(computed).weights_before(Block(2800)).unwrap().unwrap()["x"];
        assert_eq!([weights(&own[..1]), weights(&own[..2]), weights(&own)], [7.0, 0.25, 0.25]);
        let course = Course { name: "a".into(), computed: own.to_vec(), before: Some(seed) };
        let in_force: Vec<f64> = course.in_force().iter().map(|weights| weights["x"]).collect();
        assert_eq!(in_force, [7.0, 0.25, 0.25]);
    }

    #[test]
    fn one_bit_is_another_computation() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let one = computed(1000, Some("x"), 0.3);
        let like =
            |ledger: &Ledger, one: &Computed| likeness(ledger, one.block, &one.scored, &one.outcome).unwrap();
        assert_eq!(like(&ledger, &one), None);
        let computation = Computation {
            block: one.block,
            scored: one.scored.clone(),
            settlements: one.outcome.settlements().to_vec(),
            ..Computation::default()
        };
        ledger.store_computation(&computation).unwrap();
        assert_eq!(like(&ledger, &one), Some(Likeness { is_same: true, distance: 0.0 }));
        let next = f64::from_bits(0.3_f64.to_bits() + 1);
        assert!(!like(&ledger, &computed(1000, Some("x"), next)).unwrap().is_same);
        assert!(!like(&ledger, &computed(1000, Some("y"), 0.3)).unwrap().is_same);
        assert!(!like(&ledger, &Computed { scored: Vec::new(), ..one }).unwrap().is_same);
    }
}
