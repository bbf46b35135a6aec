//! Every metric: its name, its words, its unit and where its value comes from.

use super::metric::{Metric, Sample, Samples, counter, gauge, info};
use super::sources::{Market, Sources};
use crate::standing::Ranked;
use mantis_validator::{FactsStatus, FailedChallenge, Status, unix};
use mantis_weights::Scored;
use prometheus_client::registry::Unit::{Bytes, Seconds};

/// All metrics, in the order in which they are written.
pub(super) const METRICS: &[Metric] = &[
    // The program.
    info("build", "The program", &[("version", env!("CARGO_PKG_VERSION"))]),
    counter("http_responses", "Requests that were answered since the start, by status", None, |sources| {
        let sample = |(status, n): (&u16, &u64)| Sample::new([("status", status.to_string())], *n as f64);
        Some(Samples::Labelled(sources.traffic.iter().map(sample).collect()))
    }),
    gauge("process_resident_memory", "Memory held, without plugins' processes", Some(Bytes), |sources| {
        Some(Samples::One(sources.process.as_ref()?.resident))
    }),
    gauge("process_open_files", "Open files", None, |sources| {
        Some(Samples::One(sources.process.as_ref()?.files))
    }),
    counter("process_cpu", "Processor time used, without plugins' processes", Some(Seconds), |sources| {
        Some(Samples::One(sources.process.as_ref()?.cpu))
    }),
    // The ledger.
    counter("payloads", "Payloads since the ledger was begun, by what became of them", None, |sources| {
        let totals = &sources.ledger.totals;
        let results = [
            ("accepted", totals.accepted),
            ("stale", totals.stale),
            ("early", totals.early),
            ("opened", totals.opened),
            ("refused", totals.refused),
        ];
        let sample = |(result, n): (&str, u64)| Sample::new([("result", result.to_owned())], n as f64);
        Some(Samples::Labelled(results.map(sample).into()))
    }),
    counter("refusals", "Payloads, or parts of them, refused since the ledger was begun", None, |sources| {
        let sample = |(stage, code, times): &(String, String, u64)| {
            Sample::new([("stage", stage.clone()), ("code", code.clone())], *times as f64)
        };
        Some(Samples::Labelled(sources.ledger.refusals.iter().map(sample).collect()))
    }),
    gauge("ledger_waiting_blocks", "Sampled blocks whose payloads wait to be opened", None, |sources| {
        Some(Samples::One(sources.ledger.waiting as f64))
    }),
    gauge("ledger_sampled_blocks", "Sampled blocks that are kept", None, |sources| {
        Some(Samples::One(sources.ledger.sampled as f64))
    }),
    gauge("ledger_last_block", "The newest sampled block", None, |sources| {
        Some(Samples::One(sources.ledger.last_block?.0 as f64))
    }),
    gauge(
        "vtrust_ratio",
        "What of our newest weights is not clipped at the consensus of validators, when that was last looked at",
        None,
        |sources| Some(Samples::One(sources.ledger.agreement.as_ref()?.validator_trust)),
    ),
    gauge(
        "consensus_distance",
        "How far our newest weights were from the consensus of validators: 0 the same, 2 nothing in common",
        None,
        |sources| Some(Samples::One(sources.ledger.agreement.as_ref()?.distance?)),
    ),
    gauge(
        "agreement_block",
        "The block at which our weights were last compared with others'",
        None,
        |sources| Some(Samples::One(sources.ledger.agreement.as_ref()?.block.0 as f64)),
    ),
    gauge("ledger_size", "Size of the ledger's file", Some(Bytes), |sources| {
        Some(Samples::One(sources.ledger.size? as f64))
    }),
    // The validator.
    gauge("start_time", "When the validator was started, Unix time", Some(Seconds), |sources| {
        status_value(sources, |status| Some(status.started as f64))
    }),
    gauge("turn_time", "When it last began a turn, Unix time", Some(Seconds), |sources| {
        status_value(sources, |status| Some(status.alive as f64))
    }),
    gauge("chain_up", "1 where the chain answers", None, |sources| {
        status_value(sources, |status| flag(status.chain.fault.is_none()))
    }),
    gauge("chain_believed", "1 where what the chain says of its newest block is believed", None, |sources| {
        status_value(sources, |status| flag(status.chain.disbelieved.is_none()))
    }),
    gauge(
        "chain_lost",
        "How long the chain does not answer, or is not believed; 0 where it does and is",
        Some(Seconds),
        |sources| {
            status_value(sources, |status| {
                Some(status.chain.lost.map_or(0.0, |since| unix().saturating_sub(since) as f64))
            })
        },
    ),
    counter(
        "chain_disbelieved",
        "Times since the start that the chain's newest block was not believed",
        None,
        |sources| status_value(sources, |status| Some(status.chain.disbelieved_total as f64)),
    ),
    counter("metagraphs_refused", "Metagraphs since the start that were not believed", None, |sources| {
        status_value(sources, |status| Some(status.chain.metagraphs_refused as f64))
    }),
    gauge("chain_block", "The newest block that was seen and believed", None, |sources| {
        status_value(sources, |status| status.chain.block.map(|block| block.0 as f64))
    }),
    gauge("chain_neurons", "Registered neurons", None, |sources| {
        status_value(sources, |status| status.chain.neurons.map(|neurons| neurons as f64))
    }),
    gauge("hotkey_registered", "1 where our hotkey is registered", None, |sources| {
        status_value(sources, |status| status.chain.registered.and_then(flag))
    }),
    gauge("hotkey_permit", "1 where our hotkey may set weights", None, |sources| {
        status_value(sources, |status| status.chain.permit.and_then(flag))
    }),
    gauge("sampled_block", "The newest block that was sampled", None, |sources| {
        status_value(sources, |status| status.sampling.block.map(|block| block.0 as f64))
    }),
    gauge("sample_duration", "How long the newest sample took", Some(Seconds), |sources| {
        status_value(sources, |status| status.sampling.seconds)
    }),
    gauge("feed_up", "1 where the market feed gave prices for the newest sample", None, |sources| {
        status_value(sources, |status| flag(status.sampling.feed_fault.is_none()))
    }),
    gauge("feed_fresh", "1 where the prices of the newest sample were not old ones", None, |sources| {
        status_value(sources, |status| flag(status.sampling.feed_stale.is_none()))
    }),
    counter("doubtful_prices", "Prices since the start that were hardly to be believed", None, |sources| {
        status_value(sources, |status| Some(status.sampling.doubtful_total as f64))
    }),
    counter(
        "own_faults",
        "Payloads not fetched by a fault of this machine since the start",
        None,
        |sources| status_value(sources, |status| Some(status.sampling.own_faults_total as f64)),
    ),
    counter("samples", "Blocks sampled since the start", None, |sources| {
        status_value(sources, |status| Some(status.sampling.samples as f64))
    }),
    counter("samples_missed", "Blocks missed since the start", None, |sources| {
        status_value(sources, |status| Some(status.sampling.missed as f64))
    }),
    counter("sampling", "Time spent in sampling since the start", Some(Seconds), |sources| {
        status_value(sources, |status| Some(status.sampling.seconds_total))
    }),
    gauge("beacon_up", "1 where no payload waits for the beacon", None, |sources| {
        status_value(sources, |status| flag(status.opening.fault.is_none()))
    }),
    gauge("overdue_blocks", "Sampled blocks that are old enough to be opened and wait", None, |sources| {
        status_value(sources, |status| Some(status.opening.waiting as f64))
    }),
    gauge("delayed_payloads", "Payloads whose round alone the beacon does not give", None, |sources| {
        status_value(sources, |status| Some(status.opening.delayed as f64))
    }),
    gauge(
        "facts_up",
        "1 for each list of facts that is up to date, 0 where the one before stands",
        None,
        |sources| by_list(sources, |facts| flag(facts.fault.is_none())),
    ),
    gauge(
        "facts_time",
        "When each list of facts was last brought up to date, Unix time",
        Some(Seconds),
        |sources| by_list(sources, |facts| facts.updated.map(|unix| unix as f64)),
    ),
    gauge(
        "scoring_jobs",
        "Challenges of the newest computation at the batch engine, by state",
        None,
        |sources| {
            let batch = sources.status?.batch.as_ref()?;
            let states = ["queued", "running", "done", "failed", "here"];
            let sample = |state: &str| Sample::new([("state", state.to_owned())], batch.count(state) as f64);
            Some(Samples::Labelled(states.map(sample).into()))
        },
    ),
    counter(
        "scoring_attempts",
        "Attempts of the batch engine since the start, by what came of them",
        None,
        |sources| {
            let batch = sources.status?.batch.as_ref()?;
            let results =
                [("done", batch.done_total), ("failed", batch.failed_total), ("here", batch.fallback_total)];
            let sample = |(result, n): (&str, u64)| Sample::new([("result", result.to_owned())], n as f64);
            Some(Samples::Labelled(results.map(sample).into()))
        },
    ),
    gauge("computing", "1 while weights are computed", None, |sources| {
        status_value(sources, |status| flag(status.weights.computing.is_some()))
    }),
    gauge("computed_block", "The block of the newest computation", None, |sources| {
        status_value(sources, |status| status.weights.computed.map(|block| block.0 as f64))
    }),
    counter("computation_failures", "Computations that failed since the start", None, |sources| {
        status_value(sources, |status| Some(status.weights.failures as f64))
    }),
    counter(
        "challenge_failures",
        "Failures of challenges since the start, by ticker and cause: crash, deadline, memory, contract ...",
        None,
        |sources| {
            let sample = |((ticker, cause), times): (&(String, &'static str), &u64)| {
                Sample::new([("ticker", ticker.clone()), ("cause", (*cause).to_owned())], *times as f64)
            };
            Some(Samples::Labelled(sources.status?.weights.challenge_failures.iter().map(sample).collect()))
        },
    ),
    gauge(
        "challenge_failed",
        "1 for each challenge that failed in the newest computation, by cause",
        None,
        |sources| {
            let sample = |failed: &FailedChallenge| {
                Sample::new([("ticker", failed.ticker.clone()), ("cause", failed.cause.clone())], 1.0)
            };
            Some(Samples::Labelled(sources.status?.weights.failed.iter().map(sample).collect()))
        },
    ),
    gauge(
        "weights_kept",
        "1 where the newest computation gave no weights, so that the last ones stay",
        None,
        |sources| status_value(sources, |status| flag(status.weights.rejected.is_some())),
    ),
    gauge("attempted_block", "The block of the newest attempt to set weights", None, |sources| {
        status_value(sources, |status| status.weights.attempted.map(|block| block.0 as f64))
    }),
    gauge(
        "weights_time",
        "When weights were last set; before the first time, since when that is waited for; Unix time",
        Some(Seconds),
        |sources| {
            let since = sources.ledger.weights_since.or(sources.status.map(|status| status.started));
            Some(Samples::One(since? as f64))
        },
    ),
    gauge("attempt_outcome", "1 for how the newest attempt to set weights ended", None, |sources| {
        let outcome = sources.status?.weights.outcome.clone()?;
        Some(Samples::Labelled(vec![Sample::new([("outcome", outcome)], 1.0)]))
    }),
    gauge("configuration_current", "1 where what runs is what the file says", None, |sources| {
        status_value(sources, |status| flag(status.configuration.fault.is_none()))
    }),
    gauge(
        "release_number",
        "The release of the subnet's owner that counts; 0 for the file alone",
        None,
        |sources| {
            let release = sources.status?.release.as_ref()?;
            Some(Samples::One(f64::from(release.number.unwrap_or(0))))
        },
    ),
    gauge(
        "release_staged",
        "The newest release that is sound and does not count yet; 0 for none",
        None,
        |sources| {
            let release = sources.status?.release.as_ref()?;
            Some(Samples::One(f64::from(release.staged.last().map_or(0, |staged| staged.number))))
        },
    ),
    gauge("release_current", "1 where nothing stands against the releases that there are", None, |sources| {
        let release = sources.status?.release.as_ref()?;
        Some(Samples::One(f64::from(u8::from(release.fault.is_none()))))
    }),
    gauge("configuration_info", "1 for the digest of the configuration that runs", None, |sources| {
        let digest = sources.status?.configuration.digest.clone();
        Some(Samples::Labelled(vec![Sample::new([("digest", digest)], 1.0)]))
    }),
    gauge("faults", "What needs somebody", None, |sources| {
        status_value(sources, |status| Some(status.faults().len() as f64))
    }),
    // What was computed last.
    gauge("computation_duration", "How long the newest computation took", Some(Seconds), |sources| {
        Some(Samples::One(sources.market.as_ref()?.standing.computed?.seconds))
    }),
    gauge("challenge_counts_ratio", "What each challenge counts for, of all that pay", None, |sources| {
        by_ticker(sources, |market, scored| market.counts.get(&scored.ticker).copied().unwrap_or(0.0))
    }),
    gauge("challenge_paid_miners", "Miners that each challenge pays", None, |sources| {
        by_ticker(sources, |_, scored| scored.paid() as f64)
    }),
    gauge("challenge_burn_ratio", "What of each challenge nobody earns", None, |sources| {
        by_ticker(sources, |_, scored| scored.burn_share())
    }),
    gauge(
        "challenge_duration_seconds",
        "How long each challenge took in the newest computation",
        None,
        |sources| by_ticker(sources, |_, scored| scored.seconds),
    ),
    gauge("miner_weight_ratio", "Each miner's smoothed weight", None, |sources| {
        by_hotkey(sources, |ranked| ranked.weight)
    }),
    gauge("miner_salience_ratio", "Each miner's part of the total salience", None, |sources| {
        by_hotkey(sources, |ranked| ranked.total)
    }),
];

/// A number of the validator's, if there is a validator and the number is known.
fn status_value(sources: &Sources<'_>, value: fn(&Status) -> Option<f64>) -> Option<Samples> {
    value(sources.status?).map(Samples::One)
}

/// A number for each list of facts that was looked at, where it is known.
fn by_list(sources: &Sources<'_>, value: fn(&FactsStatus) -> Option<f64>) -> Option<Samples> {
    let sample =
        |(name, facts): (&String, &FactsStatus)| Some(Sample::new([("list", name.clone())], value(facts)?));
    Some(Samples::Labelled(sources.status?.facts.iter().filter_map(sample).collect()))
}

/// A number for each challenge of the newest computation.
fn by_ticker(sources: &Sources<'_>, value: fn(&Market<'_>, &Scored) -> f64) -> Option<Samples> {
    let market = sources.market.as_ref()?;
    let sample = |scored: &Scored| Sample::new([("ticker", scored.ticker.clone())], value(market, scored));
    Some(Samples::Labelled(market.standing.scores.challenges.iter().map(sample).collect()))
}

/// A number for each miner.
fn by_hotkey(sources: &Sources<'_>, value: fn(&Ranked) -> f64) -> Option<Samples> {
    let sample = |ranked: &Ranked| Sample::new([("hotkey", ranked.hotkey.clone())], value(ranked));
    Some(Samples::Labelled(sources.market.as_ref()?.ranking.iter().map(sample).collect()))
}

/// 1 for yes, 0 for no.
fn flag(is: bool) -> Option<f64> {
    Some(f64::from(u8::from(is)))
}
