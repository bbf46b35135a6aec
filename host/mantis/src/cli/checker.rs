//! What is looked at before a payload is sealed.

use crate::miner::Check;
use crate::miner::review::review;
use mantis_config::Config;
use mantis_scoring::worker::Launcher;
use serde_json::{Map, Value};

/// Looks at what a miner is about to seal, with the plugins that a validator would use.
pub(super) struct Checker<'a> {
    pub(super) config: &'a Config,
    pub(super) launcher: Launcher,
}

impl Check for Checker<'_> {
    fn check(&self, plaintext: &Map<String, Value>) -> Result<Vec<String>, String> {
        let review = review(self.config, &Value::Object(plaintext.clone()), &self.launcher)
            .map_err(|error| error.to_string())?;
        let changed: Vec<String> = review.changed().collect();
        if !changed.is_empty() {
            return Err(changed.join("; "));
        }
        let ignored: Vec<String> = review.ignored().collect();
        if review.stores() {
            return Ok(ignored);
        }
        let why = if ignored.is_empty() { "there is nothing in it".into() } else { ignored.join("; ") };
        Err(format!("validators would store none of it: {why}"))
    }
}
