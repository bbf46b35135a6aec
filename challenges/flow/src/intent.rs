//! What a miner means to do in one regime.

use crate::{FIELDS, Params};

/// Why an intent is not one that a trade can be opened from, by the first of its numbers that is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Neither long nor short.
    Direction,
    /// The size.
    Size,
    /// The distance of the stop.
    Stop,
    /// The distances of the targets, or their order.
    Targets,
    /// The horizon.
    Horizon,
    /// The probability that makes the size Kelly's.
    Probability,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] =
        [Self::Direction, Self::Size, Self::Stop, Self::Targets, Self::Horizon, Self::Probability];

    /// Name of what is out of bounds.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Direction => "direction",
            Self::Size => "size",
            Self::Stop => "stop",
            Self::Targets => "targets",
            Self::Horizon => "horizon",
            Self::Probability => "probability",
        }
    }
}

/// An intent within all bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Intent {
    /// 1 for long, -1 for short.
    pub(crate) side: f64,
    /// Part of what there is.
    pub(crate) size: f64,
    /// Distances from the price, as parts of it.
    pub(crate) stop: f64,
    pub(crate) target1: f64,
    pub(crate) target2: f64,
    /// Hours.
    pub(crate) horizon: f64,
}

/// A stored number; one that is not finite is 0.
fn number(x: f32) -> f64 {
    if x.is_finite() { f64::from(x) } else { 0.0 }
}

/// The id under which the intent would open a trade; `None` if it means to open none (scoring: flow, intents).
pub(crate) fn id(numbers: &[f32; FIELDS], params: &Params) -> Option<u32> {
    let &[direction, .., id] = numbers;
    let direction = number(direction).clamp(-2.0, 2.0).round_ties_even();
    let id = number(id).clamp(0.0, f64::from(params.max_trade_id)).round_ties_even() as u32;
    (direction != 0.0 && (1..params.max_trade_id).contains(&id)).then_some(id)
}

