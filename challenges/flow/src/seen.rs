//! Ids that were used.

use std::collections::BTreeMap;

/// Ids of one page: 16 words of 64 bits.
const PAGE: u32 = 1_024;

/// A set of ids in pages of bits: miners count up, so a page is full before the next one begins. Whatever a miner sends, it
/// takes some 3 MB at most.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pages: BTreeMap<u32, [u64; 16]>,
}

impl Seen {
    pub(crate) fn contains(&self, id: u32) -> bool {
        let (page, word, bit) = place(id);
        self.pages.get(&page).is_some_and(|words| words[word] & bit != 0)
    }

    pub(crate) fn insert(&mut self, id: u32) {
        let (page, word, bit) = place(id);
        self.pages.entry(page).or_default()[word] |= bit;
    }
}

/// Page, word and bit of an id.
fn place(id: u32) -> (u32, usize, u64) {
    (id / PAGE, (id % PAGE / 64) as usize, 1 << (id % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_there_and_nothing_else() {
        let mut seen = Seen::default();
        let ids = [1, 63, 64, 1_023, 1_024, 70_000, 16_777_215];
        ids.iter().for_each(|&id| seen.insert(id));
        let found: Vec<u32> =
            (0..70_002).chain(16_777_200..16_777_216).filter(|&id| seen.contains(id)).collect();
        assert_eq!(found, ids);
    }
}
