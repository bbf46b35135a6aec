//! The numbers behind a miner's pay, and why there is none.

use crate::Params;
use crate::intent::Fault;
use crate::pay::{Account, Pay};
use crate::settle::Balance;
use crate::skin::MinerSkin;
use crate::stream::Book;
use mantis_plugin_api::{Salience, WhyZero};

/// All that is known of one miner.
pub(crate) struct Miner<'a> {
    pub(crate) book: &'a Book,
    pub(crate) account: &'a Account,
    pub(crate) skin: MinerSkin<'a>,
    pub(crate) pay: Pay,
    /// What it is left with in the running period, and what it is paid of that, if the period is known.
    pub(crate) settled: Option<(Balance, f64)>,
    /// Hour of the last row.
    pub(crate) now: f64,
}

impl Miner<'_> {
    /// Writes down a miner's pay, why there is none, and the numbers behind it.
    pub(crate) fn report(&self, column: usize, params: &Params, salience: &mut Salience) {
        if self.pay.share > 0.0 {
            salience.set(column, self.pay.share);
        } else {
            salience.zero(column, self.why_zero(params));
        }
        let mut note = |name: &str, value: f64| salience.note(column, name, value);
        self.note_trades(&mut note);
        if self.account.first.is_some() {
            self.note_account(params, &mut note);
        }
        if let Some((Balance { loss, claim }, payout)) = self.settled {
            note("period_loss", loss);
            note("period_claim", claim);
            note("period_payout", payout);
        }
    }

    fn note_trades(&self, note: &mut impl FnMut(&str, f64)) {
        let Book { opened, closed, invalid, without_bet, late_bet, .. } = self.book;
        note("trades_opened", *opened as f64);
        note("trades_resolved", closed.len() as f64);
        for (fault, &count) in Fault::ALL.iter().zip(invalid) {
            if count > 0 {
                note(&format!("invalid_{}", fault.as_str()), count as f64);
            }
        }
        if let MinerSkin::Bets(..) = self.skin {
            note("trades_without_bet", *without_bet as f64);
            note("trades_late_bet", *late_bet as f64);
        }
        if let MinerSkin::Fixed(alpha) = self.skin {
            note("collateral", alpha);
        }
    }

    fn note_account(&self, params: &Params, note: &mut impl FnMut(&str, f64)) {
        for (name, &average) in
            ["average_a", "average_b", "average_c", "average_d"].iter().zip(&self.account.averages)
        {
            note(name, average);
        }
        note("score", self.account.last_score());
        note("hours_since_trade", self.now - self.account.last);
        note("hours_paid", self.pay.hours as f64);
        if let Some(t) = self.account.gate.t {
            note("evidence_t", t);
        }
        if params.gate {
            note("gate_passed", f64::from(u8::from(self.account.gate.is_passed)));
        }
    }

    fn why_zero(&self, params: &Params) -> WhyZero {
        let Book { opened, closed, without_bet, late_bet, .. } = self.book;
        if !self.book.is_present {
            return WhyZero::absent();
        }
        if *opened == 0 {
            return WhyZero::new("no_trade", self.no_trade());
        }
        let Some(first) = self.account.first else {
            let text =
                format!("{opened} trades opened, {} resolved, none by the last whole hour", closed.len());
            return WhyZero::new("unresolved", text);
        };
        let age = self.now - first;
        if age < params.probation_hours {
            let text = format!(
                "its first trade was resolved {age:.0} hours ago, {} are needed",
                params.probation_hours
            );
            return WhyZero::new("probation", text);
        }
        if self.skin.weight() <= 0.0 {
            return WhyZero::new("no_collateral", "nothing stands behind its trades");
        }
        if matches!(self.skin, MinerSkin::Bets(..)) && without_bet + late_bet == *opened {
            let text = format!("{without_bet} trades without a bet, {late_bet} with one that was too late");
            return WhyZero::new("no_bet", text);
        }
        let average = self.account.average();
        if average <= 0.0 {
            let text = format!("its trades pay {average:.6} on average, which is not above 0");
            return WhyZero::new("no_edge", text);
        }
        WhyZero::new("no_share", "its score is too small, or those before the gate share nothing")
    }

    /// Why no trade was opened.
    fn no_trade(&self) -> String {
        let faults = Fault::ALL.iter().zip(&self.book.invalid).filter(|(_, count)| **count > 0);
        let faults: Vec<String> =
            faults.map(|(fault, count)| format!("{count} by {}", fault.as_str())).collect();
        if faults.is_empty() {
            return "no intent with a direction and an id".into();
        }
        format!("every intent is out of bounds: {}", faults.join(", "))
    }
}
