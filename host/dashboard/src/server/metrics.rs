//! Numbers for Prometheus.

use super::exposition::negotiated;
use super::fault::Fault;
use super::site::Site;
use crate::standing::Standing;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mantis_ledger::Ledger;
use mantis_validator::Status;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests that were answered, by status.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    by_status: Mutex<BTreeMap<u16, u64>>,
}

impl Traffic {
    pub(super) fn count(&self, status: StatusCode) {
        let mut counts = self.by_status.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(status.as_u16()).or_default() += 1;
    }
}

type Labels = Vec<(&'static str, String)>;
type Numbers = Family<Labels, Gauge<f64, AtomicU64>>;
type Counts = Family<Labels, Counter<f64, AtomicU64>>;

/// All numbers, as text.
pub(super) async fn metrics(State(site): State<Arc<Site>>, request: HeaderMap) -> Result<Response, Fault> {
    let (status, standing) = (site.status(), site.standing());
    let traffic = site.traffic.by_status.lock().unwrap_or_else(PoisonError::into_inner).clone();
    site.read(move |ledger| {
        let mut registry = Registry::with_prefix("mantis");
        of_program(&mut registry, &traffic);
        of_ledger(&mut registry, ledger)?;
        if let Some(status) = &status {
            of_validator(&mut registry, status);
        }
        if let Some(standing) = &standing {
            of_market(&mut registry, standing);
        }
        let mut text = String::new();
        encode(&mut text, &registry).map_err(|_| Fault::broken())?;
        let (form, text) = negotiated(&request, text);
        Ok(([(header::CONTENT_TYPE, form), (header::VARY, "Accept")], text).into_response())
    })
    .await
}

/// The program itself.
fn of_program(registry: &mut Registry, traffic: &BTreeMap<u16, u64>) {
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The program", build);
    let requests =
        counted(registry, "http_responses", "Requests that were answered since the start, by status");
    for (status, answered) in traffic {
        count(&requests, vec![("status", status.to_string())], *answered as f64);
    }
    if let Some(process) = Process::read() {
        gauge(
            registry,
            "process_resident_memory",
            "Memory held, without plugins' processes",
            Some(Unit::Bytes),
            process.resident,
        );
        gauge(registry, "process_open_files", "Open files", None, process.files);
        counter(
            registry,
            "process_cpu",
            "Processor time used, without plugins' processes",
            Some(Unit::Seconds),
            process.cpu,
        );
    }
}

fn of_ledger(registry: &mut Registry, ledger: &Ledger) -> Result<(), Fault> {
    let totals = ledger.totals()?;
    let payloads =
        counted(registry, "payloads", "Payloads since the ledger was begun, by what became of them");
    for (result, number) in [
        ("accepted", totals.accepted),
        ("stale", totals.stale),
        ("early", totals.early),
        ("opened", totals.opened),
        ("refused", totals.refused),
    ] {
        count(&payloads, vec![("result", result.into())], number as f64);
    }
    let refusals =
        counted(registry, "refusals", "Payloads, or parts of them, refused since the ledger was begun");
    for (stage, code, times) in ledger.refusals_by_code()? {
        count(&refusals, vec![("stage", stage), ("code", code)], times as f64);
    }
    let waiting = ledger.pending()?.len();
    gauge(
        registry,
        "ledger_waiting_blocks",
        "Sampled blocks whose payloads wait to be opened",
        None,
        waiting as f64,
    );
    gauge(
        registry,
        "ledger_sampled_blocks",
        "Sampled blocks that are kept",
        None,
        ledger.sampled_blocks()? as f64,
    );
    if let Some(block) = ledger.last_block()? {
        gauge(registry, "ledger_last_block", "The newest sampled block", None, block as f64);
    }
    if let Ok(file) = fs::metadata(ledger.path()) {
        gauge(registry, "ledger_size", "Size of the ledger's file", Some(Unit::Bytes), file.len() as f64);
    }
    Ok(())
}

fn of_validator(registry: &mut Registry, status: &Status) {
    let Status { chain, sampling, opening, weights, configuration, .. } = status;
    let up = |fault: &Option<String>| f64::from(u8::from(fault.is_none()));
    gauge(
        registry,
        "start_time",
        "When the validator was started, Unix time",
        Some(Unit::Seconds),
        status.started as f64,
    );
    gauge(
        registry,
        "turn_time",
        "When it last began a turn, Unix time",
        Some(Unit::Seconds),
        status.alive as f64,
    );
    gauge(registry, "chain_up", "1 where the chain answers", None, up(&chain.fault));
    maybe(registry, "chain_block", "The newest block that was seen", None, chain.block.map(|x| x as f64));
    maybe(registry, "chain_neurons", "Registered neurons", None, chain.neurons.map(|x| x as f64));
    let registered = chain.registered.map(|x| f64::from(u8::from(x)));
    maybe(registry, "hotkey_registered", "1 where our hotkey is registered", None, registered);
    let permit = chain.permit.map(|x| f64::from(u8::from(x)));
    maybe(registry, "hotkey_permit", "1 where our hotkey may set weights", None, permit);
    maybe(
        registry,
        "sampled_block",
        "The newest block that was sampled",
        None,
        sampling.block.map(|x| x as f64),
    );
    maybe(
        registry,
        "sample_duration",
        "How long the newest sample took",
        Some(Unit::Seconds),
        sampling.seconds,
    );
    gauge(
        registry,
        "feed_up",
        "1 where the market feed gave prices for the newest sample",
        None,
        up(&sampling.feed_fault),
    );
    counter(registry, "samples", "Blocks sampled since the start", None, sampling.samples as f64);
    counter(registry, "samples_missed", "Blocks missed since the start", None, sampling.missed as f64);
    counter(
        registry,
        "sampling",
        "Time spent in sampling since the start",
        Some(Unit::Seconds),
        sampling.seconds_total,
    );
    gauge(registry, "beacon_up", "1 where no payload waits for the beacon", None, up(&opening.fault));
    gauge(
        registry,
        "overdue_blocks",
        "Sampled blocks that are old enough to be opened and wait",
        None,
        opening.waiting as f64,
    );
    gauge(
        registry,
        "computing",
        "1 while weights are computed",
        None,
        f64::from(u8::from(weights.computing.is_some())),
    );
    maybe(
        registry,
        "computed_block",
        "The block of the newest computation",
        None,
        weights.computed.map(|x| x as f64),
    );
    counter(
        registry,
        "computation_failures",
        "Computations that failed since the start",
        None,
        weights.failures as f64,
    );
    maybe(
        registry,
        "attempted_block",
        "The block of the newest attempt to set weights",
        None,
        weights.attempted.map(|x| x as f64),
    );
    if let Some(outcome) = &weights.outcome {
        let outcomes =
            labelled(registry, "attempt_outcome", "1 for how the newest attempt to set weights ended");
        set(&outcomes, vec![("outcome", outcome.clone())], 1.0);
    }
    gauge(
        registry,
        "configuration_current",
        "1 where what runs is what the file says",
        None,
        up(&configuration.fault),
    );
    gauge(registry, "faults", "What needs somebody", None, status.faults().len() as f64);
}

fn of_market(registry: &mut Registry, standing: &Standing) {
    if let Some(computed) = standing.computed {
        gauge(
            registry,
            "computation_duration",
            "How long the newest computation took",
            Some(Unit::Seconds),
            computed.seconds,
        );
    }
    let counts =
        labelled(registry, "challenge_counts_ratio", "What each challenge counts for, of all that pay");
    let paid = labelled(registry, "challenge_paid_miners", "Miners that each challenge pays");
    let seconds = labelled(
        registry,
        "challenge_duration_seconds",
        "How long each challenge took in the newest computation",
    );
    let shares = standing.counts();
    for scored in &standing.scores.challenges {
        let labels = || vec![("ticker", scored.ticker.clone())];
        set(&counts, labels(), shares.get(&scored.ticker).copied().unwrap_or(0.0));
        set(&paid, labels(), scored.paid() as f64);
        set(&seconds, labels(), scored.seconds);
    }
    let weight = labelled(registry, "miner_weight_ratio", "Each miner's smoothed weight");
    let salience = labelled(registry, "miner_salience_ratio", "Each miner's part of the total salience");
    for ranked in standing.ranking() {
        let labels = || vec![("hotkey", ranked.hotkey.clone())];
        set(&weight, labels(), ranked.weight);
        set(&salience, labels(), ranked.total);
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str, unit: Option<Unit>, value: f64) {
    let gauge = Gauge::<f64, AtomicU64>::default();
    gauge.set(value);
    match unit {
        Some(unit) => registry.register_with_unit(name, help, unit, gauge),
        None => registry.register(name, help, gauge),
    }
}

fn maybe(registry: &mut Registry, name: &str, help: &str, unit: Option<Unit>, value: Option<f64>) {
    if let Some(value) = value {
        gauge(registry, name, help, unit, value);
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str, unit: Option<Unit>, value: f64) {
    let counter = ConstCounter::new(value);
    match unit {
        Some(unit) => registry.register_with_unit(name, help, unit, counter),
        None => registry.register(name, help, counter),
    }
}

fn labelled(registry: &mut Registry, name: &str, help: &str) -> Numbers {
    let family = Numbers::default();
    registry.register(name, help, family.clone());
    family
}

fn counted(registry: &mut Registry, name: &str, help: &str) -> Counts {
    let family = Counts::default();
    registry.register(name, help, family.clone());
    family
}

fn count(family: &Counts, labels: Labels, value: f64) {
    family.get_or_create(&labels).inc_by(value);
}

fn set(family: &Numbers, labels: Labels, value: f64) {
    family.get_or_create(&labels).set(value);
}

/// What the system says of this process; Linux only.
struct Process {
    resident: f64,
    cpu: f64,
    files: f64,
}

impl Process {
    fn read() -> Option<Self> {
        // The unit of times in /proc, on every Linux.
        const TICKS: f64 = 100.0;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident: f64 = held.trim().strip_suffix(" kB")?.parse().ok()?;
        // The name, in brackets, may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |i: usize| fields.get(i).and_then(|text| text.parse::<f64>().ok());
        Some(Self {
            cpu: (field(11)? + field(12)?) / TICKS,
            resident: resident * 1024.0,
            files: fs::read_dir("/proc/self/fd").ok()?.count() as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Config;
    use mantis_ledger::Cycle;
    use mantis_plugin_api::Salience;
    use mantis_weights::Scored;
    use std::collections::BTreeSet;
    use std::path::Path;

    const GRAFANA: &str = include_str!("../../../../deploy/grafana/validator.json");
    const ALERTS: &str = include_str!("../../../../deploy/prometheus/alerts.yml");

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
        ledger.store_cycle(&Cycle { block: 1000, scored: vec![scored], ..Cycle::default() }).unwrap();
        let standing = Standing::read(&ledger, config, BTreeMap::new()).unwrap();
        let mut status = Status::default();
        (status.chain.block, status.chain.neurons) = (Some(7), Some(3));
        (status.chain.registered, status.chain.permit) = (Some(true), Some(false));
        (status.sampling.block, status.sampling.seconds) = (Some(5), Some(0.25));
        (status.weights.computed, status.weights.attempted) = (Some(1000), Some(1007));
        status.weights.outcome = Some("set".into());
        let mut registry = Registry::with_prefix("mantis");
        of_program(&mut registry, &[(200, 3)].into());
        of_ledger(&mut registry, &ledger).unwrap();
        of_validator(&mut registry, &status);
        of_market(&mut registry, &standing);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn what_grafana_and_alerts_ask_for_is_there() {
        let text = all();
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let named = |text: &'static str| {
            let places = text.match_indices("mantis_").map(|(at, _)| at);
            places.map(|at| text[at..].split(|c| !is_name(c)).next().unwrap()).collect::<BTreeSet<&str>>()
        };
        let asked = &named(GRAFANA) | &named(ALERTS);
        assert!(named(GRAFANA).len() > 20 && named(ALERTS).len() == 5, "{asked:?}");
        // Refusals come with what was refused, and nothing was.
        for name in asked.into_iter().filter(|name| *name != "mantis_refusals_total") {
            let is_there =
                |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
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
            "mantis_http_responses_total{status=\"200\"} 3.0",
            "mantis_attempt_outcome{outcome=\"set\"} 1.0",
            "mantis_miner_salience_ratio{hotkey=\"x\"} 1.0",
            "# TYPE mantis_samples_missed counter",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
