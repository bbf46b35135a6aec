//! What miners of `flow` send, four intents to trade, and the bets behind them.

/// Numbers of an intent: direction, size, distances of the stop and of two targets, horizon in hours, and id.
pub(super) const FIELDS: usize = 7;
/// Rows of an hour, one a minute.
const ROWS_PER_HOUR: usize = 60;
/// What a miner can bet in all, alpha; a bet is a part of it as large as the trade's size.
const BALANCE: f64 = 100.0;
/// Size of a trade of which a miner is not sure at all, and what is added for the surest.
const SIZE: (f64, f64) = (0.05, 0.15);

/// How trades are made in one of the regimes: within its bounds, and with a stop that about half of them reach.
struct Regime {
    hours: usize,
    stop: f64,
}

const REGIMES: [Regime; 4] = [
    Regime { hours: 12, stop: 0.02 },
    Regime { hours: 36, stop: 0.035 },
    Regime { hours: 120, stop: 0.06 },
    Regime { hours: 240, stop: 0.09 },
];

/// Rows of the future that each regime's trade is about.
pub(super) fn horizons() -> impl Iterator<Item = usize> {
    REGIMES.iter().map(|regime| regime.hours * ROWS_PER_HOUR)
}

/// Goes on from what was sent before to what is sent in a miner's `turn`, its rows so far: an intent stays until the row
/// after its horizon, and is followed by one with the next id. Who leans to neither side means nothing.
pub(super) fn renew(turn: Option<usize>, leanings: &[f64], numbers: &mut Vec<f32>) {
    numbers.resize(leanings.len(), 0.0);
    let Some(turn) = turn else { return };
    let regimes = REGIMES.iter().zip(leanings.chunks_exact(FIELDS)).zip(numbers.chunks_exact_mut(FIELDS));
    for ((regime, leaning), intent) in regimes {
        let lean = leaning[0];
        if turn.is_multiple_of(regime.hours * ROWS_PER_HOUR + 1) && lean != 0.0 {
            let size = SIZE.0 + SIZE.1 * lean.abs().min(1.0);
            let (stop, hours) = (regime.stop as f32, regime.hours as f32);
            let side = if lean > 0.0 { 1.0 } else { -1.0 };
            let next = intent[FIELDS - 1] + 1.0;
            intent.copy_from_slice(&[side, size as f32, stop, stop, 2.0 * stop, hours, next]);
        }
    }
}

/// What one miner has bet on: a bet for each intent, when it is sent for the first time.
#[derive(Clone, Debug, Default)]
pub(super) struct Bets {
    /// The last id of each regime.
    known: [f32; REGIMES.len()],
}

impl Bets {
    /// The bets on what is sent, where it is new: regime, id and alpha.
    pub(super) fn on(&mut self, numbers: &[f32]) -> Vec<[f64; 3]> {
        let mut bets = Vec::new();
        for (regime, (known, intent)) in self.known.iter_mut().zip(numbers.chunks_exact(FIELDS)).enumerate() {
            let (size, id) = (intent[1], intent[FIELDS - 1]);
            if id > *known {
                *known = id;
                bets.push([regime as f64, f64::from(id), BALANCE * f64::from(size)]);
            }
        }
        bets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_stays_until_its_horizon_is_over() {
        let mut numbers = Vec::new();
        renew(None, &[0.5; 28], &mut numbers);
        assert_eq!(numbers, [0.0; 28]);
        let (mut ids, mut bets) = (Vec::new(), Bets::default());
        let mut bet = Vec::new();
        for turn in 0..=1_442 {
            let before = numbers.clone();
            // A miner changes its mind all the time, and keeps its word.
            renew(Some(turn), &[if turn % 2 == 0 { 0.5 } else { -2.0 }; 28], &mut numbers);
            if numbers != before {
                ids.push((turn, numbers[6], numbers[13], numbers[0], numbers[1]));
            }
            bet.extend(bets.on(&numbers));
        }
        assert_eq!(
            ids,
            [(0, 1.0, 1.0, 1.0, 0.125), (721, 2.0, 1.0, -1.0, 0.2), (1_442, 3.0, 1.0, 1.0, 0.125)]
        );
        let expected = [[0.0, 1.0, 12.5], [1.0, 1.0, 12.5], [2.0, 1.0, 12.5], [3.0, 1.0, 12.5]];
        assert_eq!(bet[..4], expected);
        assert_eq!(
            bet[4..].iter().map(|bet| bet[..2].to_vec()).collect::<Vec<_>>(),
            [[0.0, 2.0], [0.0, 3.0]]
        );
    }

    #[test]
    fn who_leans_to_neither_side_means_nothing() {
        let mut numbers = Vec::new();
        renew(Some(0), &[0.0; 28], &mut numbers);
        assert_eq!(numbers, [0.0; 28]);
        assert!(Bets::default().on(&numbers).is_empty());
    }
}
