//! The state machine of one asset: range, trigger, resolution (scoring: breakout).

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The constants of the state machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakoutRules {
    /// Sampled blocks that the range looks back.
    pub lookback: i64,
    /// Prices that a range needs.
    pub min_prices: usize,
    /// Width that a range needs, as a part of the price.
    pub min_range_pct: f64,
    /// Distance of the barriers, as a part of the range's width.
    pub barrier_pct: f64,
    /// Sampled blocks after which an unresolved breakout is dropped.
    pub max_pending: i64,
}

/// Which way a price left its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Above its highest price.
    High,
    /// Below its lowest.
    Low,
}

/// A breakout that is not resolved yet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Sampled block of the trigger.
    pub sidx: i64,
    /// Price of the trigger.
    pub price: f64,
    /// Lowest price of the range.
    pub low: f64,
    /// Highest price of the range.
    pub high: f64,
    /// Price of the upper barrier.
    pub upper: f64,
    /// Price of the lower barrier.
    pub lower: f64,
}

/// A breakout that went on or turned back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Which way it went.
    pub direction: Direction,
    /// Sampled block of the trigger.
    pub trigger_sidx: i64,
    /// Sampled block of the resolution.
    pub resolved_sidx: i64,
    /// Whether it went on.
    pub continued: bool,
}

/// Follows the prices of one asset.
#[derive(Clone, Debug)]
pub struct Tracker {
    rules: BreakoutRules,
    prices: usize,
    /// Sampled blocks of all prices in the window, oldest first.
    window: VecDeque<i64>,
    /// Candidates for the highest price, falling.
    highs: VecDeque<(i64, f64)>,
    /// Candidates for the lowest price, rising.
    lows: VecDeque<(i64, f64)>,
    /// The upward breakout that waits for its resolution.
    pub pending_high: Option<Pending>,
    /// The downward one.
    pub pending_low: Option<Pending>,
}

impl Tracker {
    /// A tracker that has seen no price.
    #[must_use]
    pub fn new(rules: BreakoutRules) -> Self {
        Self {
            rules,
            prices: 0,
            window: VecDeque::new(),
            highs: VecDeque::new(),
            lows: VecDeque::new(),
            pending_high: None,
            pending_low: None,
        }
    }

    /// Takes the price (above zero) of a sampled block, later than all before: resolves what is pending, then
    /// triggers. Gives what was resolved, the upward breakout first.
    pub fn step(&mut self, sidx: i64, price: f64) -> [Option<Resolved>; 2] {
        let resolved = [
            resolve(&mut self.pending_high, Direction::High, sidx, price, &self.rules),
            resolve(&mut self.pending_low, Direction::Low, sidx, price, &self.rules),
        ];
        self.forget(sidx);
        if let Some((low, high)) = self.range(price) {
            let barrier = self.rules.barrier_pct * (high - low);
            let pending = Pending { sidx, price, low, high, upper: price + barrier, lower: price - barrier };
            if price > high && self.pending_high.is_none() {
                self.pending_high = Some(pending);
            }
            if price < low && self.pending_low.is_none() {
                self.pending_low = Some(pending);
            }
        }
        self.remember(sidx, price);
        resolved
    }

    /// Takes a price without resolving or triggering anything: the history of a stored state.
    pub fn remember(&mut self, sidx: i64, price: f64) {
        self.window.push_back(sidx);
        while self.highs.back().is_some_and(|&(_, high)| high <= price) {
            self.highs.pop_back();
        }
        self.highs.push_back((sidx, price));
        while self.lows.back().is_some_and(|&(_, low)| low >= price) {
            self.lows.pop_back();
        }
        self.lows.push_back((sidx, price));
        self.prices = self.window.len();
    }

    /// What is pending when a sampled block is over, the upward breakout first. What is too old by then is not: the next price
    /// drops it.
    #[must_use]
    pub fn pending(&self, sidx: i64) -> [Option<Pending>; 2] {
        let is_open = |pending: &Pending| sidx - pending.sidx <= self.rules.max_pending;
        [self.pending_high.filter(is_open), self.pending_low.filter(is_open)]
    }

