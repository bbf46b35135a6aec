//! What is in a key file.

use super::hotkey::Hotkey;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The parts of a key file that lead to the secret.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyFile {
    secret_phrase: Option<Zeroizing<String>>,
    secret_seed: Option<Zeroizing<String>>,
    private_key: Option<Zeroizing<String>>,
    ss58_address: Option<String>,
    crypto_type: Option<u8>,
}

/// sr25519 among the chain's kinds of keys.
const SR25519: u8 = 1;

/// The hotkey of a key file's text.
///
/// # Errors
/// What is wrong with it, without anything of its content.
pub(super) fn parse(text: &[u8]) -> Result<Hotkey, String> {
    let file: KeyFile = serde_json::from_slice(text)
        // The library's message may repeat what it found.
        .map_err(|error| format!("it is no key file: line {}, column {}", error.line(), error.column()))?;
    if let Some(kind) = file.crypto_type.filter(|kind| *kind != SR25519) {
        return Err(format!("its key is of kind {kind}, and only sr25519 (1) can set weights here"));
    }
    let key = if let Some(phrase) = &file.secret_phrase {
        Hotkey::from_phrase(phrase).ok_or("its secretPhrase is no phrase")?
    } else if let Some(seed) = &file.secret_seed {
        decoded(seed)
            .and_then(|seed| Hotkey::from_seed(*seed))
            .ok_or("its secretSeed is not 64 hexadecimal digits")?
    } else if let Some(key) = &file.private_key {
        let key = decoded(key).and_then(|key| Hotkey::from_private_key(&key));
        key.ok_or("its privateKey is no key of 128 hexadecimal digits")?
    } else {
        return Err("it has neither secretPhrase nor secretSeed nor privateKey: it cannot sign".into());
    };
    match file.ss58_address {
        Some(address) if address != key.address() => {
            Err(format!("its ss58Address is {address}, but its secret belongs to {}", key.address()))
        }
        _ => Ok(key),
    }
}

/// The address that a key file names; `None` where it names none.
pub(super) fn address(text: &[u8]) -> Option<String> {
    serde_json::from_slice::<KeyFile>(text).ok()?.ss58_address
}

fn decoded<const N: usize>(digits: &str) -> Option<Zeroizing<[u8; N]>> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let mut bytes = Zeroizing::new([0; N]);
    let fits = digits.len() == 2 * N && hex::decode_to_slice(digits, bytes.as_mut()).is_ok();
    fits.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn a_seed_is_enough() {
        assert_eq!(parse(format!(r#"{{"secretSeed": "{SEED}"}}"#).as_bytes()).unwrap().address(), ALICE);
    }

    #[test]
    fn faults_are_named_and_secrets_are_not() {
        let wrong = |text: String| parse(text.as_bytes()).unwrap_err();
        for (text, message) in [
            (format!(r#"{{"secretSeed": "{SEED}", "ss58Address": "5Dif"}}"#), "its ss58Address is 5Dif"),
            (format!(r#"{{"secretSeed": "{SEED}", "cryptoType": 0}}"#), "only sr25519"),
            (format!(r#"{{"secretSeed": ["{SEED}"]}}"#), "no key file: line 1"),
            (format!(r#"{{"secretSeed": "{SEED}aa"}}"#), "is not 64"),
            (format!(r#"{{"secretPhrase": "{SEED}"}}"#), "is no phrase"),
            (format!(r#"{{"privateKey": "{SEED}"}}"#), "no key of 128"),
            (r#"{"ss58Address": "5Dif"}"#.to_owned(), "cannot sign"),
            (SEED.into(), "no key file"),
        ] {
            let error = wrong(text);
            assert!(error.contains(message) && !error.contains("e5be9a50"), "{error}");
        }
    }
}
