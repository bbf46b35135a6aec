//! One miner's regime: what it means to do, what it has used up, and until when it is busy.

use crate::intent::{self, Fault};
use crate::seen::Seen;
use crate::tape::Tape;
use crate::trade::{self, Outcome};
use crate::{FIELDS, Params};

/// Reacts to changes of a miner's numbers and to time (scoring: flow, intents).
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    regime: usize,
    /// Ids that opened a trade or were invalid: each counts once.
    seen: Seen,
    /// Whether the numbers that are being sent have not been looked at yet.
    is_unread: bool,
    /// First row in which no trade is open any more; none if one stays open.
    free_from: usize,
    /// Hour of the last opening.
    opened_at: f64,
}

/// What became of an intent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Invalid(Fault),
    Opened(Opened),
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Opened {
    pub(crate) id: u32,
    pub(crate) row: usize,
    pub(crate) size: f64,
    /// Its end, if it has one.
    pub(crate) outcome: Option<Outcome>,
}

impl Machine {
    pub(crate) fn new(regime: usize) -> Self {
        Self { regime, seen: Seen::default(), is_unread: false, free_from: 0, opened_at: f64::NEG_INFINITY }
    }

    /// Takes note that other numbers are sent than in the row before. They are not looked at as long as the regime is busy.
    pub(crate) fn change(&mut self) {
        self.is_unread = true;
    }

    /// The first row from `row` on in which something can happen if the numbers stay as they are.
    pub(crate) fn wakes_at(&self, row: usize) -> usize {
        if self.is_unread { self.free_from.max(row) } else { usize::MAX }
    }

