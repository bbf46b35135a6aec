//! Which blocks are computed.

use super::error::ReplayError;
use mantis_config::{Block, Config};
use mantis_ledger::Ledger;
use std::num::NonZeroU32;

/// Which blocks are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    /// The first; `None`: the first that was computed, else sampled.
    pub from: Option<Block>,
    /// The last that may be; `None`: the last that was computed, else sampled.
    pub to: Option<Block>,
    /// Blocks from one to the next, beginning with the first; `None`: those that the ledger has computations for, else the
    /// multiples of `weight_calc_interval`.
    pub every: Option<NonZeroU32>,
}

/// The blocks to compute, in order, never none; and how many were left out because too little had been sampled by then.
///
/// # Errors
/// If the ledger does not reach them, or there are none.
pub fn chosen(ledger: &Ledger, config: &Config, range: Range) -> Result<(Vec<Block>, usize), ReplayError> {
    let path = || ledger.path().to_path_buf();
    let (Some(first), Some(last)) = (ledger.first_block()?, ledger.last_block()?) else {
        return Err(ReplayError::NoRows { ledger: path() });
    };
    for (option, block) in [("--from", range.from), ("--to", range.to)] {
        if let Some(block) = block.filter(|block| *block < first || *block > last) {
            return Err(ReplayError::NoBlock { option, block, ledger: path(), first, last });
        }
    }
    let (from, to) = (range.from.unwrap_or(first), range.to.unwrap_or(last));
    if from > to {
        return Err(ReplayError::Order { from, to });
    }
    let recorded = ledger.computed_blocks(from..=to)?;
    let interval = config.network.weight_calc_interval;
    let blocks = match range.every {
        Some(every) => {
            // Where the first is not named, the steps lead through what was computed.
            let start = range.from.or(recorded.first().copied()).unwrap_or_else(|| multiple(from, interval));
            stepped(start, to, i64::from(every.get()))
        }
        None if recorded.is_empty() => stepped(multiple(from, interval), to, i64::from(interval)),
        None => recorded.clone(),
    };
    let mut sampled = ledger.blocks()?;
    sampled.sort_unstable();
    let least = config.network.min_sampled as usize;
    let is_due = |block: &Block| {
        recorded.binary_search(block).is_ok() || sampled.partition_point(|other| other <= block) >= least
    };
    let asked = blocks.len();
    let blocks: Vec<Block> = blocks.into_iter().filter(is_due).collect();
    if blocks.is_empty() {
        let why = if asked > 0 {
            format!("fewer than `min_sampled`, {least}, blocks were sampled by then")
        } else {
            format!("there is no multiple of {interval} in it, and the ledger has no computation of it")
        };
        return Err(ReplayError::Empty { ledger: path(), from, to, why });
    }
    let left_out = asked - blocks.len();
    Ok((blocks, left_out))
}

fn stepped(from: Block, to: Block, every: i64) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut next = from;
    while next <= to {
        blocks.push(next);
        next = next + every.max(1);
    }
    blocks
}

/// This block, or the first multiple after it.
fn multiple(block: Block, interval: u32) -> Block {
    if block.floor_to(interval) == block { block } else { block.next_multiple(interval) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_ledger::{Computation, NewRow, SampledBlock};
    use std::path::Path;

    fn config() -> Config {
        let text = "[network]\nmin_sampled = 10\nweight_calc_interval = 100\n[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"p\"\n\
                    dim=2\nweight=1\n";
        Config::parse(text, Path::new("a.toml")).unwrap()
    }

    /// Sampled from block 1005 to 2000.
    fn ledger(dir: &Path) -> Ledger {
        let mut ledger = Ledger::open(dir.join("a.db")).unwrap();
        let row = NewRow { ticker: "A".into(), dim: 2, ..NewRow::default() };
        let steps = (1005..=2000).step_by(5).map(Block).map(|block| SampledBlock {
            block,
            sidx: block.sidx(5),
            rows: vec![row.clone()],
        });
        ledger.append_many(steps, 1000).unwrap();
        ledger
    }

    fn range(from: i64, to: i64, every: u32) -> Range {
        let named = |block: i64| (block > 0).then_some(Block(block));
        Range { from: named(from), to: named(to), every: NonZeroU32::new(every) }
    }

    fn numbers(ledger: &Ledger, range: Range) -> Vec<i64> {
        chosen(ledger, &config(), range).unwrap().0.into_iter().map(|block| block.0).collect()
    }

    #[test]
    fn without_a_record_they_are_those_that_a_validator_would_take() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path());
        assert_eq!(numbers(&ledger, range(0, 0, 0)).len(), 10);
        assert_eq!(numbers(&ledger, range(1500, 1800, 0)), [1500, 1600, 1700, 1800]);
        assert_eq!(numbers(&ledger, range(1501, 1800, 150)), [1501, 1651]);
        // Too little was sampled by the first of them.
        let (blocks, left_out) = chosen(&ledger, &config(), range(1005, 1100, 20)).unwrap();
        assert_eq!((blocks, left_out), ([1065, 1085].map(Block).to_vec(), 3));
    }

    #[test]
    fn what_was_computed_goes_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = ledger(dir.path());
        for block in [1010, 1234, 1999].map(Block) {
            ledger.store_computation(&Computation { block, ..Computation::default() }).unwrap();
        }
        assert_eq!(numbers(&ledger, range(0, 0, 0)), [1010, 1234, 1999]);
        assert_eq!(numbers(&ledger, range(1100, 0, 0)), [1234, 1999]);
        assert_eq!(numbers(&ledger, range(0, 1800, 400)), [1010, 1410]);
    }

    #[test]
    fn what_is_not_there_is_refused_with_what_is() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path());
        let says = |range| chosen(&ledger, &config(), range).unwrap_err().to_string();
        assert!(says(range(5, 0, 0)).contains("--from 5: no such block"), "{}", says(range(5, 0, 0)));
        assert!(says(range(0, 2001, 0)).contains("from block 1005 to 2000"));
        assert!(says(range(1900, 1800, 0)).contains("the range is empty"));
        assert!(says(range(1110, 1120, 0)).contains("no multiple of 100"));
        assert!(says(range(1005, 1010, 5)).contains("min_sampled"));
        let empty = Ledger::open(dir.path().join("b.db")).unwrap();
        assert!(
            chosen(&empty, &config(), range(0, 0, 0)).unwrap_err().to_string().contains("nothing to compute")
        );
    }
}
