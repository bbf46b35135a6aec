//! How a key is written.

use crate::store::Digest;
use std::fmt;
use subtle::ConstantTimeEq;

const PREFIX: &str = "mk_live_";
const ID: usize = 8;
const SECRET: usize = 43;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key with its secret. It is shown once, when it is made; `Debug` shows the id alone.
#[derive(Clone)]
pub struct Token {
    id: String,
    secret: String,
}

impl Token {
    /// A new one; `None` if the system gives no random numbers.
    #[must_use]
    pub fn random() -> Option<Self> {
        Some(Self { id: letters(ID)?, secret: letters(SECRET)? })
    }

    /// The key that is written so; `None` if none is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_alphanumeric());
        (is(id, ID) && is(secret, SECRET)).then(|| Self { id: id.into(), secret: secret.into() })
    }

    /// What it is found by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is kept of the secret.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.secret.as_bytes())
    }

    /// Whether the secret is the one of which this was kept; takes as long whatever differs.
    #[must_use]
    pub fn is(&self, kept: &Digest) -> bool {
        self.digest().0.ct_eq(&kept.0).into()
    }

    /// The whole key, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({PREFIX}{}_..)", self.id)
    }
}

/// Whether a key stands somewhere in a text, where none belongs.
#[must_use]
pub fn looks_like_key(text: &str) -> bool {
    text.contains(PREFIX)
}

/// So many letters, each with the same odds.
fn letters(count: usize) -> Option<String> {
    let mut out = String::with_capacity(count);
    while out.len() < count {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).ok()?;
        // The largest multiple of 62 below 256: what is above it would favour the first letters.
        let drawn = bytes.iter().filter(|byte| **byte < 248);
        let letters = drawn.filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()));
        out.extend(letters.take(count - out.len()).map(|letter| char::from(*letter)));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let token = Token::random().unwrap();
        let text = token.reveal();
        assert_eq!(text.len(), 8 + 8 + 1 + 43);
        let read = Token::parse(&text).unwrap();
        assert!(read.is(&token.digest()) && read.id() == token.id());
        assert_ne!(Token::random().unwrap().reveal(), text);
        assert!(!Token::random().unwrap().is(&token.digest()));
        assert!(!format!("{token:?}").contains(&token.secret));
        assert!(looks_like_key(&text) && !looks_like_key("mk_test"));
    }

    #[test]
    fn what_is_no_key_is_none() {
        let secret = "x".repeat(43);
        for wrong in [
            String::new(),
            "mk_live_".into(),
            format!("mk_live_abcdefgh{secret}"),
            format!("mk_live_abcdefg_{secret}"),
            format!("mk_live_abcdefgh_{secret}x"),
            format!("mk_live_abcdefgé_{secret}"),
            format!("mk_test_abcdefgh_{secret}"),
            format!(" mk_live_abcdefgh_{secret}"),
            format!("mk_live_abcdefgh_{}'", "x".repeat(42)),
        ] {
            assert!(Token::parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn all_letters_are_drawn_about_as_often() {
        let text = letters(62 * 400).unwrap();
        for letter in LETTERS {
            let count = text.bytes().filter(|byte| byte == letter).count();
            assert!((280..540).contains(&count), "{}: {count}", char::from(*letter));
        }
    }
}
