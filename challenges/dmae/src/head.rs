//! The network above the first layer: `relu`, 32 units, `relu`, one number.

use crate::{HIDDEN, Units};
use std::ops::Range;

/// Lanes of a product with the weights of a unit.
const LANES: usize = 8;

/// Places of the parameters among the rows of a [`Head`].
pub(crate) const B1: usize = 0;
pub(crate) const W2: Range<usize> = 1..1 + HIDDEN;
pub(crate) const B2: usize = W2.end;
pub(crate) const W3: usize = B2 + 1;
/// Only the first number of this row is used.
pub(crate) const B3: usize = W3 + 1;

/// Parameters, or their gradients or moments, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Head(pub(crate) [Units; B3 + 1]);

/// What a head makes of one row.
pub(crate) struct Passed {
    a1: Units,
    a2: Units,
    /// The forecast.
    pub(crate) output: f32,
}

impl Head {
    pub(crate) const ZERO: Self = Self([[0.0; HIDDEN]; B3 + 1]);

    /// What comes of the first layer, from the sum of what miners bring to it.
    #[inline(always)]
    pub(crate) fn first(&self, sum: &[f64; HIDDEN]) -> Units {
        std::array::from_fn(|k| (f64::from(self.0[B1][k]) + sum[k]) as f32)
    }

    /// The forecast from what came of the first layer.
    pub(crate) fn pass(&self, z1: &Units) -> Passed {
        let a1 = z1.map(relu);
        let mut a2 = self.0[B2];
        for (a2, w2) in a2.iter_mut().zip(&self.0[W2]) {
            *a2 = relu(*a2 + dot(w2, &a1));
        }
        let output = self.0[W3].iter().zip(&a2).fold(self.0[B3][0], |sum, (w, a)| sum + w * a);
        Passed { a1, a2, output }
    }

    /// What the forecast changes by with each unit of the first layer, times `factor`.
    pub(crate) fn slope(&self, z1: &Units, passed: &Passed, factor: f32) -> Units {
        let mut slope = [0.0; HIDDEN];
        for (j, w2) in self.0[W2].iter().enumerate() {
            if passed.a2[j] > 0.0 {
                let delta = factor * self.0[W3][j];
                add(&mut slope, delta, w2);
            }
        }
        for k in 0..HIDDEN {
            slope[k] = if z1[k] > 0.0 { slope[k] } else { 0.0 };
        }
        slope
    }

    /// Adds a row's part to the gradients; `slope` is that of the row, `factor` what the loss changes by with the forecast.
    pub(crate) fn add_gradients(&self, passed: &Passed, slope: &Units, factor: f32, gradients: &mut Self) {
        let Self(gradients) = gradients;
        gradients[B3][0] += factor;
        for j in 0..HIDDEN {
            gradients[W3][j] += factor * passed.a2[j];
            if passed.a2[j] > 0.0 {
                let delta = factor * self.0[W3][j];
                gradients[B2][j] += delta;
                add(&mut gradients[W2.start + j], delta, &passed.a1);
            }
        }
        add(&mut gradients[B1], 1.0, slope);
    }
}

/// Adds a multiple of units.
#[inline(always)]
fn add(to: &mut Units, factor: f32, units: &Units) {
    for k in 0..HIDDEN {
        to[k] += factor * units[k];
    }
}

fn relu(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

fn dot(w: &Units, a: &Units) -> f32 {
    let mut s = [0.0; LANES];
    for (w, a) in w.as_chunks::<LANES>().0.iter().zip(a.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            s[lane] += w[lane] * a[lane];
        }
    }
    ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::Noise;

    fn head(seed: u64) -> Head {
        let mut noise = Noise::new(seed);
        let mut head = Head::ZERO;
        head.0[..B3].as_flattened_mut().fill_with(|| 0.2 * noise.uniform() as f32);
        head
    }

    fn z1() -> Units {
        std::array::from_fn(|k| ((k * 7 % 11) as f32 - 4.0) / 10.0)
    }

    #[test]
    fn gradients_are_what_the_forecast_changes_by() {
        let head = head(42);
        let passed = head.pass(&z1());
        let slope = head.slope(&z1(), &passed, 1.0);
        let mut gradients = Head::ZERO;
        head.add_gradients(&passed, &slope, 1.0, &mut gradients);
        let step = 1e-3;
        for row in [B1, 3, 20, B2, W3, B3] {
            for k in 0..if row == B3 { 1 } else { HIDDEN } {
                let changed = |by: f32| {
                    let mut head = head.clone();
                    head.0[row][k] += by;
                    let mut z1 = z1();
                    // The first layer's bias is in what came of it.
                    z1[k] += if row == B1 { by } else { 0.0 };
                    f64::from(head.pass(&z1).output)
                };
                let rise = (changed(step) - changed(-step)) / f64::from(2.0 * step);
                let known = f64::from(gradients.0[row][k]);
                // Close to a kink of the first layer the two sides differ.
                if row != B1 || z1()[k].abs() > step {
                    assert!((rise - known).abs() < 2e-4, "{row} {k}: {rise} {known}");
                }
            }
        }
        assert!(gradients.0[W2].iter().flatten().filter(|g| g.abs() > 1e-4).count() > 100);
    }

    #[test]
    fn twice_the_factor_is_twice_the_slope() {
        let head = head(7);
        let passed = head.pass(&z1());
        let (one, two) = (head.slope(&z1(), &passed, 1.0), head.slope(&z1(), &passed, 2.0));
        assert!(one.iter().zip(&two).all(|(one, two)| 2.0 * one == *two) && one.iter().any(|x| *x != 0.0));
    }
}
