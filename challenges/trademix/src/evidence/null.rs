//! Whether a book foresees returns: measured against itself, shifted in time.

use super::{EPS, EvidenceParams};
use crate::moments::spread;
use mantis_kit::fft::{Complex, Correlation};
use mantis_kit::math;

/// What the null says of one book.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evidence {
    /// Deviations of the null by which the book is above its mean.
    pub(crate) t: f64,
    /// Probability of that much or more without foresight.
    pub(crate) p: f64,
}

impl Evidence {
    /// Of a book that says nothing.
    const NONE: Self = Self { t: 0.0, p: 1.0 };
}

/// The null of one channel: its later returns, ready to be correlated with any book.
pub(crate) struct Null<'a> {
    correlation: Correlation,
    hours: usize,
    horizons: Vec<Horizon>,
    params: &'a EvidenceParams,
}

/// Later returns over one horizon.
struct Horizon {
    weight: f64,
    spectra: Vec<Complex>,
    /// Root of their sum of squares.
    norm: f64,
}

impl<'a> Null<'a> {
    /// For the returns of each asset, summed over horizons of some weight (scoring: trademix, evidence).
    ///
    /// # Panics
    /// If assets have returns of different lengths.
    pub(crate) fn new(
        returns: &[&[f64]],
        horizons: impl Iterator<Item = (usize, f64)>,
        params: &'a EvidenceParams,
    ) -> Self {
        let hours = returns.first().map_or(0, |of_asset| of_asset.len());
        let correlation = Correlation::of_length(hours);
        let ready = |(horizon, weight)| {
            let later: Vec<_> =
                returns.iter().map(|of_asset| later(of_asset, horizon, params.warmup)).collect();
            let later: Vec<&[f64]> = later.iter().map(Vec::as_slice).collect();
            Horizon { weight, spectra: correlation.spectra(&later), norm: norm(&later) }
        };
        let horizons = horizons.map(ready).collect();
        Self { horizons, correlation, hours, params }
    }

    /// Evidence of a book, by asset and hour.
    ///
    /// A shift pairs the book with returns that it cannot have foreseen, but keeps how it moves, and how they do; small
    /// shifts are left out, since a book of slow positions is much like itself some hours before.
    pub(crate) fn evidence(&self, book: &[&[f64]]) -> Evidence {
        let shifts = self.params.min_shift..(self.hours + 1).saturating_sub(self.params.min_shift);
        let size = norm(book);
        // A book of zeros is left out of the transforms, whose rounding would speak for it.
        if size == 0.0 || shifts.is_empty() {
            return Evidence::NONE;
        }
        let spectra = self.correlation.spectra(book);
        let mut unshifted = 0.0;
        let mut shifted = vec![0.0; shifts.len()];
        for Horizon { weight, spectra: later, norm } in &self.horizons {
            let sums = self.correlation.sums(&spectra, later);
            let mut null = sums[shifts.clone()].to_vec();
            let mean = math::sum(&null) / null.len() as f64;
            let deviation = spread(&mut null);
            let floor = self.params.null_floor * size * norm;
            if floor > 0.0 && deviation <= floor {
                return Evidence::NONE;
            }
            let scale = weight / (deviation + EPS);
            unshifted += (sums[0] - mean) * scale;
            math::axpy(scale, &null, &mut shifted);
        }
        self.beyond(unshifted, shifted)
    }

    /// How far, and how rarely, the null goes beyond what was seen.
    fn beyond(&self, unshifted: f64, mut shifted: Vec<f64>) -> Evidence {
        let as_large = shifted.iter().filter(|&&z| z >= unshifted).count();
        let rarity = (1 + as_large) as f64 / (1 + shifted.len()) as f64;
        let mean = math::sum(&shifted) / shifted.len() as f64;
        let t = (unshifted - mean) / (spread(&mut shifted) + EPS);
        if t > 0.0 {
            // No count of shifts says less than one of all; the normal tail does.
            return Evidence { t, p: rarity.min(math::norm_cdf(-t).max(self.params.min_p)) };
        }
        Evidence { t, p: rarity }
    }
}

/// Sum of the returns of the next hours, for each hour that counts; 0 for the others.
fn later(returns: &[f64], horizon: usize, warmup: usize) -> Vec<f64> {
    let hours = returns.len();
    let sum = |t: usize| {
        let counts = t >= warmup && t + horizon < hours;
        if counts { math::sum(&returns[t + 1..=t + horizon]) } else { 0.0 }
    };
    (0..hours).map(sum).collect()
}

