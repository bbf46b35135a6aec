//! What a full-size ledger takes: `max_days` of a subnet's 256 miners.

use mantis_config::{Challenge, Config};
use mantis_network::chain::BLOCK_SECONDS;

/// Neurons of a full subnet.
const MINERS: u64 = 256;
/// Bytes of a hotkey in a row's list: 48 letters, quotes, a comma and a space.
const NAME: u64 = 52;
/// Days that a ledger keeps beyond those that are scored.
const KEPT_BEYOND: u64 = 5;

/// Bytes of a day of rows.
pub(super) fn day(config: &Config) -> u64 {
    let row = |dim: usize| MINERS * (2 * dim as u64 + NAME);
    let all: u64 = config.challenges.iter().map(|challenge| row(challenge.storage_dim())).sum();
    all * 86_400 / (BLOCK_SECONDS * u64::from(config.network.sample_every.max(1)))
}

/// Bytes of the whole ledger.
pub(super) fn ledger(config: &Config) -> u64 {
    day(config) * (u64::from(config.network.max_days) + KEPT_BEYOND)
}

/// Bytes of the largest history that a challenge is scored from.
pub(super) fn largest_history(config: &Config) -> u64 {
    histories(config).max().unwrap_or(0)
}

/// Bytes of all histories, which are kept beside the ledger.
pub(super) fn all_histories(config: &Config) -> u64 {
    histories(config).sum()
}

fn histories(config: &Config) -> impl Iterator<Item = u64> {
    let rows = u64::from(config.network.max_days) * 86_400
        / (BLOCK_SECONDS * u64::from(config.network.sample_every.max(1)));
    let row = |challenge: &Challenge| (challenge.storage_dim() * challenge.storage.bytes()) as u64;
    config.challenges.iter().map(move |challenge| row(challenge) * MINERS * rows)
}

/// Bytes for people.
pub(super) fn shown(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_subnet_takes_some_gigabytes() {
        let config = Config::load("../../challenges.toml").unwrap();
        let gigabytes = ledger(&config) as f64 / 1e9;
        assert!((15.0..45.0).contains(&gigabytes), "{gigabytes}");
        assert!(largest_history(&config) < ledger(&config));
        assert_eq!(largest_history(&config), 66 * 2 * 256 * 86_400);
        assert!((largest_history(&config)..ledger(&config)).contains(&all_histories(&config)));
    }

    #[test]
    fn bytes_are_readable() {
        assert_eq!(
            [0, 1, 999_999, 5_000_000, 2_500_000_000].map(shown),
            ["0 kB", "1 kB", "1000 kB", "5 MB", "2.5 GB"]
        );
    }
}
