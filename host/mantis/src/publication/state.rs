//! What the publisher remembers beside what it publishes. Without it everything takes longer, and comes to the same.

use crate::files::replace;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// The file.
const NAME: &str = "state.json";

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// What told of each day, hexadecimal, when its part was made: the same again, and the part is.
    pub(super) stamps: BTreeMap<i64, String>,
    /// Names of files that each store has, by the URL from which everyone reads it.
    pub(super) uploaded: BTreeMap<String, BTreeSet<String>>,
}

impl State {
    /// Reads it; one that cannot be read is empty.
    pub(super) fn read(place: &Path) -> Self {
        let text = fs::read(place.join(NAME)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub(super) fn write(&self, place: &Path) -> io::Result<()> {
        replace(&place.join(NAME), &serde_json::to_vec(self)?)
    }
}
