//! Identity-based encryption of the AES key: FullIdent.

use super::{curve, generator};
use crate::PayloadRejection;
use crate::beacon::Scheme;
use blst::min_sig::Signature;
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use std::cell::Cell;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The AES key, with the round's signature.
pub(super) fn open(
    (u, v, w): (&[u8; 96], &[u8; 32], &[u8; 32]),
    round: u64,
    signature: &[u8; 48],
) -> Result<Zeroizing<[u8; 32]>, PayloadRejection> {
    // Whether the points are in their groups is not asked first, which saves a tenth of the time: a U that is not
    // equals no multiple of the generator, and fails below; nothing secret goes into the pairing.
    let point = curve::g2_of_curve(u).map_err(|found| PayloadRejection::TimelockPoint { found })?;
    let signature = last_signature(signature).map_err(|_| PayloadRejection::BeaconSignature)?;
    let sigma = masked(v, &*curve::pairing(&signature, &point));
    let key = masked(w, &*sigma);
    // That U comes from sigma and key proves that nothing was changed, and that the signature is the right one.
    let proof = exponent(&sigma, &key).map(|r| generator::times_public(&r).compress());
    match proof {
        Some(expected) if bool::from(expected.ct_eq(u)) => Ok(key),
        _ => {
            curve::g2(u).map_err(|found| PayloadRejection::TimelockPoint { found })?;
            Err(PayloadRejection::TimelockProof { round })
        }
    }
}

/// The point of a signature. The last one is kept, as one signature opens all payloads of its round.
fn last_signature(bytes: &[u8; 48]) -> Result<Signature, &'static str> {
    thread_local! {
        static LAST: Cell<Option<([u8; 48], Signature)>> = const { Cell::new(None) };
    }
    match LAST.get() {
        Some((last, point)) if last == *bytes => Ok(point),
        _ => {
            let point = curve::g1_of_curve(bytes)?;
            LAST.set(Some((*bytes, point)));
            Ok(point)
        }
    }
}

/// U, V and W that hold the AES key.
pub(super) fn seal(
    key: &[u8; 32],
    round: u64,
    beacon: &Scheme,
    rng: &mut impl CryptoRng,
) -> ([u8; 96], [u8; 32], [u8; 32]) {
    let mut sigma = Zeroizing::new([0; 32]);
    loop {
        rng.fill_bytes(sigma.as_mut());
        // Zero once in 2^255.
        let Some(r) = exponent(&sigma, key) else { continue };
        // e(Q, P)^r = e(r Q, P), and r Q is what signing with r gives.
        let signed = r.sign(&Scheme::message(round), crate::beacon::DST, &[]);
        let mask = curve::pairing(&signed, beacon.point());
        return (r.sk_to_pk().compress(), *masked(&sigma, &*mask), *masked(key, &*sigma));
    }
}

/// `value` xor SHA-256(`secret`).
fn masked(value: &[u8; 32], secret: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(secret).into());
    for (byte, other) in out.iter_mut().zip(value) {
        *byte ^= other;
    }
    out
}

/// r = SHA-256(sigma || key) modulo the order.
fn exponent(sigma: &[u8; 32], key: &[u8; 32]) -> Option<blst::min_sig::SecretKey> {
    let hash: Zeroizing<[u8; 32]> =
        Zeroizing::new(Sha256::new().chain_update(sigma).chain_update(key).finalize().into());
    curve::scalar(&hash)
}
