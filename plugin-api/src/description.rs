//! What a plugin tells the host about itself.

use crate::ParamTable;
use serde::{Deserialize, Serialize};

/// A plugin's own words about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The plugin's name: what `plugin = "..."` refers to.
    pub name: String,
    /// Its version (semver).
    pub version: String,
    /// One sentence: what it pays for.
    pub summary: String,
    /// Its parameters.
    pub params: ParamTable,
}

impl Description {
    /// A description without parameters.
    pub fn new(name: impl Into<String>, version: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), summary: summary.into(), params: Vec::new() }
    }

    /// Adds the table of parameters that [`crate::params!`] makes.
    #[must_use]
    pub fn with_params(mut self, params: ParamTable) -> Self {
        self.params = params;
        self
    }
}
