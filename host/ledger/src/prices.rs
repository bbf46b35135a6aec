//! The prices of a row: the one reader of `price` and `price_data`.

use super::Row;
use serde::Deserializer;
use serde::de::{Deserialize, DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

impl Row<'_> {
    /// Reads the prices of `assets` into `out`, in their order; without assets, the single price. NaN where one is
    /// missing. Of an asset that is mentioned twice the later mention counts.
    ///
    /// The feed's word for a missing single price is 0, so it is read as NaN; for one of several it is the asset's
    /// absence, and 0 can be a rate.
    ///
    /// Returns whether `price_data` is a JSON object, if it is needed and there is one; if it is not, all are NaN.
    pub fn read_prices(&self, assets: &[String], out: &mut [f64]) -> bool {
        if assets.is_empty() {
            out.fill(self.price.filter(|price| *price != 0.0).unwrap_or(f64::NAN));
            return true;
        }
        match self.price_data {
            Some(json) => read_object(json, assets, out),
            None => {
                out.fill(f64::NAN);
                true
            }
        }
    }

    /// Every number that the row holds as a price, by asset; the single price has no asset, and is 0 if the feed had none.
    #[must_use]
    pub fn all_prices(&self) -> Vec<(Option<String>, f64)> {
        match self.price_data {
            Some(json) => {
                let all: BTreeMap<String, Number> = serde_json::from_str(json).unwrap_or_default();
                let all = all.into_iter().map(|(asset, Number(price))| (Some(asset), price));
                all.filter(|(_, price)| !price.is_nan()).collect()
            }
            None => self.price.map(|price| (None, price)).into_iter().collect(),
        }
    }
}

/// Reads an object of asset to number, as [`Row::read_prices`].
fn read_object(json: &str, assets: &[String], out: &mut [f64]) -> bool {
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
            let Number(price) = map.next_value()?;
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
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(AnyValue).map(Self)
    }
}

/// Takes any value, as the number that it is.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
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
    use crate::Submissions;
    use mantis_config::Sidx;

    fn read(json: &str) -> (bool, [f64; 3]) {
        let mut out = [7.0; 3];
        let assets = ["A", "B", "C"].map(String::from);
        let ok = read_object(json, &assets, &mut out);
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

    fn row(price: Option<f64>, price_data: Option<&str>) -> Row<'_> {
        let submissions = Submissions::NONE;
        Row {
            sidx: Sidx(1),
            price,
            price_data,
            submissions,
            blob: &[],
            bad_vectors: false,
            bad_prices: false,
        }
    }

    #[test]
    fn a_missing_price_is_nan_for_one_asset_as_for_several() {
        let single = |price| {
            let mut out = [7.0];
            assert!(row(price, None).read_prices(&[], &mut out));
            out[0]
        };
        assert_eq!(single(Some(1.5)), 1.5);
        assert!(single(Some(0.0)).is_nan() && single(None).is_nan());
        let mut out = [7.0; 2];
        assert!(row(Some(3.0), None).read_prices(&["A".into(), "B".into()], &mut out));
        assert!(out.iter().all(|price| price.is_nan()));
    }

    #[test]
    fn all_prices_are_the_numbers_that_are_stored() {
        let named = |asset: &str, price| (Some(asset.to_owned()), price);
        let several = row(None, Some(r#"{"B": 0, "A": -0.5, "C": null, "D": "1"}"#)).all_prices();
        assert_eq!(several, [named("A", -0.5), named("B", 0.0)]);
        assert_eq!(row(Some(2.0), None).all_prices(), [(None, 2.0)]);
        assert_eq!(row(Some(0.0), None).all_prices(), [(None, 0.0)]);
        assert_eq!(row(None, None).all_prices(), []);
        assert_eq!(row(None, Some("[1]")).all_prices(), []);
    }
}
