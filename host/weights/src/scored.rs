//! What a challenge gave: the input of all that follows.

use super::aggregate::{Shares, aggregate};
use super::failure::{FailureCause, Held};
use mantis_config::Runtime;
use mantis_plugin_api::{Description, Fact, MinerReport, Salience, Solver, WhyZero};
use serde::Serialize;
use std::collections::BTreeMap;

/// One challenge's outcome.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// Its ticker.
    pub ticker: String,
    /// What it counts for.
    pub weight: f64,
    /// The columns' hotkeys; as many as the salience has miners.
    pub hotkeys: Vec<String>,
    /// What the plugin gave; `None` where it gave nothing.
    pub salience: Option<Salience>,
    /// Why there is no salience, or why it pays no miner. Also why it failed, if another salience stands in.
    pub skipped: Option<String>,
    /// Set if there is no salience because the challenge failed; `skipped` says how.
    pub failure: Option<FailureCause>,
    /// Set if the salience is that of an earlier computation, because the challenge failed.
    pub held: Option<Held>,
    /// What it was computed with; `None` where that was not recorded.
    pub made_with: Option<MadeWith>,
    /// The plugin's words about itself; `None` where it could not be asked.
    pub description: Option<Description>,
    /// Wall time, reading included.
    pub seconds: f64,
}

/// What a challenge was computed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MadeWith {
    /// Where model fits stopped.
    pub solver: Solver,
    /// The form in which the plugin ran.
    pub runtime: Runtime,
    /// The sha256 of the plugin's file, in lower-case hexadecimal; `None` if no plugin could be loaded.
    pub sha256: Option<String>,
}

/// All challenges' outcomes.
#[derive(Clone, Debug)]
pub struct Scores {
    /// One per scored or skipped challenge, in the order of the configuration.
    pub challenges: Vec<Scored>,
    /// The challenges' saliences by weight, over hotkeys; sums to 1 with `burn`, or is empty if no miner is paid.
    pub total: BTreeMap<String, f64>,
    /// What of the total nobody earns.
    pub burn: f64,
    /// The most memory that all processes held at once, in KiB: an upper bound.
    pub peak_rss_kib: u64,
}

impl Scores {
    /// The challenges' outcomes, joined by their weights.
    #[must_use]
    pub fn new(challenges: Vec<Scored>, peak_rss_kib: u64) -> Self {
        let Shares { miners: total, burn } = join(&challenges, |scored| scored.weight);
        Self { challenges, total, burn, peak_rss_kib }
    }

    /// Puts the salience of an earlier computation in the place of one that failed: see [`Scored::set_shares`].
    pub fn hold(&mut self, ticker: &str, held: Held, shares: &Shares) {
        for scored in self.challenges.iter_mut().filter(|scored| scored.ticker == ticker) {
            scored.set_shares(shares);
            scored.held = Some(held);
        }
        let Shares { miners, burn } = join(&self.challenges, |scored| scored.weight);
        (self.total, self.burn) = (miners, burn);
    }

    /// The total as it would be if each challenge counted for `weight` of it.
    #[must_use]
    pub fn total_with(&self, weight: impl Fn(&Scored) -> f64) -> Shares {
        join(&self.challenges, weight)
    }
}

/// Those of some challenges that failed.
pub fn failed(challenges: &[Scored]) -> impl Iterator<Item = (&Scored, FailureCause)> {
    challenges.iter().filter_map(|scored| Some((scored, scored.failure?)))
}

fn join(challenges: &[Scored], weight: impl Fn(&Scored) -> f64) -> Shares {
    let weighted = challenges.iter().map(|scored| (weight(scored), scored.shares()));
    aggregate(&weighted.collect::<Vec<_>>())
}

impl Scored {
    /// How many miners it pays.
    #[must_use]
    pub fn paid(&self) -> usize {
        self.parts().filter(|(_, part)| *part > 0.0).count()
    }

    /// A miner's place among those that it pays, from 1; equal shares have the same place. `None` if it pays the miner
    /// nothing.
    #[must_use]
    pub fn rank(&self, hotkey: &str) -> Option<usize> {
        let (_, own) = self.parts().find(|(other, _)| *other == hotkey)?;
        (own > 0.0).then(|| 1 + self.parts().filter(|(_, part)| *part > own).count())
    }

    /// What the plugin says of a miner; `None` where it was not asked about it.
    #[must_use]
    pub fn report(&self, hotkey: &str) -> Option<&MinerReport> {
        let place = self.hotkeys.iter().position(|other| other == hotkey)?;
        self.salience.as_ref()?.miners.get(place)
    }

    /// The hotkey of the miner whose column a fact is: one that is named `.._with_miner`.
    #[must_use]
    pub fn miner_of(&self, fact: &Fact) -> Option<&String> {
        let is_column = fact.name.ends_with("_with_miner") && fact.value >= 0.0;
        self.hotkeys.get(fact.value as usize).filter(|_| is_column)
    }

    /// Why it pays nothing to the miner of a report: the miner's own reason before the one that all share.
    #[must_use]
    pub fn why_nothing(&self, report: Option<&MinerReport>) -> WhyZero {
        let why = |code: &str, text: &str| WhyZero { code: code.into(), text: text.into() };
        match (report.and_then(|report| report.why_zero.clone()), &self.skipped, report) {
            (Some(own), ..) => own,
            (None, Some(skipped), _) => why("nobody", &format!("no miner is paid: {skipped}")),
            (None, None, None) => why("absent", "it has sent nothing for this challenge"),
            (None, None, Some(_)) => why("unknown", "the plugin gives no reason"),
        }
    }

