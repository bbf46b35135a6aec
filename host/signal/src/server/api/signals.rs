//! `GET /v1/signals`: the catalogue.

use super::super::caller::Caller;
use super::super::error::ApiError;
use super::super::site::{SignalSite, now_ms};
use super::shape::Shape;
use crate::plans::Plan;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
pub(in super::super) struct Catalogue {
    signals: Vec<Entry>,
    plans: Vec<PlanEntry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    shape: Shape,
    title: Option<String>,
    price: Option<String>,
    /// The plan in which it is sold.
    plan: Option<String>,
    /// Whether the key is for it; without a key, it is.
    yours: bool,
    /// How late it is given to who asks.
    delay_seconds: u64,
    /// The newest forecast that may be known to who asks.
    newest: Option<Newest>,
}

#[derive(Serialize)]
struct Newest {
    seq: i64,
    published_at: i64,
}

#[derive(Serialize)]
struct PlanEntry {
    name: String,
    delay_seconds: u64,
    rate: String,
    history_seconds: u64,
    streams: usize,
    price: Option<String>,
}

pub(in super::super) async fn signals(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
) -> Result<Json<Catalogue>, ApiError> {
    site.read(move |site| {
        let until = caller.until(now_ms());
        let entry = |signal: crate::store::FitInfo| {
            let yours = caller.is_for(&signal.ticker);
            let newest = if yours { site.store.latest(&signal.ticker, until)? } else { None };
            let offer = site.plans.offer(&signal.ticker);
            Ok(Entry {
                shape: Shape::new(&signal.ticker, signal.outlook),
                title: offer.title,
                price: offer.price,
                plan: offer.plan,
                yours,
                delay_seconds: caller.plan.delay.as_secs(),
                newest: newest.map(|found| Newest { seq: found.seq, published_at: found.published_at }),
            })
        };
        let signals = site.signals()?.into_iter().map(entry).collect::<Result<_, ApiError>>()?;
        Ok(Json(Catalogue { signals, plans: site.plans.plans().map(|plan| PlanEntry::new(plan)).collect() }))
    })
    .await
}

impl PlanEntry {
    fn new(plan: &Plan) -> Self {
        Self {
            name: plan.name.clone(),
            delay_seconds: plan.delay.as_secs(),
            rate: plan.rate.to_string(),
            history_seconds: plan.history.as_secs(),
            streams: plan.streams,
            price: plan.price.clone(),
        }
    }
}
