//! Walk-forward segments: a model fitted before a segment gives values after an embargo inside it.

/// One segment of a walk, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// First row of the segment; the model sees rows before it.
    pub start: usize,
    /// First row that gets a value: `start` plus the embargo.
    pub from: usize,
    /// One past the last row: `min(start + size, total)`. Always above `from`.
    pub end: usize,
}

/// Iterator over the segments of a walk; see [`walk`].
#[derive(Debug, Clone)]
pub struct Walk {
    next: usize,
    total: usize,
    size: usize,
    embargo: usize,
}

/// The segments `[s, min(s + size, total))` for s = 0, size, 2 size, ...; values start `embargo` rows into each.
///
/// A segment without a row left for a value ends the walk (scoring: binary, step 3), so an embargo of `size` or more,
/// or a `size` of 0, gives none.
#[must_use]
pub fn walk(total: usize, size: usize, embargo: usize) -> Walk {
    Walk { next: 0, total, size, embargo }
}

impl Iterator for Walk {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        let start = self.next;
        let from = start.saturating_add(self.embargo);
        let end = start.saturating_add(self.size).min(self.total);
        if from >= end {
            self.next = self.total;
            return None;
        }
        self.next = end;
        Some(Segment { start, from, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triples(total: usize, size: usize, embargo: usize) -> Vec<(usize, usize, usize)> {
        walk(total, size, embargo).map(|s| (s.start, s.from, s.end)).collect()
    }

    #[test]
    fn last_segment_is_cut_at_the_total() {
        assert_eq!(triples(25, 10, 3), [(0, 3, 10), (10, 13, 20), (20, 23, 25)]);
    }

    #[test]
    fn a_segment_within_its_embargo_ends_the_walk() {
        assert_eq!(triples(23, 10, 3), [(0, 3, 10), (10, 13, 20)]);
        assert_eq!(triples(24, 10, 3).last(), Some(&(20, 23, 24)));
    }

    #[test]
    fn degenerate_walks_are_empty_and_stay_so() {
        assert!(
            triples(0, 10, 0).is_empty() && triples(10, 0, 0).is_empty() && triples(100, 10, 10).is_empty()
        );
        let mut walk = walk(30, 10, usize::MAX);
        assert_eq!((walk.next(), walk.next()), (None, None));
    }
}
