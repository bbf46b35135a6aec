//! What a child is told.

use super::Hello;
use super::frame::write_frame;

/// A record of the host's.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// The greeting.
    Hello(&'a Hello),
    /// A row: its number, Unix time and block, then prices and fields; NaN where there is none.
    Row {
        /// Its number, from 0.
        t: u64,
        /// Unix time in seconds.
        time: f64,
        /// Its block.
        block: i64,
        /// A price for each asset.
        prices: &'a [f64],
        /// A number for each field.
        fields: &'a [f64],
    },
    /// The label of an earlier row has become known: a value for each subject, NaN where there is none.
    Label {
        /// The earlier row's number.
        t: u64,
        /// Its values.
        values: &'a [f64],
    },
    /// No more rows come.
    Bye,
}

impl Told<'_> {
    /// Appends the record to what will be sent.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => {
                // Strings and numbers, which always serialise.
                write_frame(b'H', &serde_json::to_vec(hello).unwrap_or_default(), out);
            }
            Self::Row { t, time, block, prices, fields } => {
                let first = [*t as f64, *time, *block as f64];
                write_frame(b'R', &packed(first.iter().chain(*prices).chain(*fields)), out);
            }
            Self::Label { t, values } => {
                write_frame(b'L', &packed([*t as f64].iter().chain(*values)), out);
            }
            Self::Bye => write_frame(b'B', &[], out),
        }
    }
}

fn packed<'a>(numbers: impl Iterator<Item = &'a f64>) -> Vec<u8> {
    numbers.flat_map(|number| number.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::read_frame;
    use super::*;

    #[test]
    fn a_row_is_packed_numbers() {
        let mut out = Vec::new();
        Told::Row { t: 3, time: 60.5, block: 15, prices: &[2.0, f64::NAN], fields: &[9.0] }.write(&mut out);
        Told::Label { t: 1, values: &[1.0] }.write(&mut out);
        Told::Bye.write(&mut out);
        let mut pipe = out.as_slice();
        let (kind, body) = read_frame(&mut pipe, 100).unwrap().unwrap();
        let numbers: Vec<f64> =
            body.as_chunks::<8>().0.iter().map(|word| f64::from_le_bytes(*word)).collect();
        assert_eq!((kind, &numbers[..4]), (b'R', &[3.0, 60.5, 15.0, 2.0][..]));
        assert!(numbers[4].is_nan() && numbers[5] == 9.0 && numbers.len() == 6);
        assert_eq!(read_frame(&mut pipe, 100).unwrap().unwrap().0, b'L');
        assert_eq!(read_frame(&mut pipe, 100).unwrap(), Some((b'B', vec![])));
    }
}
