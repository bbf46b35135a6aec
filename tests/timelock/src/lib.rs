//! The `timelock` crate as the network's clients use it: the round's number hashed, and the compressed form on the
//! wire, which is our shorter one.

use anyhow::{Result, anyhow};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use rand_chacha_03::ChaCha20Rng;
use rand_chacha_03::rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use timelock::block_ciphers::AESGCMBlockCipherProvider;
use timelock::engines::{EngineBLS, drand::TinyBLS381};
use timelock::ibe::fullident::Identity;
use timelock::tlock::{TLECiphertext, tld, tle};

type Key = <TinyBLS381 as EngineBLS>::PublicKeyGroup;
type Signature = <TinyBLS381 as EngineBLS>::SignatureGroup;

/// Locks `text` until a round of the beacon with this key.
///
/// # Errors
/// What the crate says.
pub fn seal(text: &[u8], round: u64, public_key: &[u8; 96], seed: u64) -> Result<Vec<u8>> {
    let key = Key::deserialize_compressed(&public_key[..])?;
    let identity = Identity::new(b"", &Sha256::digest(round.to_be_bytes()));
    let rng = ChaCha20Rng::seed_from_u64(seed);
    let sealed = tle::<TinyBLS381, AESGCMBlockCipherProvider, _>(key, [seed as u8; 32], text, identity, rng);
    let mut bytes = Vec::new();
    sealed.map_err(|e| anyhow!("{e:?}"))?.serialize_compressed(&mut bytes)?;
    Ok(bytes)
}

/// Opens what was locked, with the round's signature.
///
/// # Errors
/// What the crate says. On crafted lengths it ends the process: give it sound ciphertexts only.
pub fn open(ciphertext: &[u8], signature: &[u8; 48]) -> Result<Vec<u8>> {
    let sealed = TLECiphertext::<TinyBLS381>::deserialize_compressed(ciphertext)?;
    let signature = Signature::deserialize_compressed(&signature[..])?;
    tld::<TinyBLS381, AESGCMBlockCipherProvider>(sealed, signature).map_err(|e| anyhow!("{e:?}"))
}
