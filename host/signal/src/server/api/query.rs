//! What requests ask for, checked.

use super::super::error::ApiError;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;

/// The name of a signal, in the path.
pub(in super::super) struct Ticker(pub(super) String);

/// The query.
pub(in super::super) struct Params<T>(pub(super) T);

/// Where something begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The number of a forecast.
    Seq(i64),
    /// A time in Unix milliseconds.
    Time(i64),
}

impl Place {
    /// A number, a date such as `2026-12-01` (UTC), or a time such as `2026-12-01T12:00:00Z`.
    pub(super) fn parse(key: &str, text: &str) -> Result<Self, ApiError> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let seq = text.parse().map_err(|_| ApiError::bad(format!("`{key}` is too large a number")))?;
            return Ok(Self::Seq(seq));
        }
        let time = text.parse::<Timestamp>().ok();
        let date = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        let found = time.or_else(|| if text.len() == 10 { date() } else { None });
        found.map(|time| Self::Time(time.as_millisecond())).ok_or_else(|| {
            ApiError::bad(format!(
                "`{key}` is neither the number of a forecast, nor a date such as 2026-12-01, nor a time such as \
                 2026-12-01T12:00:00Z"
            ))
        })
    }
}

/// A number within bounds.
pub(super) fn within(key: &str, given: Option<u32>, usual: u32, most: u32) -> Result<u32, ApiError> {
    match given.unwrap_or(usual) {
        found if (1..=most).contains(&found) => Ok(found),
        found => Err(ApiError::bad(format!("`{key}` is {found}; allowed are 1 to {most}"))),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ticker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|error| ApiError::bad(error.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|error| ApiError::bad(error.body_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbers_dates_or_times() {
        let place = |text| Place::parse("from", text).ok();
        assert_eq!(place("17"), Some(Place::Seq(17)));
        assert_eq!(place("1970-01-02"), Some(Place::Time(86_400_000)));
        assert_eq!(place("1970-01-01T00:00:01.5Z"), Some(Place::Time(1500)));
        for wrong in ["", "-1", "99999999999999999999", "1970-13-01", "now", "1970-01-02T", "1e5", "\u{661}"]
        {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
