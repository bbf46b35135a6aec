//! A JSON document, signed or not: `{"block": n, "time": s, "rows": [{"hotkey", "block", "time", "numbers"}]}`.

use super::{FactClient, FactError, FactUpdate, Known, check_time, in_short};
use crate::http::fetch;
use mantis_config::bare_url;
use mantis_plugin_api::{FactList, FactRow};
use serde::Deserialize;
use std::str::FromStr;
use subxt::utils::AccountId32;
use subxt_signer::sr25519::{PublicKey, Signature, verify};

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    block: Option<i64>,
    time: f64,
    rows: Vec<FactRow>,
}

/// Bytes of a signature in hexadecimal, and some white space.
const SIGNATURE_BYTES: u64 = 256;

pub(super) async fn read(client: &FactClient, known: &Known, now: u64) -> Result<FactUpdate, FactError> {
    let mut faults = Vec::new();
    for url in client.urls() {
        match read_one(client, url, known, now).await {
            Ok(list) => {
                let (hash, stopped) = (None, None);
                return Ok(FactUpdate { list, hash, is_whole: true, is_complete: true, stopped, faults });
            }
            Err(error) => faults.push(error),
        }
    }
    // There is one for each address.
    Err(faults.swap_remove(0))
}

async fn read_one(client: &FactClient, url: &str, known: &Known, now: u64) -> Result<FactList, FactError> {
    let wrong = |what: String| FactError::Answer { url: bare_url(url), what };
    let get = async |address: &str, limit: u64| {
        let body = fetch(client.client.get(address), limit, &mut ()).await;
        body.map_err(|fault| FactError::Http { url: bare_url(address), fault })
    };
    let text = get(url, client.source.max_bytes).await?;
    if let Some(signer) = &client.source.signer {
        let signature = get(&format!("{url}.sig"), SIGNATURE_BYTES).await?;
        if !is_signed(&text, &signature, signer) {
            return Err(wrong(format!("it is not signed by {signer}")));
        }
    }
    let document: Document = serde_json::from_slice(&text)
        .map_err(|e| wrong(in_short(&format!("it is no list of facts: {e}"))))?;
    // By its time alone: a block that is wrong once would shut out all that come after it.
    check_time(document.time, known.time, now).map_err(wrong)?;
    let Document { block, time, rows } = document;
    Ok(FactList { name: client.source.name.clone(), block, time: Some(time), rows })
}

fn is_signed(text: &[u8], signature: &[u8], signer: &str) -> bool {
    let bytes = std::str::from_utf8(signature).ok().and_then(|hex| hex::decode(hex.trim()).ok());
    let bytes: Option<[u8; 64]> = bytes.and_then(|bytes| bytes.try_into().ok());
    let Some((bytes, key)) = bytes.zip(AccountId32::from_str(signer).ok()) else { return false };
    verify(&Signature(bytes), text, &PublicKey(key.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::FeedServer;
    use mantis_config::{FactKind, FactSource};
    use std::sync::Arc;
    use subxt_signer::sr25519::dev;

    #[test]
    fn a_signature_holds_for_its_text_and_signer_alone() {
        let (alice, bob) = (dev::alice(), dev::bob());
        let address = |key: &subxt_signer::sr25519::Keypair| AccountId32(key.public_key().0).to_string();
        let signature = format!("{}\n", hex::encode(alice.sign(b"facts").0));
        assert!(is_signed(b"facts", signature.as_bytes(), &address(&alice)));
        assert!(!is_signed(b"other", signature.as_bytes(), &address(&alice)));
        assert!(!is_signed(b"facts", signature.as_bytes(), &address(&bob)));
        assert!(!is_signed(b"facts", &signature.as_bytes()[2..], &address(&alice)));
        assert!(!is_signed(b"facts", signature.as_bytes(), "5nobody"));
    }

    /// What is read of a text, by a list that is known.
    async fn read_of(text: String, known: &Known) -> Result<FactUpdate, String> {
        let server = FeedServer::start(Arc::new(move || text.clone().into())).await.unwrap();
        let kind = FactKind::Document;
        let source = FactSource {
            name: "stakes".into(),
            kind,
            url: server.url(),
            max_bytes: 10_000,
            ..FactSource::default()
        };
        let update = FactClient::new(&source).unwrap().read(known, 1000).await;
        update.map_err(|error| error.to_string())
    }

    fn of(time: &str, block: &str) -> String {
        format!(r#"{{"time": {time}, "block": {block}, "rows": [{{"hotkey": "5A", "numbers": [1, 2.5]}}]}}"#)
    }

    #[tokio::test]
    async fn a_document_is_taken_whole_and_only_if_it_is_newer() {
        let known = Known { block: Some(70), time: Some(900.0), hash: None };
        let update = read_of(of("950", "71"), &known).await.unwrap();
        assert!(update.is_whole && update.is_complete);
        let list = update.list;
        assert_eq!(
            (list.block, list.time, &list.rows[0].numbers[..]),
            (Some(71), Some(950.0), &[1.0, 2.5][..])
        );
        // A block that was wrong once is no reason to refuse all that follow.
        let known = Known { block: Some(i64::MAX), ..known };
        assert!(read_of(of("950", "71"), &known).await.is_ok());
        for (text, says) in [
            (of("899", "72"), "one of 900 was had before"),
            (of("1121", "72"), "it is 1000 now"),
            (of("-1", "72"), "it is of the time -1"),
            (of("null", "72"), "no list of facts"),
            (of("950", "9223372036854775808"), "no list of facts"),
            (of(&format!("\"{}\"", "9".repeat(5000)), "1"), "no list of facts"),
            (" ".repeat(10_001), "larger than 10000"),
            ("[]".into(), "no list of facts"),
        ] {
            let fault = read_of(text, &known).await.unwrap_err();
            assert!(fault.contains(says) && fault.len() < 400, "{says}: {fault}");
        }
    }
}
