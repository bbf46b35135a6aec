//! What is needed of BLS12-381, on `blst`'s safe interface: its `min_sig` types are the points, keys in G2 and
//! signatures in G1.

use blst::min_sig::{PublicKey, SecretKey, Signature};
use blst::{BLST_ERROR, blst_fp12};
use zeroize::Zeroizing;

/// The order of the groups, big endian.
const ORDER: [u8; 32] = [
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05, 0x53,
    0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
];

/// Bytes of an element of the target group.
const GT: usize = 576;

/// A point of G2 that is in the group and not the neutral element, from its compressed form.
///
/// # Errors
/// What the bytes are instead.
pub(super) fn g2(bytes: &[u8; 96]) -> Result<PublicKey, &'static str> {
    let point = g2_of_curve(bytes)?;
    point.validate().map_err(what)?;
    Ok(point)
}

/// A point of G2's curve, in the group or not, but not the neutral element.
pub(super) fn g2_of_curve(bytes: &[u8; 96]) -> Result<PublicKey, &'static str> {
    not_neutral(bytes)?;
    PublicKey::uncompress(bytes).map_err(what)
}

/// A point of G1 that is in the group and not the neutral element, from its compressed form.
///
/// # Errors
/// What the bytes are instead.
pub(super) fn g1(bytes: &[u8; 48]) -> Result<Signature, &'static str> {
    let point = g1_of_curve(bytes)?;
    point.validate(true).map_err(what)?;
    Ok(point)
}

/// A point of G1's curve, in the group or not, but not the neutral element.
pub(super) fn g1_of_curve(bytes: &[u8; 48]) -> Result<Signature, &'static str> {
    not_neutral(bytes)?;
    Signature::uncompress(bytes).map_err(what)
}

/// Refuses what carries the mark of the neutral element, which has nothing to pair.
fn not_neutral(bytes: &[u8]) -> Result<(), &'static str> {
    match bytes {
        [0xc0, rest @ ..] if rest.iter().all(|&byte| byte == 0) => Err("the neutral element"),
        [first, ..] if first & 0xc0 == 0xc0 => Err("no compressed point"),
        _ => Ok(()),
    }
}

/// A number modulo the groups' order, from 32 bytes big endian; `None` for a multiple of the order.
pub(super) fn scalar(bytes: &[u8; 32]) -> Option<SecretKey> {
    // 2^256 is less than three times the order: two subtractions at most. Both are always done, so that the time
    // does not tell the number.
    let mut reduced = Zeroizing::new(*bytes);
    for _ in 0..2 {
        let mut difference = Zeroizing::new([0; 32]);
        let mut borrow = 0;
        for i in (0..32).rev() {
            let digit = i16::from(reduced[i]) - i16::from(ORDER[i]) - borrow;
            borrow = i16::from(digit < 0);
            difference[i] = digit as u8;
        }
        let keep = (borrow as u8).wrapping_neg();
        for i in 0..32 {
            reduced[i] = reduced[i] & keep | difference[i] & !keep;
        }
    }
    SecretKey::from_bytes(reduced.as_ref()).ok()
}

/// The pairing of a point of G1 and one of G2: 12 numbers of 48 bytes, each little endian, in the order of arkworks
/// (six by six, then pairs, then the two of a pair).
pub(super) fn pairing(g1: &Signature, g2: &PublicKey) -> Zeroizing<[u8; GT]> {
    let blst_order = blst_fp12::miller_loop(g2.into(), g1.into()).final_exp().to_bendian();
    let blst_order = Zeroizing::new(blst_order);
    let (numbers, _) = blst_order.as_chunks::<48>();
    let mut out = Zeroizing::new([0; GT]);
    let (places, _) = out.as_chunks_mut::<48>();
    // blst writes pair j of both sixes before pair j + 1.
    for (i, number) in numbers.iter().enumerate() {
        let (pair, six, part) = (i / 4, i / 2 % 2, i % 2);
        let place = &mut places[6 * six + 2 * pair + part];
        place.copy_from_slice(number);
        place.reverse();
    }
    out
}

fn what(error: BLST_ERROR) -> &'static str {
    match error {
        BLST_ERROR::BLST_POINT_NOT_ON_CURVE => "no point of the curve",
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => "a point outside the group",
        BLST_ERROR::BLST_PK_IS_INFINITY => "the neutral element",
        _ => "no compressed point",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduces_modulo_the_order() {
        assert!(scalar(&[0; 32]).is_none());
        assert!(scalar(&ORDER).is_none());
        let mut above = ORDER;
        above[31] += 5;
        let five = scalar(&above).unwrap().to_bytes();
        assert_eq!(five[..31], [0; 31]);
        assert_eq!(five[31], 5);
        // 2^256 - 1 = 2 * order + this.
        let largest = scalar(&[0xff; 32]).unwrap().to_bytes();
        assert_eq!(hex::encode(largest), "1824b159acc5056f998c4fefecbc4ff55884b7fa0003480200000001fffffffd");
        let mut below = ORDER;
        below[31] = 0;
        assert_eq!(scalar(&below).unwrap().to_bytes(), below);
    }

    #[test]
    fn says_what_is_no_point() {
        let mut neutral = [0; 96];
        neutral[0] = 0xc0;
        assert_eq!(g2(&neutral).unwrap_err(), "the neutral element");
        assert_eq!(g2(&[0; 96]).unwrap_err(), "no compressed point");
        assert_eq!(g2(&[0xff; 96]).unwrap_err(), "no compressed point");
    }
}
