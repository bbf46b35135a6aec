//! What tells two rows of one challenge from each other, by what they mean.

use crate::blob::{Decoder, Length, Submissions};
use crate::{Row, is_nonzero};
use mantis_config::Sidx;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A row's content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    pub(super) price: Option<f64>,
    pub(super) price_data: Option<&'a str>,
    pub(super) blob: &'a [u8],
}

/// In what two rows differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Keys of prices that differ; the single price has none and is `price`.
    pub(super) prices: Vec<String>,
    /// Hotkeys whose vectors differ, or are in one of them only.
    pub(super) hotkeys: Vec<String>,
}

impl Difference {
    pub(super) fn is_none(&self) -> bool {
        self.prices.is_empty() && self.hotkeys.is_empty()
    }
}

/// Compares two rows. Vectors that are all zero count as absent, and so do a blob and prices that cannot be read.
pub(super) fn difference(a: Content<'_>, b: Content<'_>) -> Difference {
    let mut found = Difference::default();
    let is_same = |a: Content<'_>, b: Content<'_>| {
        a.price.map(|price| (price + 0.0).to_bits()) == b.price.map(|price| (price + 0.0).to_bits())
            && a.price_data == b.price_data
    };
    if !is_same(a, b) {
        found.prices = differing(&prices(a), &prices(b));
    }
    if a.blob != b.blob {
        let (mut one, mut other) = (Decoder::default(), Decoder::default());
        found.hotkeys = differing(&vectors(a.blob, &mut one), &vectors(b.blob, &mut other));
    }
    found
}

/// Puts what a row means into a digest.
pub(super) fn digest(row: Content<'_>, sidx: Sidx, into: &mut Sha256) {
    into.update(sidx.0.to_le_bytes());
    for (asset, bits) in prices(row) {
        into.update(format!("{asset:?}"));
        into.update(bits.to_le_bytes());
    }
    into.update(b"|");
    let mut decoder = Decoder::default();
    for (hotkey, numbers) in vectors(row.blob, &mut decoder) {
        into.update(format!("{hotkey:?}{}:", numbers.len()));
        into.update(numbers);
    }
}

/// Keys whose values differ, or that are on one side only.
fn differing<K: Ord + ToString, V: PartialEq>(a: &BTreeMap<K, V>, b: &BTreeMap<K, V>) -> Vec<String> {
    let keys: BTreeSet<&K> = a.keys().chain(b.keys()).collect();
    keys.into_iter().filter(|key| a.get(key) != b.get(key)).map(K::to_string).collect()
}

/// The bits of each price by its asset.
fn prices(row: Content<'_>) -> BTreeMap<String, u64> {
    let Content { price, price_data, blob } = row;
    let row = Row {
        sidx: Sidx(0),
        price,
        price_data,
        submissions: Submissions::NONE,
        blob,
        bad_vectors: false,
        bad_prices: false,
    };
    let named = |(asset, price): (Option<String>, f64)| {
        (asset.unwrap_or_else(|| "price".into()), (price + 0.0).to_bits())
    };
    row.all_prices().into_iter().map(named).collect()
}

/// The vectors by hotkey.
fn vectors<'a>(blob: &'a [u8], decoder: &'a mut Decoder) -> BTreeMap<&'a str, &'a [u8]> {
    let Ok(submissions) = decoder.decode(blob, Length::Any(None)) else { return BTreeMap::new() };
    let storage = submissions.storage();
    submissions.iter().filter(|(_, numbers)| is_nonzero(numbers, storage)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(price: Option<f64>, price_data: Option<&'a str>, blob: &'a [u8]) -> Content<'a> {
        Content { price, price_data, blob }
    }

    fn digest_of(row: Content<'_>) -> [u8; 32] {
        let mut hash = Sha256::new();
        digest(row, Sidx(7), &mut hash);
        hash.finalize().into()
    }

    #[test]
    fn rows_are_equal_by_what_they_mean() {
        let blob: &[u8] = b"[\"5A\", \"5B\"]\0\x00\x3c\x00\x00";
        let same: &[u8] = b"[\"5A\"]\0\x00\x3c";
        for (a, b) in [
            (row(Some(0.0), None, b""), row(Some(-0.0), None, b"")),
            (row(None, Some("{\"X\": 1.0, \"Y\": 2}"), b""), row(None, Some("{\"Y\":2.0,\"X\":1}"), b"")),
            (row(None, None, blob), row(None, None, same)),
            (row(None, None, b""), row(None, None, b"damaged")),
        ] {
            assert!(difference(a, b).is_none(), "{a:?} {b:?}");
            assert_eq!(digest_of(a), digest_of(b));
        }
    }

    #[test]
    fn what_differs_is_named() {
        let (a, b): (&[u8], &[u8]) =
            (b"[\"5A\", \"5B\"]\0\x00\x3c\x00\x3d", b"[\"5B\", \"5C\"]\0\x01\x3d\x00\x3c");
        let found = difference(row(Some(1.0), None, a), row(Some(2.0), None, b));
        assert_eq!(
            (found.prices, found.hotkeys),
            (vec!["price".to_owned()], vec!["5A".into(), "5B".into(), "5C".into()])
        );
        let (a, b) =
            (row(None, Some("{\"X\": 1, \"Y\": 2}"), b""), row(None, Some("{\"X\": 1, \"Y\": 3}"), b""));
        assert_eq!(difference(a, b).prices, ["Y"]);
        assert_ne!(digest_of(a), digest_of(b));
        assert_ne!(digest_of(row(Some(0.0), None, b"")), digest_of(row(None, None, b"")));
    }
}
