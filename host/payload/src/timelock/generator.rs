//! Multiples of G2's generator, from a table.

use blst::min_sig::{AggregatePublicKey, PublicKey, SecretKey};
use blst::{blst_p2, p2_affines};
use std::sync::LazyLock;

/// Digits of a number: its bytes.
const DIGITS: usize = 32;
/// Multiples for each digit: 1 to 255.
const MULTIPLES: usize = 255;

/// For each digit, the least significant first, the generator times 256^digit times 1 to [`MULTIPLES`]: 1.5 MB.
static TABLE: LazyLock<Option<Vec<PublicKey>>> = LazyLock::new(table);

/// The generator times `r`, in half the time of [`SecretKey::sk_to_pk`], but in a time that depends on `r`: only for
/// numbers that are no secret, as those are not that are found by opening.
pub(super) fn times_public(r: &SecretKey) -> PublicKey {
    let Some(table) = &*TABLE else { return r.sk_to_pk() };
    let mut sum: Option<AggregatePublicKey> = None;
    for (digit, &byte) in r.to_bytes().iter().rev().enumerate() {
        let Some(which) = usize::from(byte).checked_sub(1) else { continue };
        let multiple = &table[MULTIPLES * digit + which];
        match &mut sum {
            None => sum = Some(AggregatePublicKey::from_public_key(multiple)),
            // Fails only where it validates.
            Some(sum) => sum.add_public_key(multiple, false).unwrap_or_default(),
        }
    }
    sum.map_or_else(|| r.sk_to_pk(), |sum| sum.to_public_key())
}

fn table() -> Option<Vec<PublicKey>> {
    let mut one = [0; 32];
    one[31] = 1;
    let mut base = AggregatePublicKey::from_public_key(&SecretKey::from_bytes(&one).ok()?.sk_to_pk());
    let mut points: Vec<blst_p2> = Vec::with_capacity(DIGITS * MULTIPLES);
    for _ in 0..DIGITS {
        let mut multiple = base;
        for _ in 0..MULTIPLES {
            points.push(multiple.into());
            multiple.add_aggregate(&base);
        }
        base = multiple;
    }
    // All at once, which shares one division.
    Some(p2_affines::from(&points).as_slice().iter().map(|&point| point.into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_librarys_own(mut bytes: [u8; 32], zeros in 0usize..32, few: bool) {
            bytes[0] &= 0x3f;
            bytes[31] |= 1;
            if few {
                bytes[..zeros].fill(0);
            }
            let r = SecretKey::from_bytes(&bytes).unwrap();
            prop_assert_eq!(times_public(&r).compress(), r.sk_to_pk().compress());
        }
    }
}
