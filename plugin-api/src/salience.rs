//! What a score gives back.

use crate::Targets;
use serde::{Deserialize, Serialize};

/// Saliences of all miners of a challenge, and the numbers behind them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Salience {
    /// One report per miner, in the history's order.
    pub miners: Vec<MinerReport>,
    /// Numbers about the challenge as a whole: rows used, share of positive labels, and the like.
    pub facts: Vec<Fact>,
    /// The reason as a sentence, if no miner is paid.
    pub empty: Option<String>,
    /// What nobody earns: an amount beside the miners' saliences and in their unit, finite and not negative. It is
    /// weighed as if one more miner had it, and burned. Since contract 1.1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub burn: f64,
    /// What the labels say, where [`crate::Spec::targets`] asks for it in the place of saliences. Since contract 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Targets>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

/// One miner's salience and why it is what it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MinerReport {
    /// What the miner adds: finite, not negative.
    pub salience: f64,
    /// Why it is zero, if it is.
    pub why_zero: Option<WhyZero>,
    /// The numbers behind it: AUC, coefficient, rows.
    pub facts: Vec<Fact>,
}

/// A named number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Stable snake_case name.
    pub name: String,
    /// Its value; one that is not finite is dropped at the boundary.
    pub value: f64,
}

/// Why a miner earns nothing from a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyZero {
    /// Stable snake_case code for programs: `absent`, `constant`, `auc` ...
    pub code: String,
    /// A sentence for the miner.
    pub text: String,
}

impl Salience {
    /// All miners at zero, without a reason yet.
    #[must_use]
    pub fn new(miners: usize) -> Self {
        Self { miners: vec![MinerReport::default(); miners], ..Self::default() }
    }

    /// No miner is paid, for the reason given as a sentence.
    #[must_use]
    pub fn empty(miners: usize, reason: impl Into<String>) -> Self {
        Self { empty: Some(reason.into()), ..Self::new(miners) }
    }

    /// Sets a miner's salience.
    pub fn set(&mut self, miner: usize, salience: f64) {
        self.miners[miner].salience = salience;
        self.miners[miner].why_zero = None;
    }

    /// Sets a miner to zero, and says why.
    pub fn zero(&mut self, miner: usize, why: WhyZero) {
        self.miners[miner].salience = 0.0;
        self.miners[miner].why_zero = Some(why);
    }

    /// Keeps a number behind a miner's salience. One named `.._with_miner` is the column of another miner, and is shown as
    /// that miner's hotkey.
    pub fn note(&mut self, miner: usize, name: &str, value: f64) {
        self.miners[miner].facts.push(Fact { name: name.into(), value });
    }

    /// Keeps a number about the challenge.
    pub fn fact(&mut self, name: &str, value: f64) {
        self.facts.push(Fact { name: name.into(), value });
    }

    /// What crosses the boundary: the saliences as numbers of their own, since JSON has no NaN that the host could
    /// refuse, and the rest, without facts that are not finite.
    pub(crate) fn into_parts(mut self) -> (Vec<f64>, Self) {
        self.facts.retain(|fact| fact.value.is_finite());
        let take = |miner: &mut MinerReport| {
            miner.facts.retain(|fact| fact.value.is_finite());
            std::mem::take(&mut miner.salience)
        };
        (self.miners.iter_mut().map(take).collect(), self)
    }

    /// Scales saliences and burn to sum 1; leaves them as they are if they sum to zero.
    pub fn normalise(&mut self) {
        let sum: f64 = self.miners.iter().map(|m| m.salience).sum::<f64>() + self.burn;
        if sum > 0.0 {
            for miner in &mut self.miners {
                miner.salience /= sum;
            }
            self.burn /= sum;
        }
    }
}

impl WhyZero {
    /// A reason of the plugin's own.
    pub fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into() }
    }

    /// Nothing stored in the rows that count.
    #[must_use]
    pub fn absent() -> Self {
        Self::new("absent", "no prediction is stored in the rows that are scored")
    }

    /// Present, but too rarely.
    #[must_use]
    pub fn too_few_rows(present: usize, needed: usize) -> Self {
        Self::new("too_few_rows", format!("present in {present} rows that count, {needed} are needed"))
    }

    /// The same prediction in every row.
    #[must_use]
    pub fn constant() -> Self {
        Self::new("constant", "the prediction never changes")
    }

    /// No better than chance out of sample.
    #[must_use]
    pub fn auc(auc: f64, above: f64) -> Self {
        Self::new("auc", format!("AUC {auc:.4} out of sample is not above {above}"))
    }

    /// Good, but others are better.
    #[must_use]
    pub fn pruned(rank: usize, kept: usize) -> Self {
        Self::new("pruned", format!("rank {rank} of which only the first {kept} are kept"))
    }

    /// In the ensemble, with a coefficient of zero.
    #[must_use]
    pub fn no_weight() -> Self {
        Self::new("no_weight", "the ensemble gives it no weight: it adds nothing to what others send")
    }
}
