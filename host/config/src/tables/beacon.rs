//! `[beacon]`.

use crate::kinds::{BaseUrls, Hex, bytes_of};
use crate::section::{Section, section};

section! {
    /// The beacon whose signatures open time-locked payloads.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Beacon {
        /// Bases of its API, tried in order; `/beacons/quicknet/rounds/N` is appended.
        api: Vec<String> = API.map(String::from).into(), in BaseUrls;

        /// Its public key: a compressed G2 point of BLS12-381. This default, and the others, are of drand's quicknet.
        public_key: [u8; 96] = bytes_of(PUBLIC_KEY), in Hex;

        /// Unix time of round 1, s.
        genesis: u64 = 1_692_803_367, in 0..=u64::from(u32::MAX);

        /// Time between two rounds, s.
        period: u64 = 3, in 1..=86_400;

        /// How long before a sample a payload's round may have come out, s; an older one is refused, unless the ledger has
        /// its signature, or the same file was taken within the last day.
        oldest_round: u64 = 3600, in 0..=31_536_000;

        /// How long a payload waits for the signature of its round where the beacon gives others, s; then it is refused.
        /// While the beacon gives none, all wait. By default it is short enough that a vector comes before its row is
        /// scored.
        wait: u64 = 1800, in 0..=31_536_000;
    }
}

// The defaults are drand's quicknet.
const API: [&str; 3] = ["https://api.drand.sh/v2", "https://api2.drand.sh/v2", "https://api3.drand.sh/v2"];
const PUBLIC_KEY: &str = concat!(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451",
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
);

impl Default for Beacon {
    fn default() -> Self {
        Self::absent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_key_is_read() {
        assert_eq!(Beacon::default().public_key[94..], [0xe4, 0x5a]);
    }
}
