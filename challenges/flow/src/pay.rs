//! From what trades made to shares of each hour's pay.

use crate::gate::Gate;
use crate::stream::Closed;
use crate::tape::Tape;
use crate::{Params, REGIMES};
use mantis_kit::math;
use std::ops::RangeInclusive;

/// The whole hours of a tape: the first one after its first row to that of its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    first: i64,
    last: i64,
    /// The first of the newest ones that are paid for.
    paid_from: i64,
}

impl Hours {
    pub(crate) fn new(tape: &Tape, params: &Params) -> Self {
        let first = tape.hours.first().map_or(0, |hour| hour.floor() as i64) + 1;
        let last = (tape.last_hour().floor() as i64).max(first);
        let paid_from = first.max(last + 1 - i64::try_from(params.smooth_hours).unwrap_or(i64::MAX));
        Self { first, last, paid_from }
    }

    fn all(&self) -> RangeInclusive<i64> {
        self.first..=self.last
    }

    /// How many are paid for.
    fn paid(&self) -> usize {
        usize::try_from(self.last + 1 - self.paid_from).unwrap_or(0)
    }
}

/// What one miner's trades add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Account {
    /// Average of what trades pay, by regime.
    pub(crate) averages: [f64; REGIMES],
    pub(crate) gate: Gate,
    /// Hour in which the first trade ended, if any did by the last whole hour.
    pub(crate) first: Option<f64>,
    /// Hour in which the latest one ended.
    pub(crate) last: f64,
    /// Score in each paid hour, 0 without one.
    scores: Vec<f64>,
    /// Whether it was before the gate in each.
    is_before_gate: Vec<bool>,
}

impl Account {
    /// Goes through all hours of a miner whose trades are in the order of their ends; `weight` weighs its score (scoring:
    /// flow, pay).
    pub(crate) fn new(trades: &[Closed], weight: f64, tape: &Tape, hours: Hours, params: &Params) -> Self {
        let mut account = Self::default();
        let mut rest = trades;
        for hour in hours.all() {
            let hour_f = hour as f64;
            let ended = rest.partition_point(|trade| tape.hours[trade.row as usize] <= hour_f);
            let (taken, later) = rest.split_at(ended);
            rest = later;
            for trade in taken {
                account.take(trade, tape.hours[trade.row as usize], params);
            }
            if !taken.is_empty() {
                account.gate.update(params);
            }
            if hour >= hours.paid_from {
                account.scores.push(account.score(hour_f, weight, params));
                account.is_before_gate.push(params.gate && !account.gate.is_passed);
            }
        }
        account
    }

    fn take(&mut self, trade: &Closed, hour: f64, params: &Params) {
        let average = &mut self.averages[usize::from(trade.regime)];
        *average = (1.0 - params.ewma_alpha) * *average + params.ewma_alpha * trade.pay;
        self.first.get_or_insert(hour);
        self.last = hour;
        self.gate.add(hour, trade.evidence, params);
    }

    /// Sum of the averages.
    pub(crate) fn average(&self) -> f64 {
        let [a, b, c, d] = self.averages;
        a + b + c + d
    }

    fn score(&self, hour: f64, weight: f64, params: &Params) -> f64 {
        let is_on_probation = self.first.is_none_or(|first| hour < first + params.probation_hours);
        if is_on_probation || self.average() <= 0.0 || weight <= 0.0 {
            return 0.0;
        }
        self.average() * math::exp(-(hour - self.last) / params.kappa_hours) * weight
    }

    /// Score in the last hour.
    pub(crate) fn last_score(&self) -> f64 {
        self.scores.last().copied().unwrap_or(0.0)
    }
}

/// What a miner is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pay {
    /// Mean share of the paid hours.
    pub(crate) share: f64,
    /// Hours of these in which there was any.
    pub(crate) hours: usize,
}

