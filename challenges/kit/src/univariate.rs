//! Logistic regression and AUC of one half-float feature, over its distinct values instead of its rows.

use std::borrow::Cow;

use half::f16;

use crate::logistic::{FitError, Model, Penalty, Rows, Stop, class_weights, solve};
use crate::math;

/// Number of half floats.
const CODES: usize = 1 << 16;

/// Weight of positive and of negative labels per distinct value of a half-float feature.
///
/// Adding a row costs a look-up; fitting and AUC cost a pass over the distinct values, of which there are at most
/// 63,487, however many rows were added. So a model over an expanding window adds only the window's new rows.
/// -0 counts as 0. Takes 128 KiB plus 24 bytes per distinct value.
#[derive(Debug, Clone)]
pub struct Histogram {
    /// Per code: 1 + index into `bins`, or 0.
    slots: Vec<u16>,
    bins: Vec<Bin>,
    lowest: u16,
    highest: u16,
    /// Number of rows with a negative and with a positive label.
    classes: [usize; 2],
}

#[derive(Debug, Clone, Copy)]
struct Bin {
    code: u16,
    positive: f64,
    negative: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { slots: vec![0; CODES], bins: Vec::new(), lowest: u16::MAX, highest: 0, classes: [0; 2] }
    }
}

impl Histogram {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row. One whose value is NaN or infinite, or whose weight is not positive and finite, is left out; whether
    /// it was taken.
    pub fn add(&mut self, value: f16, positive: bool, weight: f64) -> bool {
        let taken = value.is_finite() && weight > 0.0 && weight.is_finite();
        if taken {
            let (up, down) = if positive { (weight, 0.0) } else { (0.0, weight) };
            self.add_bin(Bin { code: code_of(value), positive: up, negative: down });
            self.classes[usize::from(positive)] += 1;
        }
        taken
    }

    /// Adds rows, up to the shortest of the slices; `weights` of `None` is 1 for all. How many were taken.
    pub fn add_column(&mut self, values: &[f16], positive: &[bool], weights: Option<&[f64]>) -> usize {
        let rows = values.iter().zip(positive).enumerate();
        let weight_of = |row: usize| weights.map_or(1.0, |weights| weights.get(row).copied().unwrap_or(0.0));
        rows.filter(|&(row, (&value, &positive))| self.add(value, positive, weight_of(row))).count()
    }

    /// Adds all of another histogram.
    pub fn merge(&mut self, other: &Self) {
        other.bins.iter().for_each(|&bin| self.add_bin(bin));
        self.classes.iter_mut().zip(other.classes).for_each(|(count, other)| *count += other);
    }

    /// Empties it; costs a pass over the distinct values.
    pub fn clear(&mut self) {
        for bin in self.bins.drain(..) {
            self.slots[usize::from(bin.code)] = 0;
        }
        (self.lowest, self.highest, self.classes) = (u16::MAX, 0, [0; 2]);
    }

    /// Number of distinct values.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.bins.len()
    }

    /// Distinct values in rising order, with the weights of positive and of negative labels.
    pub fn iter(&self) -> impl Iterator<Item = (f16, f64, f64)> + '_ {
        self.sorted().map(|bin| (value_of(bin.code), bin.positive, bin.negative))
    }

    /// Weighted AUC of the value: equals [`crate::auc::auc`] if all weights are 1. `None` for one class.
    #[must_use]
    pub fn auc(&self) -> Option<f64> {
        let (mut won, mut positive, mut negative) = (0.0, 0.0, 0.0);
        for bin in self.sorted() {
            // Twice the weight of pairs won, so that counts stay whole.
            won += bin.positive * (2.0 * negative + bin.negative);
            positive += bin.positive;
            negative += bin.negative;
        }
        (positive > 0.0 && negative > 0.0).then(|| won / (2.0 * positive * negative))
    }

    /// Fits one coefficient and the intercept: the same problem, and so the same optimum, as
    /// [`crate::logistic::fit`] over the rows. In network mode the iterates differ by rounding only.
    ///
    /// # Errors
    ///
    /// Empty, one class, or a parameter out of range; see [`FitError`].
    pub fn fit(&self, c: f64, balanced: bool, penalty: Penalty, stop: Stop) -> Result<Model, FitError> {
        let column = |of: fn(&Bin) -> f64| -> Vec<f64> { self.sorted().map(of).collect() };
        let values = column(|bin| value_of(bin.code).to_f64());
        let mut weights = [column(|bin| bin.positive), column(|bin| bin.negative)];
        let sums = weights.each_ref().map(|weights| math::sum(weights));
        let [positive, negative] = sums;
        let [for_negative, for_positive] = class_weights(balanced, [negative, positive])?;
        for (weights, factor) in weights.iter_mut().zip([for_positive, for_negative]) {
            weights.iter_mut().for_each(|weight| *weight *= factor);
        }
        let rows = Rows::with_sums(vec![Cow::Owned(values)], weights, self.classes);
        solve(rows, positive + negative, c, penalty, stop, None)
    }

    fn add_bin(&mut self, bin: Bin) {
        let slot = &mut self.slots[usize::from(bin.code)];
        if *slot == 0 {
            self.bins.push(bin);
            // At most 63,487 finite values: fits.
            *slot = self.bins.len() as u16;
            self.lowest = self.lowest.min(bin.code);
            self.highest = self.highest.max(bin.code);
        } else {
            let known = &mut self.bins[usize::from(*slot) - 1];
            known.positive += bin.positive;
            known.negative += bin.negative;
        }
    }

    fn sorted(&self) -> impl Iterator<Item = &Bin> {
        let range =
            if self.bins.is_empty() { &[] } else { &self.slots[self.lowest.into()..=self.highest.into()] };
        range.iter().filter(|&&slot| slot > 0).map(|&slot| &self.bins[usize::from(slot) - 1])
    }
}

