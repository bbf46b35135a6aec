//! The page that visitors see: what is forecast, how well, what it costs, and how it is checked.

use super::caller::Caller;
use super::error::ApiError;
use super::site::{SignalSite, now_ms};
use super::svg;
use crate::plans::{Plan, in_words};
use crate::record::{Measure, Record};
use crate::store::{DAY_MS, FitInfo, Published};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use mantis_plugin_api::{Outlook, OutlookKind};
use std::sync::Arc;
use tracing::warn;

/// Days of a record.
const DAYS: u32 = 90;
/// Forecasts of a curve, and subjects that are shown.
const CURVE: usize = 60;
const SUBJECTS: usize = 8;
/// Signals of a page.
const SIGNALS: usize = 100;

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    delay: Option<String>,
    netuid: Option<u16>,
    origin: String,
    example: String,
    public_key: String,
    version: &'static str,
    tiles: Vec<Tile>,
    plans: Vec<PlanRow>,
}

struct Tile {
    id: usize,
    title: String,
    ticker: String,
    about: String,
    price: Option<String>,
    plan: Option<String>,
    at: String,
    values: Vec<(String, String)>,
    more: usize,
    spark: String,
    rows: usize,
    n_eff: usize,
    measures: Vec<Row>,
    calibration: String,
}

struct Row {
    name: &'static str,
    value: String,
    interval: String,
    baseline: String,
}

struct PlanRow {
    name: String,
    delay: String,
    rate: String,
    history: String,
    price: String,
}

/// What was read of a signal.
struct Seen {
    signal: FitInfo,
    outlook: Outlook,
    newest: Vec<Published>,
}

pub(super) async fn page(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = now_ms();
    let asker = caller.clone();
    let seen = site
        .read(move |site| {
            let until = asker.until(now);
            let signals =
                site.signals()?.into_iter().filter(|signal| asker.is_for(&signal.ticker)).take(SIGNALS);
            let mut seen = Vec::new();
            for signal in signals {
                let newest = site.store.newest(&signal.ticker, until, CURVE)?;
                let outlook = newest.last().map(|last| site.store.outlook(last.seq)).transpose()?.flatten();
                let outlook = outlook.unwrap_or_else(|| signal.outlook.clone());
                seen.push(Seen { signal, outlook, newest });
            }
            Ok(seen)
        })
        .await?;
    let mut tiles = Vec::new();
    for (id, seen) in seen.iter().enumerate() {
        let mut span = caller.span(now);
        span.from = now.saturating_sub(i64::from(DAYS) * DAY_MS);
        let record = site.record(&seen.signal, DAYS, &caller.plan.name, span).await?;
        tiles.push(tile(&site, id, seen, &record));
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let page = Page {
        delay: (!caller.plan.delay.is_zero()).then(|| caller.delay()),
        netuid: site.netuid,
        origin: format!("{}://{host}", scheme(&site, &headers)),
        example: tiles.first().map_or_else(|| "TICKER".to_owned(), |tile| tile.ticker.clone()),
        public_key: site.key.public().to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        tiles,
        plans: site.plans.plans().map(|plan| plan_row(plan)).collect(),
    };
    let text = page.render().map_err(|error| {
        warn!(%error, "a page was not made");
        ApiError::internal()
    })?;
    let cache = [(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    Ok((cache, Html(text)).into_response())
}

/// How the page was asked for, as far as a proxy says so.
fn scheme(site: &SignalSite, headers: &HeaderMap) -> &'static str {
    let forwarded = headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
    if site.plans.serving.trust_forwarded && forwarded == Some("https") { "https" } else { "http" }
}

/// The style sheet.
pub(super) async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    (headers, include_str!("../../templates/signal.css")).into_response()
}

fn tile(site: &SignalSite, id: usize, seen: &Seen, record: &Record) -> Tile {
    let Seen { signal, outlook, newest } = seen;
    let offer = site.plans.offer(&signal.ticker);
    let last = newest.last();
    let width = outlook.classes.len().max(1);
    let name = |at: usize| match (outlook.subjects.get(at / width), outlook.classes.get(at % width)) {
        (Some(subject), Some(class)) => format!("{subject}, {class}"),
        (Some(subject), None) => subject.clone(),
        _ => String::new(),
    };
    let values: Vec<(String, String)> = last
        .map(|last| last.values.iter().enumerate().map(|(at, value)| (name(at), number(*value))).collect())
        .unwrap_or_default();
    let first: Vec<Option<f64>> = newest.iter().map(|one| one.values.first().copied().flatten()).collect();
    let is_one = outlook.subjects.len() * width == 1;
    Tile {
        id,
        title: offer.title.unwrap_or_else(|| signal.ticker.clone()),
        ticker: signal.ticker.clone(),
        about: about(outlook),
        price: offer.price,
        plan: offer.plan,
        at: last.map_or_else(|| "no forecast yet".into(), |last| moment(last.published_at)),
        more: values.len().saturating_sub(SUBJECTS),
        values: values.into_iter().take(SUBJECTS).collect(),
        spark: if is_one {
            svg::spark(&first, "The newest forecasts, the last at the right")
        } else {
            String::new()
        },
        rows: record.rows,
        n_eff: record.n_eff,
        measures: measures(record),
        calibration: svg::calibration(&record.calibration),
    }
}

fn about(outlook: &Outlook) -> String {
    let horizon = match outlook.horizon_rows {
        0 => "no fixed horizon".into(),
        rows => format!("{rows} rows ahead"),
    };
    let kind = match outlook.kind {
        OutlookKind::Probability => "probabilities",
        OutlookKind::Classes => "probabilities of classes",
        OutlookKind::Scores => "scores that rank",
        OutlookKind::Weights => "weights of a portfolio",
    };
    let subjects = match outlook.subjects.len() {
        1 => String::new(),
        many => format!(" of {many} subjects"),
    };
    format!("{kind}{subjects}, {horizon}: {}", outlook.unit)
}

fn measures(record: &Record) -> Vec<Row> {
    let portfolio = record.portfolio.as_ref();
    let all: [(&'static str, Option<Measure>); 6] = [
        ("Brier score (less is better)", record.brier),
        ("Log loss (less is better)", record.log_loss),
        ("AUC", record.auc),
        ("Hit rate", record.hit_rate),
        ("Rank correlation", record.spearman),
        ("Mean return of a row", portfolio.map(|portfolio| portfolio.mean_return)),
    ];
    let row = |(name, measure): (&'static str, Option<Measure>)| {
        let measure = measure?;
        let interval = measure.ci95.map_or_else(|| "–".into(), |[a, b]| format!("{a:.4} to {b:.4}"));
        let value = number(Some(measure.value));
        Some(Row { name, value, interval, baseline: number(measure.baseline) })
    };
    let mut rows: Vec<Row> = all.into_iter().filter_map(row).collect();
    let plain =
        |name, value| Row { name, value: number(value), interval: "–".into(), baseline: "–".into() };
    if let Some(portfolio) = portfolio {
        rows.push(plain("Sharpe ratio of a horizon", portfolio.sharpe));
        rows.push(plain("Largest drawdown", Some(portfolio.drawdown)));
    }
    rows
}

fn plan_row(plan: &Plan) -> PlanRow {
    PlanRow {
        name: plan.name.clone(),
        delay: if plan.delay.is_zero() { "none".into() } else { in_words(plan.delay) },
        rate: plan.rate.to_string(),
        history: in_words(plan.history),
        price: plan.price.clone().unwrap_or_else(|| "–".into()),
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.4}"))
}

fn moment(ms: i64) -> String {
    Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
