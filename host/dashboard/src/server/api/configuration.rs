//! The configuration that runs.

use super::Problems;
use crate::server::error::ApiError;
use crate::server::site::Site;
use axum::Json;
use axum::extract::State;
use mantis_config::{Beacon, Config, Network, bare_url};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The configuration that runs; `/api/v1/challenges` has the challenges.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct ConfigurationAnswer {
    /// The file.
    file: String,
    /// Constants of the subnet.
    network: NetworkAnswer,
    /// The time-lock's beacon.
    beacon: BeaconAnswer,
    /// Where prices come from, without what may be a secret in it; null if there is no feed.
    market: Option<String>,
    /// Tickers of all challenges, in their order.
    challenges: Vec<String>,
}

/// Constants of the subnet; docs/configuration.md says what they mean.
#[derive(Debug, Serialize, ToSchema)]
struct NetworkAnswer {
    netuid: u16,
    version_key: u64,
    sample_every: u32,
    lag: u32,
    /// Blocks between a sample and its opening.
    maturity_blocks: i64,
    task_interval: u32,
    weight_calc_interval: u32,
    weight_set_interval: u32,
    burn: f64,
    burn_uid: u16,
    max_days: u32,
    ema: f64,
    seed: u64,
    owner_key: String,
    young_blocks: u32,
    young_weight: f64,
    /// Hotkeys whose weight is burned.
    retired: Vec<String>,
    min_sampled: u32,
}

/// The time-lock's beacon.
#[derive(Debug, Serialize, ToSchema)]
struct BeaconAnswer {
    /// Bases of its API, without what may be a secret in them.
    api: Vec<String>,
    /// Its public key, hexadecimal.
    public_key: String,
    /// Unix time of round 1, s.
    genesis: u64,
    /// Seconds from one round to the next.
    period: u64,
    /// Seconds that a payload's round may lie before the sample at most.
    oldest_round: u64,
    /// Seconds that a payload waits for a round that the beacon alone does not give.
    wait: u64,
}

/// The configuration that runs.
#[utoipa::path(get, path = "/api/v1/configuration", tag = "validator",
    responses((status = 200, description = "The configuration.", body = ConfigurationAnswer), Problems))]
pub(in crate::server) async fn configuration(
    State(site): State<Arc<Site>>,
) -> Result<Json<ConfigurationAnswer>, ApiError> {
    site.query(|_, standing| Ok(Json(ConfigurationAnswer::new(&standing.config)))).await
}

impl ConfigurationAnswer {
    fn new(config: &Config) -> Self {
        let Beacon { api, public_key, genesis, period, oldest_round, wait } = &config.beacon;
        Self {
            file: config.file.display().to_string(),
            network: NetworkAnswer::from(&config.network),
            beacon: BeaconAnswer {
                api: api.iter().map(|base| bare_url(base)).collect(),
                public_key: hex::encode(public_key),
                genesis: *genesis,
                period: *period,
                oldest_round: *oldest_round,
                wait: *wait,
            },
            market: config.market.url.as_deref().map(bare_url),
            challenges: config.challenges.iter().map(|challenge| challenge.ticker.clone()).collect(),
        }
    }
}

impl From<&Network> for NetworkAnswer {
    fn from(network: &Network) -> Self {
        Self {
            netuid: network.netuid,
            version_key: network.version_key,
            sample_every: network.sample_every,
            lag: network.lag,
            maturity_blocks: network.maturity(),
            task_interval: network.task_interval,
            weight_calc_interval: network.weight_calc_interval,
            weight_set_interval: network.weight_set_interval,
            burn: network.burn,
            burn_uid: network.burn_uid,
            max_days: network.max_days,
            ema: network.ema,
            seed: network.seed,
            owner_key: hex::encode(network.owner_key),
            young_blocks: network.young_blocks,
            young_weight: network.young_weight,
            retired: network.retired.clone(),
            min_sampled: network.min_sampled,
        }
    }
}
