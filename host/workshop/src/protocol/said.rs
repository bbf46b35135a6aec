//! What a child says.

use super::Ready;
use thiserror::Error;

/// A record of a child's.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It has read the greeting.
    Ready(Ready),
    /// Its numbers for a row; none where it has nothing to say.
    Answer {
        /// The row's number.
        t: u64,
        /// As many as the greeting asked for, finite; or none.
        numbers: Vec<f32>,
    },
    /// A line for people.
    Log(String),
    /// It gives up, and says why.
    Fail(String),
}

/// Why a record means nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SaidError {
    /// A kind that there is not.
    #[error("it sent a record of kind {}, which there is not; a child sends r, a, l and f", shown(*.0))]
    Kind(u8),
    /// A ready record that says something that is not allowed.
    #[error("its ready record says {0}")]
    Ready(String),
    /// An answer of another length.
    #[error(
        "it sent an answer of {found} bytes; one has 8 bytes for the row and 4 for each of {numbers} numbers, or 8 alone"
    )]
    Length {
        /// Its bytes.
        found: usize,
        /// The numbers of an answer.
        numbers: usize,
    },
    /// An answer for something that is no row.
    #[error("it answered for row {0}, which is no whole number")]
    Row(String),
    /// A number that is not finite.
    #[error("its answer for row {t} has the number {value} at place {place}; all must be finite")]
    Number {
        /// The row.
        t: u64,
        /// The place, from 1.
        place: usize,
        /// The number.
        value: String,
    },
}

impl Said {
    /// Reads a record, where an answer has so many numbers.
    ///
    /// # Errors
    /// [`SaidError`].
    pub fn parse(kind: u8, body: &[u8], numbers: usize) -> Result<Self, SaidError> {
        match kind {
            b'r' => {
                let ready: Ready =
                    serde_json::from_slice(body).map_err(|error| SaidError::Ready(error.to_string()))?;
                match ready.fault() {
                    Some(fault) => Err(SaidError::Ready(fault)),
                    None => Ok(Self::Ready(ready)),
                }
            }
            b'a' => answer(body, numbers),
            b'l' => Ok(Self::Log(text(body))),
            b'f' => Ok(Self::Fail(text(body))),
            other => Err(SaidError::Kind(other)),
        }
    }
}

fn answer(body: &[u8], numbers: usize) -> Result<Said, SaidError> {
    let refused = || SaidError::Length { found: body.len(), numbers };
    let (t, rest) = body.split_first_chunk::<8>().ok_or_else(refused)?;
    let t = f64::from_le_bytes(*t);
    // Whole numbers up to there are exact.
    if !(0.0..9e15).contains(&t) || t.trunc() != t {
        return Err(SaidError::Row(t.to_string()));
    }
    let t = t as u64;
    let (words, torn) = rest.as_chunks::<4>();
    if !torn.is_empty() || !(words.is_empty() || words.len() == numbers) {
        return Err(refused());
    }
    let numbers: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(at) => Err(SaidError::Number { t, place: at + 1, value: numbers[at].to_string() }),
        None => Ok(Said::Answer { t, numbers }),
    }
}

/// Text of a child's, which may hold anything.
fn text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect::<String>().trim().into()
}

fn shown(kind: u8) -> String {
    if kind.is_ascii_graphic() { char::from(kind).into() } else { format!("{kind:#04x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(t: f64, numbers: &[f32]) -> Vec<u8> {
        let numbers = numbers.iter().flat_map(|x| x.to_le_bytes());
        t.to_le_bytes().into_iter().chain(numbers).collect()
    }

    #[test]
    fn answers_have_all_numbers_or_none() {
        let answer = |t, numbers: &[f32]| Said::parse(b'a', &bytes(t, numbers), 2);
        assert_eq!(answer(7.0, &[0.5, -1.0]), Ok(Said::Answer { t: 7, numbers: vec![0.5, -1.0] }));
        assert_eq!(answer(7.0, &[]), Ok(Said::Answer { t: 7, numbers: vec![] }));
        for (t, numbers) in [(7.0, &[0.5][..]), (7.0, &[1.0; 3]), (0.5, &[1.0; 2]), (-1.0, &[1.0; 2])] {
            assert!(answer(t, numbers).is_err(), "{t} {numbers:?}");
        }
        assert!(answer(f64::NAN, &[1.0; 2]).is_err() && answer(1e300, &[1.0; 2]).is_err());
        let error = answer(7.0, &[0.5, f32::NAN]).unwrap_err().to_string();
        assert!(error.contains("row 7 has the number NaN at place 2"), "{error}");
        assert!(Said::parse(b'a', &[0; 7], 2).is_err() && Said::parse(b'a', &[0; 13], 2).is_err());
    }

    #[test]
    fn what_a_child_asks_for_is_bounded() {
        let ready = |json: &str| Said::parse(b'r', json.as_bytes(), 2);
        assert!(ready(r#"{"warmup": 0, "interval": 1}"#).is_ok());
        for bad in [
            r#"{"warmup": 0, "interval": 0}"#,
            r#"{"warmup": -1, "interval": 1}"#,
            r#"{"warmup": 99999999999, "interval": 1}"#,
            r#"{"warmup": 0}"#,
            r#"{"warmup": 0, "interval": 1, "x": 1}"#,
            "[",
        ] {
            assert!(ready(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_is_shown_without_what_moves_a_terminal() {
        assert_eq!(Said::parse(b'l', b"a\x1b[31mb\xff\n", 2), Ok(Said::Log("a [31mb\u{fffd}".into())));
        assert_eq!(Said::parse(b'x', b"", 2), Err(SaidError::Kind(b'x')));
    }
}
