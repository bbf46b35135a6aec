//! `price_data`: a JSON object of asset to number.

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads the prices of `assets`, in their order, into `out`; NaN where there is no number. A later mention of
/// an asset wins.
///
/// Returns whether the text was a JSON object; if not, all are NaN.
pub fn read_prices(json: &str, assets: &[String], out: &mut [f64]) -> bool {
    out.fill(f64::NAN);
    let mut reader = serde_json::Deserializer::from_str(json);
    let read = reader.deserialize_map(Prices { assets, out }).and_then(|()| reader.end());
    if read.is_err() {
        out.fill(f64::NAN);
    }
    read.is_ok()
}

struct Prices<'a> {
    assets: &'a [String],
    out: &'a mut [f64],
}

impl<'de> Visitor<'de> for Prices<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of asset to number")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut next = 0;
        while let Some(found) = map.next_key_seed(Asset { assets: self.assets, next })? {
            let price = map.next_value_seed(Number)?;
            if let Some(at) = found {
                next = at + 1;
                if let Some(slot) = self.out.get_mut(at) {
                    *slot = price;
                }
            }
        }
        Ok(())
    }
}

/// A key: which asset it is. The next one in order is tried first.
struct Asset<'a> {
    assets: &'a [String],
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Asset<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Asset<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an asset")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        if self.assets.get(self.next).is_some_and(|asset| asset == key) {
            return Ok(Some(self.next));
        }
        Ok(self.assets.iter().position(|asset| asset == key))
    }
}

/// A value: its number, or NaN.
struct Number;

impl<'de> DeserializeSeed<'de> for Number {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<f64, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, x: f64) -> Result<f64, E> {
        Ok(x)
    }

    fn visit_i64<E>(self, x: i64) -> Result<f64, E> {
        Ok(x as f64)
    }

    fn visit_u64<E>(self, x: u64) -> Result<f64, E> {
        Ok(x as f64)
    }

    fn visit_bool<E>(self, _: bool) -> Result<f64, E> {
        Ok(f64::NAN)
    }

    fn visit_str<E>(self, _: &str) -> Result<f64, E> {
        Ok(f64::NAN)
    }

    fn visit_unit<E>(self) -> Result<f64, E> {
        Ok(f64::NAN)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<f64, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(f64::NAN)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<f64, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (bool, [f64; 3]) {
        let mut out = [7.0; 3];
        let assets = ["A", "B", "C"].map(String::from);
        let ok = read_prices(json, &assets, &mut out);
        (ok, out.map(|x| if x.is_nan() { -1.0 } else { x }))
    }

    #[test]
    fn takes_numbers_and_nothing_else() {
        assert_eq!(read(r#"{"A": 1.5, "B": 2, "C": -3}"#), (true, [1.5, 2.0, -3.0]));
        assert_eq!(read(r#"{"C": 1e-7, "X": 5, "A": 0.1, "A": 0.2}"#), (true, [0.2, -1.0, 1e-7]));
        assert_eq!(read(r#"{"A": null, "B": [1, {}], "C": {"A": 1}}"#), (true, [-1.0; 3]));
        assert_eq!(read(r#"{"A": true, "B": "1", "C": 0}"#), (true, [-1.0, -1.0, 0.0]));
        assert_eq!(read("{}"), (true, [-1.0; 3]));
    }

    #[test]
    fn a_bad_text_has_no_prices() {
        for bad in ["", "[1]", "1", r#"{"A": 1"#, r#"{"A": 1} x"#, r#"{"A": NaN}"#] {
            assert_eq!(read(bad), (false, [-1.0; 3]), "{bad}");
        }
    }
}
