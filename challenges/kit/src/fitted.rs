//! Bytes of a fitted ensemble: what a scorer hands over beside saliences, and reads again to forecast.
//!
//! They are JSON, in which each number has the digits that give the same bits again. What is read may come from anywhere: it
//! is refused with a sentence unless it is of the same making and shape.

use mantis_plugin_api::{MAX_FIT, PluginError, f16, is_present, serde_json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a fit is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making {
    /// A word for the plugin and the form of its fit: one that means something else has another.
    pub format: &'static str,
    /// Numbers per miner and row.
    pub numbers: usize,
    /// Assets, or 1.
    pub subjects: usize,
}

/// A fit as it is written.
#[derive(Serialize, Deserialize)]
struct Written<T> {
    format: String,
    miners: usize,
    numbers: usize,
    subjects: usize,
    fit: T,
}

impl Making {
    /// The bytes of a fit over so many miners; `None` if they could not be read again: it has a number that is not finite, or
    /// is larger than 16 MiB.
    ///
    /// # Errors
    /// [`PluginError::Data`] if it cannot be written as JSON.
    pub fn write<T: Serialize + DeserializeOwned>(
        &self,
        miners: usize,
        fit: &T,
    ) -> Result<Option<Vec<u8>>, PluginError> {
        let Self { format, numbers, subjects } = *self;
        let written = Written { format: format.to_owned(), miners, numbers, subjects, fit };
        let bytes = serde_json::to_vec(&written)
            .map_err(|e| PluginError::data(format!("the fit cannot be written: {e}")))?;
        Ok(Some(bytes).filter(|bytes| bytes.len() <= MAX_FIT && self.parse::<T>(bytes).is_ok()))
    }

    /// Reads a fit, and the numbers of a row: as they are stored, in half precision, those of a miner after those of another.
    ///
    /// # Errors
    /// [`PluginError::Data`] if the bytes are not a fit of this making, or the numbers are more or fewer than those of its
    /// miners.
    pub fn read<T: DeserializeOwned>(&self, bytes: &[u8], latest: &[f32]) -> Result<(T, Row), PluginError> {
        let Written { miners, fit, .. } = self.parse(bytes)?;
        if miners.checked_mul(self.numbers) != Some(latest.len()) {
            return Err(PluginError::data(format!(
                "{} numbers for a fit of {miners} miners, each with {}",
                latest.len(),
                self.numbers
            )));
        }
        let numbers = latest.iter().map(|&x| f16::from_f32(x)).collect();
        Ok((fit, Row { numbers, per_miner: self.numbers }))
    }

    fn parse<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<Written<T>, PluginError> {
        if bytes.len() > MAX_FIT {
            return Err(PluginError::data(format!("a fit of {} bytes", bytes.len())));
        }
        let written: Written<T> = serde_json::from_slice(bytes)
            .map_err(|e| PluginError::data(format!("not a fit of this challenge: {e}")))?;
        let Written { format, numbers, subjects, .. } = &written;
        if format.as_str() != self.format || (*numbers, *subjects) != (self.numbers, self.subjects) {
            return Err(PluginError::data(format!(
                "a fit `{format}` of {numbers} numbers and {subjects} subjects; this challenge reads `{}` of {} and {}",
                self.format, self.numbers, self.subjects
            )));
        }
        Ok(written)
    }
}

/// What all miners sent in one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    numbers: Vec<f16>,
    per_miner: usize,
}

impl Row {
    /// The numbers of a miner.
    ///
    /// # Errors
    /// [`PluginError::Data`] if there is no such miner.
    pub fn of(&self, miner: usize) -> Result<&[f16], PluginError> {
        let from = miner.checked_mul(self.per_miner);
        let numbers = from.and_then(|from| self.numbers.get(from..from.checked_add(self.per_miner)?));
        numbers.ok_or_else(|| PluginError::data(format!("the fit has a miner {miner} that is not there")))
    }

    /// Whether a miner sent something, all of it finite.
    ///
    /// # Errors
    /// As [`Row::of`].
    pub fn is_whole(&self, miner: usize) -> Result<bool, PluginError> {
        let numbers = self.of(miner)?;
        Ok(is_present(numbers) && numbers.iter().all(|x| x.is_finite()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAKING: Making = Making { format: "test-1", numbers: 2, subjects: 1 };

    fn refusal(making: Making, bytes: &[u8], latest: &[f32]) -> String {
        making.read::<Vec<f64>>(bytes, latest).unwrap_err().to_string()
    }

    #[test]
    fn what_is_of_another_making_or_shape_is_refused_with_a_sentence() {
        let bytes = MAKING.write(2, &vec![0.5]).unwrap().unwrap();
        assert!(refusal(MAKING, &bytes, &[1.0; 3]).contains("3 numbers for a fit of 2 miners, each with 2"));
        let later = Making { format: "test-2", ..MAKING };
        assert!(refusal(later, &bytes, &[1.0; 4]).contains("a fit `test-1` of 2 numbers and 1 subjects"));
        assert!(
            refusal(Making { subjects: 2, ..MAKING }, &bytes, &[1.0; 4])
                .contains("reads `test-1` of 2 and 2")
        );
        assert!(refusal(Making { numbers: 3, ..MAKING }, &bytes, &[1.0; 6]).contains("2 numbers"));
        assert!(refusal(MAKING, &bytes[1..], &[1.0; 4]).contains("not a fit of this challenge"));
        let huge = br#"{"format":"test-1","miners":18446744073709551615,"numbers":2,"subjects":1,"fit":[]}"#;
        assert!(refusal(MAKING, huge, &[1.0; 4]).contains("4 numbers for a fit of 18446744073709551615"));
        assert!(refusal(MAKING, &vec![b' '; MAX_FIT + 1], &[]).contains("16777217 bytes"));
    }

    #[test]
    fn what_is_not_finite_is_neither_written_nor_read() {
        for broken in [f64::NAN, f64::INFINITY] {
            assert_eq!(MAKING.write(1, &vec![1.0, broken]).unwrap(), None);
        }
        let text = r#"{"format":"test-1","miners":1,"numbers":2,"subjects":1,"fit":[1e999]}"#;
        assert!(refusal(MAKING, text.as_bytes(), &[1.0; 2]).contains("out of range"));
    }

    #[test]
    fn a_row_is_read_as_it_would_be_stored() {
        let bytes = MAKING.write(3, &vec![0.5]).unwrap().unwrap();
        let (_, row) = MAKING.read::<Vec<f64>>(&bytes, &[0.1, 0.0, 0.0, -0.0, 1e9, 1.0]).unwrap();
        assert_eq!(row.of(0).unwrap(), [f16::from_f32(0.1), f16::ZERO]);
        assert_eq!([0, 1, 2].map(|miner| row.is_whole(miner).unwrap()), [true, false, false]);
        assert!(row.of(3).is_err() && row.of(usize::MAX).is_err() && row.is_whole(3).is_err());
    }

    proptest! {
        #[test]
        fn finite_numbers_keep_their_bits(fit in prop::collection::vec(any::<f64>(), 0..40)) {
            let finite = fit.iter().all(|x| x.is_finite());
            let Some(bytes) = MAKING.write(0, &fit).unwrap() else {
                prop_assert!(!finite);
                return Ok(());
            };
            let (read, _) = MAKING.read::<Vec<f64>>(&bytes, &[]).unwrap();
            let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&read), bits(&fit));
        }
    }
}
