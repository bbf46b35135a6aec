//! Spans of time and rates, as people write them.

use std::fmt;
use std::time::Duration;

/// So many in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In which time.
    pub per: Duration,
}

const UNITS: [(&str, u64); 5] = [("d", 86_400), ("h", 3600), ("min", 60), ("m", 60), ("s", 1)];
/// The longest span: ten years.
const LONGEST: u64 = 3650 * 86_400;

/// A span such as `24h`, `15min`, `0s`, `7d`; `None` if it is none, or longer than ten years.
#[must_use]
pub fn span(text: &str) -> Option<Duration> {
    let (digits, seconds) =
        UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let total = digits.parse::<u64>().ok()?.checked_mul(*seconds)?;
    (total <= LONGEST).then(|| Duration::from_secs(total))
}

/// A span in the largest unit that divides it.
#[must_use]
pub fn in_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let unit = UNITS.iter().find(|(_, unit)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (unit, each) = unit.map_or(("s", 1), |(unit, each)| (*unit, *each));
    format!("{} {unit}", seconds / each)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = in_words(self.per);
        write!(f, "{} per {}", self.count, per.strip_prefix("1 ").unwrap_or(&per))
    }
}

impl Rate {
    /// A rate such as `30/min`, `5/s`, `1000/h`; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once('/')?;
        let per = span(&format!("1{unit}")).filter(|_| unit.bytes().all(|byte| byte.is_ascii_lowercase()))?;
        let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|count| is_number && (1..=1_000_000).contains(count))?;
        Some(Self { count, per })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_rates_are_read() {
        let seconds = |text| span(text).map(|span| span.as_secs());
        assert_eq!(seconds("24h"), Some(86_400));
        assert_eq!(seconds("15min"), Some(900));
        assert_eq!(seconds("15m"), Some(900));
        assert_eq!(seconds("0s"), Some(0));
        for wrong in ["", "h", "24", "-1h", "+1h", "1.5h", "24 h", "1w", "99999d", "99999999999999999999s"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(Rate::parse("30/min"), Some(Rate { count: 30, per: Duration::from_secs(60) }));
        for wrong in ["", "30", "/min", "0/s", "+3/s", "30/", "30/2min", "9999999/s", "x/s"] {
            assert_eq!(Rate::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Rate::parse("30/min").unwrap().to_string(), "30 per min");
        assert_eq!(in_words(Duration::from_secs(86_400)), "1 d");
        assert_eq!(in_words(Duration::from_secs(5400)), "90 min");
        assert_eq!(in_words(Duration::ZERO), "0 s");
    }
}
