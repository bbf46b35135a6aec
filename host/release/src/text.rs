//! Reading TOML of a known form.

use super::ReleaseRejection;
use serde::de::DeserializeOwned;

/// Characters of what is wrong that are told.
const SHOWN: usize = 300;

/// Reads a text; `file` is its name in messages.
///
/// # Errors
/// [`ReleaseRejection::Text`] with the line.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], file: &'static str) -> Result<T, ReleaseRejection> {
    let text = std::str::from_utf8(bytes).map_err(|_| fault(file, None, "it is not text in UTF-8"))?;
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        fault(file, line, error.message())
    })
}

/// What is wrong in a file.
pub(super) fn fault(file: &'static str, line: Option<usize>, what: &str) -> ReleaseRejection {
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
    ReleaseRejection::Text { file, line, what }
}
