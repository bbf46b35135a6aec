//! SHA-256, as releases write it: `sha256:` and 64 hexadecimal digits.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Digest as _;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

const PREFIX: &str = "sha256:";

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Of all that can be read, and how many bytes that was; at most one more than `limit` is read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(from: impl Read, limit: u64) -> io::Result<(Self, u64)> {
        let (mut hash, mut buffer, mut size) = (sha2::Sha256::new(), vec![0; 64 << 10], 0);
        let mut from = from.take(limit.saturating_add(1));
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok((Self(hash.finalize().into()), size)),
                n => {
                    hash.update(&buffer[..n]);
                    size += n as u64;
                }
            }
        }
    }

    /// Its first 12 hexadecimal digits, for names and people.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut bytes = [0; 32];
        let digits = text.strip_prefix(PREFIX).unwrap_or_default();
        hex::decode_to_slice(digits, &mut bytes)
            .map(|()| Self(bytes))
            .map_err(|_| "a digest is written sha256: and 64 hexadecimal digits".into())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
