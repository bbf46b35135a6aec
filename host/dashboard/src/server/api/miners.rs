//! One miner: what it earns, and every reason.

use super::{Page, Problems};
use crate::server::error::ApiError;
use crate::server::extract::{Name, Paging, Params};
use crate::server::site::Site;
use crate::standing::Standing;
use axum::Json;
use axum::extract::State;
use mantis_config::Block;
use mantis_ledger::{Activity, Ledger, MinerCounts, ReasonLine};
use mantis_plugin_api::{Fact, WhyZero};
use mantis_validator::agreement::Agreement;
use mantis_weights::Scored;
use mantis_weights::Settlement;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A miner.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct MinerAnswer {
    /// Its hotkey, SS58.
    hotkey: String,
    /// What is known of it beside its name; null but in a demo.
    about: Option<String>,
    /// Its place among all miners, from 1; null if it earns nothing.
    rank: Option<usize>,
    /// Its part of the total salience.
    total: f64,
    /// Its way from salience to weight; null if it is not registered, or no weights came of the computation.
    weight: Option<StepAnswer>,
    /// What the chain is given, 0 to 65,535.
    on_chain: u16,
    /// What the chain's last epoch gave it, as alpha a day at that rate, when this validator last compared its weights with others'; null
    /// if nothing, or that is not known.
    alpha_per_day: Option<f64>,
    /// Each challenge, in the order of the configuration.
    challenges: Vec<InChallenge>,
    /// Its payloads; null if there were none.
    payloads: Option<PayloadCounts>,
    /// Blocks whose payload waits to be opened.
    waiting: Vec<i64>,
}

/// A UID's way from salience to weight.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct StepAnswer {
    /// The UID.
    uid: u16,
    /// Its hotkey then.
    hotkey: String,
    /// Its part of the total salience.
    salience: f64,
    /// Whether it is given the fixed weight of the young instead of its share.
    young: bool,
    /// Its share before the burn.
    share: f64,
    /// After the burn.
    burned: f64,
    /// The smoothed weight of last time; null if there was no last time.
    previous: Option<f64>,
    /// After smoothing: the weight.
    weight: f64,
    /// Whether the subnet's owner retired it: what it would weigh is burned.
    retired: bool,
}

/// What a challenge pays a miner, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct InChallenge {
    /// The challenge.
    ticker: String,
    /// What the challenge counts for: its part of all that pay.
    counts: f64,
    /// The miner's part of what the challenge pays.
    share: f64,
    /// Its place among those paid, from 1.
    rank: Option<usize>,
    /// How many are paid.
    paid: usize,
    /// Why it is paid nothing, if it is.
    why_zero: Option<Why>,
    /// The numbers behind it, by name.
    facts: BTreeMap<String, f64>,
    /// Those of the numbers that are another miner's column: its hotkey.
    miners: BTreeMap<String, String>,
    /// How it sent in the last day that was scored; null if nothing of it is stored there.
    activity: Option<ActivityAnswer>,
}

/// Why a challenge pays a miner nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct Why {
    /// As a word.
    code: String,
    /// As a sentence.
    text: String,
}

/// How a miner sent to a challenge in the last day that was scored.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct ActivityAnswer {
    /// Rows of that day.
    rows: u32,
    /// Those in which something of the miner is stored.
    present: u32,
    /// Those of them that differ from the one before.
    changes: u32,
    /// Block of the last row in which it is present.
    last_block: i64,
    /// Block of the last row in which it differs from the one before.
    changed_block: i64,
    /// Another hotkey that sent the very same most often; null if none did.
    twin: Option<String>,
    /// In so many rows.
    twin_rows: u32,
}

/// Payloads of a miner since the ledger was begun.
#[derive(Debug, Serialize, ToSchema)]
struct PayloadCounts {
    /// Taken to wait for their opening.
    accepted: u64,
    /// Of those, served unchanged.
    stale: u64,
    /// Of those, such as anybody could have opened already.
    early: u64,
    /// Of those, opened so far.
    opened: u64,
    /// Block of the newest.
    last_block: i64,
}

