//! What a server's answer says about time: its `Date` and `Last-Modified` headers.

use mantis_network::http::{HttpError, builder};
use reqwest::header::{DATE, HeaderMap, HeaderName, LAST_MODIFIED};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What one answer says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stamp {
    /// The server's time, Unix seconds.
    pub(super) date: Option<f64>,
    /// When the document was last changed, Unix seconds.
    pub(super) modified: Option<f64>,
    /// This machine's time in the middle of request and answer, Unix seconds.
    pub(super) here: f64,
}

/// Asks for a document and reads the answer's headers. The answer's status does not matter.
pub(super) async fn stamp(url: &str, limit: Duration) -> Result<Stamp, HttpError> {
    let client = builder().timeout(limit).build()?;
    let before = unix();
    let answer = client.get(url).send().await?;
    let here = (before + unix()) / 2.0;
    Ok(Stamp { date: time(answer.headers(), &DATE), modified: time(answer.headers(), &LAST_MODIFIED), here })
}

/// This machine's time, Unix seconds.
pub(super) fn unix() -> f64 {
    seconds(SystemTime::now())
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn time(headers: &HeaderMap, name: &HeaderName) -> Option<f64> {
    let text = headers.get(name)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok().map(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn reads_dates_and_nothing_else() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        headers.insert(LAST_MODIFIED, HeaderValue::from_static("yesterday"));
        assert_eq!(time(&headers, &DATE), Some(784_111_777.0));
        assert_eq!(time(&headers, &LAST_MODIFIED), None);
    }
}
