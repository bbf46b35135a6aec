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
    /// Its value if the file has none.
    pub default: Value,
    /// What is accepted, as a phrase.
    pub allowed: String,
    /// What it does.
    pub doc: String,
}

/// A type that a parameter can have.
pub trait ParamValue: Sized {
    /// Reads the JSON value; `None` if it has another type.
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

/// The [`Allowed`] set of a parameter that is a list: what each element may be, and how many there may be.
pub struct Each<A>(pub A, pub RangeInclusive<usize>);

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

impl<T: ParamValue> ParamValue for Vec<T> {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::from_json).collect()
    }
    fn to_json(&self) -> Value {
        self.iter().map(T::to_json).collect()
    }
}

impl<T, A: Allowed<T>> Allowed<Vec<T>> for Each<A> {
    fn allows(&self, value: &Vec<T>) -> bool {
        self.1.contains(&value.len()) && value.iter().all(|element| self.0.allows(element))
    }
    fn phrase(&self) -> String {
        format!("a list of {} to {}, each {}", self.1.start(), self.1.end(), self.0.phrase())
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

/// A struct that [`params!`](crate::params!) made: what another one needs to take it in as a group.
pub trait ParamGroup: Sized {
    /// Its keys in `[challenge.params]`, those of groups in it first.
    fn keys() -> Vec<&'static str>;

    /// Reads its parameters, and passes over keys of others; what the map lacks keeps its default.
    ///
    /// # Errors
    /// [`PluginError::Parameter`] for a bad value.
    fn read_known(map: &ParamMap) -> Result<Self, PluginError>;

    /// The table of its parameters, for people.
    fn table() -> ParamTable;
}

/// Declares a plugin's parameters as a struct of plain values.
///
/// Each line is `/// what it does`, then `name: type = default, in allowed;` where `allowed` is an inclusive range
/// or a [`Choice`], or [`Each`] for a list. The struct gets `Default`, `read(&ParamMap)` (unknown keys, wrong types and values outside the
/// range are errors that name key, value and what is allowed) and `table()` for [`crate::Description`].
///
/// Before them, a line `..field: Group;` takes in all parameters of another such struct, so that plugins which share
/// some of them declare those once. In `[challenge.params]` they stand beside the others.
///
/// ```
/// mantis_plugin_api::params! {
///     /// What every walk-forward has.
///     pub struct Walk {
///         /// Rows of a segment.
///         segment_rows: usize = 4_000, in 10..=1_000_000;
///     }
/// }
/// mantis_plugin_api::params! {
///     /// Parameters of a plugin.
///     pub struct Params {
///         ..walk: Walk;
///         /// Inverse penalty.
///         c: f64 = 0.5, in 1e-6..=1e6;
///     }
/// }
/// let map = mantis_plugin_api::serde_json::json!({ "segment_rows": 500, "c": 2.0 });
/// let params = Params::read(map.as_object().unwrap())?;
/// assert_eq!((params.walk.segment_rows, params.c), (500, 2.0));
/// # Ok::<(), mantis_plugin_api::PluginError>(())
/// ```
#[macro_export]
macro_rules! params {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( .. $field:ident : $group:ty; )*
            $( #[doc = $doc:literal] $(#[doc = $more:literal])* $key:ident : $type:ty = $default:expr, in $allowed:expr; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $( #[doc = concat!("The parameters of [`", stringify!($group), "`].")] $vis $field: $group, )*
            $( #[doc = $doc] $(#[doc = $more])* $vis $key: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: <$group>::default(), )* $( $key: $default, )* }
            }
        }

        // A private struct that is a group only is not read by itself.
        #[allow(dead_code)]
        impl $name {
            /// Reads the parameters; what the map lacks keeps its default.
            ///
            /// # Errors
            /// [`PluginError::Parameter`]($crate::PluginError::Parameter) for an unknown key or a bad value.
            $vis fn read(map: &$crate::ParamMap) -> Result<Self, $crate::PluginError> {
                $crate::refuse_unknown(map, &<Self as $crate::ParamGroup>::keys())?;
                <Self as $crate::ParamGroup>::read_known(map)
            }

            /// The table of parameters, for people.
            #[must_use]
            $vis fn table() -> $crate::ParamTable {
                <Self as $crate::ParamGroup>::table()
            }
        }

        impl $crate::ParamGroup for $name {
            fn keys() -> Vec<&'static str> {
                let mut keys = Vec::new();
                $( keys.extend(<$group as $crate::ParamGroup>::keys()); )*
                let own: &[&'static str] = &[$( stringify!($key) ),*];
                keys.extend(own);
                keys
            }

            fn read_known(map: &$crate::ParamMap) -> Result<Self, $crate::PluginError> {
                Ok(Self {
                    $( $field: <$group as $crate::ParamGroup>::read_known(map)?, )*
                    $( $key: $crate::read_param::<$type>(map, stringify!($key), $default, &$allowed)?, )*
                })
            }

            fn table() -> $crate::ParamTable {
                let mut table = $crate::ParamTable::new();
                $( table.extend(<$group as $crate::ParamGroup>::table()); )*
                let own: $crate::ParamTable = vec![$( $crate::Param {
                    key: stringify!($key).into(),
                    default: <$type as $crate::ParamValue>::to_json(&$default),
                    allowed: <_ as $crate::Allowed<$type>>::phrase(&$allowed),
                    doc: concat!($doc $(, $more)*).trim().into(),
                } ),*];
                table.extend(own);
                table
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
            /// How far.
            spans: Vec<u32> = vec![1, 2], in Each(1..=9, 1..=3);
        }
    }

    params! {
        /// With what another has.
        struct Wider {
            ..example: Example;
            /// How wide.
            width: u32 = 3, in 0..=9;
        }
    }

    params! {
        /// With nothing of its own.
        struct Alias {
            ..wider: Wider;
        }
    }

    fn read(value: Value) -> Result<Example, String> {
        Example::read(value.as_object().unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn takes_defaults_and_values() {
        assert_eq!(read(json!({})), Ok(Example::default()));
        assert_eq!(read(json!({"top": 10, "c": 1})).unwrap().c, 1.0);
        assert_eq!(read(json!({"spans": [9]})).unwrap().spans, [9]);
    }

    #[test]
    fn names_key_value_and_allowed() {
        for (bad, says) in [
            (json!({"tpo": 1}), "parameter `tpo`: no such parameter; allowed: top, c, model, spans"),
            (json!({"top": 0}), "parameter `top`: 0 is not allowed; allowed: a whole number from 1 to 10"),
            (
                json!({"top": 1.5}),
                "parameter `top`: 1.5 has the wrong type; allowed: a whole number from 1 to 10",
            ),
            (
                json!({"c": -1}),
                "parameter `c`: -1 is not allowed; allowed: a number from 0.000001 to 1000000",
            ),
            (
                json!({"spans": []}),
                "parameter `spans`: [] is not allowed; allowed: a list of 1 to 3, each a whole number from 1 to 9",
            ),
            (
                json!({"spans": [1, "2"]}),
                "parameter `spans`: [1,\"2\"] has the wrong type; allowed: a list of 1 to 3, each a whole number from 1 to 9",
            ),
            (json!({"model": "c"}), "parameter `model`: \"c\" is not allowed; allowed: \"a\" or \"b\""),
        ] {
            assert_eq!(read(bad).unwrap_err(), says);
        }
    }

    #[test]
    fn a_group_stands_beside_the_others() {
        let read = |value: Value| Alias::read(value.as_object().unwrap()).map(|alias| alias.wider);
        let example = Example { top: 7, ..Example::default() };
        assert_eq!(read(json!({"top": 7, "width": 4})), Ok(Wider { example, width: 4 }));
        assert_eq!(read(json!({})), Ok(Wider::default()));
        let error = read(json!({"tpo": 1})).unwrap_err().to_string();
        assert_eq!(error, "parameter `tpo`: no such parameter; allowed: top, c, model, spans, width");
        assert!(read(json!({"top": 0})).is_err() && read(json!({"width": 10})).is_err());
        let keys: Vec<String> = Alias::table().into_iter().map(|param| param.key).collect();
        assert_eq!(keys, Alias::keys());
    }

    #[test]
    fn tables_what_it_takes() {
        let table = Example::table();
        assert_eq!(table.len(), 4);
        assert_eq!(
            (&table[3].default, table[3].allowed.as_str()),
            (&json!([1, 2]), "a list of 1 to 3, each a whole number from 1 to 9")
        );
        assert_eq!(table[1].doc, "How strong.");
        assert_eq!(table[0].default, json!(5));
    }
}
