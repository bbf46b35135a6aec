//! Making keys, and putting one in the place of another.

use super::access::Scope;
use super::token::Token;
use crate::store::{KeyRecord, NewKey, Store, StoreError};
use thiserror::Error;

/// Seconds that a replaced key lives on: a day.
pub const ROTATION_SECONDS: i64 = 86_400;

/// What a new key is to be for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What the owner calls it.
    pub note: String,
    /// What it is for.
    pub scopes: Vec<Scope>,
    /// Challenges that it is for; `None` for all.
    pub signals: Option<Vec<String>>,
    /// Name of its plan.
    pub plan: String,
    /// When it ends, in Unix seconds.
    pub expires: Option<i64>,
}

/// Why there is no new key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a key")]
    Random,
    /// There is no key to be replaced.
    #[error("there is no key {id} that can be replaced: it is unknown, revoked, or was replaced already")]
    Missing {
        /// Its id.
        id: String,
    },
}

/// Makes a key and keeps it.
///
/// # Errors
/// See [`KeyError`].
pub fn add(store: &Store, wanted: &Wanted, now: i64) -> Result<Token, KeyError> {
    let token = Token::random().ok_or(KeyError::Random)?;
    let scopes = wanted.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let Wanted { note, signals, plan, expires, .. } = wanted.clone();
    let (id, secret) = (token.id().to_owned(), token.digest());
    store.add_key(&NewKey { id, secret, note, scopes, signals, plan, made_at: now, expires })?;
    Ok(token)
}

/// Puts a new key with the same rights in the place of another, which lives on for a day.
///
/// # Errors
/// See [`KeyError`].
pub fn rotate(store: &Store, old: &str, now: i64) -> Result<(Token, KeyRecord), KeyError> {
    let missing = || KeyError::Missing { id: old.chars().take(20).collect() };
    let kept = store.key(old)?.ok_or_else(missing)?;
    if kept.key.expires.is_some_and(|end| end <= now) {
        return Err(missing());
    }
    let token = Token::random().ok_or(KeyError::Random)?;
    let new = NewKey { id: token.id().into(), secret: token.digest(), made_at: now, ..kept.key };
    if !store.rotate_key(old, &new, now.saturating_add(ROTATION_SECONDS))? {
        return Err(missing());
    }
    let made = store.key(&new.id)?.ok_or_else(missing)?;
    Ok((token, made))
}

#[cfg(test)]
mod tests {
    use super::super::access::{Standing, standing};
    use super::*;

    #[test]
    fn a_leaked_file_has_no_key_and_a_replaced_one_lives_for_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let wanted = Wanted {
            note: "x".into(),
            scopes: vec![Scope::Latest],
            signals: None,
            plan: "pro".into(),
            expires: Some(1_000_000),
        };
        let old = add(&store, &wanted, 1000).unwrap();
        let (new, kept) = rotate(&store, old.id(), 2000).unwrap();
        assert_eq!((kept.key.plan.as_str(), kept.key.expires), ("pro", Some(1_000_000)));
        assert!(matches!(rotate(&store, old.id(), 2001), Err(KeyError::Missing { .. })));
        assert!(matches!(rotate(&store, "nothing", 2001), Err(KeyError::Missing { .. })));
        let how = |token: &Token, now| standing(token, store.key(token.id()).unwrap().as_ref(), now);
        assert_eq!(how(&old, 2000 + ROTATION_SECONDS - 1), Standing::Good);
        assert_eq!(how(&old, 2000 + ROTATION_SECONDS), Standing::Expired);
        assert_eq!(how(&new, 2000 + ROTATION_SECONDS), Standing::Good);
        store.revoke_key(new.id(), 3000).unwrap();
        assert_eq!(how(&new, 3000), Standing::Revoked);
        // Another's id with a secret of one's own.
        let forged = format!("{}{}", &new.reveal()[..17], &old.reveal()[17..]);
        assert_eq!(how(&Token::parse(&forged).unwrap(), 2000), Standing::Unknown);
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            for token in [&old, &new] {
                let secret = token.reveal()[17..].to_owned();
                assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
            }
        }
    }
}