/// A code in the order of the value.
fn code_of(value: f16) -> u16 {
    let bits = value.to_bits();
    match bits {
        0x8000 => 0x8000,
        bits if bits >> 15 == 1 => !bits,
        bits => bits | 0x8000,
    }
}

fn value_of(code: u16) -> f16 {
    f16::from_bits(if code >> 15 == 1 { code & 0x7FFF } else { !code })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc::auc;
    use crate::logistic::{Design, Problem, fit};
    use proptest::prelude::*;

    #[test]
    fn codes_are_in_the_order_of_values() {
        let mut values: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).filter(|v| v.is_finite()).collect();
        values.sort_by(|a, b| a.to_f64().total_cmp(&b.to_f64()));
        for pair in values.windows(2) {
            assert_eq!(code_of(pair[0]).cmp(&code_of(pair[1])), pair[0].partial_cmp(&pair[1]).unwrap());
        }
        assert!(values.iter().all(|&v| value_of(code_of(v)) == v));
    }

    #[test]
    fn leaves_out_what_is_not_finite_and_clears() {
        let mut histogram = Histogram::new();
        assert!(!histogram.add(f16::NAN, true, 1.0) && !histogram.add(f16::INFINITY, true, 1.0));
        assert!(!histogram.add(f16::ONE, true, f64::NAN) && !histogram.add(f16::ONE, true, 0.0));
        assert_eq!((histogram.distinct(), histogram.auc()), (0, None));
        assert_eq!(histogram.fit(1.0, true, Penalty::L2, Stop::Exact), Err(FitError::Empty));
        assert!(histogram.add(f16::ONE, true, 1.0) && histogram.add(f16::NEG_ONE, false, 1.0));
        assert_eq!(histogram.auc(), Some(1.0));
        histogram.clear();
        assert_eq!((histogram.distinct(), histogram.iter().count()), (0, 0));
    }

    proptest! {
        #[test]
        fn equals_the_rows(
            rows in prop::collection::vec((-40..40_i32, any::<bool>(), 1..4_u32), 8..200), balanced: bool,
        ) {
            let values: Vec<f16> = rows.iter().map(|r| f16::from_f64(f64::from(r.0) / 16.0)).collect();
            let y: Vec<bool> = rows.iter().map(|r| r.1).collect();
            prop_assume!(y.contains(&true) && y.contains(&false));
            let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.2)).collect();
            let dense: Vec<f64> = values.iter().map(|v| v.to_f64()).collect();

            // In two halves, as an expanding window grows.
            let mut histogram = Histogram::new();
            let mut second = Histogram::new();
            let half = rows.len() / 2;
            histogram.add_column(&values[..half], &y[..half], Some(&weights[..half]));
            second.add_column(&values[half..], &y[half..], Some(&weights[half..]));
            histogram.merge(&second);
            let mut unweighted = Histogram::new();
            prop_assert_eq!(unweighted.add_column(&values, &y, None), rows.len());
            prop_assert_eq!(unweighted.auc(), auc(&dense, &y));

            let columns = [dense.as_slice()];
            let problem = Problem {
                x: Design::from_columns(&columns), y: &y, weights: Some(&weights), balanced, c: 0.5,
                penalty: Penalty::L2,
            };
            let network = Stop::Network { tol: 1e-4, max_iter: 200, seed: 0 };
            for (penalty, stop, bar) in [
                (Penalty::L2, Stop::Exact, 1e-11),
                (Penalty::L2, network, 1e-9),
                (Penalty::L2Bias, network, 1e-9),
            ] {
                let ours = histogram.fit(0.5, balanced, penalty, stop).unwrap();
                let rowwise = fit(&Problem { penalty, ..problem }, stop, None).unwrap();
                let off = (ours.coef[0] - rowwise.coef[0]).abs() + (ours.intercept - rowwise.intercept).abs();
                prop_assert!(off < bar, "{:?}: {} {:?} {:?}", stop, off, ours, rowwise);
            }
        }
    }
}
