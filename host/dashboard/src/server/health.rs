//! Whether the program runs, and whether it does its work.

use super::site::Site;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mantis_config::{Config, Network, Weight};
use mantis_network::chain::BLOCK_SECONDS;
use mantis_validator::{FailedChallenge, Status, unix as now};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Sampled blocks that may be missing before it counts as not ready.
const BEHIND: u32 = 3;

/// Seconds that a list of facts which is not brought up to date may be old.
const FACTS_AGE: u64 = 3600;

/// Whether all is well.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Whether it is.
    ok: bool,
    /// Why not: sentences. Empty if all is well.
    why: Vec<String>,
}

impl Health {
    fn new(why: Vec<String>) -> (StatusCode, Json<Self>) {
        let status = if why.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(Self { ok: why.is_empty(), why }))
    }
}

/// Whether the program runs: if not, start it again.
#[utoipa::path(get, path = "/healthz", tag = "health", responses(
    (status = 200, description = "It runs.", body = Health),
    (status = 503, description = "It is stuck.", body = Health)))]
pub(super) async fn healthz(State(site): State<Arc<Site>>) -> (StatusCode, Json<Health>) {
    let stuck = site.status().and_then(|status| status.stuck(now()));
    let stuck = stuck.map(|since| format!("the validator has not gone on for {since} s"));
    Health::new(stuck.into_iter().collect())
}

/// Whether it does its work: the ledger is read, the chain answers, and the newest blocks are sampled.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "It does its work.", body = Health),
    (status = 503, description = "It does not, or not yet.", body = Health)))]
pub(super) async fn readyz(State(site): State<Arc<Site>>) -> (StatusCode, Json<Health>) {
    let standing = site.standing();
    let mut why = Vec::new();
    if standing.is_none() {
        why.push("the ledger is being read".to_owned());
    }
    if let (Some(status), Some(standing)) = (site.status(), standing) {
        why.extend(unready(&status, &standing.config.network));
        why.extend(old_facts(&status, &standing.config, now()));
    }
    Health::new(why)
}

fn unready(status: &Status, network: &Network) -> Vec<String> {
    let mut why = Vec::new();
    if let Some(fault) = &status.chain.fault {
        why.push(format!("the chain does not answer: {fault}"));
    }
    let counted = status.weights.failed.iter().filter(|failed| failed.weight > 0.0);
    why.extend(counted.map(FailedChallenge::sentence));
    if let Some(fault) = &status.sampling.fault {
        why.push(format!("not sampled: {fault}"));
    }
    if let Some(fault) = &status.chain.disbelieved {
        why.push(format!("the chain is not believed: {fault}"));
    }
    if let (None, Some(fault)) = (status.chain.neurons, &status.chain.metagraph_fault) {
        why.push(format!("the metagraph is not believed: {fault}"));
    }
    if let Some(fault) =
        status.release.as_ref().filter(|release| release.pressing).and_then(|r| r.fault.as_ref())
    {
        why.push(format!("a release is not taken: {fault}"));
    }
    let behind = BEHIND * network.sample_every;
    match (status.chain.block, status.sampling.block) {
        (None, _) => why.push("the chain has not answered yet".to_owned()),
        (_, None) => why.push("no block is sampled yet".to_owned()),
        (Some(head), Some(sampled)) if head - sampled > i64::from(behind) => {
            why.push(format!("block {sampled} is the newest that is sampled; the chain is at block {head}"));
        }
        _ => {}
    }
    if let Some(answered) = status.chain.answered
        && now().saturating_sub(answered) > u64::from(behind) * BLOCK_SECONDS
    {
        why.push(format!("the chain answered last {} s ago", now().saturating_sub(answered)));
    }
    why
}

