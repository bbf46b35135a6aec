//! What is due at which block.

use mantis_config::{Block, Network};
use mantis_ledger::{Attempt, Sent};

/// Sampled blocks that were missed and are still taken, besides the newest: what miners serve and what the market says
/// is then two minutes late at most. Older ones are gone: what belonged to them is no longer served.
const CAUGHT_UP: i64 = 2;
/// Blocks until weights that could not be set are tried again: five minutes.
pub(super) const RETRY: i64 = 25;
/// Blocks for which a transaction that was sent may still come: its mortality.
pub(super) const MORTAL: i64 = 64;
/// Blocks for which a metagraph counts as fresh.
const METAGRAPH: i64 = 100;

/// The sampled blocks that are due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Samples {
    /// To be sampled, in order.
    pub(super) due: Vec<Block>,
    /// How many came before them and are lost.
    pub(super) lost: i64,
}

/// The sampled blocks that are due at `head`, after `last`.
pub(super) fn samples(network: &Network, last: Option<Block>, head: Block) -> Samples {
    let every = i64::from(network.sample_every);
    let newest = head.floor_to(network.sample_every);
    let Some(last) = last else { return Samples { due: vec![newest], lost: 0 } };
    let first = last.next_multiple(network.sample_every);
    if newest < first {
        return Samples::default();
    }
    let from = first.max(newest - CAUGHT_UP * every);
    let due = (0..=(newest - from) / every).map(|k| from + k * every).collect();
    Samples { due, lost: (from - first) / every }
}

/// The block to compute weights for, if a computation is due at `head`: the last multiple of the interval, so that
/// all validators score the same rows.
pub(super) fn computation(network: &Network, last: Option<Block>, head: Block) -> Option<Block> {
    let block = head.floor_to(network.weight_calc_interval);
    last.is_none_or(|last| last < block).then_some(block)
}

/// Whether weights are to be set at `head`. `updated` is the block of our own last activity, as the chain has it.
pub(super) fn setting(
    network: &Network,
    last: Option<&Attempt>,
    updated: Option<Block>,
    head: Block,
) -> bool {
    let interval = i64::from(network.weight_set_interval);
    let Some(last) = last else { return true };
    let since = head - last.block;
    // A chain that was begun again knows of no attempt.
    if since < 0 {
        return true;
    }
    match last.sent {
        Sent::Set | Sent::Committed | Sent::DryRun => since >= interval,
        Sent::Failed => since >= RETRY.min(interval),
        // It came after all.
        Sent::Unconfirmed if updated.is_some_and(|updated| updated >= last.block) => since >= interval,
        Sent::Unconfirmed => since >= MORTAL.min(interval),
    }
}

/// Whether the metagraph is to be read again at `head`, after `last`.
pub(super) fn metagraph(last: Option<Block>, head: Block) -> bool {
    last.is_none_or(|last| head - last >= METAGRAPH || head < last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Config;
    use std::path::Path;

    fn network() -> Network {
        let text = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight=1";
        Config::parse(text, Path::new("a.toml")).unwrap().network
    }

    #[test]
    fn missed_blocks_are_taken_and_old_ones_counted() {
        let network = network();
        let due = |last: Option<i64>, head| {
            let Samples { due, lost } = samples(&network, last.map(Block), Block(head));
            (due.into_iter().map(|block| block.0).collect::<Vec<_>>(), lost)
        };
        assert_eq!(due(None, 1003), (vec![1000], 0));
        assert_eq!(due(Some(1000), 1004), (vec![], 0));
        assert_eq!(due(Some(1000), 1005), (vec![1005], 0));
        assert_eq!(due(Some(1000), 1011), (vec![1005, 1010], 0));
        assert_eq!(due(Some(1000), 1015), (vec![1005, 1010, 1015], 0));
        assert_eq!(due(Some(1000), 1100), (vec![1090, 1095, 1100], 17));
        // A chain that went back, and a ledger whose blocks are no multiples.
        assert_eq!(due(Some(1000), 400), (vec![], 0));
        assert_eq!(due(Some(1002), 1006), (vec![1005], 0));
    }

    #[test]
    fn everybody_computes_for_the_same_blocks() {
        let network = network();
        let due = |last: Option<i64>, head| computation(&network, last.map(Block), Block(head));
        assert_eq!(due(None, 7_654), Some(Block(7_000)));
        assert_eq!(due(Some(6_000), 7_000), Some(Block(7_000)));
        assert_eq!(due(Some(7_000), 7_999), None);
        assert_eq!(due(Some(7_000), 9_001), Some(Block(9_000)));
    }

    #[test]
    fn weights_are_set_at_intervals_and_sooner_where_they_were_not() {
        let network = network();
        let attempt = |sent| Attempt {
            computed: Block(0),
            block: Block(1000),
            unix: 0,
            sent,
            transaction: None,
            included: None,
            error: None,
            weights: Vec::new(),
        };
        let first_due = |sent, updated: Option<i64>| {
            let is_due = |after: &i64| {
                setting(&network, Some(&attempt(sent)), updated.map(Block), Block(1000) + *after)
            };
            (0..2000).find(is_due).unwrap()
        };
        assert!(setting(&network, None, None, Block(5)));
        assert!(setting(&network, Some(&attempt(Sent::Set)), None, Block(5)));
        assert_eq!(first_due(Sent::Set, None), 360);
        assert_eq!(first_due(Sent::Committed, None), 360);
        assert_eq!(first_due(Sent::DryRun, None), 360);
        assert_eq!(first_due(Sent::Failed, Some(2000)), 25);
        assert_eq!(first_due(Sent::Unconfirmed, Some(999)), 64);
        assert_eq!(first_due(Sent::Unconfirmed, None), 64);
        assert_eq!(first_due(Sent::Unconfirmed, Some(1001)), 360);
    }
}
