//! The numbers behind a miner's pay, and why there is none.

use crate::Params;
use crate::chunk::Presence;
use crate::groups::Group;
use crate::pay::{Trial, Worth, sure};
use mantis_plugin_api::{Salience, WhyZero};

/// What is known of all miners before any is retrained.
pub(crate) struct Seen<'a> {
    pub(crate) presence: &'a [Presence],
    /// What the mean error rises by when each is taken out at once.
    pub(crate) at_once: &'a [f64],
    /// How much the contributions of each vary.
    pub(crate) spreads: &'a [f64],
    /// Mean error of the model of all miners, and of forecasting nothing.
    pub(crate) baseline: f64,
    pub(crate) zero: f64,
    pub(crate) params: &'a Params,
}

impl Seen<'_> {
    /// Writes down what is known of everybody, and why those who are in none of the first `tried` groups earn nothing. Groups are
    /// in falling order of what is lost without them at once.
    pub(crate) fn report(&self, groups: &[Group], tried: usize, salience: &mut Salience) {
        for (miner, presence) in self.presence.iter().enumerate() {
            salience.note(miner, "present_rows", presence.rows as f64);
            if presence.rows == 0 {
                salience.zero(miner, WhyZero::absent());
                continue;
            }
            salience.note(miner, "baseline_mae", self.baseline);
            salience.note(miner, "zero_forecast_mae", self.zero);
            salience.note(miner, "delta_at_once", self.at_once[miner]);
            let place = groups.iter().position(|group| group.members.contains(&miner));
            match place {
                None => salience
                    .zero(miner, WhyZero::new("no_contribution", "the model makes nothing of what it sends")),
                Some(place) if place >= tried => {
                    salience.zero(miner, self.screened(miner, groups, place));
                }
                Some(_) => {}
            }
        }
    }

    /// Nobody is paid, for one reason.
    pub(crate) fn report_no_skill(&self, salience: &mut Salience) {
        let Self { baseline, zero, .. } = self;
        let text = format!(
            "the forecast's mean error is {baseline:.6}, that of forecasting nothing {zero:.6}: no skill in the market, nothing \
             to divide"
        );
        self.report(&[], 0, salience);
        for miner in (0..self.presence.len()).filter(|&miner| self.presence[miner].rows > 0) {
            salience.zero(miner, WhyZero::new("no_skill", text.as_str()));
        }
        salience.empty = Some(text);
    }

    fn screened(&self, miner: usize, groups: &[Group], place: usize) -> WhyZero {
        if self.at_once[groups[place].first()] > 0.0 {
            return WhyZero::pruned(place + 1, self.params.screen);
        }
        let text = format!(
            "screened: removing it would not have hurt, it changes the mean error by {:.2e}",
            self.at_once[miner]
        );
        WhyZero::new("screened", text)
    }

    /// Pays a group, or says why not.
    pub(crate) fn pay(&self, group: &Trial, worth: &Worth, salience: &mut Salience) {
        let size = group.members().count();
        for (part, miners) in group.parts.iter().enumerate() {
            let pay = worth.pay[part];
            let spread: f64 = miners.iter().map(|&miner| self.spreads[miner]).sum();
            for &miner in miners {
                let share = if spread > 0.0 { self.spreads[miner] / spread } else { 0.0 };
                if pay * share > 0.0 {
                    salience.set(miner, pay * share);
                } else {
                    salience.zero(miner, self.why_zero(worth, part));
                }
                salience.note(miner, "delta", worth.whole.mean);
                salience.note(miner, "t", worth.whole.t);
                if size > 1 {
                    salience.note(miner, "group_size", size as f64);
                    let other = group.members().find(|other| *other != miner);
                    salience.note(miner, "group_with_miner", other.unwrap_or(miner) as f64);
                    salience.note(miner, "adds", worth.added[part].mean);
                    salience.note(miner, "adds_t", worth.added[part].t);
                }
            }
        }
    }

    fn why_zero(&self, worth: &Worth, part: usize) -> WhyZero {
        let Worth { whole, added, .. } = worth;
        if added.len() > 1 && (sure(whole, self.params).is_some() || worth.pay.iter().any(|pay| *pay > 0.0)) {
            let text = format!(
                "adds {:.2e} (t = {:.2}) to what those send who contribute alike and came before it",
                added[part].mean, added[part].t
            );
            return WhyZero::new("duplicate", text);
        }
        if whole.mean <= 0.0 {
            let text = format!("the mean error changes by {:.2e} without it: it does not rise", whole.mean);
            return WhyZero::new("no_loss", text);
        }
        let text = format!(
            "the mean error rises by {:.2e} without it, with t = {:.2}; {} is needed",
            whole.mean, whole.t, self.params.t_min
        );
        WhyZero::new("luck", text)
    }
}
