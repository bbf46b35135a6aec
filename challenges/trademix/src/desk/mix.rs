//! A desk that has learnt to mix positions in an asset, and is not asked yet.

use super::gbdt::Trees;
use super::moe::Mixture;
use super::skillw::Weights;
use super::{Field, Fold};
use serde::{Deserialize, Serialize};

/// What a model has learnt of one asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mix {
    /// The default.
    Skillw(Weights),
    Gbdt(Trees),
    Moe(Mixture),
}

impl Mix {
    /// Learns what the desk of a fold goes by.
    pub(crate) fn fit(field: &Field, fold: &Fold, asset: usize) -> Self {
        match field.params.meta_model.as_str() {
            "gbdt" => Self::Gbdt(Trees::fit(field, fold, asset)),
            "moe" => Self::Moe(Mixture::fit(field, fold, asset)),
            _ => Self::Skillw(Weights::fit(field, fold, asset)),
        }
    }

    /// What the desk holds, -1 to 1, where the seeds have these positions in the asset; `median` is that of all
    /// positions of all seeds.
    pub(crate) fn holding(&self, positions: &[f32], median: f64) -> f64 {
        match self {
            Self::Skillw(weights) => weights.holding(positions),
            Self::Gbdt(trees) => trees.holding(positions, median),
            Self::Moe(mixture) => mixture.holding(positions, median),
        }
    }

    /// Whether the positions of a seed matter. All of them are in the median.
    pub(crate) fn uses(&self, seed: usize) -> bool {
        match self {
            Self::Skillw(weights) => weights.uses(seed),
            Self::Gbdt(_) | Self::Moe(_) => true,
        }
    }

    /// The name of the model, as the parameter `meta_model` has it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Skillw(_) => "skillw",
            Self::Gbdt(_) => "gbdt",
            Self::Moe(_) => "moe",
        }
    }

    /// Whether it can be asked of so many seeds.
    pub(crate) fn is_sound(&self, seeds: usize) -> bool {
        match self {
            Self::Skillw(weights) => weights.is_sound(seeds),
            Self::Gbdt(trees) => trees.is_sound(seeds),
            Self::Moe(mixture) => mixture.is_sound(seeds),
        }
    }
}
