//! JSON-RPC over HTTP, one question at a time.

use super::{FactClient, FactError, in_short};
use crate::http::fetch;
use mantis_config::bare_url;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// Only what is asked for is read: a tree of anything would take many times the memory of its text.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Answer<T> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default = "Option::default")]
    result: Option<T>,
    #[serde(default)]
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

impl FactClient {
    /// Asks the node at an address; `None` where it has no answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        url: &str,
        method: &str,
        params: Value,
    ) -> Result<Option<T>, FactError> {
        // Each question has a number of its own: what lies between may keep answers and mix them up.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string());
        let text = fetch(request, self.source.max_bytes, &mut ()).await;
        let text = text.map_err(|fault| FactError::Http { url: bare_url(url), fault })?;
        let wrong =
            |what: String| FactError::Answer { url: bare_url(url), what: format!("{method}: {what}") };
        let answer: Answer<T> = serde_json::from_slice(&text)
            .map_err(|e| wrong(in_short(&format!("no answer that can be read: {e}"))))?;
        match answer.error {
            Some(Refusal { message }) => {
                let what = format!("{method}: {}", in_short(&message));
                Err(FactError::Refused { url: bare_url(url), what })
            }
            None if answer.id != Some(id) => Err(wrong("the answer to another question".into())),
            None => Ok(answer.result),
        }
    }
}
