//! What an epoch of the subnet goes by, and what the last one gave.

use mantis_config::Block;

/// What an epoch goes by and what the last one gave, all at one block that is final. Parts of a whole are in 65,535ths, as the chain
/// has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochState {
    /// The block that all of it is of.
    pub block: Block,
    /// The subnet's settings.
    pub rules: EpochRules,
    /// All neurons by UID; a UID that has no hotkey is left out.
    pub neurons: Vec<NeuronState>,
}

/// The subnet's settings that its epochs go by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochRules {
    /// The part of the stake that makes a consensus.
    pub kappa: u16,
    /// How far bonds follow the clipped weights instead of those that were set.
    pub bonds_penalty: u16,
    /// The part of a bond that stays with an epoch, in millionths.
    pub bonds_moving_average: u64,
    /// Whether bonds are kept per validator and miner (Yuma 3).
    pub yuma3: bool,
    /// Bounds and steepness of liquid alpha; `None` where it is off.
    pub liquid_alpha: Option<(u16, u16, i16)>,
    /// Blocks after which a validator that has set no weights does not count.
    pub activity_cutoff: u64,
    /// Blocks of an epoch; 0 where none are run.
    pub tempo: u16,
    /// The block of the last epoch; `None` where the chain does not say.
    pub last_epoch: Option<Block>,
    /// Whether weights are committed and shown later.
    pub commit_reveal: bool,
    /// Epochs from a commit to its reveal.
    pub reveal_period: u64,
    /// Whether one validator alone decides, the one with the most stake: then there is no consensus.
    pub one_decides: bool,
    /// The fewest UIDs to which weights must be given.
    pub min_weights: u16,
    /// The largest part of all weights that one UID may be given.
    pub max_weight: u16,
    /// The UID of the subnet's owner.
    pub owner: Option<u16>,
}

/// A neuron, as epochs see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeuronState {
    /// Its UID.
    pub uid: u16,
    /// Its hotkey, SS58 with prefix 42.
    pub hotkey: String,
    /// Its stake that counts in the subnet: 10^-9 TAO, or 65,535ths of all where the chain says no more; 0 below the threshold.
    pub stake: u64,
    /// Whether it may set weights.
    pub permit: bool,
    /// The block in which it last set or committed weights, or registered.
    pub last_update: Block,
    /// The block in which it registered.
    pub registered: Block,
    /// The block of its oldest commit that is not shown yet.
    pub committed: Option<Block>,
    /// Its weights that are shown: UID and weight.
    pub weights: Vec<(u16, u16)>,
    /// Its bonds: UID and bond.
    pub bonds: Vec<(u16, u16)>,
    /// What the last epoch gave it; `None` where the chain runs none.
    pub given: Option<Given>,
}

/// What an epoch gave a neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// As a miner: the weight that enough stake gives it at least.
    pub consensus: u16,
    /// As a miner: its part of the emission.
    pub incentive: u16,
    /// As a validator: its part of the emission.
    pub dividends: u16,
    /// As a validator: what of its weights was not clipped.
    pub validator_trust: u16,
    /// What it was given of the subnet's own token, as a miner and as a validator, 10^-9 alpha.
    pub emission: u64,
}