/// Root of the sum of squares over all assets.
fn norm(series: &[&[f64]]) -> f64 {
    series.iter().map(|of_asset| math::dot(of_asset, of_asset)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn noise(hours: usize, seed: f64) -> Vec<f64> {
        (0..hours).map(|t| ((t as f64 + 1.0) * seed).fract() - 0.5).collect()
    }

    fn params() -> EvidenceParams {
        EvidenceParams { warmup: 20, min_shift: 10, ..EvidenceParams::default() }
    }

    /// By the definition, shift by shift.
    fn direct(
        book: &[&[f64]],
        returns: &[&[f64]],
        horizons: &[(usize, f64)],
        params: &EvidenceParams,
    ) -> Evidence {
        let hours = book[0].len();
        let shifts: Vec<usize> =
            std::iter::once(0).chain(params.min_shift..=hours - params.min_shift).collect();
        let mut blend = vec![0.0; shifts.len()];
        let moments = |x: &[f64]| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            (mean, (x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64).sqrt())
        };
        for &(horizon, weight) in horizons {
            let y = |t: usize, a: usize| match t >= params.warmup && t < hours - horizon {
                true => (1..=horizon).map(|k| returns[a][t + k]).sum::<f64>(),
                false => 0.0,
            };
            let at = |k: usize| {
                let hour =
                    |t: usize| (0..book.len()).map(|a| book[a][t] * y((t + k) % hours, a)).sum::<f64>();
                (0..hours).map(hour).sum::<f64>()
            };
            let sums: Vec<f64> = shifts.iter().map(|&k| at(k)).collect();
            let (mean, std) = moments(&sums[1..]);
            blend.iter_mut().zip(&sums).for_each(|(z, s)| *z += weight * (s - mean) / (std + EPS));
        }
        let (mean, std) = moments(&blend[1..]);
        let t = (blend[0] - mean) / (std + EPS);
        let count = blend[1..].iter().filter(|&&z| z >= blend[0]).count();
        let p = (1 + count) as f64 / blend.len() as f64;
        Evidence { t, p: if t <= 0.0 { p } else { p.min(math::norm_cdf(-t).max(1e-12)) } }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn evidence_is_what_its_definition_says(hours in 45..120_usize, seed in 0.1..0.9f64, skill in 0.0..1.0f64) {
            let params = params();
            let horizons = [(3, 0.25), (6, 0.5), (12, 0.25)];
            let returns = [noise(hours, seed), noise(hours, seed * 0.7), noise(hours, seed * 1.3)];
            let returns: Vec<&[f64]> = returns.iter().map(Vec::as_slice).collect();
            let book: Vec<Vec<f64>> = returns
                .iter()
                .map(|of_asset| {
                    let own = noise(hours, seed * 0.37);
                    later(of_asset, 6, 0).iter().zip(&own).map(|(y, n)| skill * y + n).collect()
                })
                .collect();
            let book: Vec<&[f64]> = book.iter().map(Vec::as_slice).collect();
            let found = Null::new(&returns, horizons.into_iter(), &params).evidence(&book);
            let expected = direct(&book, &returns, &horizons, &params);
            prop_assert!((found.t - expected.t).abs() < 1e-10, "{:?} {:?}", found, expected);
            prop_assert!((found.p - expected.p).abs() < 1e-10 * expected.p, "{:?} {:?}", found, expected);
        }
    }

    #[test]
    fn who_foresees_stands_out_and_who_is_wrong_or_silent_does_not() {
        let (params, returns) = (params(), noise(400, 0.618_033_9));
        let null = Null::new(&[&returns], std::iter::once((5, 1.0)), &params);
        let foreseen = later(&returns, 5, 0);
        let wrong: Vec<f64> = foreseen.iter().map(|x| -x).collect();
        let right = null.evidence(&[&foreseen]);
        assert!(right.t > 4.0 && right.p < 1e-4, "{right:?}");
        let wrong = null.evidence(&[&wrong]);
        assert!(wrong.t < -4.0 && wrong.p == 1.0, "{wrong:?}");
        assert_eq!(null.evidence(&[&[0.0; 400]]), Evidence::NONE);
        // Too short for a single shift.
        let short = Null::new(&[&returns[..19]], std::iter::once((5, 1.0)), &params);
        assert_eq!(short.evidence(&[&foreseen[..19]]), Evidence::NONE);
    }

    #[test]
    fn a_constant_book_is_no_evidence_above_the_floor_of_rounding() {
        let returns = noise(300, 0.754_877_6);
        let book = vec![0.7; 300];
        for (null_floor, is_none) in [(0.0, false), (1e-9, true)] {
            let params = EvidenceParams { null_floor, ..params() };
            let found = Null::new(&[&returns], std::iter::once((5, 1.0)), &params).evidence(&[&book]);
            assert_eq!(found == Evidence::NONE, is_none, "{found:?}");
        }
    }
}