/// A miner in one computation.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct HistoryLine {
    /// The block that was computed for.
    block: i64,
    /// When the computation ended, Unix seconds; null if that is not kept.
    ended: Option<u64>,
    /// Its UID then; null if no weights came of the computation, or it was not registered.
    uid: Option<u16>,
    /// Its part of the total salience; null if `uid` is.
    salience: Option<f64>,
    /// Its smoothed weight; null if `uid` is.
    weight: Option<f64>,
    /// What each challenge paid it, as a part of what the challenge paid, by ticker. Those that paid it nothing are left out.
    shares: BTreeMap<String, f64>,
    /// Why challenges paid it nothing, by ticker: of the newest 50 computations, and of challenges of which it had rows.
    why_zero: BTreeMap<String, Why>,
}

/// What a miner earns, challenge by challenge, and why.
#[utoipa::path(get, path = "/api/v1/miners/{hotkey}", tag = "miners",
    params(("hotkey" = String, Path, description = "The miner's hotkey, SS58.")),
    responses((status = 200, description = "The miner.", body = MinerAnswer), Problems))]
pub(in crate::server) async fn miner(
    State(site): State<Arc<Site>>,
    Name(hotkey): Name,
) -> Result<Json<MinerAnswer>, ApiError> {
    site.query(move |ledger, standing| MinerAnswer::read(ledger, standing, hotkey).map(Json)).await
}

/// A miner in all computations, newest first.
#[utoipa::path(get, path = "/api/v1/miners/{hotkey}/history", operation_id = "miner_history", tag = "miners",
    params(("hotkey" = String, Path, description = "The miner's hotkey, SS58."), Paging),
    responses((status = 200, description = "A page of computations.", body = Page<HistoryLine>), Problems))]
