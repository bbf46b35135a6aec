//! Numbers for Prometheus.
//!
//! [`METRICS`] says what each is called and where its value comes from; all else follows from that table.

mod metric;
mod process;
mod sources;
mod table;

use self::process::Process;
use self::sources::{LedgerNumbers, Market, Sources};
use self::table::METRICS;
use super::error::ApiError;
use super::exposition::negotiated;
use super::site::Site;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;

/// What all names begin with.
const PREFIX: &str = "mantis";

/// All numbers, as text.
pub(super) async fn metrics(State(site): State<Arc<Site>>, request: HeaderMap) -> Result<Response, ApiError> {
    let (status, standing, traffic) = (site.status(), site.standing(), site.traffic.by_status());
    site.read(move |ledger| {
        let sources = Sources {
            traffic,
            process: Process::read(),
            ledger: LedgerNumbers::read(ledger)?,
            status: status.as_ref(),
            market: standing.as_deref().map(Market::new),
        };
        let text = exposition(&sources).map_err(|_| ApiError::internal())?;
        let (form, text) = negotiated(&request, text);
        Ok(([(header::CONTENT_TYPE, form), (header::VARY, "Accept")], text).into_response())
    })
    .await
}

/// All numbers in the form of OpenMetrics.
fn exposition(sources: &Sources<'_>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    METRICS.iter().for_each(|metric| metric.register(&mut registry, sources));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::metric::Metric;
    use super::*;
    use crate::standing::Standing;
    use mantis_config::{Block, Config, Sidx};
    use mantis_ledger::{AgreementRecord, Computation, Ledger, SampledBlock};
    use mantis_plugin_api::Salience;
    use mantis_validator::{BatchStatus, FactsStatus, FailedChallenge, ReleaseStatus, Status};
    use mantis_weights::Scored;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    const GRAFANA: &str = include_str!("../../../../../deploy/grafana/validator.json");
    const ALERTS: &str = include_str!("../../../../../deploy/prometheus/alerts.yml");

    /// Every number there can be.
    fn all() -> String {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let text = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight=1";
        let config = Arc::new(Config::parse(text, Path::new("a.toml")).unwrap());
        let mut salience = Salience::new(1);
        salience.set(0, 1.0);
        let scored = Scored {
            ticker: "A".into(),
            weight: 1.0,
            hotkeys: vec!["x".into()],
            salience: Some(salience),
            ..Scored::default()
        };
        ledger
            .append_many(vec![SampledBlock { block: Block(1000), sidx: Sidx(200), rows: Vec::new() }], 1)
            .unwrap();
        ledger
            .store_computation(&Computation {
                block: Block(1000),
                scored: vec![scored],
                ..Computation::default()
            })
            .unwrap();
        ledger
            .store_agreement(&AgreementRecord {
                block: Block(1000),
                unix: 9,
                distance: Some(0.5),
                validator_trust: 0.75,
                document: "{}".into(),
            })
            .unwrap();
        let standing = Standing::read(&ledger, config, BTreeMap::new()).unwrap();
        let mut status = Status::default();
        (status.chain.block, status.chain.neurons) = (Some(Block(7)), Some(3));
        (status.chain.registered, status.chain.permit) = (Some(true), Some(false));
        (status.sampling.block, status.sampling.seconds) = (Some(Block(5)), Some(0.25));
        (status.weights.computed, status.weights.attempted) = (Some(Block(1000)), Some(Block(1007)));
        status.weights.outcome = Some("set".into());
        status.weights.challenge_failures = [(("A".to_owned(), "crash"), 2)].into();
        status.weights.failed =
            vec![FailedChallenge { ticker: "A".into(), cause: "crash".into(), ..FailedChallenge::default() }];
        status.facts =
            [("bets".to_owned(), FactsStatus { updated: Some(9), ..FactsStatus::default() })].into();
        status.release = Some(ReleaseStatus::default());
        status.batch = Some(BatchStatus::default());
        let sources = Sources {
            traffic: [(200, 3)].into(),
            process: Process::read(),
            ledger: LedgerNumbers::read(&ledger).unwrap(),
            status: Some(&status),
            market: Some(Market::new(&standing)),
        };
        exposition(&sources).unwrap()
    }

    /// Names that begin as ours do.
    fn named(text: &str) -> BTreeSet<&str> {
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let places = text.match_indices("mantis_").map(|(at, _)| at);
        places.map(|at| text[at..].split(|c| !is_name(c)).next().unwrap()).collect()
    }

    #[test]
    fn what_grafana_and_alerts_ask_for_is_in_the_table() {
        let known: BTreeSet<String> = METRICS.iter().map(Metric::sample_name).collect();
        assert_eq!(known.len(), METRICS.len(), "a name is there twice");
        assert!(named(GRAFANA).len() > 20 && named(ALERTS).len() == 7);
        for name in named(GRAFANA).union(&named(ALERTS)) {
            assert!(known.contains(*name), "{name}");
        }
    }

    #[test]
    fn every_metric_of_the_table_is_written_if_its_value_is_known() {
        let text = all();
        // Refusals come with what was refused, and nothing was.
        for name in METRICS.iter().map(Metric::sample_name).filter(|name| name != "mantis_refusals_total") {
            let is_there =
                |line: &str| line.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['{', ' ']));
            assert!(text.lines().any(is_there), "{name}: {text}");
        }
    }

    #[test]
    fn names_and_numbers_are_as_the_rules_want_them() {
        let text = all();
        for line in [
            "# TYPE mantis_sample_duration_seconds gauge",
            "mantis_sample_duration_seconds 0.25",
            "mantis_hotkey_permit 0.0",
            "mantis_vtrust_ratio 0.75",
            "mantis_consensus_distance 0.5",
            "mantis_http_responses_total{status=\"200\"} 3.0",
            "mantis_attempt_outcome{outcome=\"set\"} 1.0",
            "mantis_miner_salience_ratio{hotkey=\"x\"} 1.0",
            "# TYPE mantis_samples_missed counter",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
