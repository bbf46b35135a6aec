//! What an epoch goes by.

use mantis_config::Block;

/// What an epoch goes by, all at one block.
#[derive(Clone, Debug, PartialEq)]
pub struct YumaInput {
    /// The block that the epoch runs in.
    pub block: Block,
    /// The subnet's settings.
    pub rules: YumaRules,
    /// All neurons: the place is the UID.
    pub neurons: Vec<YumaNeuron>,
}

/// The subnet's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct YumaRules {
    /// The part of the stake that makes a consensus, 0 to 1.
    pub kappa: f64,
    /// How far bonds follow the clipped weights instead of those that were set, 0 to 1.
    pub bonds_penalty: f64,
    /// Whether bonds are kept per validator and miner (Yuma 3), instead of as shares of a miner.
    pub yuma3: bool,
    /// The part of a bond that is new with an epoch, 0 to 1.
    pub alpha: f64,
    /// What stands in for `alpha` with Yuma 3, once there is a consensus about any miner.
    pub liquid_alpha: Option<LiquidAlpha>,
    /// A validator who has set no weights for more blocks than this does not count.
    pub activity_cutoff: i64,
    /// Bonds to a neuron that registered in this block or later are void: they were to its predecessor.
    pub bonds_from: Block,
    /// The UID of the subnet's owner: it needs no permit, and its weight for itself counts.
    pub owner: Option<u16>,
}

/// A part of a bond that is new with an epoch which goes by how far weight, bond and consensus are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiquidAlpha {
    /// The least, 0 to 1.
    pub low: f64,
    /// The most, 0 to 1.
    pub high: f64,
    /// How sharply it goes from one to the other, in hundredths.
    pub steepness: f64,
}

/// A neuron, as an epoch sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct YumaNeuron {
    /// Its stake that counts in the subnet, in any unit; not negative. 0 where it is below the chain's threshold.
    pub stake: f64,
    /// Whether it may set weights.
    pub permit: bool,
    /// The block in which it last set or committed weights.
    pub last_update: Block,
    /// The block in which it registered.
    pub registered: Block,
    /// The block of the oldest of its commits that are not shown yet.
    pub committed: Option<Block>,
    /// Its weights: UID and weight, each UID once.
    pub weights: Vec<(u16, u16)>,
    /// Its bonds: UID and bond, each UID once.
    pub bonds: Vec<(u16, u16)>,
}

impl YumaInput {
    /// Whether the weights of a UID count.
    #[must_use]
    pub fn may_set(&self, uid: usize) -> bool {
        let is_owner = self.rules.owner.is_some_and(|owner| usize::from(owner) == uid);
        is_owner || self.neurons.get(uid).is_some_and(|neuron| neuron.permit)
    }

    /// Whether a UID has set weights lately enough.
    #[must_use]
    pub fn is_active(&self, uid: usize) -> bool {
        let age = |neuron: &YumaNeuron| self.block - neuron.last_update;
        self.neurons.get(uid).is_some_and(|neuron| age(neuron) <= self.rules.activity_cutoff)
    }
}
