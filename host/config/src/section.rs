//! Tables of the file, each declared once: key, meaning, type, default and what is allowed.

use crate::kinds::Kind;
use crate::source::TomlTable;

/// A key of a table, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, and those that may stand in its place.
    pub names: &'static [&'static str],
    /// What holds if the file has none, in Markdown; `None` for a key that is needed.
    pub default: Option<String>,
    /// What is accepted, as a phrase.
    pub allowed: String,
    /// What it means.
    pub meaning: &'static str,
}

/// A key whose value is another than before. The values are as the documentation has defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub key: &'static str,
    /// The value before.
    pub then: String,
    /// The value now.
    pub now: String,
}

/// A table of the file that [`section!`] declares.
pub(crate) trait Section: Sized {
    /// Its keys, in the order of messages and of the documentation.
    fn keys() -> Vec<Key>;

    /// What a table without any key says. What is needed is empty.
    fn absent() -> Self;

    /// Reads the value of every key; one that is missing or faulty has its default.
    fn read_values(table: &TomlTable<'_>) -> Self;

    /// Reads the table. Every fault is reported: unknown keys, missing ones, values.
    fn read(table: &TomlTable<'_>) -> Self {
        let keys = Self::keys();
        let known: Vec<_> = keys.iter().flat_map(|key| key.names).copied().collect();
        let misspelt = table.refuse_unknown(&known);
        let is_there = |name: &&str| table.has(name) || misspelt.iter().any(|word| word == name);
        for key in keys.iter().filter(|key| key.default.is_none()) {
            if !key.names.iter().any(is_there) {
                table.push(table.start, key.names[0], "missing", &key.allowed, None);
            }
        }
        Self::read_values(table)
    }
}

/// A table within the table.
pub(crate) struct SubTable;

impl<S: Section> Kind<S> for SubTable {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<S> {
        table.table(key).map(|table| S::read(&table))
    }

    fn allowed(&self) -> String {
        "a table".into()
    }

    fn shown(&self, _value: &S) -> String {
        "the defaults of its keys".into()
    }
}

/// Declares a table of the file as a struct, a line for each key.
///
/// A line is `/// what it means.`, then
///
/// - `key: type = default, in kind;` with a [`Kind`], or
/// - `key: type, else "the file's", in kind;` if its default is the type's, or comes from elsewhere, or
/// - `key: type, in kind;` if it is needed.
///
/// `key | other: ...` is a value that either key gives; the kind reads both. From the line come the public field, how
/// it is read with its faults, the default, the words that a misspelt key is compared with, what a running validator
/// says of its change, and its row in docs/configuration.md. Comments with `//` say why, for readers of the code alone.
///
/// After the keys, `apart { /// meaning. key, in "allowed"; }` are keys that the struct has no field for, and
/// `with { /// meaning. pub field: type, }` fields without a key: both are for the code that calls [`Section::read`].
macro_rules! section {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $meaning:literal])+
                $key:ident $(| $other:ident)* : $type:ty $(= $default:expr)? $(, else $else:literal)?, in $kind:expr;
            )*
        }
        $(apart {
            $(
                $(#[doc = $apart_meaning:literal])+
                $apart_key:ident $(, else $apart_else:literal)?, in $apart_allowed:expr;
            )*
        })?
        $(with {
            $( $(#[doc = $field_doc:literal])+ $field_vis:vis $field:ident : $field_type:ty, )*
        })?
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $( $(#[doc = $meaning])+ pub $key: $type, )*
            $($( $(#[doc = $field_doc])+ $field_vis $field: $field_type, )*)?
        }

        impl $name {
            /// The keys whose values differ from those of `before`, in the order of their declaration.
            #[must_use]
            pub fn differences(&self, before: &Self) -> Vec<$crate::section::Difference> {
                let all = [$( (self.$key != before.$key).then(|| {
                    let shown = |value: &$type| $crate::kinds::Kind::<$type>::shown(&$kind, value);
                    let (now, then) = (shown(&self.$key), shown(&before.$key));
                    $crate::section::Difference { key: stringify!($key), then, now }
                }) ),*];
                all.into_iter().flatten().collect()
            }
        }

        impl $crate::section::Section for $name {
            fn keys() -> Vec<$crate::section::Key> {
                vec![
                    $( $crate::section::Key {
                        names: &[stringify!($key) $(, stringify!($other))*],
                        default: section!(@shown $type, $kind $(, = $default)? $(, else $else)?),
                        allowed: $crate::kinds::Kind::<$type>::allowed(&$kind),
                        meaning: concat!($($meaning),+).trim(),
                    }, )*
                    $($( $crate::section::Key {
                        names: &[stringify!($apart_key)],
                        default: section!(@shown (), () $(, else $apart_else)?),
                        allowed: $apart_allowed.into(),
                        meaning: concat!($($apart_meaning),+).trim(),
                    }, )*)?
                ]
            }

            fn absent() -> Self {
                Self {
                    $( $key: section!(@default $($default)?), )*
                    $($( $field: Default::default(), )*)?
                }
            }

            fn read_values(table: &$crate::source::TomlTable<'_>) -> Self {
                Self {
                    $( $key: $crate::kinds::Kind::<$type>::read(&$kind, table, stringify!($key))
                        .unwrap_or_else(|| section!(@default $($default)?)), )*
                    $($( $field: Default::default(), )*)?
                }
            }
        }
    };

    (@default) => { Default::default() };
    (@default $default:expr) => { $default };

    (@shown $type:ty, $kind:expr) => { None };
    (@shown $type:ty, $kind:expr, = $default:expr) => {
        Some($crate::kinds::Kind::<$type>::shown(&$kind, &$default))
    };
    (@shown $type:ty, $kind:expr, else $else:literal) => { Some($else.to_owned()) };
}
pub(crate) use section;
