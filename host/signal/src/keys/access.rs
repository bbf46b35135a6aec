//! What a key is for, and whether it still counts.

use super::token::Token;
use crate::store::KeyRecord;

/// What a key may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The newest forecast.
    Latest,
    /// Forecasts that were published before.
    History,
    /// Forecasts as they are published.
    Stream,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Latest, Self::History, Self::Stream];

    /// How it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "read:latest",
            Self::History => "read:history",
            Self::Stream => "stream",
        }
    }

    /// The one that is written so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// Whether a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Good,
    /// There is none like it.
    Unknown,
    /// It was revoked.
    Revoked,
    /// It has ended.
    Expired,
}

/// Whether a key counts at a time (Unix seconds). Who does not have the secret learns nothing of what became of the key.
#[must_use]
pub fn standing(token: &Token, kept: Option<&KeyRecord>, now: i64) -> Standing {
    // Without a record there is a comparison, too.
    let nothing = crate::store::Digest([0; 32]);
    let is_it = token.is(kept.map_or(&nothing, |kept| &kept.key.secret));
    match kept {
        Some(kept) if is_it => match kept {
            _ if kept.revoked.is_some() => Standing::Revoked,
            _ if kept.key.expires.is_some_and(|end| end <= now) => Standing::Expired,
            _ => Standing::Good,
        },
        _ => Standing::Unknown,
    }
}
