//! Hours in which the market moves far more than it used to.

use crate::Params;
use crate::moments::moments;
use mantis_kit::math;

/// For each hour from that of the first row to that of the last, whether it is a tail hour (scoring: flow, tail hours).
///
/// `hours` are the rows' hours, ascending, not empty; `close` their prices.
pub(crate) fn tail_hours(hours: &[f64], close: &[f64], params: &Params) -> Vec<bool> {
    let logs: Vec<f64> = hourly(hours, close).into_iter().map(math::ln).collect();
    let before = std::iter::once(&logs[0]).chain(&logs);
    let returns: Vec<f64> = logs.iter().zip(before).map(|(now, before)| now - before).collect();
    let deviation = |i: usize, hours: usize| {
        moments(&returns[i.saturating_sub(hours)..i]).map_or(0.0, |(_, deviation)| deviation)
    };
    let is_tail = |i: usize| {
        let usual = deviation(i, params.tail_long_hours);
        usual > 0.0 && deviation(i, params.tail_short_hours) > params.tail_mult * usual
    };
    (0..returns.len()).map(|i| i >= params.tail_min_hours && is_tail(i)).collect()
}

/// The last price of each hour; that of the hour before where it has no row.
fn hourly(hours: &[f64], close: &[f64]) -> Vec<f64> {
    let mut closes = Vec::new();
    for (&hour, &price) in hours.iter().zip(close) {
        let index = hour_index(hours[0], hour);
        let before = closes.last().copied().unwrap_or(price);
        closes.resize(index + 1, before);
        closes[index] = price;
    }
    closes
}

/// Whole hours from that of the first row.
pub(crate) fn hour_index(first: f64, hour: f64) -> usize {
    (hour.floor() - first.floor()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_closes_with_its_last_row_or_the_hour_before() {
        let hours = [10.5, 10.9, 11.0, 14.2, 14.3];
        assert_eq!(hourly(&hours, &[1.0, 2.0, 3.0, 4.0, 5.0]), [2.0, 3.0, 3.0, 3.0, 5.0]);
    }

    /// Prices that go up and down by a small step, by a large one from an hour on.
    fn storm(hours: usize, from: usize) -> (Vec<f64>, Vec<f64>) {
        let step = |i: usize| if i < from { 0.001 } else { 0.05 };
        let close = (0..hours).map(|i| 100.0 + if i % 2 == 0 { step(i) } else { -step(i) });
        ((0..hours).map(|i| 50.25 + i as f64).collect(), close.collect())
    }

    fn tails(hours: usize, from: usize, params: &Params) -> Vec<usize> {
        let (hours, close) = storm(hours, from);
        let flags = tail_hours(&hours, &close, params);
        flags.iter().enumerate().filter(|(_, is_tail)| **is_tail).map(|(i, _)| i).collect()
    }

    #[test]
    fn a_storm_makes_tail_hours_after_its_first_and_until_it_is_usual() {
        let params = Params::default();
        let found = tails(450, 300, &params);
        assert_eq!(found.first(), Some(&301), "the first large hour is not in its own past");
        assert!(found.is_sorted_by(|a, b| a + 1 == *b) && found.len() > 20, "{found:?}");
        assert!(*found.last().unwrap() < 440, "what is usual has grown");
        // With fewer usual hours it is over sooner.
        let narrow = Params { tail_long_hours: 100, ..params };
        assert!(tails(450, 300, &narrow).len() < found.len());
    }

    #[test]
    fn the_first_week_has_no_tail_hours() {
        let params = Params::default();
        assert_eq!(tails(400, 160, &params).first(), Some(&168));
        let late = Params { tail_min_hours: 170, ..params };
        assert_eq!(tails(400, 160, &late).first(), Some(&170));
    }

    #[test]
    fn a_market_that_never_moved_has_none() {
        let hours: Vec<f64> = (0..300).map(f64::from).collect();
        assert!(tail_hours(&hours, &vec![7.0; 300], &Params::default()).iter().all(|is_tail| !is_tail));
    }
}
