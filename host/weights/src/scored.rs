//! What a challenge gave: the input of all that follows.

use mantis_plugin_api::{Description, MinerReport, Salience, WhyZero};
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
    /// Why there is no salience, or why it pays nobody.
    pub skipped: Option<String>,
    /// The plugin's words about itself; `None` where it could not be asked.
    pub description: Option<Description>,
    /// Wall time, reading included.
    pub seconds: f64,
}

/// All challenges' outcomes.
#[derive(Clone, Debug)]
pub struct Scores {
    /// One per scored or skipped challenge, in the order of the configuration.
    pub challenges: Vec<Scored>,
    /// The challenges' saliences by weight, over hotkeys; sums to 1, or is empty where nobody is paid.
    pub total: BTreeMap<String, f64>,
    /// The most memory that all processes held at once, in KiB: an upper bound.
    pub peak_rss_kib: u64,
}

impl Scored {
    /// How many miners it pays.
    #[must_use]
    pub fn paid(&self) -> usize {
        self.parts().filter(|(_, part)| *part > 0.0).count()
    }

    /// What the plugin says of a miner; `None` where it was not asked about it.
    #[must_use]
    pub fn report(&self, hotkey: &str) -> Option<&MinerReport> {
        let place = self.hotkeys.iter().position(|other| other == hotkey)?;
        self.salience.as_ref()?.miners.get(place)
    }

    /// Why it pays nothing to the miner of a report: the miner's own reason before the one that all share.
    #[must_use]
    pub fn why_nothing(&self, report: Option<&MinerReport>) -> WhyZero {
        let why = |code: &str, text: &str| WhyZero { code: code.into(), text: text.into() };
        match (report.and_then(|report| report.why_zero.clone()), &self.skipped, report) {
            (Some(own), ..) => own,
            (None, Some(skipped), _) => why("nobody", &format!("nobody is paid: {skipped}")),
            (None, None, None) => why("absent", "it has sent nothing for this challenge"),
            (None, None, Some(_)) => why("unknown", "the plugin gives no reason"),
        }
    }

    /// Salience per hotkey, scaled to sum 1; empty where nobody is paid.
    #[must_use]
    pub fn shares(&self) -> BTreeMap<String, f64> {
        self.parts().map(|(hotkey, part)| (hotkey.clone(), part)).collect()
    }

    /// The same in the order of the columns.
    fn parts(&self) -> impl Iterator<Item = (&String, f64)> {
        let miners = self.salience.as_ref().map_or(&[][..], |salience| &salience.miners);
        let sum: f64 = miners.iter().map(|miner| miner.salience).sum();
        let miners = if sum <= 0.0 { &[] } else { miners };
        self.hotkeys.iter().zip(miners.iter().map(move |miner| miner.salience / sum))
    }
}