/// Lists of facts by which a challenge that counts is scored, and that could not be brought up to date for long.
fn old_facts(status: &Status, config: &Config, now: u64) -> Vec<String> {
    let counts = |weight: &Weight| matches!(weight, Weight::Fixed(part) | Weight::Share(part) if *part > 0.0);
    let is_used = |name: &String| {
        config.challenges.iter().any(|challenge| counts(&challenge.weight) && challenge.facts.contains(name))
    };
    let lists = status.facts.iter().filter(|(name, facts)| {
        is_used(name) && now.saturating_sub(facts.updated.unwrap_or_default()) > FACTS_AGE
    });
    let sentence =
        |fault: &String, name: &String| format!("the facts `{name}` are not brought up to date: {fault}");
    lists.filter_map(|(name, facts)| facts.fault.as_ref().map(|fault| sentence(fault, name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Block;
    use mantis_validator::{FactsStatus, ReleaseStatus};
    use std::path::Path;

    #[test]
    fn readiness_needs_a_chain_and_fresh_samples() {
        let text = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight=1";
        let network = Config::parse(text, Path::new("a.toml")).unwrap().network;
        let mut status = Status::default();
        assert_eq!(unready(&status, &network).len(), 2 - 1);
        status.chain.block = Some(Block(1000));
        status.chain.answered = Some(now());
        status.sampling.block = Some(Block(985));
        assert_eq!(unready(&status, &network), [""; 0]);
        status.weights.failed = vec![
            FailedChallenge { ticker: "S".into(), ..FailedChallenge::default() },
            FailedChallenge {
                ticker: "A".into(),
                cause: "crash".into(),
                why: "it aborted".into(),
                weight: 1.0,
                held_from: Some(Block(0)),
                held_computations: Some(2),
            },
        ];
        let failed = unready(&status, &network);
        assert_eq!(
            failed,
            [
                "challenge A failed (crash): it aborted; its saliences of block 0 stand in (2 computations old)"
            ]
        );
        status.weights.failed.clear();
        status.sampling.block = Some(Block(980));
        assert!(unready(&status, &network)[0].contains("block 980"));
        status.sampling.block = Some(Block(1000));
        status.chain.answered = Some(now() - 1000);
        status.chain.fault = Some("refused".into());
        assert_eq!(unready(&status, &network).len(), 2);
    }

    #[test]
    fn facts_that_count_must_not_be_old() {
        let text = |weight: u32| {
            format!(
                "[[facts]]\nname=\"bets\"\nkind=\"document\"\nurl=\"https://a/b\"\n[[challenge]]\nname=\"A\"\nticker=\"A\"\n\
                 plugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight={weight}\nfacts=[\"bets\"]\n\
                 [[challenge]]\nname=\"B\"\nticker=\"B\"\nplugin=\"binary\"\nprice_key=\"B\"\ndim=2\nblocks_ahead=300\nweight=1"
            )
        };
        let config = |weight| Config::parse(&text(weight), Path::new("a.toml")).unwrap();
        let mut status = Status::default();
        let facts = |updated, fault: Option<&str>| FactsStatus {
            updated,
            fault: fault.map(Into::into),
            ..FactsStatus::default()
        };
        for (facts, faults) in [
            (facts(Some(10_000), None), 0),
            (facts(Some(10_000), Some("dead")), 1),
            (facts(Some(17_000), Some("dead")), 0),
            (facts(None, Some("dead")), 1),
        ] {
            status.facts.insert("bets".into(), facts);
            assert_eq!(old_facts(&status, &config(1), 20_000).len(), faults);
            assert_eq!(old_facts(&status, &config(0), 20_000), [""; 0]);
        }
    }

    #[test]
    fn a_release_that_is_not_taken_matters_once_it_soon_counts() {
        let mut status = Status::default();
        (status.chain.block, status.chain.answered) = (Some(Block(1000)), Some(now()));
        status.sampling.block = Some(Block(1000));
        let release =
            |pressing| ReleaseStatus { fault: Some("no".into()), pressing, ..ReleaseStatus::default() };
        status.release = Some(release(false));
        assert_eq!(unready(&status, &Network::default()), [""; 0]);
        assert_eq!(status.faults(), ["a release is not taken: no"]);
        status.release = Some(release(true));
        assert_eq!(unready(&status, &Network::default()), ["a release is not taken: no"]);
    }

    #[test]
    fn a_chain_that_is_not_believed_is_not_ready() {
        let mut status = Status::default();
        status.chain.block = Some(Block(1000));
        status.chain.answered = Some(now());
        status.sampling.block = Some(Block(1000));
        assert_eq!(unready(&status, &Network::default()), [""; 0]);
        status.doubted("block 7".into(), true);
        assert_eq!(unready(&status, &Network::default()), ["the chain is not believed: block 7"]);
        assert!(status.faults()[0].contains("block 7") && status.chain.lost.is_some());
        assert_eq!((status.chain.block, status.chain.disbelieved_total), (Some(Block(1000)), 1));
    }
}
