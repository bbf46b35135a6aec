//! Numbers: an inclusive range is a kind, of whole numbers or of finite ones.

use super::Kind;
use crate::source::TomlTable;
use std::{fmt::Display, ops::RangeInclusive, time::Duration};
use toml::de::DeValue;

/// Numbers above the first, up to and with the second.
pub(crate) struct AboveTo(pub(crate) f64, pub(crate) f64);

/// Numbers above the first and below the second.
pub(crate) struct Between(pub(crate) f64, pub(crate) f64);

/// A time in seconds.
pub(crate) struct Seconds;

/// The times that every key of seconds may have, s.
const SECONDS: RangeInclusive<f64> = 0.01..=3600.0;

macro_rules! whole_numbers {
    ($($t:ty),*) => {$(
        impl Kind<$t> for RangeInclusive<$t> {
            fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<$t> {
                read_whole(table, key, self, &self.allowed())
            }

            fn allowed(&self) -> String {
                format!("a whole number from {} to {}", self.start(), self.end())
            }

            fn shown(&self, value: &$t) -> String {
                value.to_string()
            }
        }
    )*};
}
whole_numbers!(u16, u32, u64, usize);

impl Kind<f64> for RangeInclusive<f64> {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<f64> {
        read_number(table, key, &self.allowed(), |x| self.contains(&x))
    }

    fn allowed(&self) -> String {
        format!("a number from {} to {}", self.start(), self.end())
    }

    fn shown(&self, value: &f64) -> String {
        value.to_string()
    }
}

impl Kind<f64> for AboveTo {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<f64> {
        read_number(table, key, &self.allowed(), |x| x > self.0 && x <= self.1)
    }

    fn allowed(&self) -> String {
        format!("a number above {}, to {}", self.0, self.1)
    }

    fn shown(&self, value: &f64) -> String {
        value.to_string()
    }
}

impl Kind<f64> for Between {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<f64> {
        read_number(table, key, &self.allowed(), |x| x > self.0 && x < self.1)
    }

    fn allowed(&self) -> String {
        format!("a number above {} and below {}", self.0, self.1)
    }

    fn shown(&self, value: &f64) -> String {
        value.to_string()
    }
}

impl Kind<Duration> for Seconds {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<Duration> {
        read_number(table, key, &self.allowed(), |x| SECONDS.contains(&x)).map(Duration::from_secs_f64)
    }

    fn allowed(&self) -> String {
        format!("a number of seconds from {} to {}", SECONDS.start(), SECONDS.end())
    }

    fn shown(&self, value: &Duration) -> String {
        value.as_secs_f64().to_string()
    }
}

/// A whole number within `range`.
fn read_whole<T>(table: &TomlTable<'_>, key: &str, range: &RangeInclusive<T>, allowed: &str) -> Option<T>
where
    T: TryFrom<i128> + PartialOrd + Display,
{
    let value = table.get(key)?;
    let DeValue::Integer(integer) = value.get_ref() else {
        table.wrong_type(key, value, allowed);
        return None;
    };
    let read = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
    let read = read.and_then(|x| T::try_from(x).ok()).filter(|x| range.contains(x));
    if read.is_none() {
        table.not_allowed(key, value, allowed);
    }
    read
}

/// A finite number for which `fits` holds; whole numbers are numbers too.
fn read_number(table: &TomlTable<'_>, key: &str, allowed: &str, fits: impl Fn(f64) -> bool) -> Option<f64> {
    let value = table.get(key)?;
    let read = match value.get_ref() {
        DeValue::Integer(integer) => {
            i128::from_str_radix(integer.as_str(), integer.radix()).ok().map(|x| x as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => {
            table.wrong_type(key, value, allowed);
            return None;
        }
    };
    let read = read.filter(|x: &f64| x.is_finite() && fits(*x));
    if read.is_none() {
        table.not_allowed(key, value, allowed);
    }
    read
}
