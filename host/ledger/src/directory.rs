//! From hotkey to number, for names that come in nearly the same order row after row.

/// Every hotkey met so far. Numbers are given in the order of first meeting and stay.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// Names in byte order, each with its number.
    sorted: Vec<(String, usize)>,
    /// Where in `sorted` the next name is expected.
    next: usize,
}

impl Directory {
    /// Begins a row: the names are expected from the first again.
    pub(crate) fn rewind(&mut self) {
        self.next = 0;
    }

    /// The number of a name; a new name gets the next number.
    #[inline]
    pub(crate) fn number(&mut self, name: &str) -> usize {
        // As a rule the next one, or, where a miner was absent, the one after.
        for at in self.next..self.next + 2 {
            if let Some((known, number)) = self.sorted.get(at)
                && known == name
            {
                self.next = at + 1;
                return *number;
            }
        }
        self.search(name)
    }

    fn search(&mut self, name: &str) -> usize {
        let at = match self.sorted.binary_search_by(|(known, _)| known.as_str().cmp(name)) {
            Ok(at) => at,
            Err(at) => {
                self.sorted.insert(at, (name.to_string(), self.sorted.len()));
                at
            }
        };
        self.next = at + 1;
        self.sorted[at].1
    }

    /// All names in byte order, each with its number.
    pub(crate) fn sorted(&self) -> &[(String, usize)] {
        &self.sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_whatever_the_order() {
        let mut directory = Directory::default();
        let rows: [&[&str]; 4] = [&["b", "d"], &["a", "b", "c", "d"], &["d", "a", "a"], &["c", "b"]];
        let mut seen = Vec::new();
        for row in rows {
            directory.rewind();
            seen.extend(row.iter().map(|name| directory.number(name)));
        }
        assert_eq!(seen, [0, 1, 2, 0, 3, 1, 1, 2, 2, 3, 0]);
        let sorted: Vec<_> =
            directory.sorted().iter().map(|(name, number)| (name.as_str(), *number)).collect();
        assert_eq!(sorted, [("a", 2), ("b", 0), ("c", 3), ("d", 1)]);
    }
}