/// Checks all bounds of an intent (scoring: flow, valid).
pub(crate) fn check(numbers: &[f32; FIELDS], regime: usize, params: &Params) -> Result<Intent, Fault> {
    let [direction, size, stop, target1, target2, horizon, _] = numbers.map(number);
    let side = direction.round_ties_even();
    let distances = params.frac_min..=params.frac_max;
    if side.abs() != 1.0 {
        return Err(Fault::Direction);
    }
    if !(params.f_min..=params.f_max).contains(&size) {
        return Err(Fault::Size);
    }
    if !distances.contains(&stop) {
        return Err(Fault::Stop);
    }
    if !(params.frac_min <= target1 && target1 < target2 && target2 <= params.frac_max) {
        return Err(Fault::Targets);
    }
    if !params.horizons(regime).contains(&horizon) {
        return Err(Fault::Horizon);
    }
    let odds = target1 / stop;
    let probability = (size * odds + 1.0) / (odds + 1.0);
    if !(params.p_bound..=1.0 - params.p_bound).contains(&probability) {
        return Err(Fault::Probability);
    }
    Ok(Intent { side, size, stop, target1, target2, horizon })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [f32; FIELDS] = [1.0, 0.1, 0.01, 0.01, 0.02, 12.0, 7.0];

    fn with(changes: &[(usize, f32)]) -> [f32; FIELDS] {
        let mut numbers = GOOD;
        changes.iter().for_each(|&(at, x)| numbers[at] = x);
        numbers
    }

    fn fault(changes: &[(usize, f32)]) -> Option<Fault> {
        check(&with(changes), 0, &Params::default()).err()
    }

    #[test]
    fn an_id_is_rounded_to_even_and_bounded() {
        let ids = [
            (1.0, Some(1)),
            (0.5, None),
            (0.6, Some(1)),
            (1.5, Some(2)),
            (2.5, Some(2)),
            (0.0, None),
            (-5.0, None),
            (16_777_215.0, Some(16_777_215)),
            (16_777_216.0, None),
            (1e30, None),
            (f32::INFINITY, None),
            (f32::NAN, None),
        ];
        for (sent, expected) in ids {
            assert_eq!(id(&with(&[(6, sent)]), &Params::default()), expected, "{sent}");
        }
    }

    #[test]
    fn without_a_direction_nothing_is_meant() {
        for (sent, means) in [
            (0.5, false),
            (-0.5, false),
            (0.51, true),
            (-1.4, true),
            (9.0, true),
            (0.0, false),
            (f32::NAN, false),
            (f32::INFINITY, false),
        ] {
            assert_eq!(id(&with(&[(0, sent)]), &Params::default()).is_some(), means, "{sent}");
        }
    }

    #[test]
    fn a_direction_is_one_up_or_down() {
        for (sent, side) in [(0.51, 1.0), (1.49, 1.0), (-0.6, -1.0), (-1.49, -1.0)] {
            assert_eq!(check(&with(&[(0, sent)]), 0, &Params::default()).unwrap().side, side, "{sent}");
        }
        // Halves go to the even neighbour; what is far out is no direction, though its id is used up.
        for sent in [1.5, -1.5, 2.0, -2.0, 1e20, 0.5] {
            assert_eq!(fault(&[(0, sent)]), Some(Fault::Direction), "{sent}");
        }
    }

    #[test]
    fn bounds_are_those_of_double_precision() {
        // The nearest floats to 0.01 and 0.0001 lie below them.
        for (changes, expected) in [
            (vec![(1, 0.01)], Some(Fault::Size)),
            (vec![(1, 0.01_f32.next_up())], None),
            (vec![(1, 0.25)], None),
            (vec![(1, 0.25_f32.next_up())], Some(Fault::Size)),
            (vec![(2, 1e-4), (3, 2e-4)], Some(Fault::Stop)),
            (vec![(2, 1e-4_f32.next_up()), (3, 2e-4)], None),
            (vec![(2, 0.5), (3, 0.3), (4, 0.4)], None),
            (vec![(2, 0.5_f32.next_up()), (3, 0.3), (4, 0.4)], Some(Fault::Stop)),
            (vec![(2, -0.01)], Some(Fault::Stop)),
            (vec![(2, 1e-3), (3, 1e-4)], Some(Fault::Targets)),
            (vec![(2, 1e-3), (3, 1e-4_f32.next_up())], None),
            (vec![(3, 0.02)], Some(Fault::Targets)),
            (vec![(3, 0.02_f32.next_down())], None),
            (vec![(2, 0.2), (3, 0.3), (4, 0.5)], None),
            (vec![(2, 0.2), (3, 0.3), (4, 0.5_f32.next_up())], Some(Fault::Targets)),
            (vec![(4, f32::INFINITY)], Some(Fault::Targets)),
            (vec![(5, 1.0)], None),
            (vec![(5, 1.0_f32.next_down())], Some(Fault::Horizon)),
            (vec![(5, 24.0)], None),
            (vec![(5, 24.0_f32.next_up())], Some(Fault::Horizon)),
            (vec![(5, f32::NAN)], Some(Fault::Horizon)),
        ] {
            assert_eq!(fault(&changes), expected, "{changes:?}");
        }
    }

    #[test]
    fn each_regime_has_its_horizons() {
        for (regime, low, high) in [(0, 1.0, 24.0), (1, 24.0, 48.0), (2, 72.0, 168.0), (3, 168.0, 336.0_f32)]
        {
            for (hours, is_good) in
                [(low, true), (high, true), (low.next_down(), false), (high.next_up(), false)]
            {
                let found = check(&with(&[(5, hours)]), regime, &Params::default());
                assert_eq!(found.is_ok(), is_good, "{regime} {hours}");
            }
        }
    }

    #[test]
    fn the_probability_behind_the_size_is_bounded() {
        // Odds of 400: 0.02 * 400 is 8, (8 + 1) / 401 is above 0.01; with odds near 0 it comes near 1.
        assert_eq!(fault(&[(1, 0.02), (2, 0.0005), (3, 0.2), (4, 0.3)]), None);
        assert_eq!(fault(&[(2, 0.3), (3, 2e-4), (4, 4e-4)]), Some(Fault::Probability));
        let params = Params { p_bound: 0.3, ..Params::default() };
        // Size 0.02 at odds 400 is a probability of 0.0224, at odds 1 of 0.51.
        let found = |changes: &[(usize, f32)]| check(&with(changes), 0, &params).err();
        assert_eq!(found(&[(1, 0.02), (2, 0.0005), (3, 0.2), (4, 0.3)]), Some(Fault::Probability));
        assert_eq!(found(&[(1, 0.02)]), None);
    }
}
