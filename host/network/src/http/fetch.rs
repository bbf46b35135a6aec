//! One document, read with a limit.

use super::HttpError;
use reqwest::header::{CONTENT_ENCODING, LAST_MODIFIED};
use reqwest::{RequestBuilder, StatusCode};
use std::time::UNIX_EPOCH;

/// Smallest piece of memory that is asked for.
const PIECE: usize = 16 << 10;

/// Who grants memory for a body.
pub(crate) trait MemoryBudget {
    /// Asks for `bytes` more; whether they are granted.
    fn reserve(&mut self, bytes: usize) -> bool;
    /// Gives back what turned out not to be needed.
    fn release(&mut self, bytes: usize);
}

/// Memory for everything.
impl MemoryBudget for () {
    fn reserve(&mut self, _: usize) -> bool {
        true
    }

    fn release(&mut self, _: usize) {}
}

/// Sends a request and reads the body of a 200, at most `max_bytes` of it, its header unheeded.
///
/// On success `room` has granted exactly as many bytes as come back. On a fault, what it granted is free again.
pub(crate) async fn fetch(
    request: RequestBuilder,
    max_bytes: u64,
    room: &mut impl MemoryBudget,
) -> Result<Vec<u8>, HttpError> {
    fetch_dated(request, max_bytes, room).await.map(|(body, _)| body)
}

/// The same, and when the document was last changed, Unix seconds, if the server says so.
pub(crate) async fn fetch_dated(
    request: RequestBuilder,
    max_bytes: u64,
    room: &mut impl MemoryBudget,
) -> Result<(Vec<u8>, Option<u64>), HttpError> {
    let mut response = request.send().await?;
    let status = response.status();
    if status.is_redirection() {
        return Err(HttpError::Redirected { status: status.as_u16() });
    }
    if status != StatusCode::OK {
        return Err(HttpError::Status { status: status.as_u16() });
    }
    let encodings = response.headers().get_all(CONTENT_ENCODING);
    if let Some(encoding) = encodings.iter().find(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        let encoding = String::from_utf8_lossy(encoding.as_bytes()).chars().take(40).collect();
        return Err(HttpError::Encoded { encoding });
    }
    let modified = response.headers().get(LAST_MODIFIED).and_then(|value| value.to_str().ok());
    let modified = modified.and_then(|text| httpdate::parse_http_date(text).ok());
    let modified =
        modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if (body.len() + chunk.len()) as u64 > max_bytes {
            return Err(HttpError::TooLarge { limit: max_bytes });
        }
        if !grow(&mut body, chunk.len(), room) {
            return Err(HttpError::NoRoom { bytes: body.len() as u64 });
        }
        body.extend_from_slice(&chunk);
    }
    let spare = body.capacity();
    body.shrink_to_fit();
    room.release(spare - body.capacity());
    Ok((body, modified))
}

/// Makes place for `more` bytes; memory is asked for before it is taken, and taken in pieces that double.
fn grow(body: &mut Vec<u8>, more: usize, room: &mut impl MemoryBudget) -> bool {
    let needed = body.len() + more;
    let before = body.capacity();
    if needed <= before {
        return true;
    }
    for capacity in [needed.max(2 * before).max(PIECE), needed] {
        if room.reserve(capacity - before) {
            body.reserve_exact(capacity - body.len());
            return true;
        }
    }
    false
}
