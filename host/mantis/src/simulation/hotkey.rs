//! Hotkeys that look real: SS58 addresses of random public keys.

use blake2::{Blake2b512, Digest};

/// Bittensor's SS58 prefix.
const PREFIX: u8 = 42;

/// The SS58 address of a public key: prefix, key, and the first two bytes of a BLAKE2b-512 checksum, in base 58.
pub(crate) fn ss58(public_key: [u8; 32]) -> String {
    let mut bytes = vec![PREFIX];
    bytes.extend(public_key);
    let checksum = Blake2b512::new().chain_update(b"SS58PRE").chain_update(&bytes).finalize();
    bytes.extend(&checksum[..2]);
    bs58::encode(bytes).into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_a_known_address() {
        // The development key //Alice.
        let alice = [
            0xd4, 0x35, 0x93, 0xc7, 0x15, 0xfd, 0xd3, 0x1c, 0x61, 0x14, 0x1a, 0xbd, 0x04, 0xa9, 0x9f, 0xd6,
            0x82, 0x2c, 0x85, 0x58, 0x85, 0x4c, 0xcd, 0xe3, 0x9a, 0x56, 0x84, 0xe7, 0xa5, 0x6d, 0xa2, 0x7d,
        ];
        assert_eq!(ss58(alice), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
    }
}
