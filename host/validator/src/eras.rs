//! Which configuration counts for which block.

use mantis_config::{Block, Config};
use std::sync::Arc;

/// A configuration, and the block from which on it counts.
#[derive(Clone, Debug)]
pub struct Era {
    /// The first of its blocks. That of the first era is before all.
    pub from: Block,
    /// The release that it is of; `None` for the file alone.
    pub release: Option<u32>,
    /// The configuration.
    pub config: Arc<Config>,
}

/// Configurations by the blocks that they count for. A row is sampled, decoded and scored by the one of its own block, whenever
/// that is done.
#[derive(Clone, Debug)]
pub struct Eras {
    first: Era,
    /// By block, then by number of the release.
    later: Vec<Era>,
}

impl Eras {
    /// One configuration for all blocks.
    #[must_use]
    pub fn one(config: Arc<Config>) -> Self {
        Self { first: Era { from: Block(i64::MIN), release: None, config }, later: Vec::new() }
    }

    /// With one more; of two from the same block on, the later release counts.
    #[must_use]
    pub fn with(mut self, era: Era) -> Self {
        self.later.push(era);
        self.later.sort_by_key(|era| (era.from, era.release));
        self
    }

    /// What counts for a block.
    #[must_use]
    pub fn at(&self, block: Block) -> &Era {
        self.later.iter().rfind(|era| era.from <= block).unwrap_or(&self.first)
    }

    /// What counts for the newest blocks that there will be.
    #[must_use]
    pub fn newest(&self) -> &Era {
        self.later.last().unwrap_or(&self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_block_has_the_newest_that_began_by_then() {
        let text = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"p\"\ndim=2\nweight=1\n";
        let config = Arc::new(Config::parse(text, Path::new("a.toml")).unwrap());
        let era = |from, number| Era { from: Block(from), release: Some(number), config: config.clone() };
        let eras = Eras::one(config.clone()).with(era(300, 9)).with(era(100, 7)).with(era(100, 8));
        let at = |block| eras.at(Block(block)).release;
        assert_eq!([at(-5), at(99), at(100), at(299), at(300)], [None, None, Some(8), Some(8), Some(9)]);
        assert_eq!(eras.newest().release, Some(9));
    }
}