/// Shares each paid hour among the miners, and takes the mean over the hours (scoring: flow, pay).
pub(crate) fn pay(accounts: &[Account], hours: Hours, params: &Params) -> Vec<Pay> {
    let mut pays = vec![Pay::default(); accounts.len()];
    for hour in 0..hours.paid() {
        for (is_before_gate, pool) in [(false, 1.0 - params.dust), (true, params.dust)] {
            let score = |account: &Account| {
                if account.is_before_gate[hour] == is_before_gate { account.scores[hour] } else { 0.0 }
            };
            let total: f64 = accounts.iter().map(score).sum();
            for (pay, score) in pays.iter_mut().zip(accounts.iter().map(score)) {
                let share = pool * (score / total);
                if share > 0.0 {
                    pay.share += share;
                    pay.hours += 1;
                }
            }
        }
    }
    pays.iter_mut().for_each(|pay| pay.share /= hours.paid().max(1) as f64);
    pays
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::tape;

    /// A row an hour, from half past the first, and one at the end of the tape.
    fn hourly(hours: i64) -> Tape {
        tape(&(0..hours).map(|hour| (60 * hour + 30, 1.0, 1.0, 1.0)).collect::<Vec<_>>())
    }

    fn closed(row: u32, regime: u8, evidence: f64, pay: f64) -> Closed {
        Closed { row, opened: 0, regime, evidence, pay }
    }

    fn account(trades: &[Closed], weight: f64, hours: i64, params: &Params) -> Account {
        let tape = hourly(hours);
        Account::new(trades, weight, &tape, Hours::new(&tape, params), params)
    }

    #[test]
    fn the_newest_whole_hours_are_paid_for() {
        let hours = |count, smooth_hours| {
            let hours = Hours::new(&hourly(count), &Params { smooth_hours, ..Params::default() });
            (hours.first, hours.last, hours.paid_from, hours.paid())
        };
        assert_eq!(hours(200, 24), (1, 199, 176, 24));
        assert_eq!(hours(10, 24), (1, 9, 1, 9));
        assert_eq!(hours(1, 24), (1, 1, 1, 1));
    }

    #[test]
    fn each_regime_has_its_average_and_the_score_is_their_sum() {
        let params = Params { probation_hours: 0.0, ..Params::default() };
        let trades = [closed(1, 0, 1.0, 2.0), closed(2, 0, 1.0, 4.0), closed(3, 3, 1.0, -1.0)];
        let found = account(&trades, 2.0, 5, &params);
        let a = 0.95 * (0.05 * 2.0) + 0.05 * 4.0;
        assert_eq!(found.averages, [a, 0.0, 0.0, -0.05]);
        // The last whole hour is 4, half an hour after the last trade ended.
        assert_eq!((found.first, found.last), (Some(1.5), 3.5));
        assert_eq!(found.last_score(), (a - 0.05) * math::exp(-0.5 / 672.0) * 2.0);
    }

    #[test]
    fn a_trade_counts_from_the_whole_hour_after_its_end() {
        let params = Params { probation_hours: 0.0, ..Params::default() };
        let found = account(&[closed(2, 1, 1.0, 1.0), closed(4, 1, 9.0, 9.0)], 1.0, 5, &params);
        assert_eq!(
            found.scores.iter().map(|&score| score > 0.0).collect::<Vec<_>>(),
            [false, false, true, true]
        );
        assert_eq!(
            (found.last, found.averages[1]),
            (2.5, 0.05),
            "the last one ends after the last whole hour"
        );
    }

    #[test]
    fn probation_ends_after_its_hours() {
        let params = Params { probation_hours: 2.5, ..Params::default() };
        let found = account(&[closed(1, 0, 1.0, 1.0)], 1.0, 8, &params);
        assert_eq!(found.scores.iter().position(|&score| score > 0.0), Some(3), "hour 4 is 1.5 + 2.5");
    }

    #[test]
    fn what_is_not_above_zero_is_no_score() {
        let params = Params { probation_hours: 0.0, ..Params::default() };
        let score = |pay, weight| account(&[closed(1, 0, 1.0, pay)], weight, 5, &params).last_score();
        assert!(score(1.0, 1.0) > 0.0);
        assert_eq!([score(0.0, 1.0), score(-1.0, 1.0), score(1.0, 0.0), score(-1.0, -1.0)], [0.0; 4]);
        assert_eq!(account(&[], 1.0, 5, &params).last_score(), 0.0);
    }

    fn paid(scores: &[(f64, bool)], params: &Params) -> Vec<f64> {
        let account = |&(score, is_before_gate): &(f64, bool)| Account {
            scores: vec![score; 2],
            is_before_gate: vec![is_before_gate; 2],
            ..Account::default()
        };
        let accounts: Vec<Account> = scores.iter().map(account).collect();
        let hours = Hours { first: 1, last: 2, paid_from: 1 };
        pay(&accounts, hours, params).iter().map(|pay| pay.share).collect()
    }

    #[test]
    fn each_pool_is_shared_by_score() {
        let params = Params { dust: 0.25, ..Params::default() };
        assert_eq!(paid(&[(3.0, false), (1.0, false), (0.0, false)], &params), [0.5625, 0.1875, 0.0]);
        assert_eq!(paid(&[(3.0, false), (1.0, true), (3.0, true)], &params), [0.75, 0.0625, 0.1875]);
        assert_eq!(paid(&[(3.0, true)], &params), [0.25]);
        assert_eq!(paid(&[(0.0, false)], &params), [0.0]);
    }

    #[test]
    fn the_gate_holds_back_those_without_evidence_and_only_where_there_is_one() {
        let trades: Vec<Closed> =
            (0..5).map(|week| closed(168 * week + 1, 0, 1.0 + f64::from(week), 1.0)).collect();
        let is_before = |gate, trades: &[Closed]| {
            account(trades, 1.0, 700, &Params { gate, ..Params::default() }).is_before_gate[23]
        };
        assert_eq!((is_before(true, &trades), is_before(true, &trades[..3])), (false, true));
        assert_eq!((is_before(false, &trades), is_before(false, &trades[..3])), (false, false));
    }

    #[test]
    fn pay_is_the_mean_over_the_paid_hours() {
        let params = Params { dust: 0.0, probation_hours: 2.0, smooth_hours: 4, ..Params::default() };
        let tape = hourly(8);
        let hours = Hours::new(&tape, &params);
        let account = Account::new(&[closed(3, 0, 1.0, 1.0)], 1.0, &tape, hours, &params);
        // Of hours 4 to 7, the last two come after its probation.
        assert_eq!(pay(&[account], hours, &params), [Pay { share: 0.5, hours: 2 }]);
    }
}