    /// Whether it counts: it pays a miner, or says that nobody earns.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.sum() > 0.0
    }

    /// The part of what it pays that nobody earns, 0 to 1.
    #[must_use]
    pub fn burn_share(&self) -> f64 {
        let burn = self.salience.as_ref().map_or(0.0, |salience| salience.burn);
        if burn > 0.0 { burn / self.sum() } else { 0.0 }
    }

    /// Salience per hotkey and burn, scaled to sum 1; empty if it does not count.
    #[must_use]
    pub fn shares(&self) -> Shares {
        let miners = self.parts().map(|(hotkey, part)| (hotkey.clone(), part)).collect();
        Shares { miners, burn: self.burn_share() }
    }

    /// Sets who is paid how much; nothing more is known of the miners then, and nothing less of the challenge.
    pub fn set_shares(&mut self, shares: &Shares) {
        let facts = self.salience.take().map_or_else(Vec::new, |salience| salience.facts);
        let mut salience = Salience { facts, burn: shares.burn, ..Salience::new(shares.miners.len()) };
        shares.miners.values().enumerate().for_each(|(miner, share)| salience.set(miner, *share));
        self.hotkeys = shares.miners.keys().cloned().collect();
        self.salience = Some(salience);
    }

    /// All that the plugin gave, the burn too.
    fn sum(&self) -> f64 {
        self.salience.as_ref().map_or(0.0, |salience| {
            salience.miners.iter().map(|miner| miner.salience).sum::<f64>() + salience.burn
        })
    }

    /// The same in the order of the columns.
    fn parts(&self) -> impl Iterator<Item = (&String, f64)> {
        let miners = self.salience.as_ref().map_or(&[][..], |salience| &salience.miners);
        let sum = self.sum();
        let miners = if sum <= 0.0 { &[] } else { miners };
        self.hotkeys.iter().zip(miners.iter().map(move |miner| miner.salience / sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(ticker: &str, weight: f64, saliences: &[f64]) -> Scored {
        let mut salience = Salience::new(saliences.len());
        saliences.iter().enumerate().for_each(|(m, value)| salience.set(m, *value));
        let hotkeys = (0..saliences.len()).map(|m| format!("h{m}")).collect();
        Scored { ticker: ticker.into(), weight, hotkeys, salience: Some(salience), ..Scored::default() }
    }

    #[test]
    fn equal_shares_have_the_same_rank() {
        let scored = scored("A", 1.0, &[2.0, 1.0, 0.0, 2.0]);
        let ranks = ["h0", "h1", "h2", "h3", "h4"].map(|hotkey| scored.rank(hotkey));
        assert_eq!(ranks, [Some(1), Some(3), None, Some(1), None]);
    }

    #[test]
    fn an_earlier_salience_stands_in_for_one_that_failed() {
        let crashed = Scored { salience: None, failure: Some(FailureCause::Crash), ..scored("B", 3.0, &[]) };
        let mut scores = Scores::new(vec![scored("A", 1.0, &[1.0, 0.0]), crashed], 7);
        assert_eq!(scores.total["h0"], 1.0);
        assert_eq!(
            failed(&scores.challenges).map(|(scored, _)| scored.ticker.as_str()).collect::<Vec<_>>(),
            ["B"]
        );
        let held = Held { block: mantis_config::Block(1000), computations: 2 };
        let shares = Shares { miners: [("h1".to_owned(), 1.0)].into(), burn: 0.0 };
        scores.hold("B", held, &shares);
        assert_eq!((scores.total["h0"], scores.total["h1"]), (0.25, 0.75));
        assert_eq!(scores.challenges[1].held, Some(held));
    }

    #[test]
    fn what_nobody_earns_is_kept_apart() {
        let mut some = scored("A", 1.0, &[1.0, 2.0]);
        some.salience.as_mut().unwrap().burn = 1.0;
        assert_eq!((some.shares().miners["h1"], some.burn_share(), some.paid()), (0.5, 0.25, 2));
        let mut all = scored("B", 1.0, &[0.0]);
        all.salience.as_mut().unwrap().burn = 0.7;
        assert_eq!(
            (all.shares().miners["h0"], all.burn_share(), all.paid(), all.counts()),
            (0.0, 1.0, 0, true)
        );
        let scores = Scores::new(vec![some, all, scored("C", 9.0, &[0.0])], 0);
        assert_eq!((scores.total["h1"], scores.burn), (0.25, 0.625));

        let mut later = Scored::default();
        let shares = Shares { miners: [("h1".to_owned(), 0.75)].into(), burn: 0.25 };
        later.set_shares(&shares);
        assert_eq!(later.shares(), shares);
        assert_eq!(later.hotkeys, ["h1"]);
    }

    #[test]
    fn the_total_follows_the_weights_that_are_given() {
        let scores = Scores::new(vec![scored("A", 1.0, &[1.0, 0.0]), scored("B", 3.0, &[0.0, 1.0])], 7);
        assert_eq!((scores.total["h0"], scores.total["h1"]), (0.25, 0.75));
        let total = scores.total_with(|scored| if scored.ticker == "A" { 1.0 } else { 0.0 });
        assert_eq!((total.miners["h0"], total.miners["h1"]), (1.0, 0.0));
    }
}