    /// Uses up the id that is being sent, if the regime is free in this row.
    pub(crate) fn step(
        &mut self,
        row: usize,
        numbers: &[f32; FIELDS],
        tape: &Tape,
        params: &Params,
    ) -> Option<Step> {
        let is_early = row < self.free_from || tape.hours[row] - self.opened_at < params.min_open_gap_h;
        if is_early || !std::mem::take(&mut self.is_unread) {
            return None;
        }
        let id = intent::id(numbers, params).filter(|&id| !self.seen.contains(id))?;
        self.seen.insert(id);
        let intent = match intent::check(numbers, self.regime, params) {
            Ok(intent) => intent,
            Err(fault) => return Some(Step::Invalid(fault)),
        };
        let outcome = trade::resolve(tape, &intent, row, params);
        self.opened_at = tape.hours[row];
        self.free_from = outcome.map_or(usize::MAX, |outcome| outcome.row + 1);
        Some(Step::Opened(Opened { id, row, size: intent.size, outcome }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{sent, tape};
    use crate::trade::Event;

    /// A row a minute, the stop of every long reached in the row after `stops`.
    fn quiet(minutes: i64, stops: &[i64]) -> Tape {
        let row = |minute| match stops.contains(&minute) {
            true => (minute, 100.0, 100.0, 80.0),
            false => (minute, 100.0, 100.0, 100.0),
        };
        tape(&(0..minutes).map(row).collect::<Vec<_>>())
    }

    /// What happens, by row, if each row's numbers are as given.
    fn run(tape: &Tape, numbers: impl Fn(usize) -> [f32; FIELDS]) -> Vec<(usize, Step)> {
        let params = Params::default();
        let mut machine = Machine::new(0);
        let mut steps = Vec::new();
        for row in 0..tape.len() {
            machine.change();
            let wakes_at = machine.wakes_at(row);
            if let Some(step) = machine.step(row, &numbers(row), tape, &params) {
                assert_eq!(wakes_at, row, "it says when to look");
                steps.push((row, step));
            }
        }
        steps
    }

    fn openings(steps: &[(usize, Step)]) -> Vec<(usize, u32)> {
        let opening = |(row, step): &(usize, Step)| match step {
            Step::Opened(trade) => Some((*row, trade.id)),
            Step::Invalid(_) => None,
        };
        steps.iter().filter_map(opening).collect()
    }

    #[test]
    fn an_id_counts_once() {
        let tape = quiet(400, &[]);
        assert_eq!(openings(&run(&tape, |_| sent(1.0, 5))), [(0, 5)]);
        // Ended in row 60, so free from row 61 on; an id that was used stays so.
        assert_eq!(openings(&run(&tape, |row| sent(1.0, if row < 100 { 5 } else { 6 }))), [(0, 5), (100, 6)]);
        assert_eq!(openings(&run(&tape, |row| sent(1.0, if row < 9 { 5 } else { 6 }))), [(0, 5), (61, 6)]);
        let back = |row| sent(1.0, if (100..300).contains(&row) { 6 } else { 5 });
        assert_eq!(openings(&run(&tape, back)), [(0, 5), (100, 6)]);
    }

    #[test]
    fn what_is_passed_over_uses_up_nothing() {
        let tape = quiet(400, &[]);
        // Sent while busy and again later: it opens then. Sent without a direction first: the same.
        let again = |row| sent(1.0, if (20..30).contains(&row) || row >= 200 { 7 } else { 5 });
        assert_eq!(openings(&run(&tape, again)), [(0, 5), (200, 7)]);
        let idle = |row| if row < 50 { sent(0.0, 5) } else { sent(1.0, 5) };
        assert_eq!(openings(&run(&tape, idle)), [(50, 5)]);
        let missing = |row| if row % 2 == 0 { [0.0; FIELDS] } else { sent(1.0, 5) };
        assert_eq!(openings(&run(&tape, missing)), [(1, 5)]);
    }

    #[test]
    fn an_invalid_intent_uses_up_its_id_but_not_the_hour() {
        let tape = quiet(100, &[]);
        let wrong = |row: usize| {
            let mut numbers = sent(1.0, if row < 10 { 5 } else { 6 });
            numbers[1] = if row == 0 { 0.9 } else { 0.25 };
            numbers
        };
        let steps = run(&tape, wrong);
        assert_eq!(steps[0], (0, Step::Invalid(Fault::Size)));
        assert_eq!((steps.len(), openings(&steps)), (2, vec![(10, 6)]));
    }

    #[test]
    fn an_hour_passes_from_opening_to_opening() {
        // Every trade is stopped in the row after the one it was opened in.
        let tape = quiet(200, &[1, 61, 121]);
        let steps = run(&tape, |row| sent(1.0, row as u32 + 1));
        assert_eq!(openings(&steps), [(0, 1), (60, 61), (120, 121), (180, 181)]);
        assert!(steps[..3].iter().all(|(row, step)| matches!(
            step,
            Step::Opened(Opened { outcome: Some(outcome), .. })
                if outcome.event == Event::Stop && outcome.row == row + 1
        )));
    }

    #[test]
    fn a_trade_is_busy_up_to_the_row_in_which_it_ends() {
        let tape = quiet(300, &[90]);
        // The second trade is stopped in row 90, so the third opens a row, or an hour after the opening, later.
        let steps = run(&tape, |row| sent(1.0, if row < 9 { 1 } else { row as u32 }));
        assert_eq!(openings(&steps), [(0, 1), (61, 61), (121, 121), (182, 182), (243, 243)]);
        let Step::Opened(last) = steps[4].1 else { panic!("{steps:?}") };
        assert_eq!(last.outcome, None);
    }

    #[test]
    fn a_trade_without_an_end_keeps_its_regime() {
        let minutes = (0..400).filter(|minute| !(1..=60).contains(minute));
        let tape = tape(&minutes.map(|minute| (minute, 100.0, 100.0, 100.0)).collect::<Vec<_>>());
        let steps = run(&tape, |row| sent(1.0, row as u32 + 1));
        assert_eq!(openings(&steps), [(0, 1)]);
        // Had it been sent a row later, it would have gone on.
        let late = run(&tape, |row| sent(if row == 0 { 0.0 } else { 1.0 }, row as u32 + 1));
        assert!(openings(&late).len() > 3);
    }
}
