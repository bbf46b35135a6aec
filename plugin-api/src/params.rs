//! Parameters of a plugin: declared once, with default, range and meaning.

use crate::{PluginError, Solver};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ops::RangeInclusive;

/// The table `[challenge.params]` as JSON values.
pub type ParamMap = serde_json::Map<String, Value>;

/// The parameters of a plugin, in the order of their declaration.
pub type ParamTable = Vec<Param>;

/// One parameter, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its key in `[challenge.params]`.
    pub key: String,
    /// Its value where the file has none.
    pub default: Value,
    /// What is accepted, as a phrase.
    pub allowed: String,
    /// What it does.
    pub doc: String,
}

/// A type that a parameter can have.
pub trait ParamValue: Sized {
    /// Reads the JSON value; `None` where it has another type.
    fn from_json(value: &Value) -> Option<Self>;
    /// Writes it back.
    fn to_json(&self) -> Value;
}

/// A set of values that a parameter may have.
pub trait Allowed<T> {
    /// Whether `value` is one of them.
    fn allows(&self, value: &T) -> bool;
    /// The set as a phrase: `a number from 0 to 1`.
    fn phrase(&self) -> String;
}

/// The [`Allowed`] set of a parameter that is one of a few words.
pub struct Choice(pub &'static [&'static str]);

/// Reads one parameter, or takes its default.
///
/// # Errors
/// [`PluginError::Parameter`] for a value of another type or outside `allowed`.
pub fn read_param<T: ParamValue>(
    map: &ParamMap,
    key: &str,
    default: T,
    allowed: &impl Allowed<T>,
) -> Result<T, PluginError> {
    let Some(value) = map.get(key) else { return Ok(default) };
    let fault = |found: String| PluginError::Parameter { key: key.into(), found, allowed: allowed.phrase() };
    let read = T::from_json(value).ok_or_else(|| fault(format!("{value} has the wrong type")))?;
    if allowed.allows(&read) { Ok(read) } else { Err(fault(format!("{value} is not allowed"))) }
}

/// Refuses keys that are not in `known`.
///
/// # Errors
/// [`PluginError::Parameter`] naming the first unknown key and all known ones.
pub fn refuse_unknown(map: &ParamMap, known: &[&str]) -> Result<(), PluginError> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(PluginError::Parameter {
            key: key.clone(),
            found: "no such parameter".into(),
            allowed: if known.is_empty() { "none".into() } else { known.join(", ") },
        }),
    }
}

macro_rules! unsigned {
    ($($t:ty),*) => {$(
        impl ParamValue for $t {
            fn from_json(value: &Value) -> Option<Self> {
                value.as_u64().and_then(|x| Self::try_from(x).ok())
            }
            fn to_json(&self) -> Value {
                Value::from(*self)
            }
        }
        impl Allowed<$t> for RangeInclusive<$t> {
            fn allows(&self, value: &$t) -> bool {
                self.contains(value)
            }
            fn phrase(&self) -> String {
                format!("a whole number from {} to {}", self.start(), self.end())
            }
        }
    )*};
}
unsigned!(u32, u64, usize);

impl ParamValue for f64 {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_f64()
    }
    fn to_json(&self) -> Value {
        Value::from(*self)
    }
}

impl Allowed<f64> for RangeInclusive<f64> {
    fn allows(&self, value: &f64) -> bool {
        self.contains(value)
    }
    fn phrase(&self) -> String {
        format!("a number from {} to {}", self.start(), self.end())
    }
}

impl ParamValue for String {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_str().map(Self::from)
    }
    fn to_json(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Allowed<String> for Choice {
    fn allows(&self, value: &String) -> bool {
        self.0.contains(&value.as_str())
    }
    fn phrase(&self) -> String {
        self.0.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
    }
}

impl ParamValue for bool {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }
    fn to_json(&self) -> Value {
        Value::from(*self)
    }
}

impl Allowed<bool> for RangeInclusive<bool> {
    fn allows(&self, value: &bool) -> bool {
        self.contains(value)
    }
    fn phrase(&self) -> String {
        "true or false".into()
    }
}

impl ParamValue for Solver {
    fn from_json(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }
    fn to_json(&self) -> Value {
        Value::from(match self {
            Self::Exact => "exact",
            Self::Network => "network",
        })
    }
}

/// Declares a plugin's parameters as a struct of plain values.
///
/// Each line is `/// what it does`, then `name: type = default, in allowed;` where `allowed` is an inclusive range
/// or a [`Choice`]. The struct gets `Default`, `read(&ParamMap)` (unknown keys, wrong types and values outside the
/// range are errors that name key, value and what is allowed) and `table()` for [`crate::Description`].
#[macro_export]
macro_rules! params {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( #[doc = $doc:literal] $(#[doc = $more:literal])* $key:ident : $type:ty = $default:expr, in $allowed:expr; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $( #[doc = $doc] $(#[doc = $more])* $vis $key: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $key: $default, )* }
            }
        }

        impl $name {
            /// Reads the parameters; what the map lacks keeps its default.
            ///
            /// # Errors
            /// [`PluginError::Parameter`]($crate::PluginError::Parameter) for an unknown key or a bad value.
            $vis fn read(map: &$crate::ParamMap) -> Result<Self, $crate::PluginError> {
                $crate::refuse_unknown(map, &[$( stringify!($key) ),*])?;
                Ok(Self { $( $key: $crate::read_param::<$type>(map, stringify!($key), $default, &$allowed)?, )* })
            }

            /// The table of parameters, for people.
            #[must_use]
            $vis fn table() -> $crate::ParamTable {
                vec![$( $crate::Param {
                    key: stringify!($key).into(),
                    default: <$type as $crate::ParamValue>::to_json(&$default),
                    allowed: <_ as $crate::Allowed<$type>>::phrase(&$allowed),
                    doc: concat!($doc $(, $more)*).trim().into(),
                } ),*]
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    params! {
        /// For the test.
        struct Example {
            /// How many.
            top: usize = 5, in 1..=10;
            /// How
            /// strong.
            c: f64 = 0.5, in 1e-6..=1e6;
            /// Which.
            model: String = "a".into(), in Choice(&["a", "b"]);
        }
    }

    fn read(value: Value) -> Result<Example, String> {
        Example::read(value.as_object().unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn takes_defaults_and_values() {
        assert_eq!(read(json!({})), Ok(Example::default()));
        assert_eq!(read(json!({"top": 10, "c": 1})).unwrap().c, 1.0);
    }

    #[test]
    fn names_key_value_and_allowed() {
        for (bad, says) in [
            (json!({"tpo": 1}), "parameter `tpo`: no such parameter; allowed: top, c, model"),
            (json!({"top": 0}), "parameter `top`: 0 is not allowed; allowed: a whole number from 1 to 10"),
            (
                json!({"top": 1.5}),
                "parameter `top`: 1.5 has the wrong type; allowed: a whole number from 1 to 10",
            ),
            (
                json!({"c": -1}),
                "parameter `c`: -1 is not allowed; allowed: a number from 0.000001 to 1000000",
            ),
            (json!({"model": "c"}), "parameter `model`: \"c\" is not allowed; allowed: \"a\" or \"b\""),
        ] {
            assert_eq!(read(bad).unwrap_err(), says);
        }
    }

    #[test]
    fn tables_what_it_takes() {
        let table = Example::table();
        assert_eq!(table.len(), 3);
        assert_eq!(table[1].doc, "How strong.");
        assert_eq!(table[0].default, json!(5));
    }
}
