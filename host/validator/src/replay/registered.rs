//! Who was registered at a block of the past: what the ledger has recorded of it.

use mantis_config::Block;
use mantis_ledger::{Ledger, LedgerError};
use mantis_weights::Neuron;
use std::collections::BTreeMap;

/// From where it is known who was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RosterSource {
    /// From the computation for this very block.
    Recorded,
    /// From the computation for another block: the newest before, or, where there is none, the first after.
    Nearest(Block),
    /// It is not known: everybody who had sent anything counts, under made-up UIDs, and nobody is at the one of the burn.
    Everybody,
}

/// Stands at the UID of the burn where nobody knows who is there.
const BURN: &str = "(burn)";

/// The metagraphs that a ledger has recorded.
pub(super) struct Rosters {
    blocks: Vec<Block>,
}

impl Rosters {
    pub(super) fn read(ledger: &Ledger) -> Result<Self, LedgerError> {
        Ok(Self { blocks: ledger.settled_blocks(Block::MIN..=Block::MAX)? })
    }

    /// From where it is known who was registered at a block.
    pub(super) fn source(&self, block: Block) -> RosterSource {
        let after = self.blocks.partition_point(|recorded| *recorded <= block);
        match (after.checked_sub(1).and_then(|at| self.blocks.get(at)), self.blocks.get(after)) {
            (Some(&recorded), _) if recorded == block => RosterSource::Recorded,
            (Some(&nearest), _) | (None, Some(&nearest)) => RosterSource::Nearest(nearest),
            (None, None) => RosterSource::Everybody,
        }
    }
}

/// Who was registered at a block, by its source; `known` are the hotkeys that had sent something by then.
pub(super) fn neurons(
    ledger: &Ledger,
    block: Block,
    source: RosterSource,
    known: &BTreeMap<String, Block>,
    burn_uid: u16,
) -> Result<Vec<Neuron>, LedgerError> {
    let recorded = match source {
        RosterSource::Recorded => block,
        RosterSource::Nearest(nearest) => nearest,
        RosterSource::Everybody => {
            let uids = (0..=u16::MAX).filter(|uid| *uid != burn_uid);
            let miners = uids.zip(known.keys()).map(|(uid, hotkey)| Neuron { uid, hotkey: hotkey.clone() });
            return Ok([Neuron { uid: burn_uid, hotkey: BURN.into() }].into_iter().chain(miners).collect());
        }
    };
    let steps = ledger.settlements(recorded)?;
    Ok(steps.into_iter().map(|step| Neuron { uid: step.uid, hotkey: step.hotkey }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_ledger::Computation;
    use mantis_weights::Settlement;

    fn computation(block: i64, hotkeys: &[&str]) -> Computation {
        let step = |(uid, hotkey): (u16, &&str)| Settlement {
            uid,
            hotkey: (*hotkey).into(),
            salience: 0.0,
            young: false,
            share: 0.0,
            burned: 0.0,
            previous: None,
            weight: 0.0,
        };
        let settlements: Vec<Settlement> = (0..).zip(hotkeys).map(step).collect();
        let rejected = settlements.is_empty().then(|| "empty".into());
        Computation { block: Block(block), settlements, rejected, ..Computation::default() }
    }

    #[test]
    fn the_computation_of_the_block_says_it_else_the_nearest_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let known: BTreeMap<String, Block> = [("x".into(), Block(5)), ("y".into(), Block(9))].into();
        let named = |ledger: &Ledger, block: i64| {
            let source = Rosters::read(ledger).unwrap().source(Block(block));
            let neurons = neurons(ledger, Block(block), source, &known, 1).unwrap();
            (source, neurons.into_iter().map(|one| (one.uid, one.hotkey)).collect::<Vec<_>>())
        };
        let pair = |uid: u16, hotkey: &str| (uid, hotkey.to_owned());
        let everybody = vec![pair(1, BURN), pair(0, "x"), pair(2, "y")];
        assert_eq!(named(&ledger, 100), (RosterSource::Everybody, everybody));
        ledger.store_computation(&computation(200, &["a", "b"])).unwrap();
        ledger.store_computation(&computation(300, &[])).unwrap();
        ledger.store_computation(&computation(400, &["c"])).unwrap();
        let first = vec![pair(0, "a"), pair(1, "b")];
        assert_eq!(named(&ledger, 100), (RosterSource::Nearest(Block(200)), first.clone()));
        assert_eq!(named(&ledger, 200), (RosterSource::Recorded, first.clone()));
        // Of one that no weights came of nobody knows who was registered.
        assert_eq!(named(&ledger, 300), (RosterSource::Nearest(Block(200)), first));
        assert_eq!(named(&ledger, 400), (RosterSource::Recorded, vec![pair(0, "c")]));
        assert_eq!(named(&ledger, 999).0, RosterSource::Nearest(Block(400)));
    }
}