    /// Lowest and highest price of the window, if it has enough of them and is wide enough.
    fn range(&self, price: f64) -> Option<(f64, f64)> {
        let (&(_, low), &(_, high)) = (self.lows.front()?, self.highs.front()?);
        let enough = self.prices >= self.rules.min_prices && high - low >= self.rules.min_range_pct * price;
        enough.then_some((low, high))
    }

    fn forget(&mut self, sidx: i64) {
        let oldest = sidx - self.rules.lookback;
        while self.window.front().is_some_and(|&sidx| sidx < oldest) {
            self.window.pop_front();
        }
        for candidates in [&mut self.highs, &mut self.lows] {
            while candidates.front().is_some_and(|&(sidx, _)| sidx < oldest) {
                candidates.pop_front();
            }
        }
        self.prices = self.window.len();
    }
}

fn resolve(
    slot: &mut Option<Pending>,
    direction: Direction,
    sidx: i64,
    price: f64,
    rules: &BreakoutRules,
) -> Option<Resolved> {
    let pending = (*slot)?;
    if sidx - pending.sidx > rules.max_pending {
        *slot = None;
        return None;
    }
    let (up, down) = (price >= pending.upper, price <= pending.lower);
    let continued = match direction {
        Direction::High if up => true,
        Direction::High if down => false,
        Direction::Low if down => true,
        Direction::Low if up => false,
        _ => return None,
    };
    *slot = None;
    Some(Resolved { direction, trigger_sidx: pending.sidx, resolved_sidx: sidx, continued })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: BreakoutRules = BreakoutRules {
        lookback: 10,
        min_prices: 3,
        min_range_pct: 0.01,
        barrier_pct: 0.25,
        max_pending: 20,
    };

    fn play(prices: &[f64]) -> (Vec<Resolved>, Tracker) {
        let mut tracker = Tracker::new(RULES);
        let resolved = prices.iter().zip(0..).flat_map(|(&price, sidx)| tracker.step(sidx, price)).flatten();
        (resolved.collect(), tracker)
    }

    #[test]
    fn a_breakout_continues_or_reverses() {
        // Range 10 to 14, barrier 1; out at 15, on at 16.
        let (resolved, _) = play(&[10.0, 14.0, 12.0, 15.0, 15.9, 16.0]);
        let expected =
            Resolved { direction: Direction::High, trigger_sidx: 3, resolved_sidx: 5, continued: true };
        assert_eq!(resolved, [expected]);
        let (resolved, _) = play(&[10.0, 14.0, 12.0, 15.0, 14.0]);
        assert!(!resolved[0].continued && resolved.len() == 1);
        let (resolved, _) = play(&[10.0, 14.0, 12.0, 9.0, 8.0]);
        assert!(resolved[0].continued && resolved[0].direction == Direction::Low);
    }

    #[test]
    fn a_range_needs_prices_and_width() {
        assert_eq!(play(&[10.0, 14.0, 15.0]).1.pending_high, None, "two prices are too few");
        assert_eq!(play(&[10.0, 10.01, 10.0, 11.0]).1.pending_high, None, "too narrow");
        let pending = play(&[10.0, 14.0, 12.0, 15.0]).1.pending_high.unwrap();
        assert_eq!(
            pending,
            Pending { sidx: 3, price: 15.0, low: 10.0, high: 14.0, upper: 16.0, lower: 14.0 }
        );
    }

    #[test]
    fn prices_leave_the_window_and_breakouts_expire() {
        let mut tracker = play(&[10.0, 14.0, 12.0, 15.0]).1;
        // 14 is the oldest still in the window of 11; nothing resolves between 14 and 16.
        assert_eq!(tracker.step(11, 15.5), [None, None]);
        assert_eq!(tracker.range(15.0), Some((12.0, 15.5)));
        assert_eq!(tracker.step(24, 99.0), [None, None], "expired at 23");
        assert_eq!(tracker.pending_high, None);
    }

    #[test]
    fn resolving_makes_room_for_the_next_in_the_same_row() {
        let tracker = play(&[10.0, 14.0, 12.0, 15.0, 16.0]).1;
        assert_eq!(tracker.pending_high.unwrap().sidx, 4);
    }
}
