//! Up to where history may be forgotten.

use mantis_config::{Block, Config, Sidx};
use mantis_ledger::Pruned;
use mantis_network::chain::{BLOCK_SECONDS, DAY_BLOCKS};
use std::collections::BTreeMap;

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

/// Tickers of which more rows are kept than from the block `before` on, as a challenge asks for them, and the first of
/// them: a challenge's own rows, and those of its prices.
pub(crate) fn longer_kept(config: &Config, before: Block) -> BTreeMap<String, Sidx> {
    let every = i64::from(config.network.sample_every);
    let kept = i64::from(config.network.max_days) * DAY_BLOCKS / every;
    let mut longer = BTreeMap::new();
    for challenge in &config.challenges {
        let more = challenge.history_rows.map_or(0, i64::from) - kept;
        if more > 0 {
            let first = before.sidx(config.network.sample_every) - more;
            for ticker in [challenge.ticker.as_str(), challenge.price_ticker()] {
                let earliest = longer.entry(ticker.to_owned()).or_insert(first);
                *earliest = first.min(*earliest);
            }
        }
    }
    longer
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

    #[test]
    fn a_challenge_may_keep_more_with_its_prices() {
        let challenge = |ticker: &str, keys: &str| {
            format!(
                "[[challenge]]\nname=\"{ticker}\"\nticker=\"{ticker}\"\nplugin=\"p\"\ndim=1\nweight=1\n{keys}\n"
            )
        };
        let text = challenge("A", "history_rows = 432000\nprices_from = \"B\"")
            + &challenge("B", "history_rows = 100000")
            + &challenge("C", "history_rows = 1000")
            + &challenge("D", "");
        let config = Config::parse(&text, std::path::Path::new("a.toml")).unwrap();
        let longer: Vec<_> = longer_kept(&config, Block(5_000_000)).into_iter().collect();
        // 60 days are 86,400 rows.
        let first = Sidx(1_000_000 - (432_000 - 86_400));
        assert_eq!(longer, [("A".to_owned(), first), ("B".to_owned(), first)]);
    }
}
