//! What a strategy is told of its challenge.

use crate::protocol::{Hello, PROTOCOL};
use mantis_config::{Challenge, Config};
use mantis_plugin_api::Targets;

/// Seconds from a block of the chain to the next.
pub(crate) const BLOCK_SECONDS: f64 = 12.0;

/// What a strategy is told first.
pub(crate) fn hello(config: &Config, challenge: &Challenge, targets: Option<&Targets>, seed: u64) -> Hello {
    let one = || vec![challenge.price_key.clone().unwrap_or_else(|| challenge.ticker.clone())];
    let assets = if challenge.assets.is_empty() { one() } else { challenge.assets.clone() };
    Hello {
        protocol: PROTOCOL,
        challenge: challenge.name.clone(),
        ticker: challenge.ticker.clone(),
        subjects: assets.clone(),
        assets,
        fields: challenge.channels.clone(),
        dim: challenge.dim,
        numbers: challenge.storage_dim(),
        horizon_rows: challenge.spec(&config.network, challenge.solver).rows_ahead(),
        row_seconds: BLOCK_SECONDS * f64::from(config.network.sample_every),
        labels: targets.map(|targets| targets.reading),
        seed,
    }
}
