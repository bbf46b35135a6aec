//! How a trade ends, and what it made.

use crate::Params;
use crate::intent::Intent;
use crate::tape::Tape;

/// How a trade ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// At its stop.
    Stop,
    /// At its second target.
    Target2,
    /// At its horizon, after it had reached its first target.
    Target1,
    /// At its horizon.
    Flat,
}

/// A trade that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The row in which it ended.
    pub(crate) row: usize,
    pub(crate) event: Event,
    /// What counts as evidence of skill: money never enters it.
    pub(crate) evidence: f64,
    /// What is paid, before what stands behind the trade.
    pub(crate) pay: f64,
    /// What it made in money, over its risk.
    pub(crate) made: f64,
}

/// Prices of a trade.
struct Bracket {
    side: f64,
    entry: f64,
    stop: f64,
    target1: f64,
    target2: f64,
}

impl Bracket {
    /// What leaving at a price makes, over the risk.
    fn ratio(&self, price: f64) -> f64 {
        self.side * (price - self.entry) / (self.entry - self.stop).abs()
    }
}

/// Follows a trade that is opened in a row to its end; `None` if it has none yet, or never will (scoring: flow, resolution).
pub(crate) fn resolve(tape: &Tape, intent: &Intent, row: usize, params: &Params) -> Option<Outcome> {
    let Intent { side, stop, target1, target2, .. } = *intent;
    let entry = tape.close[row];
    let bracket = Bracket {
        side,
        entry,
        stop: entry * (1.0 - side * stop),
        target1: entry * (1.0 + side * target1),
        target2: entry * (1.0 + side * target2),
    };
    let horizon = tape.hours[row] + intent.horizon;
    let window = row + 1..tape.after(horizon);
    if window.is_empty() {
        return beyond_a_gap(tape, intent, &bracket, row + 1, params);
    }
    let last = window.end - 1;
    let touch = tape.wicks.first_touch(window, side, bracket.stop, bracket.target2);
    let (end, event) = match touch.hit {
        Some((at, true)) => (at, Event::Stop),
        Some((at, false)) => (at, Event::Target2),
        // What comes until the horizon is not known yet.
        None if tape.last_hour() < horizon => return None,
        None if touch.best >= bracket.target1 * side => (last, Event::Target1),
        None => (last, Event::Flat),
    };
    Some(outcome(tape, intent, &bracket, touch.worst, end, event, params))
}

/// A trade in whose horizon no row lies.
fn beyond_a_gap(
    tape: &Tape,
    intent: &Intent,
    bracket: &Bracket,
    next: usize,
    params: &Params,
) -> Option<Outcome> {
    if params.gap != "next" || next >= tape.len() {
        return None;
    }
    let touch = tape.wicks.first_touch(next..next + 1, bracket.side, f64::NEG_INFINITY, f64::INFINITY);
    Some(outcome(tape, intent, bracket, touch.worst, next, Event::Flat, params))
}

/// What a trade made that ends with an event; `worst` is the worst price on its way, times the side (scoring: flow, scores).
fn outcome(
    tape: &Tape,
    intent: &Intent,
    bracket: &Bracket,
    worst: f64,
    row: usize,
    event: Event,
    params: &Params,
) -> Outcome {
    let second = bracket.ratio(bracket.target2);
    // Within its horizon no trade ends beyond its stop or second target; one that ends after a gap is held to them.
    let at_end = bracket.ratio(tape.close[row]).clamp(-1.0, second.max(-1.0));
    let (gross, made) = match event {
        Event::Stop => (-1.0, -1.0),
        Event::Target2 => (second * (1.0 + params.delta), second.max(-1.0)),
        Event::Target1 => (bracket.ratio(bracket.target1) * params.lam, at_end),
        Event::Flat => (at_end, at_end),
    };
    let against = (bracket.entry * bracket.side - worst).max(0.0);
    let path = params.gamma * (against / (bracket.entry - bracket.stop).abs()).min(1.0);
    let (paid, evidence) = match event {
        Event::Stop => (gross, gross),
        _ => (gross - path, (gross - path) + path),
    };
    let tail = if tape.is_tail(row) { 1.0 + params.tau } else { 1.0 };
    Outcome {
        row,
        event,
        evidence: finite(evidence),
        pay: finite(paid * tail * intent.size),
        made: finite(made),
    }
}

