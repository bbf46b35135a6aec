//! A strategy goes through a market: each row is told only after the row before was answered.

use crate::child::{Child, ChildError};
use crate::feed::Feed;
use std::ops::Range;

/// Which rows a strategy is told, and which it is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The first row that is told.
    pub first: usize,
    /// The first row that is asked about, where the strategy wants no more rows before it.
    pub from: usize,
    /// The end of the rows.
    pub until: usize,
    /// Rows from one answer to the next.
    pub interval: usize,
}

/// What a strategy answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Rows that were asked about, ascending.
    pub rows: Vec<usize>,
    /// The numbers for each; none where it had nothing to say.
    pub numbers: Vec<Vec<f32>>,
}

impl Path {
    /// The path of a strategy through the rows that count: what it wants before them comes from before, as far as
    /// there is something.
    #[must_use]
    pub fn new(counted: &Range<usize>, warmup: usize, interval: usize) -> Self {
        let first = counted.start.saturating_sub(warmup);
        Self { first, from: first.saturating_add(warmup), until: counted.end, interval: interval.max(1) }
    }

    /// The same with an end.
    #[must_use]
    pub fn before(self, until: usize) -> Self {
        Self { until: until.min(self.until), ..self }
    }

    /// Whether a row is asked about.
    #[must_use]
    pub fn asks(&self, row: usize) -> bool {
        row >= self.from && (row - self.from).is_multiple_of(self.interval)
    }
}

/// Takes a strategy along a path, with the prices of `lag` rows before; `said` hears of each answer's row.
///
/// # Errors
/// [`ChildError`], if the strategy does not answer as it should.
pub fn walk(
    child: &mut Child,
    feed: &Feed<'_>,
    path: Path,
    lag: usize,
    said: &mut dyn FnMut(usize),
) -> Result<Answers, ChildError> {
    let mut answers = Answers::default();
    let mut records = Vec::new();
    for row in path.first..path.until {
        feed.write(path.first, row, lag, &mut records);
        if path.asks(row) {
            child.tell(std::mem::take(&mut records));
            answers.numbers.push(child.answer((row - path.first) as u64)?);
            answers.rows.push(row);
            said(row);
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_before_comes_from_before() {
        let path = Path::new(&(100..200), 30, 7);
        assert_eq!(path, Path { first: 70, from: 100, until: 200, interval: 7 });
        let asked: Vec<usize> = (0..200).filter(|row| path.asks(*row)).take(3).collect();
        assert_eq!(asked, [100, 107, 114]);
        // Where there is too little before, the first answers come later.
        assert_eq!(Path::new(&(10..200), 30, 1).from, 30);
        assert_eq!(path.before(150).until, 150);
    }
}
