//! What a challenge's labels say of each row, in numbers that others can measure a prediction by.

use crate::PluginError;
use serde::{Deserialize, Serialize};

/// What came true, row by row and subject by subject. A subject is an asset, or the challenge's one price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// What the values are, and how a miner's numbers are read beside them.
    pub reading: Reading,
    /// Rows of the market that have a label, strictly ascending.
    pub rows: Vec<usize>,
    /// The row with which each label has become known: the last that it depends on. As many as `rows`; none is before its
    /// row.
    pub known: Vec<usize>,
    /// `rows x subjects`: what came true; `None` for a subject without a label in the row.
    pub values: Vec<Option<u16>>,
}

/// What the values of [`Targets`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reading {
    /// 1 where something happened, 0 where it did not. The first of a subject's numbers rises with its odds.
    Event,
    /// Which of so many classes came true, from 0. The first so many of a subject's numbers are their probabilities.
    Classes {
        /// How many there are, at least 2.
        classes: u16,
    },
    /// 1 for the subjects of a row that came out above the others, 0 for those below. The first of a subject's numbers ranks
    /// it.
    Ranks,
}

impl Reading {
    /// How many values there are: each is below it.
    #[must_use]
    pub const fn values(self) -> u16 {
        match self {
            Self::Event | Self::Ranks => 2,
            Self::Classes { classes } => classes,
        }
    }
}

impl Targets {
    /// None yet.
    #[must_use]
    pub const fn new(reading: Reading) -> Self {
        Self { reading, rows: Vec::new(), known: Vec::new(), values: Vec::new() }
    }

    /// Adds the label of a row that comes after those before: a value for each subject.
    pub fn push(&mut self, row: usize, known: usize, values: impl IntoIterator<Item = Option<u16>>) {
        self.rows.push(row);
        self.known.push(known);
        self.values.extend(values);
    }

    /// Whether they fit a market of so many rows, a challenge of so many subjects with `dim` numbers for each.
    ///
    /// # Errors
    /// [`PluginError::Data`] with what does not.
    pub fn check(&self, rows: usize, subjects: usize, dim: usize) -> Result<(), PluginError> {
        let refuse = |what: &str| Err(PluginError::data(format!("the targets of its labels: {what}")));
        let numbers = match self.reading {
            Reading::Event | Reading::Ranks => 1,
            Reading::Classes { classes } => usize::from(classes.max(2)),
        };
        match () {
            () if self.reading.values() < 2 => refuse("fewer than two classes"),
            () if numbers > dim => refuse("more classes than numbers"),
            () if !self.rows.is_sorted_by(|a, b| a < b) => refuse("rows that do not ascend"),
            () if self.rows.last().is_some_and(|last| *last >= rows) => refuse("rows that are not there"),
            () if self.known.len() != self.rows.len() => refuse("not known for each row when"),
            () if self.rows.iter().zip(&self.known).any(|(row, known)| known < row || *known >= rows) => {
                refuse("known before their row, or never")
            }
            () if Some(self.values.len()) != self.rows.len().checked_mul(subjects) => {
                refuse("not a value for each row and subject")
            }
            () if self.values.iter().flatten().any(|value| *value >= self.reading.values()) => {
                refuse("a value that there is not")
            }
            () => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> Targets {
        let mut targets = Targets::new(Reading::Classes { classes: 3 });
        targets.push(1, 3, [Some(2), None]);
        targets.push(4, 4, [Some(0), Some(1)]);
        targets
    }

    #[test]
    fn what_fits_is_accepted_and_crosses_as_json() {
        assert_eq!(targets().check(5, 2, 3), Ok(()));
        assert_eq!(Targets::new(Reading::Ranks).check(0, 1, 1), Ok(()));
        let json = serde_json::to_string(&targets()).unwrap();
        assert_eq!(serde_json::from_str::<Targets>(&json).unwrap(), targets());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let with = |change: fn(&mut Targets)| {
            let mut targets = targets();
            change(&mut targets);
            targets.check(5, 2, 3).is_err()
        };
        assert!(with(|t| t.reading = Reading::Event), "the value 2 is none of an event's");
        assert!(with(|t| t.reading = Reading::Classes { classes: 1 }));
        assert!(with(|t| t.reading = Reading::Classes { classes: 4 }), "more than a subject's numbers");
        assert!(with(|t| t.rows = vec![4, 4]));
        assert!(with(|t| t.rows[1] = 5));
        assert!(with(|t| t.known[0] = 0));
        assert!(with(|t| t.known[1] = 5));
        assert!(with(|t| t.known.push(4)));
        assert!(with(|t| t.values.push(None)));
        assert!(with(|t| t.values[0] = Some(3)));
    }
}
