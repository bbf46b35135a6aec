//! The words that are known, and the one that was probably meant.

/// The known word that `word` probably was meant to be: at most a third of its letters differ.
#[must_use]
pub fn closest(word: &str, known: &[&str]) -> Option<String> {
    let near = known.iter().map(|other| (strsim::damerau_levenshtein(word, other), *other));
    let (steps, other) = near.min_by_key(|(steps, _)| *steps)?;
    (steps <= (word.chars().count() / 3).max(1)).then(|| other.into())
}

/// The words that are known, for a message; or how one is made.
pub(crate) fn one_of(known: &[&str], make: &str) -> String {
    if known.is_empty() { format!("none yet: add {make}") } else { known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_only_near_words() {
        assert_eq!(closest("wieght", &["weight", "name"]).as_deref(), Some("weight"));
        assert_eq!(closest("zzz", &["weight", "name"]), None);
        assert_eq!(closest("di", &["dim", "name"]).as_deref(), Some("dim"));
    }
}
