//! Strict JSON: bounded in size, depth, number of values and memory, and without duplicate keys.

use super::describe::shortened;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};
use std::cell::{Cell, RefCell};
use std::fmt;
use thiserror::Error;

/// How much JSON is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Lists and objects inside each other; the outermost is 1.
    pub depth: usize,
    /// Values in all.
    pub values: usize,
    /// Bytes of memory that the values may take once they are read, counted so that it is never less than what is
    /// taken: an object of one key, 6 bytes of text, is counted with 900.
    pub memory: usize,
}

impl JsonLimits {
    /// Bounds of a sealed text of so many bytes. Memory for 16 times as much is more than numbers in lists need, and
    /// than a hundred assets in an object do.
    #[must_use]
    pub const fn of_plaintext(bytes: usize) -> Self {
        Self { bytes, depth: DEPTH, values: VALUES, memory: bytes.saturating_mul(16) }
    }

    /// Bounds of a payload whose sealed text has so many bytes: two digits for each, and room for the rest, which has
    /// some 2,000.
    #[must_use]
    pub const fn of_payload(plaintext_bytes: usize) -> Self {
        let bytes = plaintext_bytes.saturating_mul(2).saturating_add(16 << 10);
        Self { bytes, depth: DEPTH, values: VALUES, memory: bytes.saturating_mul(2).saturating_add(64 << 10) }
    }
}

/// Lists and objects inside each other.
const DEPTH: usize = 16;
/// Values in one text.
const VALUES: usize = 1 << 18;

// What is counted for memory, bytes, beside the letters of texts and keys.
/// A value: 32 bytes, in a list that grew to twice what it holds.
const VALUE: usize = 64;
/// A text's own piece of memory.
const TEXT: usize = 32;
/// A list: room for four values at least.
const LIST: usize = 128;
/// An object: the least node of its tree, with room for eleven keys.
const OBJECT: usize = 704;
/// A key: its part of a node that is not half full, and its own piece of memory.
const KEY: usize = 144;

/// Why a text is not the JSON that is taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Longer than allowed.
    #[error("{bytes} bytes where at most {limit} are allowed; send less")]
    TooLarge {
        /// Bytes of the text.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not JSON.
    #[error(
        "not JSON: {reason} at line {line}, column {column}; send one JSON object in UTF-8 and nothing after it"
    )]
    Syntax {
        /// What the parser says.
        reason: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A number that no double can hold.
    #[error("a number at line {line}, column {column} is too large for a double; send finite numbers")]
    NumberRange {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// `NaN` or `Infinity`, which some programs write and JSON does not have.
    #[error(
        "`{token}` at line {line}, column {column} is not JSON; replace what is not finite before encoding"
    )]
    NotANumber {
        /// The word.
        token: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Lists and objects too deep inside each other.
    #[error("lists and objects are more than {limit} deep inside each other; send a flatter document")]
    TooDeep {
        /// Depth allowed.
        limit: usize,
    },
    /// Too many values.
    #[error("more than {limit} values; send less")]
    TooManyValues {
        /// Values allowed.
        limit: usize,
    },
    /// Values that take too much memory.
    #[error(
        "its values take more than {limit} bytes of memory once they are read; send fewer objects, and plain lists of \
         numbers"
    )]
    TooMuchMemory {
        /// Bytes allowed.
        limit: usize,
    },
    /// A key twice in one object.
    #[error("the key `{key}` stands twice in one object; send it once")]
    DuplicateKey {
        /// The key, shortened.
        key: String,
    },
}

/// Parses one JSON text with nothing but white space around it.
///
/// # Errors
/// The first [`JsonError`].
pub fn parse(text: &[u8], limits: &JsonLimits) -> Result<Value, JsonError> {
    if text.len() > limits.bytes {
        return Err(JsonError::TooLarge { bytes: text.len(), limit: limits.bytes });
    }
    let state = State { limits, values: Cell::new(0), memory: Cell::new(0), fault: RefCell::new(None) };
    let mut parser = serde_json::Deserializer::from_slice(text);
    let parsed = Node { state: &state, depth: 0 }.deserialize(&mut parser);
    let outcome = parsed.and_then(|value| parser.end().map(|()| value));
    outcome.map_err(|error| match state.fault.take() {
        Some(fault) => fault,
        None => explain(text, &error),
    })
}

