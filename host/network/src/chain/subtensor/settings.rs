//! What a client of the chain is told.

use mantis_config::{Config, Network};
use mantis_payload::beacon::Scheme;
use std::time::Duration;

/// What a client of the chain is told.
#[derive(Clone, Debug)]
pub struct ChainSettings {
    /// The subnet.
    pub netuid: u16,
    /// The subnet's mechanism that weights are set for; 0 is the one that every subnet has.
    pub mechanism: u16,
    /// The version that our weights carry; the chain refuses one below its own.
    pub version_key: u64,
    /// The beacon to whose rounds committed weights are sealed: that of the chain, which is drand's quicknet. `None`
    /// where its key is not usable: then weights cannot be committed.
    pub beacon: Option<Scheme>,
    /// Time limits.
    pub limits: NodeLimits,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct NodeLimits {
    /// Finding a node and opening a connection.
    pub connect: Duration,
    /// One request to the node.
    pub request: Duration,
    /// One call of [`Chain`](crate::chain::Chain) that reads, on one endpoint.
    pub read: Duration,
    /// From sending a transaction to seeing it in a finalized block.
    pub confirm: Duration,
    /// A node whose newest block stays the same for so long is left for the next one.
    pub stalled: Duration,
}

impl Default for NodeLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(10),
            request: seconds(15),
            read: seconds(45),
            confirm: seconds(120),
            stalled: seconds(300),
        }
    }
}

impl ChainSettings {
    /// A subnet, and the version of our weights; else what fits the public chain.
    #[must_use]
    pub fn new(netuid: u16, version_key: u64) -> Self {
        // The chain's beacon is quicknet, also if miners seal their payloads to another.
        let beacon = Scheme::from_config(&mantis_config::Beacon::default()).ok();
        Self { netuid, mechanism: 0, version_key, beacon, limits: NodeLimits::default() }
    }

    /// What the configuration says.
    #[must_use]
    pub fn from_config(config: &Config) -> Self {
        Self::from_network(&config.network)
    }

    /// What the subnet's constants say.
    #[must_use]
    pub fn from_network(network: &Network) -> Self {
        Self { mechanism: network.mechanism, ..Self::new(network.netuid, network.version_key) }
    }

    /// The number under which the chain keeps what belongs to a mechanism of the subnet: its weights, and when they were set.
    pub(super) fn index(&self) -> u16 {
        /// Subnets that there can be.
        const SUBNETS: u16 = 4096;
        (self.mechanism * SUBNETS).saturating_add(self.netuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mechanism_has_a_number_of_its_own() {
        let index = |mechanism| ChainSettings { mechanism, ..ChainSettings::new(123, 0) }.index();
        // As bittensor 11.3 counts: mechanism * 4096 + netuid.
        assert_eq!([0, 1, 15].map(index), [123, 4219, 61_563]);
    }
}