/// A number; 0 where prices at the ends of what a number can hold left none.
fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{intent, tape};

    /// Rows after one of 100: minute, close, high, low, as a long sees them; a short sees them mirrored at 100.
    type Rows<'a> = &'a [(i64, f64, f64, f64)];

    fn end(rows: Rows, side: f64, params: &Params) -> Option<Outcome> {
        let mut all = vec![(0, 100.0, 150.0, 50.0)];
        let mirrored = |&(minute, close, high, low): &(i64, f64, f64, f64)| {
            if side > 0.0 {
                (minute, close, high, low)
            } else {
                (minute, 200.0 - close, 200.0 - low, 200.0 - high)
            }
        };
        all.extend(rows.iter().map(mirrored));
        resolve(&tape(&all), &intent(side), 0, params)
    }

    /// How and in which row a trade ends, the same for both sides.
    fn event(rows: Rows) -> Option<(Event, usize)> {
        let params = Params::default();
        let [long, short] = [1.0, -1.0].map(|side| end(rows, side, &params));
        assert_eq!(long, short, "{rows:?}");
        long.map(|outcome| (outcome.event, outcome.row))
    }

    #[test]
    fn a_stop_or_target_is_reached_where_it_is_touched() {
        let quiet = (1, 100.0, 101.0, 99.0);
        let end = (60, 100.0, 101.0, 99.0);
        for (row, expected) in [
            ((2, 100.0, 101.0, 87.5), (Event::Stop, 2)),
            ((2, 100.0, 101.0, 87.5_f64.next_up()), (Event::Flat, 3)),
            ((2, 100.0, 125.0, 99.0), (Event::Target2, 2)),
            ((2, 100.0, 125.0_f64.next_down(), 99.0), (Event::Target1, 3)),
            ((2, 100.0, 112.5, 99.0), (Event::Target1, 3)),
            ((2, 100.0, 112.5_f64.next_down(), 99.0), (Event::Flat, 3)),
        ] {
            assert_eq!(event(&[quiet, row, end]), Some(expected), "{row:?}");
        }
    }

    #[test]
    fn the_stop_comes_first_in_a_row_and_after_the_first_target() {
        assert_eq!(event(&[(1, 100.0, 130.0, 80.0)]), Some((Event::Stop, 1)));
        assert_eq!(event(&[(1, 100.0, 115.0, 99.0), (2, 100.0, 101.0, 85.0)]), Some((Event::Stop, 2)));
        assert_eq!(event(&[(1, 120.0, 126.0, 99.0), (2, 80.0, 101.0, 80.0)]), Some((Event::Target2, 1)));
    }

    #[test]
    fn the_horizon_belongs_to_the_window_and_what_comes_later_does_not() {
        let stop = |minute| (minute, 100.0, 101.0, 80.0);
        let quiet = |minute| (minute, 100.0, 101.0, 99.0);
        assert_eq!(event(&[quiet(30), stop(60)]), Some((Event::Stop, 2)));
        assert_eq!(event(&[quiet(30), stop(61)]), Some((Event::Flat, 1)));
        // The last row is at the horizon, or before it: then nothing is known yet, but for a stop or the second target.
        assert_eq!(event(&[quiet(60)]), Some((Event::Flat, 1)));
        assert_eq!(event(&[quiet(59)]), None);
        assert_eq!(event(&[(59, 113.0, 113.0, 99.0)]), None);
        assert_eq!(event(&[stop(2)]), Some((Event::Stop, 1)));
        assert_eq!(event(&[]), None);
    }

    #[test]
    fn the_row_of_the_opening_reaches_nothing() {
        // Its own wick, of 50 and 150, would.
        assert_eq!(event(&[(60, 100.0, 100.0, 100.0)]), Some((Event::Flat, 1)));
    }

    fn numbers(rows: Rows) -> (f64, f64, f64) {
        let outcome = end(rows, 1.0, &Params::default()).unwrap();
        (outcome.evidence, outcome.pay, outcome.made)
    }

    #[test]
    fn scores_are_by_event() {
        // Against it by 6.25, half of the risk, which takes an eighth off; sizes are a quarter.
        let dip = (1, 100.0, 101.0, 93.75);
        assert_eq!(numbers(&[dip, (2, 100.0, 101.0, 87.0)]), (-1.0, -0.25, -1.0));
        assert_eq!(numbers(&[dip, (2, 125.0, 126.0, 99.0)]), (2.6, (2.6 - 0.125) * 0.25, 2.0));
        assert_eq!(numbers(&[dip, (2, 115.0, 115.0, 99.0), (60, 106.25, 107.0, 99.0)]), (0.5, 0.09375, 0.5));
        assert_eq!(numbers(&[dip, (60, 106.25, 107.0, 99.0)]), (0.5, 0.09375, 0.5));
        assert_eq!(numbers(&[dip, (60, 95.0, 96.0, 94.0)]), (-0.4, (-0.4 - 0.125) * 0.25, -0.4));
    }

    #[test]
    fn the_path_ends_with_the_trade() {
        // The row that reaches the target counts, with what it was worth against the trade; later ones do not.
        let (_, pay, _) = numbers(&[(1, 125.0, 126.0, 93.75), (2, 100.0, 101.0, 88.0)]);
        assert_eq!(pay, (2.6 - 0.125) * 0.25);
        let (_, pay, _) = numbers(&[(1, 101.0, 126.0, 100.5)]);
        assert_eq!(pay, 2.6 * 0.25, "never against it");
    }

    #[test]
    fn parameters_are_those_of_the_scores() {
        let rows: Rows = &[(1, 125.0, 126.0, 93.75)];
        let params = Params { delta: 0.5, gamma: 1.0, ..Params::default() };
        let outcome = end(rows, 1.0, &params).unwrap();
        assert_eq!((outcome.evidence, outcome.pay), (3.0, 2.5 * 0.25));
        let params = Params { lam: 0.75, gamma: 0.0, ..Params::default() };
        let outcome = end(&[(1, 100.0, 115.0, 99.0), (60, 100.0, 101.0, 99.0)], 1.0, &params).unwrap();
        assert_eq!((outcome.evidence, outcome.pay), (0.75, 0.75 * 0.25));
    }

    #[test]
    fn a_tail_hour_multiplies_the_pay_by_the_row_of_the_end() {
        let mut tape = tape(&[(0, 100.0, 100.0, 100.0), (60, 106.25, 107.0, 99.0)]);
        let plain = resolve(&tape, &intent(1.0), 0, &Params::default()).unwrap();
        tape.tail = vec![true, false];
        assert_eq!(resolve(&tape, &intent(1.0), 0, &Params::default()), Some(plain));
        tape.tail = vec![false, true];
        let tail = resolve(&tape, &intent(1.0), 0, &Params::default()).unwrap();
        assert_eq!((tail.evidence, tail.made, tail.pay), (plain.evidence, plain.made, 2.0 * plain.pay));
    }

    #[test]
    fn a_gap_sticks_unless_the_next_row_ends_it() {
        let next = Params { gap: "next".into(), ..Params::default() };
        let rows: Rows = &[(61, 106.25, 107.0, 99.0), (62, 1.0, 1.0, 1.0)];
        assert_eq!(event(rows), None);
        let outcome = end(rows, 1.0, &next).unwrap();
        assert_eq!((outcome.event, outcome.row, outcome.evidence, outcome.made), (Event::Flat, 1, 0.5, 0.5));
        // What jumped over the stop or the second target is held to it.
        for (close, made) in [(80.0, -1.0), (180.0, 2.0)] {
            let outcome = end(&[(61, close, close, close)], 1.0, &next).unwrap();
            assert_eq!((outcome.event, outcome.made), (Event::Flat, made));
        }
        assert_eq!(end(&[], 1.0, &next), None);
    }

    #[test]
    fn prices_at_the_ends_of_what_a_number_holds_give_numbers() {
        for price in [5e-324, 1e-310, 1e308, f64::MAX] {
            for (side, last) in [(1.0, 1.0), (-1.0, 1.0), (1.0, f64::MAX), (-1.0, f64::MAX)] {
                let tape = tape(&[(0, price, price, price), (60, last, last, last)]);
                if let Some(outcome) = resolve(&tape, &intent(side), 0, &Params::default()) {
                    assert!([outcome.evidence, outcome.pay, outcome.made].iter().all(|x| x.is_finite()));
                }
            }
        }
    }
}
