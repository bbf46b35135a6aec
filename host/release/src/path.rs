//! Names of files in a release.

/// Characters that a name may have.
const LONGEST: usize = 128;
/// Folders and file of a name at most.
const DEEPEST: usize = 4;

/// Whether this is the name of a file that lies in the release's folder, whichever system reads it: plain words with slashes
/// between them, none of which begins with a dot.
pub(super) fn is_plain(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let word = |word: &str| !word.is_empty() && !word.starts_with('.') && word.bytes().all(plain);
    path.len() <= LONGEST && path.split('/').count() <= DEEPEST && path.split('/').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_folder() {
        for good in ["challenges.toml", "plugins/mantis_a-b.wasm", "a/b/c/d"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../a",
            "a/../b",
            "a//b",
            "a/",
            ".a",
            "a/.b",
            "a\\b",
            "C:a",
            "a b",
            "a/b/c/d/e",
            "a\0",
            "é",
        ] {
            assert!(!is_plain(bad), "{bad}");
        }
        assert!(!is_plain(&"a".repeat(LONGEST + 1)));
    }
}