pub(in crate::server) async fn history(
    State(site): State<Arc<Site>>,
    Name(hotkey): Name,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<HistoryLine>>, ApiError> {
    site.query(move |ledger, standing| {
        let lines = past(ledger, &hotkey)?;
        if lines.is_empty() && !is_known(ledger, standing, &hotkey)? {
            return Err(unknown(&hotkey));
        }
        Ok(Json(Page::select(lines.into_values().rev().collect::<Vec<_>>().into_iter(), paging)?))
    })
    .await
}

pub(super) fn unknown(hotkey: &str) -> ApiError {
    let hotkey: String = hotkey.chars().take(80).collect();
    ApiError::missing(format!(
        "nothing is known of a miner \"{hotkey}\"; /api/v1/leaderboard lists those that are known"
    ))
}

fn is_known(ledger: &Ledger, standing: &Standing, hotkey: &str) -> Result<bool, ApiError> {
    Ok(standing.knows(hotkey) || !ledger.rejections(Some(hotkey))?.is_empty())
}

fn past(ledger: &Ledger, hotkey: &str) -> Result<BTreeMap<Block, HistoryLine>, ApiError> {
    let times = ledger.computation_times()?;
    let empty = |block: Block| HistoryLine {
        block: block.0,
        ended: times.get(&block).copied(),
        uid: None,
        salience: None,
        weight: None,
        shares: BTreeMap::new(),
        why_zero: BTreeMap::new(),
    };
    let mut lines: BTreeMap<Block, HistoryLine> = BTreeMap::new();
    for weight in ledger.weight_history(hotkey)? {
        let line = lines.entry(weight.block).or_insert_with(|| empty(weight.block));
        (line.uid, line.salience, line.weight) =
            (Some(weight.uid), Some(weight.salience), Some(weight.weight));
    }
    for salience in ledger.salience_history(hotkey)? {
        let line = lines.entry(salience.block).or_insert_with(|| empty(salience.block));
        line.shares.insert(salience.ticker, salience.share);
    }
    for ReasonLine { block, ticker, why } in ledger.reason_history(hotkey)? {
        let line = lines.entry(block).or_insert_with(|| empty(block));
        line.why_zero.insert(ticker, Why { code: why.code, text: why.text });
    }
    Ok(lines)
}

/// What the chain gives it, as it was when our weights were last compared with others'.
fn alpha_per_day(ledger: &Ledger, hotkey: &str) -> Result<Option<f64>, ApiError> {
    let Some(record) = ledger.last_agreement()? else { return Ok(None) };
    let agreement: Agreement = serde_json::from_str(&record.document).map_err(|_| ApiError::internal())?;
    Ok(agreement.alpha_per_day.get(hotkey).copied())
}

impl MinerAnswer {
    fn read(ledger: &Ledger, standing: &Standing, hotkey: String) -> Result<Self, ApiError> {
        let ranked = standing.ranking().into_iter().find(|ranked| ranked.hotkey == hotkey);
        if ranked.is_none() && !is_known(ledger, standing, &hotkey)? {
            return Err(unknown(&hotkey));
        }
        let step = standing.outcome.settlements().iter().find(|step| step.hotkey == hotkey);
        let counts = standing.counts();
        let every = standing.config.network.sample_every;
        let challenges = standing.challenges().map(|(scored, shares)| {
            let activity = standing.activities.get(&scored.ticker).and_then(|miners| miners.get(&hotkey));
            let counts = counts.get(&scored.ticker).copied().unwrap_or(0.0);
            let share = shares.get(&hotkey).copied().unwrap_or(0.0);
            let activity = activity.map(|activity| ActivityAnswer::new(activity, every));
            InChallenge::new(scored, &hotkey, counts, share, activity)
        });
        let payloads = ledger.miner_counts()?.remove(&hotkey);
        Ok(Self {
            about: standing.about.get(&hotkey).cloned(),
            alpha_per_day: alpha_per_day(ledger, &hotkey)?,
            rank: ranked.as_ref().and_then(|ranked| ranked.rank),
            total: ranked.as_ref().map_or(0.0, |ranked| ranked.total),
            on_chain: ranked.as_ref().map_or(0, |ranked| ranked.on_chain),
            weight: step
                .map(|step| StepAnswer::new(step, standing.config.network.is_retired(step.uid, &hotkey))),
            challenges: challenges.collect(),
            payloads: payloads.map(|MinerCounts { accepted, stale, early, opened, last_block }| {
                PayloadCounts { accepted, stale, early, opened, last_block: last_block.0 }
            }),
            waiting: ledger.waiting(&hotkey)?.into_iter().map(|block| block.0).collect(),
            hotkey,
        })
    }
}

impl StepAnswer {
    pub(super) fn new(step: &Settlement, retired: bool) -> Self {
        let Settlement { uid, hotkey, salience, young, share, burned, previous, weight } = step.clone();
        Self { uid, hotkey, salience, young, share, burned, previous, weight, retired }
    }
}

impl InChallenge {
    fn new(scored: &Scored, hotkey: &str, counts: f64, share: f64, activity: Option<ActivityAnswer>) -> Self {
        let report = scored.report(hotkey);
        let facts = report.map_or(&[][..], |report| &report.facts);
        let miners =
            facts.iter().filter_map(|fact| Some((fact.name.clone(), scored.miner_of(fact)?.clone())));
        let why = || {
            let WhyZero { code, text } = scored.why_nothing(report);
            Why { code, text }
        };
        Self {
            ticker: scored.ticker.clone(),
            counts,
            share,
            rank: scored.rank(hotkey),
            paid: scored.paid(),
            why_zero: (share <= 0.0).then(why),
            facts: named(facts),
            miners: miners.collect(),
            activity,
        }
    }
}

/// Numbers by name.
pub(super) fn named(facts: &[Fact]) -> BTreeMap<String, f64> {
    facts.iter().map(|fact| (fact.name.clone(), fact.value)).collect()
}

impl ActivityAnswer {
    fn new(activity: &Activity, every: u32) -> Self {
        let Activity { rows, present, changes, last_sidx, changed_sidx, twin, twin_rows } = activity.clone();
        let (last_block, changed_block) = (last_sidx.block(every).0, changed_sidx.block(every).0);
        Self { rows, present, changes, last_block, changed_block, twin, twin_rows }
    }
}
