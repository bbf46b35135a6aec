//! Who asks, and how often: every request passes here first.

use super::caller::{Caller, Name};
use super::error::ApiError;
use super::limits::Left;
use super::site::{SignalSite, now_ms};
use crate::keys::{Standing, Token, looks_like_key};
use crate::plans::{FREE, Rate};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often an address may ask where the plans say nothing of it.
const STRANGERS: Rate = Rate { count: 30, per: Duration::from_secs(60) };
/// Names under which keys are put into queries.
const NAMES: [&str; 8] =
    ["access_token", "api-key", "api_key", "apikey", "authorization", "bearer", "key", "token"];

/// Finds out who asks, and refuses who asks too often.
pub(super) async fn admit(State(site): State<Arc<SignalSite>>, mut request: Request, next: Next) -> Response {
    if let Some(refused) = key_in_address(&request) {
        return refused.into_response();
    }
    let address = address(&request, site.plans.serving.trust_forwarded);
    let who = caller(&site, request.headers(), address).await;
    let free = site.plans.plan(FREE).map_or(STRANGERS, |plan| plan.rate);
    let (name, rate) = match &who {
        Ok(caller) => (caller.name.clone(), caller.plan.rate),
        // Whoever guesses keys is counted by address.
        Err(_) => (Name::Address(address), free),
    };
    let left = site.limits.take(&name, rate, Instant::now());
    if !left.taken {
        let detail = format!("too many requests; the next is answered in {} s", left.wait);
        let refused = ApiError::later(StatusCode::TOO_MANY_REQUESTS, left.wait, detail);
        return with_limits(refused.into_response(), left);
    }
    let response = match who {
        Ok(caller) => {
            if let Some(kept) = &caller.key {
                site.usage.count(&kept.key.id, now_ms(), 1, 0);
            }
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    with_limits(response, left)
}

async fn caller(site: &Arc<SignalSite>, headers: &HeaderMap, address: IpAddr) -> Result<Caller, ApiError> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = given.next() else {
        let plan = site.plans.plan(FREE).cloned();
        let plan = plan.ok_or_else(|| ApiError::unauthorized("nothing is given here without a key"))?;
        return Ok(Caller { plan, key: None, name: Name::Address(address) });
    };
    let malformed = "`Authorization` is not `Bearer mk_live_..`: send the key as it was given to you";
    let text = first.to_str().ok().filter(|_| given.next().is_none());
    let (kind, key) = text.and_then(|text| text.split_once(' ')).unwrap_or_default();
    let token = Token::parse(key.trim()).filter(|_| kind.eq_ignore_ascii_case("bearer"));
    let token = token.ok_or_else(|| ApiError::unauthorized(malformed))?;
    let (standing, kept) = site.look_up(&token).await?;
    let kept = match (standing, kept) {
        (Standing::Good, Some(kept)) => kept,
        (Standing::Revoked, _) => return Err(ApiError::unauthorized("this key was revoked")),
        (Standing::Expired, _) => {
            return Err(ApiError::unauthorized("this key has ended; ask for a new one"));
        }
        _ => return Err(ApiError::unauthorized("there is no such key")),
    };
    let plan = site.plans.plan(&kept.key.plan).cloned();
    let plan = plan
        .ok_or_else(|| ApiError::forbidden("the plan of this key is not offered any more; ask the owner"))?;
    Ok(Caller { plan, name: Name::Key(kept.key.id.clone()), key: Some(kept) })
}

/// Refuses a key that stands in the address: addresses are written down by every proxy on the way.
fn key_in_address(request: &Request) -> Option<ApiError> {
    let uri = request.uri();
    let is_name = |part: &str| {
        let name = part.split('=').next().unwrap_or_default().to_ascii_lowercase();
        NAMES.contains(&name.as_str())
    };
    let is_there = looks_like_key(uri.path())
        || uri.query().is_some_and(|query| looks_like_key(query) || query.split('&').any(is_name));
    is_there.then(|| {
        ApiError::bad(
            "a key does not belong into an address, where logs keep it: send `Authorization: Bearer mk_live_..`, and \
             have this one replaced (POST /v1/keys/rotate)",
        )
    })
}

/// The address that counts: of IPv6 the network of a household, since each has more addresses than can be counted.
fn address(request: &Request, trust_forwarded: bool) -> IpAddr {
    let peer = request.extensions().get::<SocketAddr>().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
    let forwarded = || {
        let last = request.headers().get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    let found = trust_forwarded.then(forwarded).flatten().unwrap_or(peer);
    match found.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn with_limits(mut response: Response, left: Left) -> Response {
    for (name, value) in [
        (HeaderName::from_static("ratelimit-limit"), u64::from(left.limit)),
        (HeaderName::from_static("ratelimit-remaining"), u64::from(left.remaining)),
        (HeaderName::from_static("ratelimit-reset"), left.reset),
    ] {
        response.headers_mut().insert(name, HeaderValue::from(value));
    }
    response
}
