//! Which column of a table is what.

/// The places of a table's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) block: Option<usize>,
    pub(super) sidx: Option<usize>,
    pub(super) challenge: Option<usize>,
    pub(super) hotkey: Option<usize>,
    pub(super) numbers: Numbers,
}

/// Where the numbers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// All in one column, as a list.
    List(usize),
    /// One to a column, in this order.
    Columns(Vec<usize>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Columns(Vec::new())
    }
}

/// Numbers to a line, at most.
const MOST: usize = 1 << 16;

impl Header {
    /// Takes the names of the columns; or says what is wrong with them.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut header = Self::default();
        let (mut list, mut columns) = (None, Vec::new());
        for (place, name) in names.into_iter().enumerate() {
            let slot = match name {
                "block" => &mut header.block,
                "sidx" => &mut header.sidx,
                "ticker" | "challenge" => &mut header.challenge,
                "hotkey" => &mut header.hotkey,
                "vector" => &mut list,
                _ => {
                    let number = number_of(name).ok_or_else(|| unknown(name))?;
                    if columns.len() <= number {
                        columns.resize(number + 1, None);
                    }
                    &mut columns[number]
                }
            };
            if slot.replace(place).is_some() {
                return Err(format!("the column `{name}` stands there twice, or under two names; keep one"));
            }
        }
        if header.block.is_none() && header.sidx.is_none() {
            return Err(
                "it has neither a column `block` nor one `sidx`: for which rows are the numbers?".into()
            );
        }
        header.numbers = match (list, columns.is_empty()) {
            (Some(list), true) => Numbers::List(list),
            (None, false) => {
                let missing = columns.iter().position(Option::is_none);
                if let Some(missing) = missing {
                    return Err(format!("the column `v{missing}` is missing, and there are later ones"));
                }
                Numbers::Columns(columns.into_iter().flatten().collect())
            }
            (Some(_), false) => {
                return Err("it has a column `vector` and one of `v0`, `v1` ..; keep one form".into());
            }
            (None, true) => {
                return Err(
                    "it has no numbers: a column `vector`, or columns `v0`, `v1` .., are needed".into()
                );
            }
        };
        Ok(header)
    }
}

/// The number of a column `v17`.
fn number_of(name: &str) -> Option<usize> {
    let digits = name.strip_prefix('v')?;
    let plain =
        digits.bytes().all(|digit| digit.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|number| plain && *number < MOST)
}

fn unknown(name: &str) -> String {
    let name: String = name.chars().take(40).collect();
    format!(
        "the column `{name}` means nothing here; there may be `block` or `sidx`, `ticker` or `challenge`, `hotkey`, and \
         `vector` or `v0`, `v1` .."
    )
}

/// The numbers of a line from what its cells hold, NaN where there is nothing: those before the first that is missing.
/// Or what is wrong with them.
pub(super) fn check(numbers: &mut Vec<f64>, missing: &[bool]) -> Result<(), String> {
    let last = missing.iter().rposition(|missing| !missing).map_or(0, |last| last + 1);
    if let Some(gap) = missing[..last].iter().position(|missing| *missing) {
        return Err(format!("number {} is missing, and there are later ones", gap + 1));
    }
    numbers.truncate(last);
    match numbers.iter().position(|x| !x.is_finite()) {
        Some(place) => {
            Err(format!("number {} is {}; only finite numbers can be sent", place + 1, numbers[place]))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_may_stand_in_any_order() {
        let header = Header::new(["v1", "ticker", "block", "v0"]).unwrap();
        assert_eq!(
            (header.block, header.sidx, header.challenge, header.hotkey),
            (Some(2), None, Some(1), None)
        );
        assert_eq!(header.numbers, Numbers::Columns(vec![3, 0]));
        let exported = Header::new(["sidx", "block", "ticker", "hotkey", "vector"]).unwrap();
        assert_eq!((exported.hotkey, exported.numbers), (Some(3), Numbers::List(4)));
    }

    #[test]
    fn what_is_wrong_with_columns_is_said() {
        for (names, says) in [
            (&["v0"][..], "neither a column `block` nor one `sidx`"),
            (&["block"], "it has no numbers"),
            (&["block", "v0", "v2"], "the column `v1` is missing"),
            (&["block", "v0", "vector"], "keep one form"),
            (&["block", "v0", "v0"], "`v0` stands there twice"),
            (&["block", "ticker", "challenge", "v0"], "`challenge` stands there twice, or under two names"),
            (&["block", "v0", "x"], "the column `x` means nothing here"),
            (&["block", "v0", "v01"], "the column `v01` means nothing"),
            (&["block", "v99999999"], "the column `v99999999` means nothing"),
            (&["block", "v"], "the column `v` means nothing"),
        ] {
            let error = Header::new(names.iter().copied()).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn only_numbers_at_the_end_may_be_missing() {
        let checked = |numbers: &[f64], missing: &[bool]| {
            let mut numbers = numbers.to_vec();
            check(&mut numbers, missing).map(|()| numbers)
        };
        assert_eq!(checked(&[1.0, 2.0, f64::NAN], &[false, false, true]), Ok(vec![1.0, 2.0]));
        assert_eq!(checked(&[f64::NAN; 2], &[true; 2]), Ok(vec![]));
        assert!(checked(&[f64::NAN, 1.0], &[true, false]).unwrap_err().contains("number 1 is missing"));
        assert!(checked(&[1.0, f64::NAN], &[false; 2]).unwrap_err().contains("number 2 is NaN"));
        assert!(checked(&[f64::INFINITY], &[false]).unwrap_err().contains("number 1 is inf"));
    }
}
