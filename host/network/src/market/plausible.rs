//! Whether a price is to be believed.

use mantis_config::QuoteKind;

/// Prices between which there is one of anything, and the largest rate.
const PRICES: std::ops::RangeInclusive<f64> = 1e-12..=1e12;
const RATE: f64 = 1.0;
/// The share of the usual price by which one may differ from it, either way.
const JUMP: f64 = 0.30;
/// Earlier prices that it takes to know what is usual.
const ENOUGH: usize = 3;

/// Why a price is hardly to be believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceDoubt {
    /// Why, as a word that does not change: `bounds` or `jump`.
    pub code: &'static str,
    /// What was usual, if that is known.
    pub usual: Option<f64>,
}

/// Judges a price, or a funding rate, beside those before it; `None` if there is nothing to say against it.
#[must_use]
pub fn doubt(kind: QuoteKind, price: f64, before: &[f64]) -> Option<PriceDoubt> {
    let usual = median(before);
    let code = match kind {
        QuoteKind::FundingRates => (price.abs() > RATE || !price.is_finite()).then_some("bounds"),
        QuoteKind::Prices if !PRICES.contains(&price) => Some("bounds"),
        QuoteKind::Prices => {
            let usual = usual.filter(|_| before.len() >= ENOUGH);
            usual.filter(|usual| (price - usual).abs() > JUMP * usual.abs()).map(|_| "jump")
        }
    };
    code.map(|code| PriceDoubt { code, usual })
}

/// The middle one; of an even number, the mean of the two in the middle.
fn median(all: &[f64]) -> Option<f64> {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(lower + (upper - lower) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_held_against_bounds_and_its_neighbours() {
        let code = |price, before: &[f64]| doubt(QuoteKind::Prices, price, before).map(|doubt| doubt.code);
        let usual = [100.0, 101.0, 99.0, 100.5, 100.2];
        assert_eq!(code(129.0, &usual), None);
        assert_eq!((code(131.0, &usual), code(69.0, &usual)), (Some("jump"), Some("jump")));
        // One that was wrong before changes nothing; a price that stays is the new one soon.
        assert_eq!(code(100.0, &[1e308, 100.0, 101.0, 99.0, 100.0]), None);
        assert_eq!(code(150.0, &[150.0, 150.0, 150.0, 100.0, 100.0]), None);
        assert_eq!(code(1e308, &[]), Some("bounds"));
        assert_eq!((code(1e-13, &[]), code(f64::NAN, &[])), (Some("bounds"), Some("bounds")));
        assert_eq!(code(500.0, &[100.0, 100.0]), None);
        let rate = |rate| doubt(QuoteKind::FundingRates, rate, &[1e-4; 5]).is_some();
        assert!(!rate(-0.01) && rate(1.5) && rate(f64::INFINITY));
        assert_eq!(doubt(QuoteKind::Prices, 200.0, &usual).and_then(|doubt| doubt.usual), Some(100.2));
    }
}