/// Parses as [`parse`] does, but bears numbers that some encoders write and JSON does not have: `NaN` and `Infinity`
/// become null, and a number beyond a double becomes the largest double. What was found comes back beside the value.
///
/// The network's own client and validator are such programs: one bad number must not cost a miner everything else.
///
/// # Errors
/// The first other [`JsonError`].
pub fn parse_lenient(text: &[u8], limits: &JsonLimits) -> Result<(Value, Vec<String>), JsonError> {
    match parse(text, limits) {
        Err(JsonError::NotANumber { .. } | JsonError::NumberRange { .. }) => {
            let (mended, found) = replace_non_json_numbers(text);
            let limits = JsonLimits { bytes: usize::MAX, ..*limits };
            Ok((parse(&mended, &limits)?, found))
        }
        other => other.map(|value| (value, Vec::new())),
    }
}

struct State<'a> {
    limits: &'a JsonLimits,
    values: Cell<usize>,
    memory: Cell<usize>,
    /// The fault of our own that ended the parse: serde's errors carry text only.
    fault: RefCell<Option<JsonError>>,
}

impl State<'_> {
    fn fail<E: serde::de::Error>(&self, fault: JsonError) -> E {
        let error = E::custom(&fault);
        *self.fault.borrow_mut() = Some(fault);
        error
    }

    /// Counts memory before it is taken.
    fn take<E: serde::de::Error>(&self, bytes: usize) -> Result<(), E> {
        let memory = self.memory.get().saturating_add(bytes);
        self.memory.set(memory);
        let limit = self.limits.memory;
        if memory > limit { Err(self.fail(JsonError::TooMuchMemory { limit })) } else { Ok(()) }
    }
}

/// One value at some depth.
#[derive(Clone, Copy)]
struct Node<'a> {
    state: &'a State<'a>,
    depth: usize,
}

impl<'a> Node<'a> {
    fn deeper<E: serde::de::Error>(self) -> Result<Node<'a>, E> {
        let limit = self.state.limits.depth;
        if self.depth >= limit {
            return Err(self.state.fail(JsonError::TooDeep { limit }));
        }
        Ok(Node { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let limit = self.state.limits.values;
        let values = self.state.values.get() + 1;
        if values > limit {
            return Err(self.state.fail(JsonError::TooManyValues { limit }));
        }
        self.state.values.set(values);
        self.state.take(VALUE)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.state.take(TEXT + value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.state.take(TEXT + value.len())?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let child = self.deeper()?;
        self.state.take(LIST)?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(child)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let child = self.deeper()?;
        self.state.take(OBJECT)?;
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            self.state.take(KEY + key.len())?;
            match fields.entry(key) {
                Entry::Occupied(entry) => {
                    return Err(self.state.fail(JsonError::DuplicateKey { key: shortened(entry.key()) }));
                }
                Entry::Vacant(entry) => entry.insert(object.next_value_seed(child)?),
            };
        }
        Ok(Value::Object(fields))
    }
}

/// The words that encoders write for numbers that are not finite; longer ones first.
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Turns serde's error into ours.
fn explain(text: &[u8], error: &serde_json::Error) -> JsonError {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    if said.starts_with("number out of range") {
        return JsonError::NumberRange { line, column };
    }
    // The parser stops at the first letter that is wrong: at the word, or right behind its minus sign.
    let before = text.split_inclusive(|&b| b == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len);
    let at = before.sum::<usize>() + column.saturating_sub(1);
    for token in WORDS {
        for start in [at, at.saturating_sub(1)] {
            if text.get(start..).is_some_and(|rest| rest.starts_with(token.as_bytes())) {
                return JsonError::NotANumber { token, line, column };
            }
        }
    }
    let reason = said.split(" at line ").next().unwrap_or("broken").to_owned();
    JsonError::Syntax { reason, line, column }
}

/// Replaces numbers that JSON does not have, outside strings.
fn replace_non_json_numbers(text: &[u8]) -> (Vec<u8>, Vec<String>) {
    /// What is said of them; who sends thousands knows after a few.
    const SAID: usize = 8;
    let (mut mended, mut found) = (Vec::with_capacity(text.len()), Vec::new());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        let (length, instead) = match byte {
            b'"' => (string_length(rest), None),
            b'N' | b'I' | b'-' | b'0'..=b'9' => unfit_number(rest),
            _ => (1, None),
        };
        match instead {
            Some(instead) => {
                if found.len() < SAID {
                    found.push(shortened(&String::from_utf8_lossy(&rest[..length])));
                }
                mended.extend_from_slice(instead.as_bytes());
            }
            None => mended.extend_from_slice(&rest[..length]),
        }
        at += length;
    }
    (mended, found)
}

