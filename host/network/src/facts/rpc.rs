//! JSON-RPC over HTTP, one question at a time.

use super::{FactClient, FactError};
use crate::http::fetch;
use mantis_config::bare_url;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

/// Characters of a node's own words that are repeated.
const WORDS: usize = 200;

impl FactClient {
    /// Asks the node at an address; `null` where it has no answer.
    pub(super) async fn ask(&self, url: &str, method: &str, params: Value) -> Result<Value, FactError> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string());
        let text = fetch(request, self.source.max_bytes, &mut ()).await;
        let text = text.map_err(|fault| FactError::Http { url: bare_url(url), fault })?;
        let wrong = |what: String| FactError::Answer { url: bare_url(url), what };
        let answer: Answer = serde_json::from_slice(&text)
            .map_err(|e| wrong(format!("{method}: no answer of JSON-RPC: {e}")))?;
        match (answer.result, answer.error) {
            (_, Some(error)) => {
                let words = error.get("message").and_then(Value::as_str).unwrap_or("an error");
                let words: String = words.chars().filter(|c| !c.is_control()).take(WORDS).collect();
                Err(wrong(format!("{method}: {words}")))
            }
            (result, None) => Ok(result.unwrap_or(Value::Null)),
        }
    }
}
