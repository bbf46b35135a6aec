//! Up to where history may be forgotten.

use mantis_config::Block;
use mantis_ledger::Pruned;
use mantis_network::chain::{BLOCK_SECONDS, DAY_BLOCKS};

/// The first block that stays, if `days` of history are kept behind the block `last`, at a time.
///
/// Whatever the chain says, no more is forgotten than has aged since the last time, or than a smaller number of days
/// says. A ledger that was never pruned loses nothing at first: `oldest` is the first block that it holds.
pub(crate) fn first_kept(
    last: Block,
    days: u32,
    now: u64,
    before: Option<Pruned>,
    oldest: Option<Block>,
) -> Block {
    let wanted = last - i64::from(days) * DAY_BLOCKS;
    let most = match before {
        Some(Pruned { block, unix, days: then }) => {
            let aged = (now.saturating_sub(unix) / BLOCK_SECONDS).cast_signed();
            block + aged + i64::from(then.saturating_sub(days)) * DAY_BLOCKS
        }
        None => oldest.unwrap_or(wanted),
    };
    wanted.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_goes_than_has_aged() {
        let days = |n: i64| n * DAY_BLOCKS;
        let pruned = Pruned { block: Block(1000), unix: 5_000, days: 65 };
        let first = |last, now, days| first_kept(Block(last), days, now, Some(pruned), Some(Block(0))).0;
        assert_eq!(first(days(65) + 1010, 5_120, 65), 1010);
        // A head of another world, and one of years ago.
        assert_eq!(first(i64::MAX, 5_120, 65), 1010);
        assert_eq!(first(10, 5_120, 65), 10 - days(65));
        // Days that this machine was off; fewer days, and more.
        assert_eq!(first(days(75) + 1000, 5_000 + 864_000, 65), days(10) + 1000);
        assert_eq!(first(days(65) + 1010, 5_120, 35), days(30) + 1010);
        assert_eq!(first(days(65) + 1010, 5_120, 95), 1010 - days(30));
        assert_eq!(first_kept(Block(days(90)), 65, 0, None, Some(Block(7))), Block(7));
        assert_eq!(first_kept(Block(days(90)), 65, 0, None, None), Block(days(25)));
    }
}