/// Bytes of the string that `rest` begins with, quotes included.
fn string_length(rest: &[u8]) -> usize {
    let mut escaped = false;
    for (i, &byte) in rest.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Length of the number or word that `rest` begins with, and what takes its place if it does not fit.
fn unfit_number(rest: &[u8]) -> (usize, Option<&'static str>) {
    if let Some(word) = WORDS.iter().find(|word| rest.starts_with(word.as_bytes())) {
        return (word.len(), Some("null"));
    }
    let length = rest.iter().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count().max(1);
    let number = std::str::from_utf8(&rest[..length]).ok().and_then(|text| text.parse::<f64>().ok());
    let instead = match number {
        Some(f64::INFINITY) => Some("1.7976931348623157e308"),
        Some(f64::NEG_INFINITY) => Some("-1.7976931348623157e308"),
        _ => None,
    };
    (length, instead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn strict(text: &str) -> Result<Value, JsonError> {
        parse(text.as_bytes(), &JsonLimits::of_plaintext(1 << 16))
    }

    #[test]
    fn reads_what_serde_reads() {
        let text = r#" {"a": [1, -2, 3.5, 1e3, true, null, "x\n\u00e9"], "b": {"c": []}} "#;
        assert_eq!(strict(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let limits = JsonLimits { bytes: 40, depth: 2, values: 4, memory: 1200 };
        for (text, says) in [
            ("", "not JSON: EOF while parsing a value at line 1, column 0"),
            ("{} x", "not JSON: trailing characters at line 1, column 4"),
            ("[[[]]]", "more than 2 deep"),
            ("[1,2,3,4]", "more than 4 values"),
            ("[{},{}]", "more than 1200 bytes of memory"),
            (r#"{"a":1,"a":2}"#, "the key `a` stands twice"),
            (r#"{"a":1,"\u0061":2}"#, "the key `a` stands twice"),
            ("[1e400]", "a number at line 1, column 6 is too large"),
            ("[0,\nNaN]", "`NaN` at line 2, column 1"),
            ("[-Infinity]", "`-Infinity` at line 1, column 3"),
            ("[0,                                     0]", "42 bytes where at most 40"),
            ("[\u{7}]", "not JSON: expected value at line 1, column 2"),
        ] {
            let said = parse(text.as_bytes(), &limits).unwrap_err().to_string();
            assert!(said.contains(says), "{text}: {said}");
        }
    }

    #[test]
    fn what_takes_much_more_memory_than_text_is_refused() {
        let limits = JsonLimits::of_plaintext(1 << 16);
        // Objects of one key, 15 deep, as many as there is text for; and what miners send, as long.
        let nested = format!("{}1{}", r#"{"a":"#.repeat(15), "}".repeat(15));
        let nested = format!("[{}]", vec![nested; (1 << 16) / 92].join(","));
        let numbers = format!("[{}]", vec!["0.123456789"; (1 << 16) / 12].join(","));
        let assets: Vec<String> = (0..1000).map(|i| format!(r#""ASSET-{i}": [0.25, -0.125]"#)).collect();
        for (text, is_taken) in
            [(nested, false), (numbers, true), (format!("{{{}}}", assets.join(",")), true)]
        {
            let taken = parse(text.as_bytes(), &limits);
            assert!(text.len() <= 1 << 16 && taken.is_ok() == is_taken, "{}: {:?}", text.len(), taken.err());
        }
    }

    #[test]
    fn bears_numbers_that_json_does_not_have() {
        let text = br#"{"NaN": [NaN, 0.5, -Infinity, 1e400, -1e400], "x": "NaN \" Infinity 1e400"}"#;
        let (value, found) = parse_lenient(text, &JsonLimits::of_plaintext(1 << 16)).unwrap();
        let expected = json!({"NaN": [null, 0.5, null, f64::MAX, f64::MIN], "x": "NaN \" Infinity 1e400"});
        assert_eq!(value, expected);
        assert_eq!(found, ["NaN", "-Infinity", "1e400", "-1e400"]);
        assert!(parse_lenient(b"[NaN, nan]", &JsonLimits::of_plaintext(1 << 16)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(prop::sample::select(&b"{}[]\",:\\-+.eE0123456789NaInfity\n "[..]), 0..60)) {
            let limits = JsonLimits { bytes: 50, depth: 4, values: 10, memory: 2000 };
            let strict = parse(&bytes, &limits);
            if let Ok(value) = &strict {
                prop_assert_eq!(&parse_lenient(&bytes, &limits).unwrap().0, value);
            }
            let _ = parse_lenient(&bytes, &limits);
        }
    }
}
